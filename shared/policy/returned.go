package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Returned tells when a person who lost a license to the rule was last active,
// if that is after since: by the dates that the rule's condition reads. It is
// zero for who stayed away, and for a date that is not known. asked tells
// whether the rule would still ask the person.
func (j *Judge) Returned(r *Rule, p *directory.Person, since time.Time) (at time.Time, asked directory.Flag) {
	at, _ = newestOf(r.when.activity, p)
	if !at.After(since.Add(-r.late())) {
		return time.Time{}, directory.Unset
	}
	if r.scope == nil {
		return at, directory.Yes
	}
	j.about(r, p)
	asked, _ = j.eval(r.scope, p)
	return at, asked
}

// late returns how much later than the sign-ins the dates of the rule may come, by which it was
// known that nobody was active: a report shows days later what happened before a license
// was taken. It is never longer than the rule's span, in which no date was known then.
func (r *Rule) late() (late time.Duration) {
	for _, a := range r.when.activity {
		for _, s := range a.signals() {
			if s.Reported() {
				late = max(late, s.Stalled())
			}
		}
	}
	return max(0, slices.Min(append(slices.Clone(r.when.spans), late)))
}

// unusedSpan is how long a rule that reads no date of use leaves a license alone
// after it was given back: Microsoft's Product Terms let a license be reassigned
// after 90 days.
const unusedSpan = 90 * day

// Cooling reports whether a license that was given back is too fresh to be taken
// again: the person has not been idle for the rule's whole span since then.
func (j *Judge) Cooling(r *Rule, p *directory.Person, givenBack time.Time) bool {
	if len(r.when.activity) == 0 {
		return j.now.Sub(givenBack) < unusedSpan
	}
	return j.decide(r, p.ActiveBy(givenBack), new(exempted)).outcome != Reclaim
}
