package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrNothing is returned when there is nothing to put back.
var ErrNothing = errors.New("nothing to put back")

// Restore makes, as a run of its own, the plan that puts back what a run took:
// everything, or what one person (user, an object id or SID) lost. What was not
// done, or was put back already, is left out. It is applied as any other plan,
// without asking a rule. Where putting the same run back was begun and not
// finished, it is the plan of that.
func Restore(ctx context.Context, s store.Store, old, user, run string, now time.Time) (*plan.Plan, error) {
	was, err := report.GetPlan(ctx, s, old)
	if err != nil {
		return nil, err
	}
	if begun, err := begunRestore(ctx, s, was); err != nil || begun != nil {
		return begun, err
	}
	if err := copyRun(ctx, s, old, run, now); err != nil {
		return nil, err
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	p := begin(r, now)
	p.Restores, p.Changes, p.HoldReasons, p.Verdict = old, []plan.Change{}, []string{}, plan.Review
	if p.Mode == policy.Enforce {
		p.Verdict = plan.Apply
	}
	book := ledger.In(s)
	for _, c := range was.Changes {
		if user != "" && c.User != user && c.SID != user && !strings.EqualFold(c.UserPrincipalName, user) {
			continue
		}
		last, err := book.Standing(ctx, c.User, c.License)
		if err != nil {
			return nil, err
		}
		if last == nil || last.Run != old || last.Completion == nil || last.Completion.Outcome != ledger.Done {
			continue
		}
		if c.Back != "" {
			continue // it gave something back
		}
		c.Rule, c.Reason, c.MonthlySaving, c.Back = plan.RestoreRule, "put back what run "+old+" took", -c.MonthlySaving, old
		p.Changes = append(p.Changes, c)
	}
	if len(p.Changes) == 0 {
		return nil, fmt.Errorf("%w: run %s took nothing that is not back already%s", ErrNothing, old, map[bool]string{true: " of " + user}[user != ""])
	}
	p.PlanHash = p.Hash()
	if err := history.PutPlanned(ctx, s, planned(p), false); err != nil {
		return nil, err
	}
	nobody := func(context.Context, func(*plan.Decision) error) (decision.Summary, error) {
		return decision.Summary{}, nil
	}
	if err := report.PutPlan(ctx, s, p, nobody); err != nil {
		return nil, err
	}
	return p, report.PutChanges(ctx, s, p)
}

// begunRestore is the plan that puts a run back and of which a change is open in
// the ledger; nil when there is none.
func begunRestore(ctx context.Context, s store.Store, was *plan.Plan) (*plan.Plan, error) {
	book := ledger.In(s)
	for _, c := range was.Changes {
		last, err := book.Latest(ctx, c.User, c.License)
		if err != nil {
			return nil, err
		}
		if last == nil || last.Completion != nil || last.Rule != plan.RestoreRule {
			continue
		}
		if p, err := report.GetPlan(ctx, s, last.Run); err != nil || p.Restores == was.Run {
			return p, err
		}
	}
	return nil, nil
}

// copyRun begins a run over the snapshot of another one. A step that is tried
// again finds it there.
func copyRun(ctx context.Context, s store.Store, old, run string, now time.Time) error {
	b, err := snapshot.GetBegin(ctx, s, old)
	if err != nil {
		return err
	}
	m, _, err := snapshot.GetManifest(ctx, s, old)
	if err != nil {
		return err
	}
	b.Run, b.Started, m.Run = run, now.UTC(), run
	if err := snapshot.PutBegin(ctx, s, b); err != nil && !errors.Is(err, store.ErrExists) {
		return err
	}
	return snapshot.Seal(ctx, s, m)
}
