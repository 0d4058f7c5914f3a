package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// Selection keeps the changes of a plan within perRun and within the free seats of the licenses that they need. Changes
// that restore come first, then the longest idle. Its memory is bounded by perRun.
type Selection struct {
	limit   int
	lanes   map[string]*lane // lanes by the license whose seats they take
	seats   map[string]int   // free seats by license; a missing license has enough
	offered int
}

// lane holds the changes that take seats of one license.
type lane struct {
	room    int // the number of changes that are kept
	scarce  bool
	kept    worstFirst
	offered int
}

// NewSelection returns a Selection that keeps at most limit changes. It keeps no more changes that take a seat than
// there are free seats.
func NewSelection(limit int, seats map[string]int) *Selection {
	return &Selection{limit: limit, lanes: map[string]*lane{}, seats: seats}
}

// Offer offers a change that can be carried out.
func (s *Selection) Offer(d Decision) {
	s.offered++
	d.Evidence = nil // the stored decisions keep the evidence
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

// NoSeat reports whether an offered change has no free seat.
func (s *Selection) NoSeat(d *Decision) bool {
	l := s.lanes[d.Seat]
	return l != nil && l.scarce && l.offered > l.room && (l.room == 0 || order(d, &l.kept[0]) > 0)
}

// chosen returns the kept changes in their order.
func (s *Selection) chosen() (all []Decision) {
	for _, l := range s.lanes {
		all = append(all, l.kept...)
	}
	slices.SortFunc(all, func(a, b Decision) int { return order(&a, &b) })
	return all[:min(len(all), s.limit)]
}

// Deferred returns how many offered changes wait for a later run. Changes without a free seat do not count.
func (s *Selection) Deferred() int {
	n := s.offered - len(s.chosen())
	for _, l := range s.lanes {
		if l.scarce {
			n -= max(0, l.offered-l.room)
		}
	}
	return n
}

// Changes returns the kept changes, priced by the policy.
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

// order puts changes with setbacks behind all others, so that they delay nobody else. It puts changes that restore
// first among the rest, then the longest idle. A person who never signed in counts as idle since the creation of the
// account. Changes of one person come in the order of the policy. That order also breaks ties between people. Names
// break the last ties, so that a plan comes out the same each time.
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

// turn returns the beginning of the idle time, for the order of changes.
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

// Follow puts a change behind the change that an earlier rule makes of the same person.
func (d *Decision) Follow(first *Decision) {
	if t := first.turn(); t.After(d.turn()) {
		d.After = t
	}
}

// worstFirst is a heap. Its top is the change that is dropped first.
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

// Decide returns the gate's verdict. Unhealthy feeds hold a run that would change nothing. Otherwise a broken night
// would look like a quiet one. A run with changes from another feed goes on.
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
