package command

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "held" prints advice about a plan that is on hold only because of limits. The first plan of a tenant is
// usually on hold, because nobody has taken idle licenses before.
func (c *planCmd) held(a *Process, s store.Store, p *plan.Plan) error {
	if c.Format != "text" || p.Verdict != plan.Hold || !p.Overridable {
		return nil
	}
	out, again := &printer{w: a.Stdout}, "plan --run "+p.Run
	if v, _ := a.Variable("IDLESEAT_POLICY"); v != c.Policy && c.Policy != "" {
		again += " --policy " + plain.Word(c.Policy)
	}
	if p.FirstRun {
		out.printf("\nA first plan is usually held. Nobody took idle licenses back so far, so more people are idle than the limit allows.\n")
	}
	out.printf("\nWhat to do:\n")
	steps := [][2]string{
		{"Look who it is, here or in " + layout.Report(p.Run) + " of the store:", c.next(a, "serve --open")},
		{"If they are the right ones, raise limits.stopAbove in the policy, and plan again without reading again:", c.next(a, again)},
	}
	n, err := few(a, s, p)
	if err != nil {
		return err
	}
	if p.Mode != policy.Audit && n > 0 {
		steps = append(steps, [2]string{fmt.Sprintf("Or begin with the %s of those who are idle longest:", plain.Many(n, "change")), c.next(a, fmt.Sprintf("apply %s --limit %d", p.Run, n))})
	}
	if p.Mode != policy.Audit {
		steps = append(steps, [2]string{"Or accept this very plan:", c.next(a, "apply "+p.Run+" --override-limits "+p.PlanHash)})
	}
	for _, step := range steps {
		out.printf("  %s\n    %s\n", step[0], step[1])
	}
	out.printf("  However many match, a run makes at most limits.perRun changes. The people who are idle longest come first.\n")
	if out.err != nil {
		return fmt.Errorf("print what to do: %w", out.err)
	}
	return nil
}

// The function "few" is for a plan that is on hold because of limits. It returns a number of changes that an operator
// may nevertheless choose from the plan: 20, 9 or 3. It returns 0 if the plan has fewer changes, or if the limits allow
// none of these numbers.
func few(a *Process, s store.Store, p *plan.Plan) (int, error) {
	r, err := decision.Open(a.Context, s, p.Run)
	if err != nil {
		return 0, err
	}
	for _, n := range []int{20, 9, 3} {
		chosen, takes := p.Changes[:min(n, len(p.Changes))], map[string]int{}
		for i := range chosen {
			takes[chosen[i].Rule]++
		}
		if held, _ := plan.ExceededByChoice(r.Policy.Limits, p.Rules, nil, takes, len(chosen)); len(held) == 0 && len(chosen) == n {
			return n, nil
		}
	}
	return 0, nil
}
