package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// An operator accepts the newest reading: a run with --accept-feeds plans over the snapshot of the night. Later nights
// compare with the table of that run, and not with the table of the night, in which the accepted loss is in doubt.
func TestAcceptedReadingIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Known: [2]*plan.Baseline{readBy(0, 0), readBy(0, 0)}})
	w.settle(1)
	w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Known: [2]*plan.Baseline{readBy(1, 0), readBy(1, 0)}}) // over the snapshot of night 0
	for night := 2; night < 4; night++ {
		if d := cmp.Diff([2]*plan.Baseline{readBy(1, 0), readBy(1, 0)}, w.settle(night).Known); d != "" {
			t.Errorf("night %d (-want +got):\n%s", night, d)
		}
		w.plans(night)
	}
}

// The digest of a run with --accept-feeds is damaged. The nights after it still know that an operator accepted its
// reading.
func TestAcceptedByARunWithoutDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.plans(0)
	w.settle(1)
	w.plans(1, "ann")
	w.results(1, `{"results":[{"user":"ann","license":"e3","status":"kept","logon":{"account":"S-ann","newest":["2026-01-01T00:00:00Z"],"at":%q}}]}`, at(1).Format(time.RFC3339))
	begin := &snapshot.Begin{Run: nameOf(2), Partitions: 1, Read: at(2), AcceptFeeds: true}
	if err := snapshot.PutBegin(t.Context(), w.store, begin); err != nil {
		t.Fatal(err)
	}
	w.settle(2)
	w.plans(2)
	m, _, err := snapshot.GetManifest(t.Context(), w.store, nameOf(2))
	if err == nil {
		err = store.PutBytes(t.Context(), w.store, m.History, []byte("half"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for night := 3; night < 5; night++ {
		if st := w.settle(night); !st.Accepted.Equal(at(2)) || st.Sighting("S-ann") != nil {
			t.Errorf("night %d: accepted %s, %+v", night, st.Accepted, st.Sighting("S-ann"))
		}
		w.plans(night)
	}
}

func readBy(run, night int) *plan.Baseline {
	return &plan.Baseline{Run: nameOf(run), Partitions: 1, Read: at(night)}
}
