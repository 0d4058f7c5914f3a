package page

import (
	"context"
	"fmt"
	"io"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/store"
)

// Put writes report.html of a run into the store, from what the store has of the run and of other runs.
func Put(ctx context.Context, s store.Store, run string) error {
	n, err := report.Gather(ctx, s, run)
	if err != nil {
		return err
	}
	err = store.PutSpooled(ctx, s, layout.Report(run), func(w io.Writer) error { return Write(w, n) })
	if err != nil {
		return fmt.Errorf("write the report of run %s: %w", run, err)
	}
	return nil
}
