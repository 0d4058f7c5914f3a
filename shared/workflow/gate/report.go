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

// reportTime is the timeout for writing a report. A slow report must not delay a run.
const reportTime = 3 * time.Minute

// Report writes the report of a run that has a plan. A run does not need the report, so callers show an error and go
// on.
func Report(ctx context.Context, s store.Store, run string) error {
	most := reportTime
	if end, ends := ctx.Deadline(); ends { // leave half of the time for the rest of the call
		most = min(most, time.Until(end)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return report.Put(ctx, s, run, page.Write)
}

// The method "report" writes the report of the run. If that fails, the state has the reason.
func (s *Steps) report(ctx context.Context, out *StepOutput) {
	write := s.Report
	if write == nil {
		write = Report
	}
	if err := write(ctx, s.Store, out.Run); err != nil {
		out.NoReport = plain.Nameless(err.Error(), plain.IsID)
		return
	}
	out.Report = layout.Report(out.Run)
}
