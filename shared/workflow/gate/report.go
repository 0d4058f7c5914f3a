package gate

import (
	"context"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/store"
)

// reportTime is the longest time that a report may take. A run must not wait for it.
const reportTime = 3 * time.Minute

// Report writes the report of a run that has a plan. Callers tell an error and go on: the run does not need the report.
func Report(ctx context.Context, s store.Store, run string) error {
	most := reportTime
	if end, ends := ctx.Deadline(); ends { // the call must have time left to end
		most = min(most, time.Until(end)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return report.Put(ctx, s, run, page.Write)
}

// report writes the report of the run and adds to the state where it is, or why there is none.
func (s *Steps) report(ctx context.Context, out *StepOutput) {
	if err := Report(ctx, s.Store, out.Run); err != nil {
		out.NoReport = plain.Nameless(err.Error(), plain.IsID)
		return
	}
	out.Report = layout.Report(out.Run)
}
