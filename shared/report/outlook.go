package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// The variable "horizons" has the numbers of days for the three counts in Rule.Turns.
var horizons = [3]int{7, 14, 30}

// The method "outlook" adds the idle times and the future reclaims from the summary of the decisions. A run of an
// earlier version has no such counts.
func (g *gathering) outlook(sum *decision.Summary) {
	for i := range sum.Outlooks {
		o, r := &sum.Outlooks[i], &g.Rules[i]
		if o.Idle != nil {
			r.Idled, r.Never, r.NotKnown = o.Idle.Days, o.Idle.Never, o.Idle.NotKnown
		}
		for d, n := range o.Turns {
			g.Turning.Total += n
			for h, days := range horizons {
				if d < days {
					r.Turns[h] += n
				}
			}
		}
	}
	slices.SortFunc(sum.Turning, func(a, b decision.Turning) int {
		return cmp.Or(cmp.Compare(a.On, b.On), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key))
	})
	g.turning = sum.Turning[:min(len(sum.Turning), mostOthers)]
}

// The method "turners" fills the list Turning with the people whose names are in "found". Other people count in the
// total of the list, but have no row.
func (g *gathering) turners(found map[string]profile) {
	ids := map[uint64]string{}
	for id := range found {
		ids[known.KeyOf(id)] = id
	}
	g.Turning.Rows = []Turn{}
	for _, t := range g.turning {
		id, is := ids[t.Key]
		if !is {
			continue
		}
		r := &g.Rules[t.Rule]
		g.Turning.Rows = append(g.Turning.Rows, Turn{User: id, UserPrincipalName: found[id].principal, Rule: r.Name, License: r.License, On: time.UnixMicro(t.On).UTC()})
	}
}
