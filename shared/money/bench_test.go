package money

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// BenchmarkOf computes the money of 20,000 changes in two years, with and without a memory of the ledger.
func BenchmarkOf(b *testing.B) {
	const changes = 20_000
	ctx, s := context.Background(), &store.Memory{}
	book, start := ledger.In(s), time.Date(2025, 1, 1, 2, 0, 0, 0, time.UTC)
	for n := range changes {
		department := fmt.Sprint("department ", n%500)
		at := start.Add(time.Duration(n) * 700 * 24 * time.Hour / changes)
		e, err := book.Begin(ctx, ledger.Intent{Person: fmt.Sprintf("person-%06d", n), License: "e3", To: "exo", Run: "r", At: at, Payer: &directory.Payer{Department: &department}}, nil)
		if err == nil {
			err = book.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: at})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	now := start.AddDate(2, 0, 0)
	for n, remembered := range []bool{false, true} {
		run := snapshot.NewRun(now.Add(time.Duration(n-60)*time.Second), [4]byte{})
		b.Run(fmt.Sprint("remembered ", remembered), func(b *testing.B) {
			m := &snapshot.Manifest{Run: run}
			var err error
			if remembered {
				m.Freed, err = Remember(ctx, s, run, now)
			}
			prices := []history.Price{
				{License: "e3", Run: "r", From: start, MonthlyPrice: 39, Currency: "SEK", Renews: start.AddDate(0, 6, 0)},
				{License: "exo", Run: "r", From: start, MonthlyPrice: 4, Currency: "SEK"},
			}
			if err = errors.Join(err, snapshot.Seal(ctx, s, m), history.PutPlanned(ctx, s, &history.Planned{Run: run, AsOf: now, Prices: prices}, true)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				got, err := Of(ctx, s, "", now)
				if err != nil || got.SeatsFreed != changes {
					b.Fatal(got.SeatsFreed, err)
				}
			}
			b.ReportMetric(float64(len(s.Objects()[m.Freed]))/changes, "bytes/change")
		})
	}
}
