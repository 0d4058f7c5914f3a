package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

func begun(t *testing.T, l *Ledger) *Entry {
	t.Helper()
	e, err := l.Begin(t.Context(), intent("r1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestOneOfTwoKnowsOfTheOther: one call takes the license, and another rolls back. The call that writes its mark
// second sees the mark of the first.
func TestOneOfTwoKnowsOfTheOther(t *testing.T) {
	t.Parallel()
	at := intent("").At
	leave := func(t *testing.T, l *Ledger, e *Entry, wantFirst bool, wantBack *Mark) {
		t.Helper()
		first, back, err := l.Leave(t.Context(), e, at)
		if d := cmp.Diff(wantBack, back); first != wantFirst || d != "" || err != nil {
			t.Errorf("leave: first %v, want %v; %v (-want +got):\n%s", first, wantFirst, err, d)
		}
	}
	goBack := func(t *testing.T, l *Ledger, e *Entry, want bool) {
		t.Helper()
		left, err := l.RollBack(t.Context(), e, Mark{Outcome: Restored, Why: "wanted", At: at})
		if left != want || err != nil {
			t.Errorf("go back: left %v, want %v; %v", left, want, err)
		}
	}
	mark := func(e *Entry) *Mark { return &Mark{Outcome: Restored, Why: "wanted", At: at, Intent: e.Sum} }
	t.Run("left first", func(t *testing.T) {
		t.Parallel()
		l, _ := open(t)
		e := begun(t, l)
		leave(t, l, e, true, nil)
		leave(t, l, e, false, nil)
		goBack(t, l, e, true)
		leave(t, l, e, false, mark(e))
	})
	t.Run("back first", func(t *testing.T) {
		t.Parallel()
		l, _ := open(t)
		e := begun(t, l)
		goBack(t, l, e, false)
		goBack(t, l, e, false)
		leave(t, l, e, true, mark(e))
		goBack(t, l, e, true)
	})
}

// TestMarksAndNotesOfAnEntry: an entry has no mark until a call writes one. Later calls do not replace the first mark.
func TestMarksAndNotesOfAnEntry(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	e := begun(t, l)
	at := e.At
	for name, c := range map[string]struct {
		read func(context.Context, *Entry) (*Mark, error)
		make func(at Mark) error
	}{
		"leaving": {l.LeavingMark, func(m Mark) error { _, _, err := l.Leave(t.Context(), e, m.At); return err }},
		"back":    {l.RollbackMark, func(m Mark) error { _, err := l.RollBack(t.Context(), e, m); return err }},
		"free": {func(ctx context.Context, e *Entry) (*Mark, error) { return l.Noted(ctx, e, SeenFree) },
			func(m Mark) error { return l.Note(t.Context(), e, SeenFree, m.At) }},
	} {
		if m, err := c.read(t.Context(), e); m != nil || err != nil {
			t.Errorf("%s before it is made: %+v, %v", name, m, err)
		}
		for _, later := range []int{0, 1} {
			if err := c.make(Mark{At: at.AddDate(0, 0, later)}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			m, err := c.read(t.Context(), e)
			if d := cmp.Diff(&Mark{At: at, Intent: e.Sum}, m); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}
	}
	if m, err := l.Noted(t.Context(), e, SeenInTarget); m != nil || err != nil {
		t.Errorf("another note: %+v, %v", m, err)
	}
}

// TestCompletedLooksAgain: Completed reads the store, so it notices that another call has closed the entry.
func TestCompletedLooksAgain(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	e := begun(t, l)
	mine := *e
	if closed, err := l.Completed(t.Context(), &mine); closed || err != nil || mine.Completion != nil {
		t.Errorf("open: %v, %v, %+v", closed, err, mine.Completion)
	}
	if err := l.Complete(t.Context(), e, Completion{Outcome: Done, Note: "other call"}); err != nil {
		t.Fatal(err)
	}
	closed, err := l.Completed(t.Context(), &mine)
	if d := cmp.Diff(&Completion{Outcome: Done, Note: "other call", Intent: e.Sum}, mine.Completion); !closed || err != nil || d != "" {
		t.Errorf("closed: %v, %v (-want +got):\n%s", closed, err, d)
	}
}

// TestTwoCallsOfOneRunBegin: if two calls of one run begin the same change, both get the same entry.
func TestTwoCallsOfOneRunBegin(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	e := begun(t, l)
	again, err := l.Begin(t.Context(), intent("r1"), nil)
	if d := cmp.Diff(e, again); d != "" || err != nil {
		t.Errorf("%v (-first +second):\n%s", err, d)
	}
	if e, err := l.Begin(t.Context(), intent("r2"), nil); e != nil || !errors.Is(err, ErrBlocked) {
		t.Errorf("another run: %+v, %v", e, err)
	}
	// The object at the key is no intent, so Begin fails.
	if err := store.PutBytes(t.Context(), s, e.Key(), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if e, err := l.Begin(t.Context(), intent("r1"), nil); e != nil || !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %+v, %v", e, err)
	}
}

// TestEntriesOfVersionsBeforeTheBinding: a completion or a rollback mark of an older version does not contain the hash
// of its intent. It counts only if the intent is also of such a version, that is, not bound.
func TestEntriesOfVersionsBeforeTheBinding(t *testing.T) {
	t.Parallel()
	old := `{"person":"p","license":"l","run":"r","at":"2026-11-23T09:00:00Z"}`
	for name, tc := range map[string]struct {
		intent, done, back string
		want               error
	}{
		"old, no hash":        {old, `{"outcome":"done"}`, `{"outcome":"rolled back"}`, nil},
		"old, its hash":       {old, `{"outcome":"done","intent":"` + sumOf([]byte(old)) + `"}`, `{"intent":"` + sumOf([]byte(old)) + `"}`, nil},
		"old, another's hash": {old, `{"outcome":"done","intent":"ab"}`, `{"intent":"ab"}`, ErrDamaged},
		"bound, no hash":      {strings.Replace(old, "{", `{"bound":true,`, 1), `{"outcome":"done"}`, `{}`, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, s := open(t)
			put := func(name, text string) {
				if err := store.PutBytes(t.Context(), s, "ledger/p/l/"+name, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			put("000001.json", tc.intent)
			open, err := l.Latest(t.Context(), "p", "l")
			if err != nil || open.Completion != nil {
				t.Fatalf("open: %+v, %v", open, err)
			}
			put("000001.back.json", tc.back)
			if m, err := l.RollbackMark(t.Context(), open); !errors.Is(err, tc.want) || (err == nil) != (m != nil) {
				t.Errorf("mark: %+v, %v; want %v", m, err, tc.want)
			}
			put("000001.done.json", tc.done)
			e, err := l.Latest(t.Context(), "p", "l")
			if !errors.Is(err, tc.want) || (err == nil) != (e != nil && e.Completion != nil && e.Completion.Outcome == Done) {
				t.Errorf("latest: %+v, %v; want %v", e, err, tc.want)
			}
		})
	}
}

// TestPageNamesEveryLicense: Licenses also lists a license without an intent, if any object is in the license's
// folder.
func TestPageNamesEveryLicense(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	for _, key := range []string{"ledger/p/b/000001.json", "ledger/p/b/000001.done.json", "ledger/p/a/notes.json", "ledger/p/c/000001.json", "ledger/p/notes.json", "ledger/p/d/e/000001.json", "ledger/pp/z/000001.json"} {
		if err := store.PutBytes(t.Context(), s, key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	page, err := l.Of(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b", "c"}, page.Licenses()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestIntentLargerThanAny: an intent that is too large is damaged. The ledger does not read all of it into memory.
func TestIntentLargerThanAny(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	for size, want := range map[int]error{maxIntent: nil, maxIntent + 1: ErrDamaged} {
		text := `{"person":"p","license":"l","run":"r"}`
		text += strings.Repeat(" ", size-len(text))
		if err := store.PutBytes(t.Context(), s, "ledger/p/l/000001.json", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Latest(t.Context(), "p", "l"); !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "larger than any intent") {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
	}
}

// TestGivenBackStands: Standing returns an entry with the outcome Restored, because the restore describes the present
// state of the license.
func TestGivenBackStands(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	e := begun(t, l)
	if err := l.Complete(t.Context(), e, Completion{Outcome: Restored}); err != nil {
		t.Fatal(err)
	}
	got, err := l.Standing(t.Context(), e.Person, e.License)
	if d := cmp.Diff(e, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// TestReturning: Returning reports true for a restore, and for a change that has a rollback mark. If the mark of a
// change cannot be read, Returning returns an error. A restore needs no mark.
func TestReturning(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	e := begun(t, l)
	for _, want := range []bool{false, true} {
		if is, err := l.Returning(t.Context(), e); is != want || err != nil {
			t.Errorf("%t, %v, want %t", is, err, want)
		}
		if _, err := l.RollBack(t.Context(), e, Mark{Outcome: Restored, At: e.At}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.PutBytes(t.Context(), s, e.beside(layout.Back), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Returning(t.Context(), e); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
	e.RestoreOf = "r0"
	if is, err := l.Returning(t.Context(), e); !is || err != nil {
		t.Errorf("a restore: %t, %v", is, err)
	}
}
