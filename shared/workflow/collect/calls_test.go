package collect

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func callsBench(t *testing.T) (*bench, *snapshot.Begin) {
	t.Helper()
	b := newBench(t)
	b.entra.pages = nil
	for i := range 4 {
		b.entra.pages = append(b.entra.pages, []directory.EntraUser{
			{ID: fmt.Sprintf("id-%d-a", i), LastSuccessful: daysAgo(i + 2)}, {ID: fmt.Sprintf("id-%d-b", i)},
		})
	}
	b.entra.in["g-exempt"] = []directory.Member{{ID: "id-0-a"}, {ID: "id-3-b"}, {ID: "id-1-a"}}
	b.entra.count = 8
	begin, err := b.Begin(t.Context(), Start{Run: "run", AsOf: asOf, Policy: load(t, text), Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return b, begin
}

// entraCalls reads Entra ID in calls of one page each. The function "before" runs before each call.
func (b *bench) entraCalls(t *testing.T, begin *snapshot.Begin, before func(call int)) snapshot.Reading {
	t.Helper()
	for call := range 50 {
		before(call)
		done, err := b.ReadEntraUntil(t.Context(), begin, load(t, text), call, clock.Add(-time.Hour))
		if errors.Is(err, errDown) { // a worker died, so the call is repeated
			b.Store, b.entra.fail = unbroken(b.Store), nil
			done, err = b.ReadEntraUntil(t.Context(), begin, load(t, text), call, clock.Add(-time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
		if done {
			r, err := b.EntraReading(t.Context(), begin)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
	}
	t.Fatal("it never ends")
	return snapshot.Reading{}
}

func unbroken(s store.Store) store.Store {
	if b, ok := s.(brokenStore); ok {
		return b.Store
	}
	return s
}

func (b *bench) entraContent(t *testing.T, begin *snapshot.Begin, r *snapshot.Reading) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for n := range begin.Partitions {
		var h directory.Accounts
		if err := (&snapshot.Manifest{Readings: [2]snapshot.Reading{*r, {}}}).Read(t.Context(), b.Store, n, &h); err != nil {
			t.Fatal(err)
		}
		for p := range h.Join() {
			all[p.ID()] = p.Memberships
		}
	}
	return all
}

func TestReadEntraInCalls(t *testing.T) {
	t.Parallel()
	whole, begin := callsBench(t)
	one, err := whole.ReadEntra(t.Context(), begin, load(t, text))
	if err != nil {
		t.Fatal(err)
	}
	want := whole.entraContent(t, begin, &one)
	tests := map[string]func(b *bench, call int){
		"undisturbed": func(*bench, int) {},
		"parts cannot be put": func(b *bench, call int) {
			if call == 2 {
				b.Store = brokenStore{b.Store, "/2-"}
			}
		},
		"the call cannot be put": func(b *bench, call int) {
			if call == 3 {
				b.Store = brokenStore{b.Store, "calls/0003"}
			}
		},
		"Graph fails": func(b *bench, call int) {
			if call == 1 {
				b.entra.fail = fails{"ListPeople page 2": errDown}
			}
		},
		"members fail": func(b *bench, call int) {
			if call == 5 {
				b.entra.fail = fails{"ListMembers g-exempt": errDown}
			}
		},
		"the place is lost": func(b *bench, call int) {
			if b.entra.fail = nil; call == 2 {
				b.entra.fail = fails{"ListPeople page 3": directory.ErrCursor}
			}
		},
	}
	for name, before := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, begin := callsBench(t)
			got := b.entraCalls(t, begin, func(call int) { before(b, call) })
			if d := cmp.Diff(want, b.entraContent(t, begin, &got)); d != "" {
				t.Errorf("people (-in one call +in several):\n%s", d)
			}
			if got.People != 8 || got.Freshness != one.Freshness {
				t.Errorf("%d people, %+v, want 8 and %+v", got.People, got.Freshness, one.Freshness)
			}
		})
	}
}

// TestCallMadeTwice: a repeated call returns the result of the first call without asking Graph.
func TestCallMadeTwice(t *testing.T) {
	t.Parallel()
	b, begin := callsBench(t)
	b.entraCalls(t, begin, func(int) {})
	b.entra.calls = nil
	for call, want := range []bool{false, false} {
		if done, err := b.ReadEntraUntil(t.Context(), begin, load(t, text), call, time.Time{}); done != want || err != nil {
			t.Errorf("call %d again: %t, %v", call, done, err)
		}
	}
	if len(b.entra.calls) > 0 {
		t.Errorf("asked again: %q", b.entra.calls)
	}
}

func TestCallsThatFail(t *testing.T) {
	t.Parallel()
	b, begin := callsBench(t)
	if _, err := b.ReadEntraUntil(t.Context(), begin, load(t, text), 3, time.Time{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a call without the one before: %v", err)
	}
	b.entra.fail = fails{"ListPeople page 1": directory.ErrCursor}
	if _, err := b.ReadEntra(t.Context(), begin, load(t, text)); !errors.Is(err, directory.ErrCursor) {
		t.Errorf("a place that is lost again and again: %v", err)
	}
	short, begin := callsBench(t)
	begin.People = 50
	if _, err := short.ReadEntra(t.Context(), begin, load(t, text)); err == nil || !strings.Contains(err.Error(), "counted 50 and listed 8") {
		t.Errorf("a short list: %v", err)
	}
}
