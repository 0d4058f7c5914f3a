package money

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
)

// bookAt returns a book that has prices but no figures yet. E3 costs 30 EUR before day 40, and 39 SEK from
// day 40 on. E3 renews on day 50.
func bookAt(now time.Time) *book {
	known := []history.Price{
		{License: "e3", From: on(1), MonthlyPrice: 30, Currency: "EUR", Renews: dayOf(on(50))},
		{License: "exo", From: on(1), MonthlyPrice: 4, Currency: "SEK"},
		{License: "e3", From: on(40), MonthlyPrice: 39, Currency: "SEK", Renews: dayOf(on(50))},
	}
	return &book{now: now, prices: pricesOf(known, now), currency: "SEK", tallies: map[key]*tally{}}
}

// TestCouldFree: CouldFree is what the changes of a plan would save. It has the changes that take a license and free a
// paid seat. The price of a license that is given in exchange is subtracted.
func TestCouldFree(t *testing.T) {
	t.Parallel()
	sales := "Sales"
	b := bookAt(on(60))
	b.plan(&plan.Plan{
		Changes: []plan.Change{
			{License: "e3", To: "exo", Payer: &directory.Payer{Department: &sales}}, {License: "e3", Payer: &directory.Payer{Department: &sales}},
			{License: "e3", SavesNothing: "the assignment is in error", To: "exo"}, {License: "e3", RestoreOf: "r"}, {License: "renamed"},
		},
		Notices: []plan.Change{{License: "e3", Via: plan.Notice}},
	})
	got := b.sums()
	line := func(license, department string, cents Cents, seats int, renews time.Time) Line {
		return Line{License: license, Department: department, CostCenter: Unknown, Figures: Figures{CouldFree: cents, Seats: seats}, Renews: renews}
	}
	want := []Line{
		line("e3", "Sales", 7800, 2, time.Time{}), line("exo", "Sales", -400, 0, time.Time{}), line("exo", Unknown, -400, 0, time.Time{}), line("renamed", Unknown, 0, 1, time.Time{}),
	}
	if d := cmp.Diff(want, got.Lines); d != "" || got.CouldFree != 7000 || got.Seats != 3 {
		t.Errorf("%s with %d seats (-want +got):\n%s", got.CouldFree, got.Seats, d)
	}
	if !got.Rows[0].Month.Equal(monthOf(on(60))) {
		t.Errorf("the plan counts in %v", got.Rows[0].Month)
	}
}

// TestTwoCurrencies: amounts in an earlier currency have their own rows. No sum includes these rows.
func TestTwoCurrencies(t *testing.T) {
	t.Parallel()
	b := bookAt(on(60))
	b.prices["e3"][0].Renews, b.prices["e3"][1].Renews = dayOf(on(20)), dayOf(on(20))
	b.add(&span{license: "e3", saves: true, from: on(10)})
	got := b.sums()
	// The amounts cover 12 days of January and 8 of February in EUR, 20 days of February in SEK, and no day of March.
	amounts := map[string]Cents{}
	for _, r := range got.Rows {
		amounts[r.Currency+" "+r.Month.Format("01")] += r.Saved
	}
	if d := cmp.Diff(map[string]Cents{"EUR 01": 1161, "EUR 02": 857, "SEK 01": 0, "SEK 02": 2786}, amounts); d != "" {
		t.Errorf("saved by currency and month (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"EUR"}, got.OtherCurrencies); d != "" || got.Saved != 2786 || got.Freed != 3900 {
		t.Errorf("saved %s, freed %s, other currencies (-want +got):\n%s", got.Saved, got.Freed, d)
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	b := bookAt(on(100))
	b.add(&span{license: "exo", saves: true, from: on(10), until: on(80)})
	all := b.sums()
	for _, c := range []struct {
		from, to     time.Time
		freed, net   int
		unprovenDays int
	}{
		{time.Time{}, time.Time{}, 1, 0, 69},
		{on(1), on(100), 1, 0, 69},
		{on(31), on(32), 1, 1, 21 + 28},
		{on(45), time.Time{}, 0, -1, 28 + 20},
		{time.Time{}, on(20), 1, 1, 21},
		{on(45), on(45), 0, 0, 28},
	} {
		part := all.Between(c.from, c.to)
		var want Cents
		for _, r := range part.Rows {
			want += r.Unproven
		}
		days := 0
		for month, n := range map[string]int{"2026-01": 31, "2026-02": 28, "2026-03": 31} {
			for _, r := range part.Rows {
				if r.Month.Format("2006-01") == month {
					days += int(r.Unproven*Cents(n)+200) / 400
				}
			}
		}
		if part.SeatsFreed != c.freed || part.SeatsNet != c.net || part.Unproven != want || days != c.unprovenDays {
			t.Errorf("from %v to %v: %+v and %d days, want %d, %d and %d days", c.from, c.to, part.Figures, days, c.freed, c.net, c.unprovenDays)
		}
	}
	if all.SeatsFreed != 1 || len(all.Rows) != 3 {
		t.Errorf("the whole was changed: %+v", all)
	}
}
