package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// Selection keeps the changes of a plan within perRun and within the free seats
// of the licenses that they need, in memory bounded by perRun: first those that
// give back, then the longest idle.
type Selection struct {
	limit   int
	lanes   map[string]*lane // by the license whose seats they take
	seats   map[string]int   // free ones by license; a license left out has enough
	offered int
}

// lane is the changes that take seats of one license.
type lane struct {
	room    int // at most so many
	scarce  bool
	kept    worstFirst
	offered int
}

// NewSelection keeps at most limit changes, and of those that take a seat no more
// than there are free ones.
func NewSelection(limit int, seats map[string]int) *Selection {
	return &Selection{limit: limit, lanes: map[string]*lane{}, seats: seats}
}

// Offer offers a change that can be carried out.
func (s *Selection) Offer(d Decision) {
	s.offered++
	d.Evidence = nil // the decisions keep it
	l := s.lane(d.Seat)
	l.offered++
	if len(l.kept) < l.room {
		heap.Push(&l.kept, d)
	} else if l.room > 0 && order(&d, &l.kept[0]) < 0 {
		l.kept[0] = d
		heap.Fix(&l.kept, 0)
	}
}

func (s *Selection) lane(seat string) *lane {
	l := s.lanes[seat]
	if l == nil {
		l = &lane{room: s.limit}
		if free, known := s.seats[seat]; known && seat != "" && free < s.limit {
			l.room, l.scarce = max(0, free), true
		}
		s.lanes[seat] = l
	}
	return l
}

// NoSeat tells that an offered change cannot be made for want of a free seat.
func (s *Selection) NoSeat(d *Decision) bool {
	l := s.lanes[d.Seat]
	return l != nil && l.scarce && l.offered > l.room && (l.room == 0 || order(d, &l.kept[0]) > 0)
}

// chosen are the kept changes in their order.
func (s *Selection) chosen() (all []Decision) {
	for _, l := range s.lanes {
		all = append(all, l.kept...)
	}
	slices.SortFunc(all, func(a, b Decision) int { return order(&a, &b) })
	return all[:min(len(all), s.limit)]
}

// Deferred is how many offered changes have to wait for a later run; those that
// want for a seat are not among them.
func (s *Selection) Deferred() int {
	n := s.offered - len(s.chosen())
	for _, l := range s.lanes {
		if l.scarce {
			n -= max(0, l.offered-l.room)
		}
	}
	return n
}

// Changes are the kept changes, priced by the policy.
func (s *Selection) Changes(p *policy.Policy) []Change {
	price := map[string]float64{}
	for _, l := range p.Licenses {
		price[l.Name] = l.MonthlyPrice
	}
	changes := []Change{}
	for _, d := range s.chosen() {
		changes = append(changes, d.change(price))
	}
	return changes
}

func (d *Decision) change(price map[string]float64) Change {
	c := Change{
		User: d.User, SID: d.SID, UserPrincipalName: d.UserPrincipalName, Rule: d.Rule, License: d.License, To: d.To,
		Via: d.Via, Reason: d.Reason, FirstReading: d.FirstReading, MonthlySaving: price[d.License] - price[d.To], RestoreOf: d.RestoreOf,
	}
	if c.SavesNothing = d.SavesNothing; c.SavesNothing != "" {
		c.MonthlySaving = 0
		if d.To != "" {
			c.MonthlySaving = -price[d.To]
		}
	}
	if !d.IdleSince.IsZero() {
		c.IdleSince = &d.IdleSince
	}
	switch {
	case d.RestoreOf != "":
		c.Rule, c.MonthlySaving = RestoreRule, 0-c.MonthlySaving
	case d.Notice:
		c.Via, c.MonthlySaving = Notice, 0
	}
	return c
}

// order puts changes that lately could not be made behind all others, so that they keep
// nobody else waiting. Among the rest it puts people who get a license back first, then
// the longest idle. Somebody who never signed in counts from the creation of the
// account. Changes of one person come in the order of the policy. That order also
// breaks ties between people. Names break the last ties, so that a plan comes out the
// same each time.
func order(a, b *Decision) int {
	if a.Setbacks == 0 && b.Setbacks == 0 && (a.RestoreOf == "") != (b.RestoreOf == "") {
		return cmp.Compare(b.RestoreOf, a.RestoreOf)
	}
	return cmp.Or(
		cmp.Compare(a.Setbacks, b.Setbacks),
		a.turn().Compare(b.turn()),
		cmp.Compare(a.Place, b.Place),
		cmp.Compare(a.User, b.User),
	)
}

// turn is how long the person is idle, for the order of changes.
func (d *Decision) turn() time.Time {
	idle := d.IdleSince
	if idle.IsZero() {
		idle = d.Created
	}
	if d.After.After(idle) {
		return d.After
	}
	return idle
}

// Follow puts a change behind one that an earlier rule makes of the same person.
func (d *Decision) Follow(first *Decision) {
	if t := first.turn(); t.After(d.turn()) {
		d.After = t
	}
}

// worstFirst is a heap whose first is the change to give up first.
type worstFirst []Decision

func (h worstFirst) Len() int           { return len(h) }
func (h worstFirst) Less(i, j int) bool { return order(&h[i], &h[j]) > 0 }
func (h worstFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *worstFirst) Push(x any)        { *h = append(*h, x.(Decision)) }
func (h *worstFirst) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// Decide is the gate's verdict. Unhealthy feeds hold a run that would change
// nothing, so that a broken night is not taken for a quiet one; when another
// feed still gives changes, those go on.
func Decide(mode policy.Mode, changes int, limits, unhealthy []string) (v Verdict, reasons []string, overridable bool) {
	switch {
	case len(limits) > 0:
		return Hold, limits, true
	case changes == 0 && len(unhealthy) > 0:
		return Hold, unhealthy, false
	case changes == 0:
		return Nothing, []string{}, false
	case mode == policy.Review:
		return Review, []string{}, false
	default:
		return Apply, []string{}, false
	}
}
