package command

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// held says what an operator does about a plan that only limits hold. The first plan of a tenant nearly always is one,
// because nobody took idle licenses back before.
func (c *planCmd) held(a *Process, p *plan.Plan) error {
	if c.json() || p.Verdict != plan.Hold || !p.Overridable {
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
