package decision

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// firstReading sets d.FirstReading, and adds a note to the reason, if the verdict rests on a missing activity date and
// one of the person's accounts was first seen less than 20 hours ago. Graph returns no date for a person who never
// signed in, and sometimes omits a date by mistake. A reading on another day must therefore confirm that there is no
// date.
func firstReading(d *plan.Decision, p *directory.Person, v policy.Verdict, now time.Time) {
	if v.NoDate && p.SeenOnce(now) {
		d.FirstReading = true
		d.Reason += "; first reading"
	}
}

// The method "alone" returns why a scheduled run does not make a change that rests on a single reading. It returns ""
// if the run may make the change. A scheduled run needs the second reading because no operator looks at the plan first.
func (r *Run) alone(d *plan.Decision) string {
	if !d.FirstReading || d.Notice || !r.Begin.Scheduled || r.Policy.Mode != policy.Enforce {
		return ""
	}
	return "first reading: no run of an earlier day saw the account; the schedule takes the license after a second reading on another day, an operator may plan and apply it now"
}
