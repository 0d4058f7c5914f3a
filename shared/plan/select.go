package plan

import (
	"cmp"
	"container/heap"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// Selection chooses the changes of a plan: at most "limit" changes, and no more than there are free seats of the
// licenses that they give. Changes that restore a license come first, then those of the people who are idle longest.
// The limit also bounds the memory of a Selection.
type Selection struct {
	limit   int
	lanes   map[string]*lane // by Decision.Seat, the license whose seats the changes need
	seats   map[string]int   // free seats by license; a license without an entry has enough seats
	offered int
}

// The type "lane" has the changes that need seats of one license. The changes that need no seat have a lane of their
// own.
type lane struct {
	room    int // the maximum length of the list "kept"
	scarce  bool
	kept    worstFirst
	offered int
}

// NewSelection returns a Selection that keeps at most "limit" changes. The parameter "seats" has the number of free
// seats by license. A license without an entry has enough seats.
func NewSelection(limit int, seats map[string]int) *Selection {
	return &Selection{limit: limit, lanes: map[string]*lane{}, seats: seats}
}

// Offer adds a candidate: a change that can be carried out. Of the candidates that need a seat of the same license, it
// keeps those that come first by the function "order", as many as there is room for. It drops the others.
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

// NoSeat reports whether the offered change d gets no seat, because no seat is free or because changes that come first
// need all free seats.
func (s *Selection) NoSeat(d *Decision) bool {
	l := s.lanes[d.Seat]
	return l != nil && l.scarce && l.offered > l.room && (l.room == 0 || order(d, &l.kept[0]) > 0)
}

func (s *Selection) chosen() (all []Decision) {
	for _, l := range s.lanes {
		all = append(all, l.kept...)
	}
	slices.SortFunc(all, func(a, b Decision) int { return order(&a, &b) })
	return all[:min(len(all), s.limit)]
}

// Deferred returns the number of offered changes that wait for a later run. It does not count changes without a free
// seat.
func (s *Selection) Deferred() int {
	n := s.offered - len(s.chosen())
	for _, l := range s.lanes {
		if l.scarce {
			n -= max(0, l.offered-l.room)
		}
	}
	return n
}

// Changes returns the kept changes with the prices from the policy.
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
		Via: d.Via, Reason: d.Reason, FirstReading: d.FirstReading, MonthlySaving: price[d.License] - price[d.To], RestoreOf: d.RestoreOf, TakenAs: d.TakenAs, Payer: d.Payer,
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

// The function "order" compares two changes. Changes with setbacks come last, so that they delay no other change.
// Among the others, those that restore a license come first, and then those of the people who are idle longest. Ties
// are broken by the order of the rules, which also orders the changes of one person, and then by the key of the
// person, so that the order is deterministic.
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

// The method "turn" returns the date by which the function "order" sorts the change. This is the begin of the person's
// idle time, or the field After if it is later. For a person who was never active, the idle time begins with the
// creation of the account.
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

// Follow sets d.After, so that d comes after "first" in the order of the plan. The decision "first" is of an earlier
// rule about the same person. This works only if both have the same number of setbacks, because setbacks count before
// dates.
func (d *Decision) Follow(first *Decision) {
	if t := first.turn(); t.After(d.turn()) {
		d.After = t
	}
}

// worstFirst is a heap of changes. Its top is the change that the function "order" puts last. This change is dropped
// first.
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

// Decide returns the verdict about a plan, and the reasons if the plan is on hold. The parameter "limits" has a
// sentence for each exceeded limit, and "unhealthy" one for each source whose dates cannot be trusted. A limit puts the
// plan on hold, and an operator can override this. An unhealthy source puts the plan on hold only if the plan has no
// changes, because broken data would then look like a night with nothing to do. The changes of a plan never rest on an
// unhealthy source.
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
