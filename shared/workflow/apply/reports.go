package apply

import (
	"context"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/source/usage"
)

// readReports reads the usage reports for the rules' signals again, once for all changes. The reports follow those of the
// plan's run, and those that a newer run read since. If a signal is unhealthy now, or if what a newer run read is lost,
// the dates of the signal are unknown for everybody.
func (j *job) readReports(ctx context.Context) error {
	signals := j.run.Policy.Signals()
	if j.inForce != nil {
		signals = append(signals, j.inForce.run.Policy.Signals()...)
	}
	signals = slices.DeleteFunc(signals, func(s directory.Signal) bool { return !s.Reported() })
	if len(signals) == 0 {
		return nil
	}
	known, err := j.run.Reports()
	if err != nil {
		return fmt.Errorf("read usage before applying: %w", err)
	}
	later, lost := j.run.LaterReports(ctx)
	if lost != nil && !decision.Lasts(lost) {
		return fmt.Errorf("read usage before applying: %w", lost)
	}
	known = slices.Concat(known, later)
	var readings []usage.Reading
	for _, r := range usage.Of(signals) {
		table, facts, err := usage.Read(ctx, j.Entra, r, j.Now())
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("read usage before applying: %w", err)
		case err != nil:
			readings = append(readings, usage.Reading{Name: r.Name, Failed: err.Error()})
		default:
			readings = append(readings, usage.Reading{Name: r.Name, Signals: facts})
			for _, planned := range known {
				if planned.Report == r.Name {
					table.Follow(planned)
				}
			}
			j.reports = append(j.reports, table)
		}
	}
	for _, s := range signals {
		j.stale[s] = plan.Health(s, j.run.ReportFacts(s, readings), j.Now()).Stale()
		if lost != nil {
			j.stale[s] = "what a newer run read is lost, so nobody can tell whether it showed a later day; plan again: " + lost.Error()
		}
	}
	return nil
}
