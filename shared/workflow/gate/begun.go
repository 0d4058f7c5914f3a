package gate

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// begun lists the changes that earlier runs began and did not end. In a run for one person it lists only that person's.
func (j *judgement) begun(ctx context.Context) ([]plan.Begun, error) {
	var all []plan.Begun
	for i := range j.History.All() {
		if i.State == history.Open && (j.Begin.User == "" || j.people[i.User]) {
			all = append(all, plan.Begun{User: i.User, UserPrincipalName: i.UserPrincipalName, Rule: i.Rule, License: i.License, To: i.To, Run: i.Run, Since: i.Began})
		}
	}
	slices.SortFunc(all, func(a, b plan.Begun) int {
		return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(a.User, b.User), cmp.Compare(a.License, b.License))
	})
	results := map[string]*runs.Results{}
	for n := range all {
		b := &all[n]
		r, read := results[b.Run]
		if !read {
			var err error
			if r, err = said(ctx, j.store, b.Run); err != nil {
				return nil, err
			}
			results[b.Run] = r
		}
		b.Reason = "begun, and nothing is known of it since"
		if x := r.Of(&plan.Change{User: b.User, License: b.License}); x != nil && x.Note != "" {
			b.Reason = x.Note
		}
	}
	return all, nil
}

// said returns the results of a run so far. It returns none when the run's plan is missing or damaged.
func said(ctx context.Context, s store.Store, run string) (*runs.Results, error) {
	p, err := runs.GetPlan(ctx, s, run)
	if err == nil {
		var r *runs.Results
		if r, err = runs.GetResults(ctx, s, p, p.Batches()); err == nil {
			return r, nil
		}
	}
	if errors.Is(err, runs.ErrNoPlan) || errors.Is(err, store.ErrDamaged) {
		return &runs.Results{}, nil
	}
	return nil, err
}
