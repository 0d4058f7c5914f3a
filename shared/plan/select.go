package plan

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/policy"
)

// Selection keeps the changes of a plan within perRun, longest idle first, in
// memory bounded by perRun.
type Selection struct {
	limit   int
	kept    worstFirst
	offered int
}

// NewSelection keeps at most limit changes.
func NewSelection(limit int) *Selection { return &Selection{limit: limit} }

// Offer offers a reclaim that can be carried out.
func (s *Selection) Offer(d Decision) {
	s.offered++
	d.Evidence = nil // the decisions keep it
	if len(s.kept) < s.limit {
		heap.Push(&s.kept, d)
	} else if order(&d, &s.kept[0]) < 0 {
		s.kept[0] = d
		heap.Fix(&s.kept, 0)
	}
}

// Deferred is how many offered changes did not fit.
func (s *Selection) Deferred() int { return s.offered - len(s.kept) }

// Changes are the kept changes, longest idle first, priced by the policy.
func (s *Selection) Changes(p *policy.Policy) []Change {
	price := map[string]float64{}
	for _, l := range p.Licenses {
		price[l.Name] = l.MonthlyPrice
	}
	decisions := slices.Clone(s.kept)
	slices.SortFunc(decisions, func(a, b Decision) int { return order(&a, &b) })
	changes := make([]Change, len(decisions))
	for i, d := range decisions {
		changes[i] = Change{
			User: d.User, SID: d.SID, UserPrincipalName: d.UserPrincipalName, Rule: d.Rule, License: d.License, To: d.To,
			Via: d.Via, Reason: d.Reason, MonthlySaving: price[d.License] - price[d.To],
		}
		if !d.IdleSince.IsZero() {
			changes[i].IdleSince = &decisions[i].IdleSince
		}
	}
	return changes
}

// order puts the longest idle first. Who never signed in counts from the
// creation of the account; ties are broken by name so that a plan is the same
// however often it is made.
func order(a, b *Decision) int {
	return cmp.Or(
		a.idle().Compare(b.idle()),
		cmp.Compare(a.User, b.User),
		cmp.Compare(a.Rule, b.Rule),
	)
}

func (d *Decision) idle() time.Time {
	if d.IdleSince.IsZero() {
		return d.Created
	}
	return d.IdleSince
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

// minMatches is below how many matches the percent limit is not asked: three
// of eleven holders are no sign of a mistake.
const minMatches = 10

// Exceeded tells, for each rule that matches more people than the policy
// allows, how many and why that holds the run.
func Exceeded(limits policy.Limits, tallies []Tally) []string {
	var reasons []string
	for i := range tallies {
		t := &tallies[i]
		percent := 100 * float64(t.Reclaim) / float64(max(1, t.Holders))
		switch {
		case t.Reclaim > limits.StopAboveCount:
			reasons = append(reasons, fmt.Sprintf("rule %s matches %d people, more than limits.stopAbove.count %d", t.Rule, t.Reclaim, limits.StopAboveCount))
		case t.Reclaim < minMatches:
		case t.Reclaim == t.Holders:
			reasons = append(reasons, fmt.Sprintf("rule %s matches every one of the %d holders, which is a sign of broken data", t.Rule, t.Holders))
		case percent > limits.StopAbovePercent:
			reasons = append(reasons, fmt.Sprintf("rule %s matches %d of %d holders (%.1f %%), more than limits.stopAbove.percent %g", t.Rule, t.Reclaim, t.Holders, percent, limits.StopAbovePercent))
		}
	}
	return reasons
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
