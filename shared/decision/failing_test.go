package decision

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

func readsCitrix(b *snapshot.Begin) {
	b.Members = []string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true), directory.GroupRef{Source: directory.AD, Name: "CN=Staff,DC=corp"}.Key(false)}
}

func (r *Run) on(s store.Store) *Run {
	one := *r
	one.store, one.memory = s, newMemory()
	return &one
}

// If the store fails, the caller gets the error. Otherwise people would seem to be absent, or without a past.
func TestEveryReadMayFail(t *testing.T) {
	t.Parallel()
	r := columnTown(t)
	for name, call := range map[string]func(r *Run) error{
		"find": func(r *Run) error {
			return r.Find(t.Context(), "cloud@x.example", func(*directory.Person) error { return nil })
		},
		"find nobody": func(r *Run) error {
			if err := r.Find(t.Context(), "clouds@x.example", func(*directory.Person) error { return nil }); !errors.Is(err, ErrUnknownUser) {
				return err
			}
			return nil
		},
		"named":      func(r *Run) error { _, err := r.Named(t.Context()); return err },
		"lookalikes": func(r *Run) error { _, err := r.Lookalikes(t.Context(), []string{"x"}); return err },
		"read":       func(r *Run) error { return r.Read(t.Context(), 0, &directory.Accounts{}) },
		"open":       func(r *Run) error { _, err := Open(t.Context(), r.store, "run"); return err },
		"open under": func(r *Run) error { _, err := OpenUnder(t.Context(), r.store, "run", r.Policy); return err },
	} {
		whole := failing.Nth(r.store, 0)
		if err := call(r.on(whole)); err != nil || len(whole.Keys()) == 0 {
			t.Fatalf("%s: %d calls, %v", name, len(whole.Keys()), err)
		}
		for n, key := range whole.Keys() {
			if err := call(r.on(failing.Nth(r.store, n+1))); !errors.Is(err, failing.Err) {
				t.Errorf("%s, call %d of %s: %v", name, n+1, key, err)
			}
			cut := failing.Cut(r.store, n+1)
			if err := call(r.on(cut)); cut.Broke() && (!errors.Is(err, failing.Err) || errors.Is(err, store.ErrDamaged)) {
				t.Errorf("%s, the read of %s breaks off: %v", name, key, err)
			}
		}
	}
}

// If the store cannot read an object of the columns, people are evaluated one by one. Their evaluation reads the same
// object, so the caller gets the error of the store.
func TestEveryObjectOfAScreenMayFail(t *testing.T) {
	t.Parallel()
	r := columnTown(t)
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(r *Run) error{
		"screen": func(r *Run) error {
			_, err := NewScreen(r, judge).Read(t.Context(), 0, &directory.Accounts{})
			return err
		},
		"sweep": func(r *Run) error {
			_, err := NewScreen(r, judge).Sweep(t.Context(), 0, &directory.Accounts{})
			return err
		},
	} {
		for _, user := range []string{"", "cloud@x.example"} {
			of := r.on(r.store)
			begin := *r.Begin
			begin.User = user
			of.Begin = &begin
			whole := failing.Nth(r.store, 0)
			if err := call(of.on(whole)); err != nil || len(whole.Keys()) < 2 {
				t.Fatalf("%s for %q: %d calls, %v", name, user, len(whole.Keys()), err)
			}
			for _, key := range whole.Keys() {
				if err := call(of.on(failing.Key(r.store, key))); !errors.Is(err, failing.Err) {
					t.Errorf("%s for %q, %s: %v", name, user, key, err)
				}
			}
		}
	}
}

func TestAcceptedWithoutTheTable(t *testing.T) {
	t.Parallel()
	for _, accept := range []bool{true, false} {
		r := columnTown(t)
		r.Begin.AcceptFeeds = accept
		r.store = failing.Key(r.store, "runs/run/known/0000.gz")
		h := accountsIn([]directory.EntraUser{accountOf("p", 1), accountOf("busy", 1), accountOf("q", 1), accountOf("r", 1)})
		if err := r.recall(t.Context(), h, r.lastReadings(), r.Begin.Read, false); (err == nil) != accept || err != nil && !errors.Is(err, failing.Err) {
			t.Errorf("accepted %t: %v", accept, err)
		}
	}
}

func TestOpenUnder(t *testing.T) {
	t.Parallel()
	r := world{woven: true, entra: []directory.EntraUser{accountOf("p", 1), accountOf("busy", 1)}, begin: readsCitrix, manifest: func(m *snapshot.Manifest) {
		m.Columns = slices.DeleteFunc(slices.Clone(m.Columns), func(name string) bool { return name == "entra_hired" })
	}}.seal(t)
	under := func(ctx context.Context, edited string) (*Run, error) {
		p, err := policy.Load("p", []byte(edited))
		if err != nil {
			t.Fatal(err)
		}
		return OpenUnder(ctx, r.store, "run", p)
	}
	if got, err := under(t.Context(), replaceOnce(t, text, "days(60)", "days(30)")); err != nil || got.Policy.Rules[0].Days() != 30 {
		t.Errorf("the same fields and groups: %v", err)
	}
	var unread *ErrNotRead
	var lacking *snapshot.ErrNoColumn
	if got, err := under(t.Context(), replaceOnce(t, text, "users: [exempt@x.example]", "groups: [{entra: VIP}]")); got != nil || !errors.As(err, &unread) || unread.Group != "entra:VIP" {
		t.Errorf("a group that the run did not read: %v", err)
	}
	if got, err := under(t.Context(), replaceOnce(t, text, "users: [exempt@x.example]", "when: hired.hasNoValue()")+"attributes: {hired: entra.hired}\n"); got != nil || !errors.As(err, &lacking) {
		t.Errorf("a field that the run did not read: %v", err)
	}
}
