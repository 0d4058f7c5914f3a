package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

// TestEntries: Entries yields every entry in order, and goes on after a damaged object.
func TestEntries(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*testing.T, store.Store)
		want  string // the runs in order; damage as "!"
	}{
		"all":                 {func(*testing.T, store.Store) {}, "r1 r2 r3"},
		"one is spoilt":       {func(t *testing.T, s store.Store) { put(t, s, "000002.json", "{}") }, "r1 ! r3"},
		"a completion is":     {func(t *testing.T, s store.Store) { put(t, s, "000001.done.json", "{") }, "! r2 r3"},
		"a stranger":          {func(t *testing.T, s store.Store) { put(t, s, "notes.txt", "hello") }, "r1 r2 r3 !"},
		"an orphan":           {func(t *testing.T, s store.Store) { put(t, s, "000009.done.json", "{}") }, "r1 r2 r3 !"},
		"everything, in part": {func(t *testing.T, s store.Store) { put(t, s, "000003.json", "[]"); put(t, s, "000009.done.json", "{}") }, "r1 r2 ! !"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s := open(t)
			var last *Entry
			for _, run := range []string{"r1", "r2", "r3"} {
				e, err := l.Begin(t.Context(), intent(run), last)
				if err == nil && run != "r3" {
					err = l.Complete(t.Context(), e, Completion{Outcome: Done})
				}
				if err != nil {
					t.Fatal(err)
				}
				last = e
			}
			tc.spoil(t, s)
			page, err := l.Of(t.Context(), last.Person)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for e, err := range page.Entries(t.Context(), last.License) {
				switch {
				case errors.Is(err, ErrDamaged):
					got = append(got, "!")
				case err != nil:
					t.Fatal(err)
				default:
					got = append(got, e.Run)
				}
			}
			if d := cmp.Diff(tc.want, strings.Join(got, " ")); d != "" {
				t.Errorf("entries (-want +got):\n%s", d)
			}
			for range page.Entries(t.Context(), last.License) {
				break // the loop may end early
			}
		})
	}
}

func put(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	e := Entry{Seq: 1, Intent: intent("")}
	key := strings.TrimSuffix(e.Key(), "000001.json") + name
	if err := s.Put(t.Context(), key, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}
