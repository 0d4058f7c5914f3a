package weather

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

// newStore returns a store on which the faults of "w" act, and the store behind it, a folder with two objects.
func newStore(t *testing.T, w *Weather) (under *Store, behind store.Store) {
	t.Helper()
	behind, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ledger/a/e3/1.json", "ledger/b/e3/1.json"} {
		if err := store.PutBytes(t.Context(), behind, key, []byte(`{"was":"there"}`)); err != nil {
			t.Fatal(err)
		}
	}
	return w.Store(behind), behind
}

func keysOf(s store.Store) (keys []string, err error) {
	for key, err := range s.List(context.Background(), "ledger/") {
		if err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// TestStore checks which operations fail under each kind of fault. Only under StoreAnswerLost, a failed write is
// carried out. No error is ErrNotFound or ErrExists.
func TestStore(t *testing.T) {
	t.Parallel()
	const key = "ledger/c/e3/1.json"
	tests := map[Kind]struct {
		fails []string // names of operations
		done  bool     // whether a failed write was carried out
	}{
		StoreSlow:       {},
		StoreThrottled:  {[]string{"get", "put", "create", "list"}, false},
		StoreFailed:     {[]string{"get", "put", "create", "list"}, false},
		StoreAnswerLost: {[]string{"put", "create"}, true},
		StoreBodyCut:    {[]string{"get"}, false},
		StoreListCut:    {[]string{"list"}, false},
	}
	for _, kind := range storeKinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				tt := tests[kind]
				clock := newClock()
				w := New(seed, clock)
				w.Begin(storm(kind))
				s, behind := newStore(t, w)
				ctx := t.Context()
				var got struct {
					Was string `json:"was"`
				}
				ops := map[string]error{"get": store.GetJSON(ctx, s, "ledger/a/e3/1.json", &got)}
				_, ops["list"] = keysOf(s)
				ops["put"] = store.PutBytes(ctx, s, key, []byte("put"))
				_, absent := behind.Get(ctx, key)
				ops["create"] = s.PutIfAbsent(ctx, "ledger/d/e3/1.json", strings.NewReader("mine"))
				_, absentToo := behind.Get(ctx, "ledger/d/e3/1.json")
				for op, err := range ops {
					if (err != nil) != slices.Contains(tt.fails, op) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrExists) {
						t.Errorf("seed %d: %s: %v", seed, op, err)
					}
				}
				if ops["get"] == nil && got.Was != "there" {
					t.Errorf("seed %d: read %+v", seed, got)
				}
				made := ops["put"] == nil || tt.done
				if made != (absent == nil) || made != (absentToo == nil) {
					t.Errorf("seed %d: put %v, created %v, want %v", seed, absent, absentToo, made)
				}
				if (kind == StoreSlow) != clock.Now().After(newClock().Now()) {
					t.Errorf("seed %d: it is %v", seed, clock.Now())
				}
			}
		})
	}
}

// TestStoreFaultsAreAsTheyAreKnown: a fault returns the same error as S3 or the network does.
func TestStoreFaultsAreAsTheyAreKnown(t *testing.T) {
	t.Parallel()
	w := New(1, newClock())
	s, _ := newStore(t, w)
	read := func() error {
		body, err := s.Get(t.Context(), "ledger/a/e3/1.json")
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.ReadAll(body)
		return err
	}
	for kind, is := range map[Kind]func(error) bool{
		StoreThrottled: func(err error) bool { return strings.Contains(err.Error(), "SlowDown") },
		StoreFailed:    func(err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		StoreBodyCut:   func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) },
	} {
		w.Begin(storm(kind))
		if err := read(); err == nil || !is(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestRestoredFromYesterday: after the store behind the weather is replaced by yesterday's backup, a list shows exactly
// the objects of the backup.
func TestRestoredFromYesterday(t *testing.T) {
	t.Parallel()
	var behind store.Memory
	s := New(1, newClock()).Store(&behind)
	if err := store.PutBytes(t.Context(), s, "ledger/a/e3/1.json", []byte("there")); err != nil {
		t.Fatal(err)
	}
	yesterday := behind.Objects()
	before, err := keysOf(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.PutBytes(t.Context(), s, "ledger/c/e3/1.json", nil); err != nil {
		t.Fatal(err)
	}
	behind.Become(yesterday)
	after, err := keysOf(s)
	if d := cmp.Diff(before, after); err != nil || d != "" {
		t.Errorf("%v, keys (-yesterday +restored):\n%s", err, d)
	}
}

// TestStoreOfAKilledProcess: after KillAt, the nth operation is carried out only if "after" is set, and no later
// operation is.
func TestStoreOfAKilledProcess(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		clock := newClock()
		w := New(1, clock)
		s, behind := newStore(t, w)
		w.KillAt(2, after)
		var made []bool
		for n := range 4 {
			key := fmt.Sprintf("ledger/k/e3/%d.json", n)
			err := s.PutIfAbsent(t.Context(), key, strings.NewReader("x"))
			if (err == nil) != (n == 0) {
				t.Errorf("after %v, write %d: %v", after, n, err)
			}
			_, absent := behind.Get(t.Context(), key)
			made = append(made, absent == nil)
		}
		if d := cmp.Diff([]bool{true, after, false, false}, made); d != "" {
			t.Errorf("after %v: made (-want +got):\n%s", after, d)
		}
		w.Revive()
		w.FreezeAt(1, true, time.Hour)
		began := clock.Now()
		if _, err := keysOf(s); err != nil || clock.Now().Sub(began) != time.Hour {
			t.Errorf("frozen: %v after %v", err, clock.Now().Sub(began))
		}
	}
}

// TestWeatherOfTheStoreComesAgain: if a run is repeated under another name, the same faults happen to its operations.
func TestWeatherOfTheStoreComesAgain(t *testing.T) {
	t.Parallel()
	live := func(run string) []Fault {
		w := New(5, newClock())
		w.Begin(Plan{Night: 2, Often: 0.4, Kinds: storeKinds})
		s, _ := newStore(t, w)
		for n := range 20 {
			_ = store.PutBytes(t.Context(), s, fmt.Sprintf("runs/%s/entra/07/%s-%d.jsonl.gz", run, run, n), nil)
			_ = store.PutBytes(t.Context(), s, "runs/"+run+"/begin.json", nil)
			_, _ = keysOf(s)
		}
		return w.Faults()
	}
	first := live("20261123T020000Z-00000000")
	if d := cmp.Diff(first, live("20261123T020000Z-12345678")); d != "" || len(first) < 5 {
		t.Errorf("%d faults (-first +again):\n%s", len(first), d)
	}
}

type nothing struct{ store.Store }

func (nothing) Get(context.Context, string) (io.ReadCloser, error) { return nil, store.ErrNotFound }
