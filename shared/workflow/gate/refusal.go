package gate

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/plan"
)

// The method "refusal" returns the reason why a decision is not carried out, whatever else the plan has, or "". The
// method "choose" keeps such a decision out of the plan.
func (j *judgement) refusal(d *plan.Decision) string {
	if why := j.guard.refusal(d); why != "" {
		return why
	}
	return j.choice.refusal(d)
}

// The method "leftOut" returns the reason why the whole plan leaves out a decision that could be carried out alone, or
// "". It only explains what the method "choose" has done: Selection gives the free seats, and rungs.choose removes
// what a better license replaces. A new reason needs both, a limit there and its words here.
func (j *judgement) leftOut(d *plan.Decision) string {
	if !d.Notice && !j.choice.waits(d) && j.chosen.NoSeat(d) {
		return fmt.Sprintf("no free seat of %s is left for it, beside the %d that are kept free; buy some, or free some first", d.Seat, j.Policy.LicenseNamed(d.Seat).KeepSeats)
	}
	return j.rungs.refusal(d)
}

// The method "each" passes every decision to a callback, with the reason why it is not carried out. Call it only after
// the method "choose".
func (j *judgement) each(ctx context.Context, each func(*plan.Decision) error) (decision.Summary, error) {
	return j.Each(ctx, func(d *plan.Decision) error {
		if d.Refused = j.refusal(d); d.Planned() {
			d.Refused = j.leftOut(d)
		}
		return each(d)
	})
}
