package decision

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func (r *Run) damages(t *testing.T) *store.Memory {
	t.Helper()
	s := r.store.(*store.Memory)
	if err := store.PutBytes(t.Context(), s, "runs/run/known/0000.gz", []byte("half")); err != nil {
		t.Fatal(err)
	}
	return s
}

// A table of known accounts stays lost if the snapshot of its run is damaged, gone or unreadable for this version. The
// rules are then undecided about the people.
func TestTableThatStaysLost(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(objects map[string][]byte){
		"its begin is gone":    func(o map[string][]byte) { delete(o, "runs/run/begin.json") },
		"its manifest is gone": func(o map[string][]byte) { delete(o, "runs/run/manifest.json") },
		"its manifest is half": func(o map[string][]byte) { o["runs/run/manifest.json"] = []byte("half") },
		"its begin is edited": func(o map[string][]byte) {
			o["runs/run/begin.json"] = bytes.Replace(o["runs/run/begin.json"], []byte("tenant:"), []byte("renter:"), 1)
		},
		"it lacks a column": func(o map[string][]byte) { // which this version reads
			o["runs/run/begin.json"] = withPolicy(t, replaceOnce(t, text, "users: [exempt@x.example]", "when: hired.hasNoValue()")+"attributes: {hired: entra.hired}\n")
		},
		"its policy is none":  func(o map[string][]byte) { o["runs/run/begin.json"] = withPolicy(t, "rules: none") },
		"its history is gone": func(o map[string][]byte) { delete(o, "runs/run/history/past.jsonl.gz") },
		"its people are gone": func(o map[string][]byte) {
			maps.DeleteFunc(o, func(key string, _ []byte) bool { return strings.HasPrefix(key, "runs/run/entra/") })
		},
		"its people are half": func(o map[string][]byte) {
			for key := range o {
				if strings.HasPrefix(key, "runs/run/entra/") {
					o[key] = []byte("half")
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := remembering(t)
			s := r.damages(t)
			objects := s.Objects()
			spoil(objects)
			s.Become(objects)
			next := r.nextNight(1)
			for range 2 {
				if table, err := next.remembered(t.Context(), "run", 0); table != nil || !errors.Is(err, store.ErrDamaged) || len(next.Losses()) != 1 {
					t.Errorf("%+v, %v, losses %q", table, err, next.Losses())
				}
			}
		})
	}
}

func withPolicy(t *testing.T, policy string) []byte {
	t.Helper()
	s := &store.Memory{}
	if err := snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "run", Partitions: 1, Read: asOf, AsOf: asOf, Policy: policy}); err != nil {
		t.Fatal(err)
	}
	return s.Objects()["runs/run/begin.json"]
}

// A store that does not answer may answer later. The evaluation then fails, and no table counts as lost.
func TestTableWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		r, _ := remembering(t)
		s := r.damages(t)
		if gone {
			objects := s.Objects()
			delete(objects, "runs/run/known/0000.gz")
			s.Become(objects)
		}
		whole := failing.Nth(s, 0)
		next := r.nextNight(1)
		next.store = whole
		if _, err := next.remembered(t.Context(), "run", 0); err != nil || len(whole.Keys()) < 4 {
			t.Fatalf("%d calls, %v", len(whole.Keys()), err)
		}
		for n := range whole.Keys() {
			for how, broken := range map[string]*failing.Store{"fails": failing.Nth(s, n+1), "breaks off": failing.Cut(s, n+1)} {
				next := r.nextNight(1)
				next.store = broken
				table, err := next.remembered(t.Context(), "run", 0)
				if how == "breaks off" && !broken.Broke() {
					continue // the call reads no object
				}
				if table != nil || !errors.Is(err, failing.Err) || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) || len(next.Losses()) > 0 {
					t.Errorf("gone %t, call %d of %s %s: %v, losses %q", gone, n+1, whole.Keys()[n], how, err, next.Losses())
				}
				if table, err := next.remembered(t.Context(), "run", 0); table == nil || err != nil {
					t.Errorf("gone %t, call %d: the store answers again: %v", gone, n+1, err)
				}
			}
		}
	}
}

// A missing table counts as damage if the snapshot of its run is damaged. It does not if the run is missing, too,
// because old runs are deleted. Either way, a sentence says so.
func TestTableGoneAndSnapshotDamaged(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]error{"runs/run/manifest.json": store.ErrDamaged, "runs/run/begin.json": store.ErrNotFound} {
		r, _ := remembering(t)
		s := r.store.(*store.Memory)
		objects := s.Objects()
		delete(objects, "runs/run/known/0000.gz")
		if delete(objects, key); want == store.ErrDamaged {
			objects[key] = []byte("half")
		}
		s.Become(objects)
		next := r.nextNight(1)
		if _, err := next.remembered(t.Context(), "run", 0); !errors.Is(err, want) || len(next.Losses()) != 1 || strings.Contains(next.Losses()[0], "because of its age") != (want == store.ErrNotFound) {
			t.Errorf("%s: %v, losses %q", key, err, next.Losses())
		}
	}
}

func TestLossesOfTwoTables(t *testing.T) {
	t.Parallel()
	r := world{partitions: 2, entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	next := r.nextNight(1)
	for n, key := range []string{"runs/run/known/0000.gz", "runs/run/known/0001.gz"} {
		if err := store.PutBytes(t.Context(), r.store, key, []byte("half")); err != nil {
			t.Fatal(err)
		}
		if _, err := next.Apart().remembered(t.Context(), "run", n); err != nil {
			t.Fatal(err)
		}
	}
	if got := next.Losses(); len(got) != 2 {
		t.Errorf("losses %q", got)
	}
}

// The function "lostNights" returns the run after some nights. The store has the snapshots of these nights, and not
// their tables of known accounts.
func lostNights(t *testing.T, nights int) *Run {
	t.Helper()
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	for n := 1; n < nights; n++ {
		next := r.nextNight(n)
		m := *r.Manifest
		m.Run, m.History = next.Begin.Run, "runs/"+next.Begin.Run+"/history"
		err := store.PutLines(t.Context(), r.store, m.History, func(emit func(any) error) error {
			return emit(map[string]any{"head": history.Digest{Baselines: next.History.Baselines}})
		})
		if err := errors.Join(err, snapshot.PutBegin(t.Context(), r.store, next.Begin), snapshot.Seal(t.Context(), r.store, &m)); err != nil {
			t.Fatal(err)
		}
		r = next
	}
	return r.nextNight(nights)
}

// TestTrailOfLostTables: several runs in a row have lost their tables of known accounts. At most longestTrail tables
// are made again, each from the snapshot of its run and the table of the run before.
func TestTrailOfLostTables(t *testing.T) {
	t.Parallel()
	for nights, whole := range map[int]bool{1: true, longestTrail: true, longestTrail + 1: false} {
		r := lostNights(t, nights)
		counted := failing.Nth(r.store, 0)
		r.store = counted
		if _, err := r.remembered(t.Context(), r.History.Baselines[0].Run, 0); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(counted.Keys(), "runs/run/begin.json"); got != whole {
			t.Errorf("after %d nights the first snapshot is read: %t", nights, got)
		}
	}
}
