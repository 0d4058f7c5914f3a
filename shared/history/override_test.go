package history

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

func TestOverrides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, night := range []int{0, 10, 12} {
		for _, hash := range []string{"first", "second"} { // only the first override of a run is kept
			if err := PutOverride(t.Context(), w.store, &Override{Run: nameOf(night), PlanHash: hash, At: at(night)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := store.PutJSON(t.Context(), w.store, "history/overrides/"+nameOf(11)+".json", &Override{Run: nameOf(12), At: at(11)}); err != nil {
		t.Fatal(err) // the content and the key name different runs
	}
	want := func(nights ...int) (all []Override) {
		for _, n := range nights {
			all = append(all, Override{Run: nameOf(n), PlanHash: "first", At: at(n)})
		}
		return all
	}
	for _, tc := range []struct {
		from, to int
		want     []Override
	}{{0, 12, want(0, 10, 12)}, {0, 11, want(0, 10)}, {1, 20, want(10, 12)}, {13, 20, nil}} {
		got, err := Overrides(t.Context(), w.store, at(tc.from), at(tc.to))
		if d := cmp.Diff(tc.want, got); d != "" || err != nil {
			t.Errorf("nights %d to %d: %v (-want +got):\n%s", tc.from, tc.to, err, d)
		}
	}
	o := Override{At: at(10)}
	for night, want := range map[int]bool{9: false, 10: true, 40: true, 41: false} {
		if o.Holds(at(night)) != want {
			t.Errorf("night %d: holds %v", night, !want)
		}
	}
}
