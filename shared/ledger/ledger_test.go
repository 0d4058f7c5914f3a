package ledger

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

func open(t *testing.T) (*Ledger, store.Store) {
	t.Helper()
	s := store.Store(&store.Memory{})
	return In(s), s
}

func intent(run string) Intent {
	return Intent{
		Person: "S-1-5-21-1-2-3-1104", License: "m365-e3", Run: run, Rule: "idle", Via: "direct", At: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		Before: Holding{Assignments: []directory.Assignment{{SKU: "e3", State: "Active"}}},
	}
}

func TestOneOpenIntentAtATime(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l, _ := open(t)
	if e, err := l.Latest(ctx, intent("r1").Person, "m365-e3"); e != nil || err != nil {
		t.Fatalf("empty ledger: %v, %v", e, err)
	}
	first, err := l.Begin(ctx, intent("r1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(ctx, intent("r2"), first); !errors.Is(err, ErrBlocked) {
		t.Errorf("another run: %v", err)
	}
	again, err := l.Begin(ctx, intent("r1"), first)
	if d := cmp.Diff(first, again); d != "" || err != nil {
		t.Errorf("the same run takes its intent up: %v\n%s", err, d)
	}
	if err := l.Complete(ctx, first, Completion{Outcome: Done, Note: "first"}); err != nil {
		t.Fatal(err)
	}
	if err := l.Complete(ctx, again, Completion{Outcome: Failed}); err != nil {
		t.Fatal(err)
	}
	last, err := l.Latest(ctx, first.Person, first.License)
	if err != nil || last.Completion == nil || last.Completion.Note != "first" {
		t.Errorf("latest = %+v, %v; want the first completion", last, err)
	}
	second, err := l.Begin(ctx, intent("r2"), last)
	if err != nil || second.Seq != 2 {
		t.Errorf("after completion: %+v, %v", second, err)
	}
	if other, err := l.Latest(ctx, first.Person, "m365"); other != nil || err != nil {
		t.Errorf("a license whose name begins alike: %+v, %v", other, err)
	}
}

func TestEntriesComeBackWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l, _ := open(t)
	var e *Entry
	for range 12 { // the number of the last entry has two digits
		var err error
		if e, err = l.Begin(ctx, intent("r1"), e); err != nil {
			t.Fatal(err)
		}
		if err := l.Complete(ctx, e, Completion{Outcome: Done}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := l.Latest(ctx, intent("r1").Person, "m365-e3")
	want := &Entry{Seq: 12, Sum: e.Sum, Intent: intent("r1"), Completion: &Completion{Outcome: Done, Intent: e.Sum}}
	want.Bound = true
	if d := cmp.Diff(want, got, cmpopts.EquateApproxTime(0)); d != "" || err != nil {
		t.Errorf("latest: %v (-want +got):\n%s", err, d)
	}
}

func TestOnlyOneRunWins(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for _, run := range []string{"r1", "r2", "r3", "r4", "r5", "r6"} {
		all.Go(func() {
			_, err := l.Begin(context.Background(), intent(run), nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, ErrBlocked) {
				t.Errorf("%s: %v", run, err)
			}
		})
	}
	all.Wait()
	if won != 1 {
		t.Errorf("%d runs won", won)
	}
}

func TestForeignObjectsAreRefused(t *testing.T) {
	t.Parallel()
	good, done := `{"person":"p","license":"l","run":"r","at":"2026-11-23T09:00:00Z"}`, `{"outcome":"done"}`
	bound := strings.Replace(good, "{", `{"bound":true,`, 1)
	tests := map[string]struct {
		objects map[string]string // content of the objects, by the last element of the key
		names   string            // the object that the error names; empty if there is no error
	}{
		"of an earlier version":       {map[string]string{"000001.json": good, "000001.done.json": done, "000002.json": good, "000002.leaving.json": "{}"}, ""},
		"another person's":            {map[string]string{"000001.json": strings.Replace(good, `"p"`, `"q"`, 1)}, "000001.json"},
		"another license's":           {map[string]string{"000001.json": strings.Replace(good, `"l"`, `"m"`, 1)}, "000001.json"},
		"cut off":                     {map[string]string{"000001.json": good[:20]}, "000001.json"},
		"a field of another type":     {map[string]string{"000001.json": strings.Replace(good, "{", `{"inTarget":"yes",`, 1)}, "000001.json"},
		"another number":              {map[string]string{"0000001.json": good}, "0000001.json"},
		"foreign":                     {map[string]string{"000001.json": good, "notes.json": good}, "notes.json"},
		"foreign, and nothing else":   {map[string]string{"copy of 000001.json": good}, "copy of 000001.json"},
		"completion cut off":          {map[string]string{"000001.json": good, "000001.done.json": "{"}, "000001.done.json"},
		"completion without intent":   {map[string]string{"000001.json": good, "000001.done.json": done, "000002.done.json": done}, "000002.done.json"},
		"mark without intent":         {map[string]string{"000001.leaving.json": "{}"}, "000001.leaving.json"},
		"completion without its hash": {map[string]string{"000001.json": bound, "000001.done.json": done}, "000001.done.json"},
		"completion of another":       {map[string]string{"000001.json": good, "000001.done.json": `{"outcome":"done","intent":"ab"}`}, "000001.done.json"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s := open(t)
			for name, text := range tc.objects {
				if err := store.PutBytes(t.Context(), s, "ledger/p/l/"+name, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			_, latest := l.Latest(t.Context(), "p", "l")
			_, standing := l.Standing(t.Context(), "p", "l")
			for _, err := range []error{latest, standing} {
				if tc.names == "" && err != nil {
					t.Errorf("refused: %v", err)
				}
				if tc.names != "" && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "ledger/p/l/"+tc.names+" ")) {
					t.Errorf("%v, want damage of %s", err, tc.names)
				}
			}
			if e, err := l.Latest(t.Context(), "p", "other"); e != nil || err != nil {
				t.Errorf("another license: %+v, %v", e, err)
			}
		})
	}
}

// TestAlteredIntent overwrites an intent with another one. The mark and the completion of the first intent have its
// hash. They count as damaged, because they say nothing about the second intent.
func TestAlteredIntent(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l, s := open(t)
	e, err := l.Begin(ctx, intent("r1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Leave(ctx, e, e.At); err != nil {
		t.Fatal(err)
	}
	other := e.Intent
	other.SKU = "another"
	if err := store.PutJSON(ctx, s, e.Key(), other); err != nil {
		t.Fatal(err)
	}
	altered, err := l.Latest(ctx, e.Person, e.License)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.LeavingMark(ctx, altered); !errors.Is(err, ErrDamaged) {
		t.Errorf("the mark of another intent: %v", err)
	}
	if err := l.Complete(ctx, e, Completion{Outcome: Done}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Latest(ctx, e.Person, e.License); !errors.Is(err, ErrDamaged) {
		t.Errorf("the completion of another intent: %v", err)
	}
}

// TestDecidedOnOldEvidence: Begin fails if another run has changed the license after the caller looked for the latest
// entry.
func TestDecidedOnOldEvidence(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l, _ := open(t)
	first, err := l.Begin(ctx, intent("r1"), nil)
	if err != nil || l.Complete(ctx, first, Completion{Outcome: Done}) != nil {
		t.Fatal(err)
	}
	if _, err := l.Begin(ctx, intent("r2"), nil); !errors.Is(err, ErrBlocked) {
		t.Errorf("begun on the evidence of before: %v", err)
	}
}

// TestStanding: Standing skips an entry with the outcome RolledBack or Failed and returns the previous entry.
func TestStanding(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l, _ := open(t)
	person, license := intent("").Person, intent("").License
	var last *Entry
	add := func(run string, o Outcome) {
		t.Helper()
		e, err := l.Begin(ctx, intent(run), last)
		if err != nil {
			t.Fatal(err)
		}
		if last = e; o != "" {
			if err := l.Complete(ctx, e, Completion{Outcome: o}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, step := range []struct {
		run  string
		o    Outcome
		want string
	}{{"r1", RolledBack, ""}, {"r2", Announced, "r2"}, {"r3", Done, "r3"}, {"r4", Failed, "r3"}, {"r5", RolledBack, "r3"}, {"r6", "", "r6"}} {
		add(step.run, step.o)
		e, err := l.Standing(ctx, person, license)
		got := ""
		if e != nil {
			got = e.Run
		}
		if got != step.want || err != nil {
			t.Errorf("step %d: %q, %v; want %q", i, got, err, step.want)
		}
	}
	var all []Subject
	for s, err := range l.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) != 1 || all[0] != (Subject{person, license}) {
		t.Errorf("all: %v", all)
	}
}
