package money

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "counting" is a store that counts the reads of ledger objects. A read fails if the key contains the field
// "broken".
type counting struct {
	store.Store
	gets   atomic.Int64
	broken string
}

var errDown = errors.New("down")

func (c *counting) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if c.broken != "" && strings.Contains(key, c.broken) {
		return nil, errDown
	}
	if strings.HasPrefix(key, "ledger/") {
		c.gets.Add(1)
	}
	return c.Store.Get(ctx, key)
}

// TestMemory: the function Of reads only those entries of the ledger that are not in the memory, the object that
// Remember has stored. It returns the same figures as without a memory. If the memory is damaged or missing, it reads
// the whole ledger.
func TestMemory(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const seed = 6
	w := newNights(t, seed)
	for n := range 60 {
		w.night(n)
	}
	at := w.start.AddDate(0, 0, 60)
	run := snapshot.NewRun(at, [4]byte{9})
	key, err := Remember(ctx, w.store, run, at)
	if err != nil {
		t.Fatal(err)
	}
	seal := func(freed string) {
		if err := errors.Join(snapshot.Seal(ctx, w.store, &snapshot.Manifest{Run: run, Freed: freed}),
			history.PutPlanned(ctx, w.store, &history.Planned{Run: run, AsOf: at, Touches: []history.Touch{}, Prices: w.known}, true)); err != nil {
			t.Fatal(err)
		}
	}
	seal(key)
	s := &counting{Store: w.store}
	figures := func() *Sums {
		t.Helper()
		s.gets.Store(0)
		got, err := Of(ctx, s, "", at.AddDate(0, 0, 30))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := figures()
	if n := s.gets.Load(); n != 0 || first.SeatsFreed == 0 {
		t.Errorf("seed %d: %d objects of the ledger are read although all are remembered; %+v", seed, n, first.Figures)
	}

	subject := w.seats[3] // the function Of reads only the license of the new entry
	e, err := w.ledger.Begin(ctx, ledger.Intent{Person: subject.person, License: "new", Run: run, At: at}, nil)
	if err == nil {
		err = w.ledger.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: at})
	}
	if err != nil {
		t.Fatal(err)
	}
	changed := figures()
	if n := s.gets.Load(); n != 2 {
		t.Errorf("%d objects are read for one new entry and its completion", n)
	}

	raw := w.store.Objects()[key]
	for name, body := range map[string][]byte{"altered": append(raw[:len(raw)-9:len(raw)-9], raw[:9]...), "cut off": raw[:len(raw)/2], "empty": {}} {
		if err := store.PutBytes(ctx, w.store, key, body); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(changed, figures()); d != "" {
			t.Errorf("%s (-with memory +without):\n%s", name, d)
		}
		if s.gets.Load() < 100 {
			t.Errorf("%s: only %d objects of the ledger are read", name, s.gets.Load())
		}
	}
	if err := store.PutBytes(ctx, w.store, key, raw); err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{key, "ledger/" + subject.person + "/new/"} {
		s.broken = broken
		if _, err := Of(ctx, s, "", at.AddDate(0, 0, 30)); !errors.Is(err, errDown) {
			t.Errorf("%s cannot be read: %v", broken, err)
		}
	}
}

// TestTwoKeys: the ledger has a license of one person under the SID, and later under the object id. The entries count
// as one seat. A memory that an older version stored has no SIDs, so its lines are not used.
func TestTwoKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	const sid = "S-1-5-21-1-2-3-1104"
	s := &counting{Store: &store.Memory{}}
	book := ledger.In(s)
	for n, in := range []ledger.Intent{{Person: sid, SID: sid}, {Person: "0f", SID: sid}, {Person: "ff", SID: sid, RestoreOf: "r1"}, {Person: "a", SID: "S-1-5-21-1-2-3-110"}} {
		in.License, in.Run, in.At, in.MonthlySaving = "citrix", fmt.Sprint("r", n), on(5+n), 10
		e, err := book.Begin(ctx, in, nil)
		if err == nil {
			err = book.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: in.At})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	figures := func(days int) Figures {
		t.Helper()
		s.gets.Store(0)
		got, err := Of(ctx, s, "", on(days))
		if err != nil {
			t.Fatal(err)
		}
		return Figures{Freed: got.Freed, FreedNet: got.FreedNet, SeatsFreed: got.SeatsFreed, SeatsNet: got.SeatsNet}
	}
	for round := range 3 {
		if got, want := figures(6), (Figures{Freed: 2000, FreedNet: 1000, SeatsFreed: 2, SeatsNet: 1}); got != want {
			t.Errorf("round %d: taken under both: %+v", round, got)
		}
		if got, want := figures(9), (Figures{Freed: 3000, FreedNet: 1000, SeatsFreed: 3, SeatsNet: 1}); got != want { // "a" is another person
			t.Errorf("round %d: and restored under the other: %+v", round, got)
		}
		if n := s.gets.Load(); (n == 0) != (round == 1) {
			t.Errorf("round %d: %d objects are read", round, n)
		}
		at := on(4).Add(time.Duration(round) * time.Hour)
		run := snapshot.NewRun(at, [4]byte{})
		key, err := Remember(ctx, s, run, at)
		if err == nil && round == 1 { // an older version wrote lines without a SID
			err = store.PutLines(ctx, s, key, func(emit func(any) error) error {
				for n, person := range []string{sid, "0f", "a", "ff"} {
					facts := []fact{{Run: fmt.Sprint("r", n), At: on(5 + n), Outcome: ledger.Done, Ended: on(5 + n), Saves: true}}
					if err := emit(&subject{Person: person, License: "citrix", Objects: 2, Facts: facts}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err == nil {
			err = errors.Join(snapshot.Seal(ctx, s, &snapshot.Manifest{Run: run, Freed: key}), history.PutPlanned(ctx, s, &history.Planned{Run: run, AsOf: on(0)}, true))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The type "waiting" is a store in which a read of some ledger objects blocks until its context ends.
type waiting struct {
	store.Store
	from string // the first key whose read waits; empty: no read waits
}

func (w *waiting) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if w.from != "" && key >= w.from && strings.HasPrefix(key, "ledger/") {
		<-ctx.Done()
		return nil, fmt.Errorf("get %s: %w", key, ctx.Err())
	}
	return w.Store.Get(ctx, key)
}

// TestMemoryInParts: a run that lacks time to read the whole ledger remembers a part of it. The next run continues. The
// figures are the same after each run.
func TestMemoryInParts(t *testing.T) {
	t.Parallel()
	s, at := &store.Memory{}, on(5)
	book, people := ledger.In(s), 2*batch+10
	for n := range people {
		e, err := book.Begin(t.Context(), ledger.Intent{Person: fmt.Sprintf("p-%04d", n), License: "e3", Run: "r", At: at, MonthlySaving: 1}, nil)
		if err == nil {
			err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: at})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	night := func(n int, slow store.Store) {
		t.Helper()
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		run := snapshot.NewRun(at.Add(time.Duration(n)*time.Hour), [4]byte{})
		key, err := Remember(ctx, slow, run, at.AddDate(0, 0, 1))
		if err == nil {
			err = errors.Join(snapshot.Seal(ctx, s, &snapshot.Manifest{Run: run, Freed: key}), history.PutPlanned(ctx, s, &history.Planned{Run: run, AsOf: at}, true))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	counted := &counting{Store: s}
	figures := func() int64 {
		t.Helper()
		counted.gets.Store(0)
		got, err := Of(t.Context(), counted, "", at.AddDate(0, 0, 2))
		if err != nil || got.SeatsFreed != people {
			t.Fatalf("%d seats of %d people, %v", got.SeatsFreed, people, err)
		}
		return counted.gets.Load()
	}
	night(1, &waiting{s, "ledger/p-0300"}) // Remember stops after a quarter of the time
	if n := figures(); n == 0 || n >= 2*int64(people) {
		t.Errorf("after a part of %d people is remembered, %d objects are read", people, n)
	}
	night(2, s)
	if n := figures(); n != 0 {
		t.Errorf("after all are remembered, %d objects are read", n)
	}
}

// TestMemoryInTheOrderOfKeys: the memory has the order of the ledger's keys, and not of the people: "a" comes before
// "a-b", but the key "a-b/" comes before "a/".
func TestMemoryInTheOrderOfKeys(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := &counting{Store: &store.Memory{}}
	book, at := ledger.In(s), on(5)
	people := []string{"S-1-5-21-1-2-3-110", "S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-11", "a", "a-b", "a.b", "a0"}
	for n, person := range people {
		e, err := book.Begin(ctx, ledger.Intent{Person: person, License: fmt.Sprint("l", n%2), Run: "r", At: at, MonthlySaving: 1}, nil)
		if err == nil {
			err = book.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: at})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	run := snapshot.NewRun(at, [4]byte{})
	key, err := Remember(ctx, s, run, at)
	if err == nil {
		err = errors.Join(snapshot.Seal(ctx, s, &snapshot.Manifest{Run: run, Freed: key}), history.PutPlanned(ctx, s, &history.Planned{Run: run, AsOf: at}, true))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.gets.Store(0)
	got, err := Of(ctx, s, "", at.Add(time.Hour))
	if err != nil || got.SeatsFreed != len(people) || s.gets.Load() != 0 {
		t.Errorf("%d seats, %v, %d objects read", got.SeatsFreed, err, s.gets.Load())
	}
}

// TestDamagedEntries: a license with a damaged entry counts in Unread and in no other figure.
func TestDamagedEntries(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := &store.Memory{}
	book, at := ledger.In(s), on(5)
	for _, person := range []string{"a", "b"} {
		e, err := book.Begin(ctx, ledger.Intent{Person: person, License: "e3", Run: "r", At: at, MonthlySaving: 10}, nil)
		if err == nil {
			err = book.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: at})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := store.PutBytes(ctx, s, "ledger/a/e3/000001.done.json", []byte(`{"outcome":"done"}`)); err != nil {
		t.Fatal(err)
	}
	run := snapshot.NewRun(at, [4]byte{})
	key, err := Remember(ctx, s, run, at)
	if err == nil {
		err = errors.Join(snapshot.Seal(ctx, s, &snapshot.Manifest{Run: run, Freed: key}), history.PutPlanned(ctx, s, &history.Planned{Run: run, AsOf: at}, true))
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := Of(ctx, s, "", at.Add(time.Hour))
		if err != nil || got.Unread != 1 || got.SeatsFreed != 1 || got.Freed != 1000 {
			t.Fatalf("%+v, %v", got, err)
		}
	}
}
