package decision

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// firstReading marks a decision that rests on a date which is missing in the first
// reading of an account. Graph gives no such date for somebody who never signed in,
// and none when it fails to, so a second reading has to show the same.
func (r *Run) firstReading(d *plan.Decision, p *directory.Person, v policy.Verdict, now time.Time) {
	if v.NoDate && p.SeenOnce(now) {
		d.FirstReading = true
		d.Reason += "; first reading"
	}
}

// alone is why the schedule does not make a change: nobody looks at it first, and it
// rests on a single reading. It is empty when the schedule may make it.
func (r *Run) alone(d *plan.Decision) string {
	if !d.FirstReading || d.Notice || !r.Begin.Scheduled || r.Policy.Mode != policy.Enforce {
		return ""
	}
	return "first reading: no run of an earlier day saw the account; the schedule takes the license after a second reading on another day, an operator may plan and apply it now"
}
