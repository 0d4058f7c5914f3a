package report

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/store"
)

// Put writes report.html of a run. For a run for everybody, it also writes the run's point in the trend. The function
// "write" makes the content. A second call replaces both with the newer state of the store. After an error, the report
// or the point may be missing or old. The run itself is not affected. If "write" panics, Put returns an error.
func Put(ctx context.Context, s store.Store, run string, write func(io.Writer, *Night) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.New(plain.Fault(fault))
		}
	}()
	n, err := Gather(ctx, s, run)
	if err != nil {
		return err
	}
	err = store.PutSpooled(ctx, s, layout.Report(run), func(w io.Writer) error { return write(w, n) })
	if err != nil {
		return fmt.Errorf("write the report of run %s: %w", run, err)
	}
	if len(n.Trend) == 0 {
		return nil
	}
	if err := store.PutJSON(ctx, s, layout.Point(run), n.Trend[len(n.Trend)-1]); err != nil {
		return fmt.Errorf("write the figures of run %s: %w", run, err)
	}
	return nil
}
