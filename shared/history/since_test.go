package history

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// A plan waits for its approval. What newer runs learned counts just before its changes: the newest healthy reading,
// even of a plan on hold, and the activity dates that were read before other changes.
func TestSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Known: [2]*plan.Baseline{readBy(0, 0), readBy(0, 0)}})
	st := w.settle(1)
	w.plans(1, "ann")
	w.leave(&Planned{Run: nameOf(2), AsOf: at(2), OnHold: true, Known: [2]*plan.Baseline{readBy(2, 2), nil}, Touches: []Touch{{User: "bob", License: "e3"}}})
	w.results(2, `{"results":[{"user":"bob","license":"e3","status":"kept","sighting":{"account":"bob","newest":["2026-01-01T00:00:00Z"],"at":%q}}]}`, at(2).Format(time.RFC3339))
	w.leave(&Planned{Run: nameOf(9), AsOf: at(9), Known: [2]*plan.Baseline{readBy(9, 9), readBy(9, 9)}}) // by a clock that is ahead
	for name, digest := range map[string]*Digest{"a digest": st, "no digest": nil} {
		next, err := digest.Since(t.Context(), w.store, nameOf(1), at(3))
		if err != nil {
			t.Fatal(err)
		}
		want := [2]*plan.Baseline{readBy(2, 2), nil}
		if digest != nil {
			want[directory.AD] = readBy(0, 0)
		}
		if d := cmp.Diff(want, next.Known); d != "" {
			t.Errorf("%s: known (-want +got):\n%s", name, d)
		}
		if next.Sighting("bob") == nil || next.Len() != digest.Len() {
			t.Errorf("%s: sighting %v, %d licenses", name, next.Sighting("bob"), next.Len())
		}
	}
	if st.Known[directory.Entra].Run != nameOf(0) || st.Sighting("bob") != nil {
		t.Error("the digest of the run has changed")
	}
	if err := store.PutBytes(t.Context(), w.store, layout.Noted(layout.Plans, nameOf(2)), []byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Since(t.Context(), w.store, nameOf(1), at(3)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a damaged plan of a newer run: %v", err)
	}
}
