package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// People go on leave, and the policy lists each leave. A parental leave lasts for months. A sick leave is often entered
// when the person has been away for weeks. Most people come back on the first day after the leave. (Administrators ask
// that tools leave people on extended leave alone: KelvinTegelaar/CIPP#5080.)

// The type "leave" is a line of exempt.leave in the policy.
type leave struct {
	name  string    // the person's name as written in the policy
	until string    // the end as the policy has it: the last day, or the first instant after the leave
	ends  time.Time // the first moment after the leave
	over  bool      // whether the person's first day after the leave has begun
}

// The function "leaveUntil" returns a leave that ends with the last day, at midnight. If atWork is set, it ends at
// seven the next morning, when work begins.
func leaveUntil(name string, lastDay time.Time, atWork bool) *leave {
	lastDay = lastDay.Truncate(day)
	l := &leave{name: name, until: lastDay.Format(time.DateOnly), ends: lastDay.Add(day)}
	if atWork {
		l.ends = l.ends.Add(7 * time.Hour)
		l.until = l.ends.Format(time.RFC3339)
	}
	return l
}

// The method "lines" returns the leaves in the form in which the policy lists them.
func (r *rules) lines() string {
	var all []string
	for _, i := range slices.Sorted(maps.Keys(r.leaves)) {
		all = append(all, fmt.Sprintf("{user: %s, until: %s}", r.leaves[i].name, r.leaves[i].until))
	}
	return strings.Join(all, ", ")
}

// The constant "anna" is the index of the person whose leave is in the policy from the start.
const anna = 1

// annasLeave returns Anna's leave. It ends between three weeks and three months after the time "now".
func annasLeave(seed uint64, now time.Time) *leave {
	d := throw(seed, "anna")
	return leaveUntil("anna@contoso.example", now.Add(time.Duration(20+d.IntN(70))*day), d.chance(0.3))
}

// The method "enter" writes a leave of a person into the policy, and tells the judge. It replaces an earlier leave of
// the person.
func (w *World) enter(i int, l *leave) {
	w.policy.leaves[i] = l
	w.policy.publish()
	w.told(i, l)
}

// The method "told" tells the judge that the policy lists a leave.
func (w *World) told(i int, l *leave) {
	w.hear(judge.Event{What: judge.Away, At: w.clock.Now(), Person: w.people[i].id, Until: l.ends})
}

// The method "goesAway" enters a leave that ends after at least "least" days and less than "most" days.
func (w *World) goesAway(i, least, most int) {
	d := throw(w.options.Seed, "leave", w.night, i)
	last := w.clock.Now().Add(time.Duration(least+d.IntN(most-least)) * day)
	w.enter(i, leaveUntil(w.upn(i), last, d.chance(0.3)))
	w.people[i].daily = 0
}

// The function "here" reports whether a person may go on leave now. The person's accounts must be linked and enabled,
// and an earlier leave must be over.
func here(w *World, i int, p sandbox.Truth) bool {
	l := w.policy.leaves[i]
	return linked(w, i, p) && p.Enabled && (l == nil || l.over)
}

// The variable "changesOfLeave" contains the kinds of events about leaves. In the policy, a new leave replaces the
// person's earlier leave.
var changesOfLeave = []change{
	{"goes on leave", 0.0015, func(w *World, i int, p sandbox.Truth) bool { return here(w, i, p) && w.people[i].daily > 0.1 },
		func(w *World, i int) { w.goesAway(i, 40, 110) }},
	{"a sick leave is entered late", 0.002, func(w *World, i int, p sandbox.Truth) bool { return here(w, i, p) && w.people[i].daily <= 0.1 },
		func(w *World, i int) { w.goesAway(i, 3, 40) }},
	{"a leave is prolonged", 0.004, func(w *World, i int, p sandbox.Truth) bool {
		l := w.policy.leaves[i]
		return linked(w, i, p) && l != nil && w.clock.Now().Before(l.ends)
	}, func(w *World, i int) {
		l := w.policy.leaves[i]
		w.enter(i, leaveUntil(l.name, l.ends.Add(time.Duration(5+throw(w.options.Seed, "prolonged", w.night, i).IntN(40))*day), false))
	}},
}

// The method "comesBack" reports whether a person comes back from a leave on the day that began at the given time. Most
// people do on the first day after the leave, and become active again. Others stay away.
func (w *World) comesBack(i int, began time.Time) bool {
	l := w.policy.leaves[i]
	if l == nil || l.over || began.Before(l.ends) {
		return false
	}
	l.over = true
	if w.people[i].id == "" || !w.happens("comes back from leave", i, 0.8) {
		return false
	}
	w.people[i].daily = 0.5
	return true
}

// endLeaves tells the judge about each person whose leave is over, because the exemption has ended with the leave.
func (w *World) endLeaves() {
	for _, i := range slices.Sorted(maps.Keys(w.policy.leaves)) {
		if !w.clock.Now().Before(w.policy.leaves[i].ends) && w.people[i].told.exempt {
			w.observe(i)
		}
	}
}
