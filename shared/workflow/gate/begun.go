package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "addPending" lists in the plan the changes that earlier runs began and did not end. It also lists the runs
// that the plan resumes.
func (j *judgement) addPending(ctx context.Context) (err error) {
	p := j.plan
	if p.Pending, err = j.begun(ctx); err != nil {
		return err
	}
	for _, b := range p.Pending {
		j.pending[b.Run] = true
	}
	maps.DeleteFunc(j.pending, func(run string, _ bool) bool { return j.lost[run] != nil })
	if p.Mode != policy.Audit {
		p.Resumes = slices.Sorted(maps.Keys(j.pending))
	}
	return nil
}

// The method "begun" lists the changes that earlier runs began and did not end, each with the reason why it is not
// finished. A run for one person lists only the changes of that person. The method records in j.lost the runs that
// cannot go on.
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
	said, returns := map[string]*runs.Results{}, returning(j.store)
	for n := range all {
		b := &all[n]
		r, read := said[b.Run]
		var err error
		if !read {
			if r, err = j.said(ctx, b.Run); err != nil {
				return nil, err
			}
			said[b.Run] = r
		}
		if b.Back, err = returns(ctx, b); err != nil {
			return nil, err
		}
		b.Reason = "begun, and nothing is known of it since"
		if x := r.Of(&plan.Change{User: b.User, License: b.License}); x != nil && x.Note != "" {
			b.Reason = x.Note
		}
		if why := j.lost[b.Run]; why != nil {
			b.Reason = "it waits for a restore: " + why.Error()
		}
	}
	return all, nil
}

// The method "upToDate" returns a copy of a plan. Some pending changes may have begun to return their licenses after
// the plan was made. In the copy, these changes have the field Back, too. So a rollback that begins tonight goes on
// like a rollback that began before the plan.
func (s *Steps) upToDate(ctx context.Context, p *plan.Plan) (*plan.Plan, error) {
	now, returns := *p, returning(s.Store)
	now.Pending = slices.Clone(p.Pending)
	for i := range now.Pending {
		b := &now.Pending[i]
		if b.Back {
			continue
		}
		var err error
		if b.Back, err = returns(ctx, b); err != nil {
			return nil, err
		}
	}
	return &now, nil
}

// The method "addReturning" adds the batches of a plan that have a change which the run has begun, and which returns its
// license by now. A night's own rollback then goes on like one of an earlier run. The parameter "results" has what
// Conclude returned for the plan. Changes that have not begun need no look at the ledger: a plan may have thousands, and
// an approval has five minutes.
func (s *Steps) addReturning(ctx context.Context, p *plan.Plan, results *runs.Results, batches *Batches) error {
	book, returns, back := ledger.In(s.Store), returning(s.Store), map[[2]string]bool{}
	for i := range p.Changes {
		c := &p.Changes[i]
		if r := results.Of(c); r == nil || r.Note == notBegun || results.Final(c) {
			continue
		}
		last, err := book.Latest(ctx, c.Person(), c.License)
		if errors.Is(err, ledger.ErrDamaged) || err == nil && (last == nil || last.Run != p.Run || last.Completion != nil) {
			continue
		}
		if err == nil {
			back[[2]string{c.User, c.License}], err = returns(ctx, &plan.Begun{Run: p.Run, User: c.Person(), License: c.License})
		}
		if err != nil {
			return fmt.Errorf("find what run %s returns: %w", p.Run, err)
		}
	}
	batches.addWith(p, results.Override == p.PlanHash, runs.Back, func(c plan.Change) bool { return back[[2]string{c.User, c.License}] })
	return nil
}

// The function "returning" makes a function that reports whether an unfinished change gives a license back. Such a
// change is a restore or a rollback, or an operator has asked to restore its license. If the ledger entry is damaged,
// the answer is false, because no run finishes the change. The function that is made reads the operators' requests only
// once for each run.
func returning(s store.Store) func(context.Context, *plan.Begun) (bool, error) {
	book, recalled := ledger.In(s), map[string]func(user string) bool{}
	return func(ctx context.Context, b *plan.Begun) (back bool, err error) {
		if recalled[b.Run] == nil {
			if recalled[b.Run], err = history.Recalled(ctx, s, b.Run); err != nil {
				return false, err
			}
		}
		back = recalled[b.Run](b.User)
		last, err := book.Latest(ctx, b.User, b.License)
		if err == nil && last != nil && last.Run == b.Run && !back {
			back, err = book.Returning(ctx, last)
		}
		if errors.Is(err, ledger.ErrDamaged) {
			return false, nil
		}
		return back, err
	}
}

// The method "said" returns the results that the batches of an earlier run have stored so far. It leaves out damaged
// results, and names them in a note of the plan. If the earlier run cannot go on, it returns no results and records the
// reason in j.lost.
func (j *judgement) said(ctx context.Context, run string) (*runs.Results, error) {
	err := runs.GoesOn(ctx, j.store, run)
	if runs.Gone(err) {
		j.lost[run] = err
		return &runs.Results{}, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := runs.GetPlan(ctx, j.store, run)
	if err != nil {
		return nil, err
	}
	r, err := runs.GetResults(ctx, j.store, p, p.Batches())
	if errors.Is(err, store.ErrDamaged) {
		j.plan.Notes = append(j.plan.Notes, plain.OneLine(err.Error())+"; the ledger says what the run has begun")
		return r, nil
	}
	return r, err
}

// The method "losses" returns notes about earlier runs that cannot be read, or that cannot finish the changes that they
// began.
func (j *judgement) losses() (notes []string) {
	for _, why := range j.Begin.Lost {
		notes = append(notes, why+"; what it found under the names of the policy is not known, and an older run's list counts")
	}
	for _, why := range j.sum.Lost {
		notes = append(notes, "memory of an earlier run is lost: "+why)
	}
	for _, run := range slices.Sorted(maps.Keys(j.lost)) {
		notes = append(notes, fmt.Sprintf("run %s cannot finish what it began: %v; `idleseat restore --run %s` rolls that back by the ledger", run, j.lost[run], run))
	}
	return notes
}
