package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

const maxOffsets = 243

// offsetsOf returns zero and every sum and difference of the spans, because a condition may add and subtract several
// spans. If the next span could make more than maxOffsets results, it is added to and subtracted from zero only, and
// not combined with the other spans.
func offsetsOf(conditions []*condition) []time.Duration {
	offsets := []time.Duration{0}
	for _, c := range conditions {
		for _, span := range c.spans {
			bases := offsets
			if 3*len(offsets) > maxOffsets {
				bases = offsets[:1]
			}
			for _, o := range bases {
				offsets = append(offsets, o+span, o-span)
			}
		}
	}
	slices.Sort(offsets[1:])
	return slices.Compact(offsets)
}

// Days returns the span of the condition "when" in days. It returns 0 for no span, for different spans, and for a span
// that is no whole number of days.
func (r *Rule) Days() int {
	spans := slices.Compact(slices.Sorted(slices.Values(r.when.spans)))
	if len(spans) != 1 || spans[0]%day != 0 {
		return 0
	}
	return int(spans[0] / day)
}

// LongestSpan returns the longest span in the policy's conditions.
func (p *Policy) LongestSpan() (longest time.Duration) {
	for _, c := range p.conditions {
		longest = max(longest, slices.Max(append(c.spans, 0)))
	}
	return longest
}

// Turns returns the first time at which the rule would take the license if the person stays away and nothing else
// changes. It returns false if there is none. The parameter "given" lists the times at which the person got the
// license. The rule then waits until Cooling returns false for all of them.
//
// The verdict can change at the person's dates and at each timestamp("…"), moved by the spans of the conditions, at the
// second after each of these (comparisons may be strict), and at the ends of grace and leave. Turns evaluates the rule
// only then.
func (j *Judge) Turns(r *Rule, p *directory.Person, given ...time.Time) (time.Time, bool) {
	return j.TurnsBy(time.Time{}, r, p, given...)
}

// TurnsBy is like Turns, but searches only up to a given time. The zero time sets no limit.
func (j *Judge) TurnsBy(until time.Time, r *Rule, p *directory.Person, given ...time.Time) (time.Time, bool) {
	j.instants, j.until = j.instants[:0], until
	j.turningPoints(r, p)
	for _, at := range given {
		j.coolingPoints(r, p, at)
	}
	j.until = time.Time{}
	return j.first(func() bool {
		cooling := func(at time.Time) bool { return j.Cooling(r, p, at) }
		return j.decide(r, p, new(exempted)).outcome == Reclaim && !slices.ContainsFunc(given, cooling)
	})
}

// SettledBy reports whether a verdict certainly stays the same up to a given time. It is true only for a verdict to
// keep or exempt whose conditions, grace and exemption cannot change by then. It is much faster than TurnsBy.
func (j *Judge) SettledBy(until time.Time, r *Rule, p *directory.Person, v Verdict) bool {
	switch {
	case v.Outcome == Exempt:
		return j.staysExempt(until, p)
	case v.Outcome != Keep || v.InGrace:
		return false
	}
	j.about(r, p)
	j.instants, j.until = j.instants[:0], until
	j.addDates(r, p)
	j.until = time.Time{}
	return len(j.instants) == 0
}

func (j *Judge) staysExempt(until time.Time, p *directory.Person) bool {
	if j.policy.exempt.when.moves() {
		return false
	}
	if len(j.policy.Exempt.Leave) == 0 {
		return true
	}
	for _, hit := range j.names.Of(p) {
		if slices.ContainsFunc(hit.one.leave, func(l *Leave) bool { return l.Until.After(j.now) && !l.Until.After(until) }) {
			return false
		}
	}
	return true
}

// CoolsUntil returns the time at which the cooling down ends if the person stays away: the first time at which Cooling
// is no longer true. If there is no such time, the second result is false.
func (j *Judge) CoolsUntil(r *Rule, p *directory.Person, given time.Time) (time.Time, bool) {
	j.instants = j.instants[:0]
	j.coolingPoints(r, p, given)
	return j.first(func() bool { return !j.Cooling(r, p, given) })
}

// The method "first" returns the first of j.instants at which the given function returns true.
func (j *Judge) first(holds func() bool) (time.Time, bool) {
	now := j.now
	defer func() {
		j.setNow(now)
		j.lead = 0
	}()
	slices.SortFunc(j.instants, time.Time.Compare)
	for _, t := range slices.Compact(j.instants) {
		j.setNow(t)
		j.lead = t.Sub(now)
		if holds() {
			return t, true
		}
	}
	return time.Time{}, false
}

func (j *Judge) coolingPoints(r *Rule, p *directory.Person, given time.Time) {
	j.add(given.Add(unusedSpan))
	j.add(given.Add(r.rest() + time.Second))
	j.turningPoints(r, p.ActiveBy(given))
}

func (j *Judge) turningPoints(r *Rule, p *directory.Person) {
	j.addDates(r, p)
	if g := j.inGrace(r, p); g.flag == directory.Yes {
		j.add(g.ends)
	}
	for _, hit := range j.names.Of(p) {
		for _, leave := range hit.one.leave {
			for _, span := range []time.Duration{0, unusedSpan, j.policy.leaveRest()} {
				j.add(leave.Until.Add(span))
			}
			j.addDates(r, p.ActiveBy(leave.Until))
		}
	}
}

func (j *Judge) addDates(r *Rule, p *directory.Person) {
	for _, c := range r.conditions {
		for _, t := range c.instants {
			j.addMoved(r, t)
		}
	}
	for _, a := range r.asks {
		if a.kind != directory.Date {
			continue // its zero time would add nothing, and SettledBy must be fast
		}
		if v := a.of(p); v.State == directory.Known || v.State == directory.NoneSince {
			j.addMoved(r, v.Time)
		}
	}
}

func (j *Judge) addMoved(r *Rule, t time.Time) {
	for _, o := range r.offsets {
		j.add(t.Add(o))
		j.add(t.Add(o + time.Second))
	}
}

func (j *Judge) add(t time.Time) {
	if t.After(j.now) && (j.until.IsZero() || !t.After(j.until)) {
		j.instants = append(j.instants, t)
	}
}

// Evidence returns the values on which the verdict rests.
func (j *Judge) Evidence(r *Rule, p *directory.Person) []Evidence {
	j.about(r, p)
	return evidence(r.asks, p)
}

// Fact is an attribute of a person with its origin.
type Fact struct {
	Evidence
	Sources []directory.Source `json:"sources,omitempty"` // the directories of its fields or of its group
	Signals []directory.Signal `json:"-"`                 // the signals of its dates
	Date    time.Time          `json:"-"`                 // the date itself, if it is known; zero for any other value
	Through time.Time          `json:"-"`                 // the last day of the date's usage report; zero without a report
}

// Profile returns the attributes in the mapping, and the others that rules read. It omits attributes about the license
// of a rule.
func (j *Judge) Profile(p *directory.Person) []Fact {
	list := slices.Clone(j.policy.mapped)
	for _, r := range j.policy.Rules {
		list = addNew(list, r.asks...)
	}
	list = slices.DeleteFunc(list, (*attribute).ofLicense)
	facts := make([]Fact, len(list))
	for i, a := range list {
		facts[i] = a.fact(p)
	}
	return facts
}

func (a *attribute) fact(p *directory.Person) Fact {
	f := Fact{Evidence: a.evidence(p), Signals: a.signals(), Through: a.found(p).Through}
	if a.group != nil {
		f.Sources = []directory.Source{a.group.Ref.Source}
	}
	for _, field := range a.fields {
		if !slices.Contains(f.Sources, field.Source) && !absent(p, field.Source) {
			f.Sources = append(f.Sources, field.Source)
		}
	}
	if v := a.of(p); v.State == directory.Known {
		f.Date = v.Time // a value that is no date has the zero time
	}
	return f
}

func evidence(list []*attribute, p *directory.Person) []Evidence {
	out := make([]Evidence, len(list))
	for i, a := range list {
		out[i] = a.evidence(p)
	}
	return out
}
