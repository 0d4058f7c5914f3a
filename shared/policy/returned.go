package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Returned returns when a person who lost a license to the rule was last active, if that is after since. It uses the
// dates that the rule's condition reads. It is zero for a person who stayed away, and when no date is known. asked
// reports whether the rule would still ask the person.
func (j *Judge) Returned(r *Rule, p *directory.Person, since time.Time) (at time.Time, asked directory.Flag) {
	at = lastSeen(r.when.activity, p)
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

// lastSeen returns the newest known date of all fields of several attributes. It is zero when no date is known. One
// known date proves that the person was active, even when another field of the same attribute is unknown. The usage
// reports do not list a person who lost the license of a workload.
func lastSeen(list []*attribute, p *directory.Person) (at time.Time) {
	for _, a := range list {
		for _, f := range a.fields {
			if v := f.Of(p); v.State == directory.Known && v.Time.After(at) {
				at = v.Time
			}
		}
	}
	return at
}

// late returns how many days a report that the rule reads may be late. Such a report can show after the change what
// happened before it. The result is never longer than the rule's shortest span: the rule had proof that the person was
// not active in that span.
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

// unusedSpan is how long a rule without dates of use leaves a restored license alone. Microsoft's Product Terms allow a
// license to be reassigned after 90 days.
const unusedSpan = 90 * day

// Cooling reports whether it is too early to take a restored license again. It is too early until the person has been
// idle for the rule's whole span since the restore.
func (j *Judge) Cooling(r *Rule, p *directory.Person, givenBack time.Time) bool {
	if len(r.when.activity) == 0 {
		return j.now.Sub(givenBack) < unusedSpan
	}
	return j.decide(r, p.ActiveBy(givenBack), new(exempted)).outcome != Reclaim
}
