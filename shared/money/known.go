package money

import (
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// Know returns the prices that are known after a run. The argument "earlier" has the prices of earlier runs. Know adds
// a price for each license that is new, or whose price, renewal or product has changed. A license that is missing from
// the policy keeps its last price.
func Know(earlier []history.Price, b *snapshot.Begin, p *policy.Policy) []history.Price {
	all, ids := slices.Clone(earlier), b.SKUIDs()
	for _, l := range p.Licenses {
		now := history.Price{
			License: l.Name, SKU: l.SKU, SKUID: ids[l.SKU], Run: b.Run, From: b.Started.UTC(), MonthlyPrice: l.MonthlyPrice, Currency: p.Currency,
		}
		now.Renews, now.NotKnown = renews(l, b, p.Limits.PerRun)
		last := -1
		for i := range all {
			if all[i].License == l.Name {
				last = i
			}
		}
		if last < 0 || !now.Same(&all[last]) {
			all = append(all, now)
		}
	}
	return all
}

// Reasons for an unknown renewal date. A reason is a part of a price, and a new text makes a new price. So the texts
// have no details that could change from run to run, such as a date.
const (
	notInPolicy = "the policy has no renews for it"
	isOver      = "the date that the policy has for it is over"
	notRead     = "Graph did not give the subscriptions"
	notBought   = "Graph lists no paid subscription of it"
	notDated    = "a subscription of it has no date that is still to come"
)

// The function "renews" returns the first time at which the company can pay for fewer seats of a license, or why it is
// unknown. It assumes that the company gives up the seats that are free now, and as many seats as one run may take. A
// date in the policy overrides the dates from Graph.
func renews(l *policy.License, b *snapshot.Begin, perRun int) (at time.Time, notKnown string) {
	switch {
	case l.Renews != nil:
		if at = l.Renews.Next(b.Started); at.IsZero() {
			notKnown = isOver
		}
		return at, notKnown
	case l.SKU == "" || b.Subscriptions == nil:
		return at, notInPolicy
	case b.Subscriptions.Failed != "":
		return at, notRead
	}
	id := b.SKUIDs()[l.SKU]
	need := perRun
	if i := slices.IndexFunc(b.SKUs, func(s directory.SKU) bool { return s.ID == id }); i >= 0 {
		need += max(0, b.SKUs[i].Enabled-b.SKUs[i].Consumed)
	}
	return earliest(b.Subscriptions.List, id, need, b.Started)
}

// The function "earliest" returns the time at which the company can stop paying for a number of seats of a product. No
// data says which of several subscriptions a seat belongs to. So the time is the first date by which the renewed
// subscriptions have enough seats: if 100 seats renew in March and 50 in June, it is in March for 80 seats, and in June
// for 120. If all subscriptions together have too few seats, it is the last date. A subscription without a date may be
// the last to renew.
func earliest(list []directory.Subscription, sku string, seats int, now time.Time) (at time.Time, notKnown string) {
	var dated []directory.Subscription
	undated, paid := false, false
	for _, s := range list {
		if s.SKU != sku || s.Trial || !strings.EqualFold(s.Status, "Enabled") {
			continue
		}
		paid = true
		// Graph may still give the date of a renewal that is over (tracker: KelvinTegelaar/CIPP#2190).
		if s.Renews.Before(now) {
			undated = true
			continue
		}
		dated = append(dated, s)
	}
	slices.SortFunc(dated, func(a, b directory.Subscription) int { return a.Renews.Compare(b.Renews) })
	for _, s := range dated {
		if at = s.Renews; s.Seats >= seats {
			return at, ""
		}
		seats -= s.Seats
	}
	switch {
	case !paid:
		return time.Time{}, notBought
	case undated:
		return time.Time{}, notDated
	}
	return at, ""
}
