package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/engines"
)

// eachStore runs the function "test" once for each kind of store. Each store is empty at first.
func eachStore(t *testing.T, test func(t *testing.T, s Store)) {
	t.Helper()
	t.Parallel()
	kinds := map[string]func(t *testing.T) Store{
		"folder": func(t *testing.T) Store { return newFolder(t, t.TempDir()) },
		"memory": func(t *testing.T) Store { return &Memory{} },
		"s3":     func(t *testing.T) Store { return newFakeS3(t).store("") },
		"s3 with prefix": func(t *testing.T) Store {
			f := newFakeS3(t)
			putRaw(t, f, "a/outside")
			putRaw(t, f, "team/idleseats/outside")
			return f.store("team/idleseat/")
		},
	}
	if engines.HasVersitygw() {
		kinds["versitygw"] = func(t *testing.T) Store { return onVersitygw(engines.Versitygw(t, fakeBucket)) }
	}
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func body(s string) io.ReadSeeker { return strings.NewReader(s) }

func mustPut(t *testing.T, s Store, key, value string) {
	t.Helper()
	if err := s.Put(t.Context(), key, body(value)); err != nil {
		t.Fatal(err)
	}
}

func wantObject(t *testing.T, s Store, key, want string) {
	t.Helper()
	got, err := GetBytes(t.Context(), s, key, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("object %q (-want +got):\n%s", key, diff)
	}
}

func wantErr(t *testing.T, want, got error, mentions ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Fatalf("error (-want +got):\n%s", diff)
	}
	for _, m := range mentions {
		if !strings.Contains(got.Error(), m) {
			t.Errorf("error %q does not mention %q", got, m)
		}
	}
}

func collect(keys iter.Seq2[string, error]) ([]string, error) {
	var all []string
	for k, err := range keys {
		if err != nil {
			return all, err
		}
		all = append(all, k)
	}
	return all, nil
}

func TestPutGet(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		const key = "runs/20270301T000000Z/entra/07/S-1-5-21-1 (a)+b=c,d@é.json"
		_, err := s.Get(t.Context(), key)
		wantErr(t, ErrNotFound, err, key)
		mustPut(t, s, key, "first")
		wantObject(t, s, key, "first")
		mustPut(t, s, key, "2")
		wantObject(t, s, key, "2")
		mustPut(t, s, "empty", "")
		wantObject(t, s, "empty", "")

		_, err = s.Get(t.Context(), "runs")
		wantErr(t, ErrNotFound, err, "runs")
		_, err = s.Get(t.Context(), "empty/below")
		wantErr(t, ErrNotFound, err, "empty/below")
	})
}

func TestPutIfAbsent(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		if err := s.PutIfAbsent(t.Context(), "ledger/p/l/1.json", body("mine")); err != nil {
			t.Fatal(err)
		}
		err := s.PutIfAbsent(t.Context(), "ledger/p/l/1.json", body("theirs"))
		wantErr(t, ErrExists, err, "ledger/p/l/1.json")
		wantObject(t, s, "ledger/p/l/1.json", "mine")

		mustPut(t, s, "put", "put")
		wantErr(t, ErrExists, s.PutIfAbsent(t.Context(), "put", body("theirs")))
		wantObject(t, s, "put", "put")
	})
}

func TestBodyIsReadFromItsOffset(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		b := body("skipped|kept")
		if _, err := b.Seek(int64(len("skipped|")), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), "k", b); err != nil {
			t.Fatal(err)
		}
		wantObject(t, s, "k", "kept")
	})
}

func TestPutIfAbsentHasOneWinner(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		const racers, keys = 8, 10
		for k := range keys {
			key := fmt.Sprintf("race/%d", k)
			var won atomic.Value
			var wins atomic.Int32
			var wg sync.WaitGroup
			for r := range racers {
				wg.Go(func() {
					name := fmt.Sprint("racer ", r)
					switch err := s.PutIfAbsent(t.Context(), key, body(name)); {
					case err == nil:
						wins.Add(1)
						won.Store(name)
					case !errors.Is(err, ErrExists):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := wins.Load(); n != 1 {
				t.Fatalf("%s was won %d times", key, n)
			}
			wantObject(t, s, key, won.Load().(string))
		}
	})
}

func TestReplacedWhileRead(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		old, young := strings.Repeat("old", 30_000), strings.Repeat("young", 30_000)
		mustPut(t, s, "k", old)
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range 20 {
				if err := s.Put(t.Context(), "k", body([]string{young, old}[i%2])); err != nil {
					t.Error(err)
				}
			}
		})
		for range 20 {
			got, err := GetBytes(t.Context(), s, "k", 1<<20)
			if err != nil {
				t.Error(err)
			} else if string(got) != old && string(got) != young {
				t.Errorf("read a mix of %d bytes", len(got))
			}
		}
		wg.Wait()
	})
}

func TestList(t *testing.T) {
	keys := []string{ // in byte order: '-' and '.' sort before '/', and '0' sorts after '/'
		"a-b", "a.json", "a/-", "a/b/c", "a/b0", "a/b0.d/x", "a/c", "a0", "aé", "b/1", "b/10", "b/2", "B",
	}
	slices.Sort(keys)
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", keys},
		{"a/", []string{"a/-", "a/b/c", "a/b0", "a/b0.d/x", "a/c"}},
		{"a/b", []string{"a/b/c", "a/b0", "a/b0.d/x"}},
		{"a/b0.", []string{"a/b0.d/x"}},
		{"a/b/c", []string{"a/b/c"}},
		{"a/b/c/", nil},
		{"b/1", []string{"b/1", "b/10"}},
		{"a0", []string{"a0"}},
		{"missing/x", nil},
		{"z", nil},
	}
	eachStore(t, func(t *testing.T, s Store) {
		for _, k := range slices.Backward(keys) {
			mustPut(t, s, k, k)
		}
		for _, tt := range tests {
			got, err := collect(s.List(t.Context(), tt.prefix))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("prefix %q (-want +got):\n%s", tt.prefix, diff)
			}
		}
		for k, err := range s.List(t.Context(), "a") { // a caller may stop early
			wantErr(t, nil, err)
			if diff := cmp.Diff("a-b", k); diff != "" {
				t.Error(diff)
			}
			break
		}
	})
}

func TestListEmptyStore(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		got, err := collect(s.List(t.Context(), ""))
		wantErr(t, nil, err)
		if diff := cmp.Diff([]string(nil), got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBadKeysReachNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		for _, key := range []string{"", "/etc/passwd", "../outside", "a/../../outside", "a//b", `a\..\b`, ".tmp/x", "a\x00"} {
			_, err := s.Get(t.Context(), key)
			wantErr(t, ErrBadKey, err)
			wantErr(t, ErrBadKey, s.Put(t.Context(), key, body("x")))
			wantErr(t, ErrBadKey, s.PutIfAbsent(t.Context(), key, body("x")))
			if key != "" {
				_, err = collect(s.List(t.Context(), key))
				wantErr(t, ErrBadKey, err)
			}
		}
	})
}

func TestJSON(t *testing.T) {
	type thing struct{ N int }
	eachStore(t, func(t *testing.T, s Store) {
		ctx := t.Context()
		wantErr(t, nil, PutJSON(ctx, s, "a", thing{1}))
		wantErr(t, nil, PutJSONIfAbsent(ctx, s, "b", thing{2}))
		wantErr(t, ErrExists, PutJSONIfAbsent(ctx, s, "b", thing{3}))
		var a, b thing
		wantErr(t, nil, GetJSON(ctx, s, "a", &a))
		wantErr(t, nil, GetJSON(ctx, s, "b", &b))
		if diff := cmp.Diff([]thing{{1}, {2}}, []thing{a, b}); diff != "" {
			t.Error(diff)
		}
		wantErr(t, ErrNotFound, GetJSON(ctx, s, "c", &a), "c")
		if err := PutJSON(ctx, s, "d", func() {}); err == nil || !strings.Contains(err.Error(), `"d"`) {
			t.Errorf("a value that JSON cannot hold: %v", err)
		}
	})
}

type overwriting struct{ Store }

func (s overwriting) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	return s.Put(ctx, key, body)
}

// TestProven: PutJSONProven accepts a store that keeps the first object, and rejects a store that overwrites it.
func TestProven(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		wantErr(t, nil, PutJSONProven(t.Context(), s, "runs/r/begin.json", "first"))
		wantObject(t, s, "runs/r/begin.json", `"first"`)
		wantErr(t, ErrExists, PutJSONProven(t.Context(), s, "runs/r/begin.json", "second"))
		wantObject(t, s, "runs/r/begin.json", `"first"`)
		wantErr(t, ErrOverwrites, PutJSONProven(t.Context(), overwriting{s}, "runs/q/begin.json", "first"), "runs/q/begin.json", "If-None-Match")
	})
}

func TestS3WithoutConditions(t *testing.T) {
	t.Parallel()
	f := newFakeS3(t)
	f.before = func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		r.Header.Del("If-None-Match")
		pass.ServeHTTP(w, r)
	}
	wantErr(t, ErrOverwrites, PutJSONProven(t.Context(), f.store(""), "runs/r/begin.json", "first"))
}
