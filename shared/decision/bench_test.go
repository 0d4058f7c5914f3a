package decision

import (
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// BenchmarkRecall compares twenty accounts with a table of 8,000 that an earlier run stored.
func BenchmarkRecall(b *testing.B) {
	first := world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(b)
	h := accountsIn(nil)
	for i := range 8000 {
		h.Entra = append(h.Entra, directory.EntraUser{ID: fmt.Sprint("u", i), Created: daysAgo(900), LastSuccessful: daysAgo(i % 90)})
		h.AD = append(h.AD, directory.ADUser{SID: fmt.Sprint("S-1-5-21-", i), Created: daysAgo(900), LastLogonTimestamp: daysAgo(i % 90)})
	}
	if err := first.Remember(b.Context(), 0, h); err != nil {
		b.Fatal(err)
	}
	next := night(first, "next", asOf.AddDate(0, 0, 1))
	for b.Loop() {
		batch := accountsIn(h.Entra[:20], h.AD[:20]...)
		if err := next.recall(b.Context(), batch, next.History.Baselines, asOf.Add(24*time.Hour), false); err != nil {
			b.Fatal(err)
		}
	}
}
