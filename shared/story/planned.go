package story

import (
	"context"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// planned says of each license that can be taken what the plan of the run does about it. A run may have no plan. The
// plan knows more than a decision: whether there is a seat, what the mailbox holds, and how many changes a run may make.
func (q *Question) planned(ctx context.Context, s store.Store, one *Story) error {
	idle := func(x Answer) bool { return x.State == Idle || x.State == Announced }
	if !slices.ContainsFunc(one.Answers, idle) {
		return nil
	}
	p, err := runs.GetPlan(ctx, s, one.Run)
	if runs.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	refused := map[[2]string]string{} // by rule and license
	err = runs.EachListed(ctx, s, one.Run, func(list string, e *runs.Listed) error {
		if list == "refused" && e.User == one.User {
			refused[[2]string{e.Rule, e.License}] = e.Reason
		}
		return nil
	})
	if err != nil && !runs.Gone(err) {
		return err
	}
	for i := range one.Answers {
		x := &one.Answers[i]
		if !idle(*x) {
			continue
		}
		if why := refused[[2]string{x.Rule, x.License}]; why != "" && x.Refused == "" {
			x.State, x.Refused = Refused, why
			x.Says, x.Change = says(x, one.pastOf(x.License)), ""
			x.Remedies = remediesOf(x)
			x.Do = do(x, one.pastOf(x.License))
			continue
		}
		q.byPlan(one, x, p)
	}
	return nil
}

// byPlan adds what the plan does about a license that can be taken, and the command that does it.
func (q *Question) byPlan(one *Story, x *Answer, p *plan.Plan) {
	this := func(c plan.Change) bool {
		return c.User == one.User && c.License == x.License && c.Rule == x.Rule
	}
	inPlan := slices.ContainsFunc(p.Changes, this)
	switch {
	case !inPlan && (p.Deferred == 0 || slices.ContainsFunc(p.Notices, this)):
	case !inPlan:
		x.Change = fmt.Sprintf("The plan of this run leaves it to a later run: it has room for %d changes, those who are idle longest first. ", len(p.Changes)) + x.Change
	case p.Mode == policy.Audit:
		x.Change = "The policy has the mode audit, so that nothing is taken. " + x.Change
	case p.Verdict == plan.Hold:
		x.Change = "The plan of this run is on hold. " + x.Change
		if q.Deployment != "" {
			return
		}
		x.Do = append(x.Do, Command(slices.Concat([]string{"show", p.Run}, q.flags())...)+"  says why it is on hold")
	case !q.Now.Before(p.Expires):
		x.Change = "The plan of this run has expired; a new one decides. " + x.Change
	case q.Deployment == "":
		x.Do = append(x.Do, Command(slices.Concat([]string{"apply", p.Run}, q.flags())...)+"  carries out the plan of the run, which has this change")
	}
}
