package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// Conclude finds the result of each change and each notice of a plan, and writes runs/<run>/results/settled.json. The
// result comes from the run's entry in the ledger, or else from the stored results of the batch. The stored results
// also win over an entry that was rolled back if a call may have taken the license after that. A change that is neither
// in the ledger nor in the results did not begin. It counts as pending, with the field Retry set.
//
// If the stored results of a batch are damaged, Conclude returns its results together with an error that wraps
// store.ErrDamaged.
func Conclude(ctx context.Context, s store.Store, run string, now time.Time) (*plan.Plan, *runs.Results, error) {
	p, err := runs.GetPlan(ctx, s, run)
	if err != nil {
		return nil, nil, err
	}
	said, damage := runs.GetResults(ctx, s, p, p.Batches())
	if damage != nil && !errors.Is(damage, store.ErrDamaged) {
		return nil, nil, damage
	}
	noted, err := history.OverrideOf(ctx, s, p)
	if err != nil {
		return nil, nil, err
	}
	all := &runs.Results{Run: run, PlanHash: p.PlanHash, At: now.UTC(), Override: cmp.Or(said.Override, noted), Refused: said.Refused, Results: []runs.Result{}}
	book := ledger.In(s)
	for _, c := range slices.Concat(p.Changes, p.Notices) {
		r, err := became(ctx, book, &c, run, said)
		if err != nil {
			return nil, nil, fmt.Errorf("settle run %s: %w", run, err)
		}
		all.Set(r)
	}
	if err := runs.PutResults(ctx, s, runs.Concluded, all); err != nil {
		return nil, nil, err
	}
	return p, all, damage
}

// notBegun is the note of a change that is neither in the ledger nor in the stored results.
const notBegun = "not begun"

func became(ctx context.Context, book *ledger.Ledger, c *plan.Change, run string, said *runs.Results) (runs.Result, error) {
	last, err := book.Latest(ctx, c.Person(), c.License)
	if errors.Is(err, ledger.ErrDamaged) {
		return runs.ResultOf(c, runs.Refused, err.Error()), nil
	}
	if err != nil {
		return runs.Result{}, err
	}
	known := said.Of(c)
	switch {
	case last != nil && last.Run == run && last.Completion != nil:
		if known != nil && (known.Status == runs.Pending || known.Status == runs.Failed) && last.Completion.Outcome != ledger.Done {
			if left, err := book.LeavingMark(ctx, last); left != nil || err != nil {
				return *known, err
			}
		}
		return runs.ResultOf(c, runs.Ended(last.Completion.Outcome), last.Completion.Note), nil
	case known != nil && (known.Status == runs.Pending || last == nil || last.Run != run):
		return *known, nil
	case last != nil && last.Run == run:
		return runs.ResultOf(c, runs.Pending, "begun, and not finished yet"), nil
	default:
		r := runs.ResultOf(c, runs.Pending, notBegun)
		r.Retry = true
		return r, nil
	}
}

// Hold writes the plan of a run whose people could not be evaluated. The plan has no changes and is on hold, and an
// override does not lift this hold. The plan still lists earlier runs with pending changes, because they can return a
// license without a new verdict.
func Hold(ctx context.Context, s store.Store, run, why string, now time.Time) (*plan.Plan, error) {
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	p := runs.NewPlan(r, now)
	p.Changes, p.Verdict, p.HoldReasons = []plan.Change{}, plan.Hold, []string{why}
	j := &judgement{Run: r, store: s, plan: p, pending: map[string]bool{}, lost: map[string]error{}}
	if err := j.addPending(ctx); err != nil {
		return nil, fmt.Errorf("put run %s on hold: %w", run, err)
	}
	p.Notes = append(p.Notes, j.losses()...)
	p.Bind()
	return p, runs.PutPlan(ctx, s, p, runs.Nobody)
}
