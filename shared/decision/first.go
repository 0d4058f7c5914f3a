package decision

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// firstReading sets d.FirstReading if the verdict rests on a missing activity date and an account was first seen less
// than 20 hours ago. Graph returns no date for a person who never signed in, but sometimes omits one by mistake. So a
// reading on another day must confirm that there is none.
//
// While the dates of Active Directory cannot be trusted, the account there does not count: no verdict rests on a date
// that is missing there, and no run remembers the account. The account in Entra ID always counts, because a date of a
// usage report may be missing.
func (r *Run) firstReading(d *plan.Decision, p *directory.Person, v policy.Verdict, now time.Time) {
	if v.NoDate && (p.SeenOnce(directory.Entra, now) || r.Feeds[directory.AD].State == plan.Healthy && p.SeenOnce(directory.AD, now)) {
		d.FirstReading = true
		d.Reason += "; first reading"
	}
}

// The method "alone" returns why the run does not make a change that rests on a single reading. Only a scheduled run in
// mode enforce refuses such a change, because nobody looks at its plan first. The method returns "" if the run may make
// the change, and for an announcement.
func (r *Run) alone(d *plan.Decision) string {
	if !d.FirstReading || d.Notice || !r.Begin.Scheduled || r.Policy.Mode != policy.Enforce {
		return ""
	}
	return "first reading: no run of an earlier day saw the account; the schedule takes the license after a second reading on another day, an operator may plan and apply it now"
}
