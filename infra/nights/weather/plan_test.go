package weather

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPlan checks the share of calm nights at three severities. Each kind of fault occurs, no night has a kind twice,
// and the same seed gives the same nights again.
func TestPlan(t *testing.T) {
	t.Parallel()
	const nights = 4000
	for severity, calmest := range map[float64][2]float64{0: {1, 1}, 1: {0.67, 0.73}, 3: {0.08, 0.12}} {
		w, again := New(9, newClock()), New(9, newClock())
		calm, seen := 0, map[Kind]int{}
		for n := range nights {
			p := w.Plan(n, severity)
			if d := cmp.Diff(p, again.Plan(n, severity)); d != "" {
				t.Fatalf("night %d again:\n%s", n, d)
			}
			if len(p.Kinds) == 0 {
				calm++
			}
			for _, k := range p.Kinds {
				seen[k]++
			}
			if len(slices.Compact(slices.Sorted(slices.Values(p.Kinds)))) != len(p.Kinds) {
				t.Errorf("night %d has a kind twice: %v", n, p.Kinds)
			}
		}
		if share := float64(calm) / nights; share < calmest[0] || share > calmest[1] {
			t.Errorf("severity %g: %g of the nights are calm", severity, share)
		}
		if severity > 0 && len(seen) != len(Kinds()) {
			t.Errorf("severity %g: %d of %d kinds come", severity, len(seen), len(Kinds()))
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	kinds := Kinds()
	if once := slices.Compact(slices.Sorted(slices.Values(kinds))); len(once) != len(kinds) {
		t.Errorf("%d kinds, %d names", len(kinds), len(once))
	}
}

// BenchmarkCalm measures the time that the weather adds to an operation on a calm night.
func BenchmarkCalm(b *testing.B) {
	w := New(1, newClock())
	s := w.Store(nothing{})
	b.ReportAllocs()
	for b.Loop() {
		_, _ = s.Get(b.Context(), "runs/x/begin.json")
	}
}
