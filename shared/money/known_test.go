package money

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

func sub(sku, status string, seats, renews int) directory.Subscription {
	s := directory.Subscription{SKU: sku, Status: status, Seats: seats}
	if renews != 0 {
		s.Renews = on(renews)
	}
	return s
}

// TestEarliest: if the subscriptions of a product renew on several dates, the function "earliest" returns the first
// date by which enough seats have renewed. An earlier date would count amounts as saved that the company may still pay.
func TestEarliest(t *testing.T) {
	t.Parallel()
	trial := sub("e3", "Enabled", 500, 20)
	trial.Trial = true
	for name, c := range map[string]struct {
		list  []directory.Subscription
		seats int
		want  int // day; 0 if unknown
		why   string
	}{
		"none":                           {why: notBought},
		"another product":                {list: []directory.Subscription{sub("exo", "Enabled", 9, 40)}, why: notBought},
		"a trial is free":                {list: []directory.Subscription{trial}, why: notBought},
		"one":                            {list: []directory.Subscription{sub("e3", "Enabled", 9, 40)}, seats: 5, want: 40},
		"case of the status":             {list: []directory.Subscription{sub("e3", "enabled", 9, 40)}, seats: 5, want: 40},
		"one, too small":                 {list: []directory.Subscription{sub("e3", "Enabled", 9, 40)}, seats: 50, want: 40},
		"no seats are known":             {list: []directory.Subscription{sub("e3", "Enabled", 0, 40)}, seats: 5, want: 40},
		"no date":                        {list: []directory.Subscription{sub("e3", "Enabled", 9, 0)}, seats: 5, why: notDated},
		"a date that is over":            {list: []directory.Subscription{sub("e3", "Enabled", 9, 3)}, seats: 5, why: notDated},
		"ended ones do not count":        {list: []directory.Subscription{sub("e3", "Suspended", 9, 20), sub("e3", "Warning", 9, 21), sub("e3", "Deleted", 9, 0), sub("e3", "Enabled", 9, 40)}, seats: 5, want: 40},
		"the first has enough":           {list: []directory.Subscription{sub("e3", "Enabled", 100, 300), sub("e3", "Enabled", 9, 40)}, seats: 9, want: 40},
		"the first has too few":          {list: []directory.Subscription{sub("e3", "Enabled", 100, 300), sub("e3", "Enabled", 9, 40)}, seats: 10, want: 300},
		"the first two have enough":      {list: []directory.Subscription{sub("e3", "Enabled", 100, 300), sub("e3", "Enabled", 9, 40), sub("e3", "Enabled", 5, 60)}, seats: 14, want: 60},
		"enough before one without date": {list: []directory.Subscription{sub("e3", "Enabled", 100, 0), sub("e3", "Enabled", 9, 40)}, seats: 9, want: 40},
		"too few and one without date":   {list: []directory.Subscription{sub("e3", "Enabled", 100, 0), sub("e3", "Enabled", 9, 40)}, seats: 10, why: notDated},
		"the trial and the real one":     {list: []directory.Subscription{trial, sub("e3", "Enabled", 9, 40)}, seats: 9, want: 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, why := earliest(c.list, "e3", c.seats, on(10))
			if why != c.why || at.IsZero() != (c.want == 0) || c.want != 0 && !at.Equal(on(c.want)) {
				t.Errorf("%v, %q; want day %d, %q", at, why, c.want, c.why)
			}
		})
	}
}

const priced39 = `tenant: 11111111-2222-3333-4444-555555555555
currency: SEK
licenses:
  e3: {sku: SPE_E3, monthlyPrice: %s}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}, monthlyPrice: 18%s}
limits: {perRun: 3}
rules: [{name: r, license: e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`

// TestKnow: Know adds a price only if it differs from the last known price of the license.
func TestKnow(t *testing.T) {
	t.Parallel()
	known := []history.Price(nil)
	night := func(n int, price, renewal string, subscriptions *snapshot.Subscriptions) (added int) {
		p, err := policy.Load("p", fmt.Appendf(nil, priced39, price, renewal))
		if err != nil {
			t.Fatal(err)
		}
		b := &snapshot.Begin{Run: fmt.Sprint("r", n), Started: on(n), SKUs: []directory.SKU{{ID: "id-e3", PartNumber: "SPE_E3", Enabled: 20, Consumed: 14}}, Subscriptions: subscriptions}
		before := len(known)
		known = Know(known, b, p)
		return len(known) - before
	}
	listed := func(renews int) *snapshot.Subscriptions {
		return &snapshot.Subscriptions{List: []directory.Subscription{sub("id-e3", "Enabled", 20, renews)}}
	}
	for i, added := range []int{
		night(1, "39", "", listed(60)),
		night(2, "39", "", listed(60)),
		night(3, "39.5", "", listed(60)),
		night(4, "39.5", "", &snapshot.Subscriptions{Failed: "denied, request 1"}),
		night(5, "39.5", "", &snapshot.Subscriptions{Failed: "denied, request 2"}),
		night(6, "39.5", ", renews: 07-01", listed(60)),
		night(7, "39.5", ", renews: 07-01", nil),
		night(61, "39.5", ", renews: 2026-01-31", listed(90)),
	} {
		if want := []int{2, 0, 1, 1, 0, 2, 1, 2}[i]; added != want {
			t.Errorf("night %d adds %d, want %d", i, added, want)
		}
	}
	e3 := func(n int, price float64, renews int, why string) history.Price {
		p := history.Price{License: "e3", SKU: "SPE_E3", SKUID: "id-e3", Run: fmt.Sprint("r", n), From: on(n), MonthlyPrice: price, Currency: "SEK", NotKnown: why}
		if renews > 0 {
			p.Renews = on(renews)
		}
		return p
	}
	citrix := func(n int, renews time.Time, why string) history.Price {
		return history.Price{License: "citrix", Run: fmt.Sprint("r", n), From: on(n), MonthlyPrice: 18, Currency: "SEK", Renews: renews, NotKnown: why}
	}
	want := []history.Price{
		e3(1, 39, 60, ""), citrix(1, time.Time{}, notInPolicy), e3(3, 39.5, 60, ""), e3(4, 39.5, 0, notRead),
		e3(6, 39.5, 60, ""), citrix(6, time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), ""),
		e3(7, 39.5, 0, notInPolicy), e3(61, 39.5, 90, ""), citrix(61, time.Time{}, isOver),
	}
	if d := cmp.Diff(want, known); d != "" {
		t.Errorf("known (-want +got):\n%s", d)
	}
}
