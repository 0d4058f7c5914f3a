package ledger

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/store"
)

var errBoom = errors.New("boom")

type failing struct {
	store.Store
	at string // a call and the end of its key, such as "get 000001.json"
}

func (f *failing) fails(call, key string) bool {
	want, ending, _ := strings.Cut(f.at, " ")
	return call == want && strings.HasSuffix(key, ending)
}

func (f *failing) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	switch {
	case f.fails("get", key):
		return nil, errBoom
	case f.fails("close", key):
		body, err := f.Store.Get(ctx, key)
		return badEnd{body}, err
	}
	return f.Store.Get(ctx, key)
}

func (f *failing) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	if f.fails("put", key) {
		return errBoom
	}
	return f.Store.PutIfAbsent(ctx, key, body)
}

func (f *failing) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	if f.fails("list", prefix) {
		return func(yield func(string, error) bool) { yield("", errBoom) }
	}
	if f.at == "list late" { // the list leaves out an object that was written after the list began
		return func(yield func(string, error) bool) {
			for key, err := range f.Store.List(ctx, prefix) {
				if !strings.HasSuffix(key, "/000002.json") && !yield(key, err) {
					return
				}
			}
		}
	}
	return f.Store.List(ctx, prefix)
}

type badEnd struct{ io.ReadCloser }

func (b badEnd) Close() error { return errors.Join(b.ReadCloser.Close(), errBoom) }

// TestAFailingStoreIsNeverSilent: every call of the ledger returns an error if the store does not answer. After a
// failed read, no call reports that an entry is missing or that a mark is the first. After a failed write, no call
// reports success.
func TestAFailingStoreIsNeverSilent(t *testing.T) {
	t.Parallel()
	// The function "entry" writes one change of run r1, with a leaving mark, a rollback mark and a completion.
	entry := func(t *testing.T, s store.Store) *Entry {
		t.Helper()
		e, err := In(s).Begin(t.Context(), intent("r1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := In(s).Leave(t.Context(), e, e.At); err != nil {
			t.Fatal(err)
		}
		if _, err := In(s).RollBack(t.Context(), e, Mark{Outcome: RolledBack, At: e.At}); err != nil {
			t.Fatal(err)
		}
		if err := In(s).Complete(t.Context(), e, Completion{Outcome: RolledBack}); err != nil {
			t.Fatal(err)
		}
		return e
	}
	type answers struct {
		Entry, Mark, Page, Closed bool
		Told                      bool // the boolean result of a call, such as first, left or closed
	}
	person, license := intent("").Person, intent("").License
	type call func(l *Ledger, e *Entry) (answers, error)
	latest := func(l *Ledger, e *Entry) (answers, error) {
		got, err := l.Latest(t.Context(), person, license)
		return answers{Entry: got != nil}, err
	}
	standing := func(l *Ledger, e *Entry) (answers, error) {
		got, err := l.Standing(t.Context(), person, license)
		return answers{Entry: got != nil}, err
	}
	begin := func(l *Ledger, e *Entry) (answers, error) {
		got, err := l.Begin(t.Context(), intent("r1"), nil)
		return answers{Entry: got != nil}, err
	}
	complete := func(l *Ledger, e *Entry) (answers, error) {
		open := *e
		open.Completion = nil
		err := l.Complete(t.Context(), &open, Completion{Outcome: Done})
		return answers{Closed: open.Completion != nil}, err
	}
	leave := func(l *Ledger, e *Entry) (answers, error) {
		first, back, err := l.Leave(t.Context(), e, e.At)
		return answers{Told: first, Mark: back != nil}, err
	}
	goBack := func(l *Ledger, e *Entry) (answers, error) {
		left, err := l.RollBack(t.Context(), e, Mark{At: e.At})
		return answers{Told: left}, err
	}
	for name, tc := range map[string]struct {
		at   string
		do   call
		want answers
	}{
		"latest, list":             {"list m365-e3/", latest, answers{}},
		"latest, intent":           {"get 000001.json", latest, answers{}},
		"latest, completion":       {"get 000001.done.json", latest, answers{}},
		"standing, list":           {"list m365-e3/", standing, answers{}},
		"standing, intent":         {"get 000001.json", standing, answers{}},
		"standing, completion":     {"get 000001.done.json", standing, answers{}},
		"begin, write":             {"put 000001.json", begin, answers{}},
		"begin, read of the other": {"get 000001.json", begin, answers{}},
		"complete, write":          {"put 000001.done.json", complete, answers{}},
		"complete, read":           {"get 000001.done.json", complete, answers{}},
		"leave, write":             {"put 000001.leaving.json", leave, answers{}},
		"leave, read":              {"get 000001.back.json", leave, answers{}},
		"go back, write":           {"put 000001.back.json", goBack, answers{}},
		"go back, read":            {"get 000001.leaving.json", goBack, answers{}},
		"page": {"list " + person + "/", func(l *Ledger, e *Entry) (answers, error) {
			page, err := l.Of(t.Context(), person)
			return answers{Page: page != nil}, err
		}, answers{}},
		"completed": {"get 000001.done.json", func(l *Ledger, e *Entry) (answers, error) {
			told, err := l.Completed(t.Context(), e)
			return answers{Told: told}, err
		}, answers{}},
		"mark of leaving": {"get 000001.leaving.json", func(l *Ledger, e *Entry) (answers, error) {
			m, err := l.LeavingMark(t.Context(), e)
			return answers{Mark: m != nil}, err
		}, answers{}},
		"note, write": {"put 000001.free.json", func(l *Ledger, e *Entry) (answers, error) {
			return answers{}, l.Note(t.Context(), e, SeenFree, e.At)
		}, answers{}},
		"note, read": {"get 000001.free.json", func(l *Ledger, e *Entry) (answers, error) {
			m, err := l.Noted(t.Context(), e, SeenFree)
			return answers{Mark: m != nil}, err
		}, answers{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := open(t)
			e := entry(t, s)
			got, err := tc.do(In(&failing{s, tc.at}), e)
			if !errors.Is(err, errBoom) {
				t.Errorf("error %v, want that of the store", err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestAllEndsWithTheError: All yields an error if the store cannot list the ledger. Otherwise entries would seem to be
// missing.
func TestAllEndsWithTheError(t *testing.T) {
	t.Parallel()
	_, s := open(t)
	n := 0
	for subject, err := range In(&failing{s, "list ledger/"}).All(t.Context()) {
		if n++; !errors.Is(err, errBoom) || subject != (Subject{}) {
			t.Errorf("%v, %v", subject, err)
		}
	}
	if n != 1 {
		t.Errorf("yielded %d times", n)
	}
}

// TestAllNamesEachSubjectOnce: All skips objects whose keys do not have the three elements person, license and name.
// It yields nothing after the caller has stopped.
func TestAllNamesEachSubjectOnce(t *testing.T) {
	t.Parallel()
	l, s := open(t)
	for _, key := range []string{"ledger/README", "ledger/a/notes.txt", "ledger/a/x/000001.json", "ledger/a/x/000001.done.json", "ledger/a/x/000002.json", "ledger/a/y/deep/000001.json", "ledger/b/x/000001.json", "ledger/c/x/000001.json"} {
		if err := store.PutBytes(t.Context(), s, key, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	want := []Subject{{"a", "x"}, {"b", "x"}, {"c", "x"}}
	for most := 1; most <= len(want); most++ {
		var got []Subject
		for subject, err := range l.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, subject); len(got) == most {
				break
			}
		}
		if d := cmp.Diff(want[:most], got); d != "" {
			t.Errorf("%d (-want +got):\n%s", most, d)
		}
	}
}

// TestIntentThatTheListDoesNotHaveYet: while the store lists the folder, another process may write an intent and a mark
// of the intent. The list may then have the mark and lack the intent. This is no damage: the intent is read, and counts
// like an intent in the list. If the read fails, the result is an error.
func TestIntentThatTheListDoesNotHaveYet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fails string // the call that fails; the list also lacks the intent
		there bool
		want  error
	}{
		"there":        {"", true, nil},
		"not there":    {"", false, ErrDamaged},
		"read fails":   {"get 000002.json", true, errBoom},
		"reading ends": {"close 000002.json", true, errBoom},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s := open(t)
			put := func(name, text string) {
				if err := store.PutBytes(t.Context(), s, "ledger/p/l/"+name, []byte(text)); err != nil {
					t.Fatal(err)
				}
			}
			put("000001.json", `{"person":"p","license":"l","run":"r1"}`)
			put("000001.done.json", `{"outcome":"done"}`)
			put("000002.leaving.json", `{}`)
			put("000002.answered.json", `{}`)
			if tc.there {
				put("000002.json", `{"person":"p","license":"l","run":"r2"}`)
			}
			l := In(&failing{&failing{s, tc.fails}, "list late"})
			for what, look := range map[string]func(context.Context, string, string) (*Entry, error){"latest": l.Latest, "standing": l.Standing} {
				e, err := look(t.Context(), "p", "l")
				if !errors.Is(err, tc.want) || (err == nil) != (e != nil && e.Run == "r2") {
					t.Errorf("%s: %+v, %v; want %v", what, e, err, tc.want)
				}
			}
			page, err := l.Of(t.Context(), "p")
			if err != nil {
				t.Fatal(err)
			}
			var runs []string
			for e, err := range page.Entries(t.Context(), "l") {
				if err == nil {
					runs = append(runs, e.Run)
				} else if !errors.Is(err, tc.want) {
					t.Errorf("entries: %v; want %v", err, tc.want)
				}
			}
			want := []string{"r1"}
			if tc.want == nil {
				want = append(want, "r2")
			}
			if d := cmp.Diff(want, runs); d != "" {
				t.Errorf("entries (-want +got):\n%s", d)
			}
		})
	}
}
