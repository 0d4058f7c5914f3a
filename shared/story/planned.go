package story

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/story/reason"
)

// planOf is the plan of a run, with what happened to the plan.
type planOf struct {
	*plan.Plan
	refused map[rowKey]string // the reasons why the plan refuses changes of the person
	results *runs.Results
	newer   string // the newer run whose plan replaces this plan; empty if there is none
}

type rowKey struct{ rule, license string }

// The method "planned" completes the answers whose rule takes the license. The verdict of a rule does not consider the
// number of free seats, the content of the mailbox, and the limits of a run. Only the plan does.
func (q *Question) planned(ctx context.Context, s store.Store, one *Story) error {
	idle := func(x Answer) bool { return x.State == Idle || x.State == Announced }
	if !slices.ContainsFunc(one.Answers, idle) {
		return nil
	}
	p, err := q.readPlan(ctx, s, one)
	if runs.Gone(err) {
		for i := range one.Answers {
			if x := &one.Answers[i]; x.State == Idle && !x.FirstReading {
				x.Change += " This run has no plan, so nothing is taken before another plan lists it."
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i := range one.Answers {
		x := &one.Answers[i]
		if !idle(*x) {
			continue
		}
		why := p.refused[rowKey{x.Rule, x.License}]
		if why == "" || x.Refused != "" {
			q.byPlan(one, x, p)
			continue
		}
		x.State, x.Refused, x.Change = Refused, why, ""
		x.Says = says(x, one.pastOf(x.License), one)
		x.resolve()
		x.Do = do(x, one.pastOf(x.License))
	}
	return nil
}

func (q *Question) readPlan(ctx context.Context, s store.Store, one *Story) (*planOf, error) {
	bound, err := runs.GetPlan(ctx, s, one.Run)
	if err != nil {
		return nil, err
	}
	p := &planOf{Plan: bound, refused: map[rowKey]string{}}
	err = runs.EachListed(ctx, s, one.Run, func(list string, e *runs.Listed) error {
		if list == "refused" && e.User == one.User {
			p.refused[rowKey{e.Rule, e.License}] = e.Reason
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if p.results, err = runs.GetResults(ctx, s, bound, bound.Batches()); err != nil {
		return nil, err
	}
	p.newer, err = history.Newer(ctx, s, one.Run, q.Now)
	return p, err
}

// byPlan completes an answer whose rule takes the license. It adds words about the plan, and the command that makes the
// change.
func (q *Question) byPlan(one *Story, x *Answer, p *planOf) {
	at := slices.IndexFunc(p.Changes, func(c plan.Change) bool {
		return c.User == one.User && c.License == x.License && c.Rule == x.Rule
	})
	if at < 0 {
		if p.Deferred > 0 && !x.Notice {
			x.Change = fmt.Sprintf("The plan of this run leaves it to a later run: it has room for %s, those who are idle longest first. ", plain.Many(len(p.Changes), "change")) + x.Change
		}
		return
	}
	if r := p.results.Of(&p.Changes[at]); r != nil && r.Status != runs.Pending {
		x.became(r)
		return
	}
	switch {
	case p.Mode == policy.Audit:
		x.Change = "The policy has the mode audit, so that nothing is taken. " + x.Change
	case p.newer != "":
		x.Change = "The plan of run " + p.newer + " has taken the place of this run's plan. " + x.Change
	case !q.Now.Before(p.Expires):
		x.Change = "The plan of this run has expired; a new one decides. " + x.Change
	case q.Deployment != "": // the deployment has its own approval, with the hash of the plan
	case p.Verdict == plan.Hold:
		x.Change = "The plan of this run is on hold. " + x.Change
		x.Do = append(x.Do, "to see why it is on hold: "+Command(slices.Concat([]string{"show", p.Run}, q.flags())...))
	default:
		x.Do = append(x.Do, "to carry out the plan of the run, which has this change: "+Command(slices.Concat([]string{"apply", p.Run}, q.flags())...))
		return
	}
	x.Change += " The plan of run " + p.Run + " has this change."
}

// The method "became" changes the answer if the plan was applied and did not make the change. The result r says whether
// the license was kept, or the change was refused or failed.
func (x *Answer) became(r *runs.Result) {
	note := strings.TrimSuffix(r.Note, ".")
	switch r.Status {
	case runs.Kept:
		x.State, x.Do = Kept, nil
		x.Says = fmt.Sprintf("%s is kept: asked again before the change, the rule did not take it (%s)", x.License, note)
		x.Change = "A new run decides by newer data."
	case runs.Refused, runs.Failed:
		x.State, x.Refused = Refused, note
		x.Says = fmt.Sprintf("%s is unused and stays: when the plan was applied, the change was %s (%s)", x.License, r.Status, note)
		x.Change, x.Do = "", nil
		x.resolve()
		for _, key := range x.Remedies {
			x.Do = append(x.Do, reason.Do(reason.English, key))
		}
		x.Do = append(x.Do, "A new run tries it again.")
	}
}
