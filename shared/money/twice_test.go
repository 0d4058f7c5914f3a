package money

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMoneyComputedTwice: package money and the second computation, in second_test.go, give the same figures for 200
// simulated nights.
func TestMoneyComputedTwice(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 16, 2026, 1129} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newNights(t, seed)
			for n := range 200 {
				w.night(n)
			}
			for _, n := range []int{0, 61, 199, 230} {
				now := w.start.AddDate(0, 0, n).Add(13*time.Hour + 7*time.Minute)
				got, err := Of(context.Background(), w.store, "", now)
				if err != nil {
					t.Fatal(err)
				}
				want := secondly(t, w.store, now).rows()
				rows := map[string]Figures{}
				for _, r := range got.Rows {
					name := fmt.Sprintf("%s %s %q %q", r.Month.Format("2006-01"), r.License, r.Department, r.CostCenter)
					rows[name] = r.Figures
				}
				if d := cmp.Diff(want, rows); d != "" {
					t.Fatalf("seed %d, day %d: (-second way +Of):\n%s", seed, n, d)
				}
				sameInGroups(t, got, want)
				if n == 199 {
					t.Logf("seed %d: %d rows, freed %s, net %s, saved %s, unproven %s, waiting %s", seed, len(rows), got.Freed, got.FreedNet, got.Saved, got.Unproven, got.Waiting)
					if got.Saved <= 0 || got.Unproven <= 0 || got.Waiting <= 0 || got.FreedNet >= got.Freed || got.SeatsNet >= got.SeatsFreed || w.twice == 0 {
						t.Errorf("the nights show too little: %+v, %d under two keys", got.Figures, w.twice)
					}
				}
			}
		})
	}
}

func sameInGroups(t *testing.T, s *Sums, rows map[string]Figures) {
	t.Helper()
	var want Figures
	for _, f := range rows {
		want.add(&f)
	}
	for name, group := range map[string]func(Line) Line{
		"all":        func(l Line) Line { return l },
		"license":    func(l Line) Line { return Line{License: l.License} },
		"department": func(l Line) Line { return Line{Department: l.Department} },
		"costcenter": func(l Line) Line { return Line{CostCenter: l.CostCenter} },
	} {
		var got Figures
		for _, l := range s.By(group) {
			got.add(&l.Figures)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("by %s (-rows +group):\n%s", name, d)
		}
	}
	if d := cmp.Diff(want, s.Figures); d != "" {
		t.Errorf("the sums (-rows +sums):\n%s", d)
	}
}
