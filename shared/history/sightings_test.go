package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// A sighting is the newest activity of an account, as apply read it just before a change. Later runs use a sighting for
// 90 days.
func TestSightings(t *testing.T) {
	t.Parallel()
	const kept = `{"results":[{"user":"ann","license":"e3","status":"kept","sighting":{"account":"ann","newest":[%s,"0001-01-01T00:00:00Z","0001-01-01T00:00:00Z"],"at":"` // the time follows
	seen := func(w *world, night int, newest time.Time) {
		w.plans(night, "ann")
		w.results(night, kept+at(night).Format(time.RFC3339)+`"}}]}`, `"`+newest.Format(time.RFC3339)+`"`)
	}
	sighting := func(newest time.Time, night int) *directory.Sighting {
		return &directory.Sighting{Account: "ann", Newest: [directory.ActivityDates]time.Time{newest}, At: at(night)}
	}
	for name, tc := range map[string]struct {
		nights map[int]time.Time // Ann's activity date, by the night in which it was read
		asked  int
		want   *directory.Sighting
	}{
		"nothing":                  {nil, 3, nil},
		"the night before":         {map[int]time.Time{1: at(1)}, 2, sighting(at(1), 1)},
		"some nights before":       {map[int]time.Time{1: at(1)}, 5, sighting(at(1), 1)},
		"90 days before":           {map[int]time.Time{1: at(1)}, 91, sighting(at(1), 1)},
		"longer ago":               {map[int]time.Time{1: at(1)}, 92, nil},
		"a newer date":             {map[int]time.Time{1: at(1), 2: at(2)}, 4, sighting(at(2), 2)},
		"an older date afterwards": {map[int]time.Time{1: at(1), 2: at(0)}, 4, sighting(at(1), 2)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for night := range tc.asked {
				if newest, is := tc.nights[night]; is {
					seen(w, night, newest)
				} else {
					w.plans(night)
				}
				w.settle(night + 1)
			}
			st := w.settle(tc.asked)
			if d := cmp.Diff(tc.want, st.Sighting("ann")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if got := st.Sighting("bob"); got != nil {
				t.Errorf("of somebody else: %+v", got)
			}
		})
	}
	t.Run("from the future", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.plans(1, "ann")
		w.results(1, kept+at(9).Format(time.RFC3339)+`"}}]}`, `"`+at(1).Format(time.RFC3339)+`"`)
		if got := w.settle(2).Sighting("ann"); got != nil {
			t.Errorf("%+v", got)
		}
	})
}

// A sighting is an activity date that apply read just before a change. If an operator accepts the data of a later night
// (--accept-feeds), the runs after that night no longer use the earlier sighting.
func TestSightingsOfAcceptedFeeds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		accept bool
		read   time.Time // when the second night read the directories
		want   bool
	}{
		"not accepted":                {false, at(2), true},
		"accepted":                    {true, at(2), false},
		"accepted before it was read": {true, at(0), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(0)
			w.settle(1)
			w.plans(1, "ann")
			w.results(1, `{"results":[{"user":"ann","license":"e3","status":"kept","logon":{"account":"S-ann","newest":["2026-01-01T00:00:00Z"],"at":%q}}]}`, at(1).Format(time.RFC3339))
			w.plans(2)
			begin := &snapshot.Begin{Run: nameOf(2), Partitions: 1, Read: tc.read, AcceptFeeds: tc.accept}
			if err := snapshot.PutBegin(t.Context(), w.store, begin); err != nil {
				t.Fatal(err)
			}
			if w.settle(2).Sighting("S-ann") == nil {
				t.Fatal("the second night does not know it")
			}
			w.plans(3)
			for night := 3; night <= 4; night++ {
				if got := w.settle(night).Sighting("S-ann") != nil; got != tc.want {
					t.Errorf("night %d knows it: %t", night, got)
				}
			}
		})
	}
}
