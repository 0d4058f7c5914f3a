package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Returned returns the time of the newest activity after the rule took the license at the time "since", or zero.
// Activity from shortly before "since" also counts, because a report may have shown it only later (the method "late").
// The result "asked" says whether the condition "for" still holds. It is Unset if the time is zero.
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

// lastSeen returns the newest known date of several attributes, or zero. One known date proves activity, even if
// another field of the same attribute is unknown. For example, usage reports do not list a person who lost the license
// for a workload.
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

// A report that arrives after a change may show activity from before the change. The method "late" returns how long
// before the change this activity may have been. The result is the longest delay of the usage reports that the rule
// reads, but at most the shortest span in the condition "when": the rule took the license, so there was no activity in
// that span.
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

// Covered reports whether usage reports cover the whole day of the given time. It checks the reports that have the
// person, and from which the condition "when" reads dates of use.
func (r *Rule) Covered(p *directory.Person, at time.Time) bool {
	return !slices.ContainsFunc(r.when.activity, func(a *attribute) bool {
		return slices.ContainsFunc(a.fields, func(f *directory.Field) bool {
			through := f.Of(p).Through
			return !through.IsZero() && through.Before(at.UTC().Truncate(day))
		})
	})
}

// unusedSpan is the time for which a rule without dates of use does not take a restored license. Microsoft's Product
// Terms allow a reassignment after 90 days.
const unusedSpan = 90 * day

// The method "rest" returns the longest of the sums and differences of the spans in the rule's conditions, but at least
// unusedSpan.
func (r *Rule) rest() time.Duration { return max(unusedSpan, slices.Max(r.offsets)) }

// Cooling reports whether it is too early to take a restored license again. The Judge evaluates the rule as if the
// person had been active at the restore, so the rule's whole span must pass first. For a rule without dates of use,
// unusedSpan must pass. A rule about people who never signed in would never be true after such an activity. For this
// rule, the time of the method "rest" must pass.
func (j *Judge) Cooling(r *Rule, p *directory.Person, givenBack time.Time) bool {
	switch past := j.now.Sub(givenBack); {
	case len(r.when.activity) == 0:
		return past < unusedSpan
	case j.decide(r, p.ActiveBy(givenBack), new(exempted)).outcome == Reclaim:
		return false
	default:
		return past <= r.rest() || j.decide(r, p, new(exempted)).outcome != Reclaim
	}
}
