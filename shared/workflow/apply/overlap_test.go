package apply

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "between" is an Entra ID that calls the function "what" once: just before the write "call" takes effect, or
// just after DirectGroups has read.
type between struct {
	*fakeEntra
	call string
	what func()
}

func (b *between) at(call string) {
	if strings.HasPrefix(call, b.call) && b.what != nil {
		what := b.what
		b.what = nil
		what()
	}
}

func (b *between) DirectGroups(ctx context.Context, id string) ([]string, error) {
	defer b.at("DirectGroups")
	return b.fakeEntra.DirectGroups(ctx, id)
}

func (b *between) RemoveMember(ctx context.Context, group, id string) error {
	b.at("RemoveMember " + group)
	return b.fakeEntra.RemoveMember(ctx, group, id)
}

func (b *between) ChangeLicenses(ctx context.Context, id string, add []directory.Assignment, remove []string) error {
	b.at("ChangeLicenses")
	return b.fakeEntra.ChangeLicenses(ctx, id, add, remove)
}

func (b *bench) beside() *Applier {
	return &Applier{Store: b.Store, Entra: b.entra, AD: b.ad, Now: b.Applier.Now}
}

// The method "signsIn" returns a function that gives a person a new sign-in and then calls Apply once more for the same
// run.
func (b *bench) signsIn(t *testing.T, who string, want runs.Status) func() {
	return func() {
		b.entra.users[who].LastSuccessful = daysAgo(0)
		r, err := b.beside().Apply(t.Context(), Request{Run: "run"})
		if err != nil || r.Results[0].Status != want {
			t.Errorf("the other call: %v, %+v", err, r)
		}
	}
}

// TestOverlappingCalls: two calls of apply work on the same change. The first call is about to take the license when
// the person signs in, and only the second call has read the sign-in. In the end, the person holds the license.
func TestOverlappingCalls(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call  string
		other runs.Status // result of the second call
	}{"before the mark": {"DirectGroups", runs.Kept}, "after it": {"RemoveMember g-e3", runs.Pending}} {
		t.Run("group, "+name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			b.apply(t, runs.Pending, "joined")
			b.follow()
			b.Applier.Entra = &between{b.entra, tc.call, b.signsIn(t, "id-anna", tc.other)}
			if tc.other == runs.Pending { // the second call joined the source group again, and then the first call left the source group
				b.apply(t, runs.Pending, "left the source group")
				b.Applier.Entra = b.entra
				b.apply(t, runs.Pending, rejoined)
				b.settle()
			}
			b.apply(t, runs.Kept, "signed in 1 hour ago")
			if d := cmp.Diff(members{"g-e3": {"id-anna"}, "g-exo": nil, "g-visio": {"id-anna"}}, b.entra.in, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
			b.logged(t, moveAnna, "rolled back")
		})
	}
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		b.entra.fail = map[string]error{changeEXO: errDown}
		b.apply(t, runs.Pending, "did not go through")
		b.entra.fail = nil
		b.Applier.Entra = &between{b.entra, "ChangeLicenses", b.signsIn(t, "id-bo", runs.Pending)}
		b.goesBack(t, runs.Kept, "signed in 1 hour ago")
		if d := cmp.Diff([]directory.Assignment{{SKU: "sku-e3", State: "Active"}}, b.entra.users["id-bo"].Assignments); d != "" {
			t.Errorf("Bo holds (-want +got):\n%s", d)
		}
		b.logged(t, changeBo, "rolled back")
	})
}

// TestKeptByTheOtherCall: a restore of Anna alone works on the batch that the plan of the night works on. It has read
// the results before the other call leaves the license to Bo, and stores the batch after that. Bo keeps the license,
// although Graph shows an older sign-in later.
func TestKeptByTheOtherCall(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*bench){
		"the first call of the night": func(b *bench) { b.only(t, "id-anna") },
		"a later one": func(b *bench) {
			b.entra.fail = map[string]error{"GroupsOf id-bo": errDown}
			if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
				t.Fatal(err)
			}
			b.entra.fail = nil
		},
	} {
		b := newBench(t, moveAnna, changeBo)
		first(b)
		b.recall(t, "id-anna")
		night := func() {
			b.entra.at = nil
			b.entra.users["id-bo"].LastSuccessful = daysAgo(0)
			if r, err := b.beside().Apply(t.Context(), Request{Run: "run"}); err != nil || r.Of(&changeBo).Status != runs.Kept {
				t.Errorf("%s: the night: %+v, %v", name, r, err)
			}
		}
		b.entra.at = map[string]func(){leaveEXO: night}
		if _, err := b.Apply(t.Context(), Request{Run: "run", Scope: runs.Back}); err != nil {
			t.Fatal(err)
		}
		var stored runs.Results
		if err := store.GetJSON(t.Context(), b.Store, resultsFile, &stored); err != nil || stored.Final(&changeBo) {
			t.Errorf("%s: the batch knows what the night did: %+v, %v", name, stored, err)
		}
		b.entra.users["id-bo"].LastSuccessful = idle
		r, err := b.Apply(t.Context(), Request{Run: "run", Batch: "entra-0001"})
		if err != nil || r.Of(&changeBo).Status != runs.Kept || r.Of(&changeBo).Sighting == nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		b.logged(t, changeBo, "")
		b.logged(t, moveAnna, "given back")
	}
}

type lateStore struct {
	store.Store
	what func()
}

func (s *lateStore) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range s.Store.List(ctx, prefix) {
			if !yield(key, err) {
				return
			}
		}
		if what := s.what; what != nil && strings.HasPrefix(prefix, "ledger/") {
			s.what = nil
			what()
		}
	}
}

// TestOpenIsNotFinal: one call of apply finds no ledger entry, and decides that the person keeps the license.
// Meanwhile, another call begins the change. The first call must leave this change open.
func TestOpenIsNotFinal(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	late := b.beside()
	late.Entra = signedIn{b.entra}
	late.Store = &lateStore{b.Store, func() { b.apply(t, runs.Pending, "joined") }}
	if r, err := late.Apply(t.Context(), Request{Run: "run"}); err != nil || r.Results[0].Status != runs.Kept {
		t.Fatalf("%+v, %v", r, err)
	}
	b.logged(t, moveAnna, "open")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	b.follow()
	if r, err := b.Apply(t.Context(), Request{Run: "run", Batch: "entra-0001"}); err != nil || r.Results[0].Status != runs.Done {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestBegunBeside: this run writes nothing if another run began the same change just after this run looked for open
// changes.
func TestBegunBeside(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	b.Store = &lateStore{b.Store, func() { b.begun(t, "id-bo", "e3", "exo") }}
	b.apply(t, runs.Refused, "another run's change is still open: run other")
	b.wrote(t)
}

// halfListed is a store whose lists lack the object "key". A real list lacks an object that is written while the store
// makes the list.
type halfListed struct {
	store.Store
	key string
}

func (s halfListed) List(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for key, err := range s.Store.List(ctx, prefix) {
			if key != s.key && !yield(key, err) {
				return
			}
		}
	}
}

// TestBegunWhileListing: another run begins a change of another license while this run lists the ledger, so that the
// list has only a mark of that change. The change is a conflict all the same.
func TestBegunWhileListing(t *testing.T) {
	t.Parallel()
	b := newBench(t, changeBo)
	book := ledger.In(b.Store)
	e, err := book.Begin(t.Context(), ledger.Intent{Person: "id-bo", License: "visio", To: "exo", Run: "other", Rule: "m365", Via: "direct", At: asOf}, nil)
	if err == nil {
		_, _, err = book.Leave(t.Context(), e, asOf)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.Store = halfListed{b.Store, e.Key()}
	b.apply(t, runs.Refused, "another run's change is still open: run other")
	b.wrote(t)
}

type signedIn struct{ *fakeEntra }

func (s signedIn) ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error) {
	people, err := s.fakeEntra.ReadPeople(ctx, ids)
	for id, u := range people {
		u.LastSuccessful = daysAgo(0)
		people[id] = u
	}
	return people, err
}

// The type "stale" is an Entra ID whose reads show earlier licenses of Bo.
type stale struct {
	*fakeEntra
	old []directory.Assignment
}

func (s stale) ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error) {
	people, err := s.fakeEntra.ReadPeople(ctx, ids)
	for id, u := range people {
		if id == "id-bo" {
			u.Assignments = slices.Clone(s.old)
			people[id] = u
		}
	}
	return people, err
}

func (s stale) ReadLicenses(context.Context, string) ([]directory.Assignment, error) {
	return slices.Clone(s.old), nil
}

// TestStaleReads: Graph has made a change, but reads still show the earlier licenses. The change then stays open, and
// does not count as failed or rolled back.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	e3 := directory.Assignment{SKU: "sku-e3", State: "Active"}
	t.Run("answered as if not held", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		b.entra.lost = map[string]error{changeEXO: errDown}
		b.Applier.Entra = stale{b.entra, []directory.Assignment{e3}}
		b.apply(t, runs.Pending, "did not go through")
		b.Applier.Entra = b.entra
		b.apply(t, runs.Done, "")
		b.logged(t, changeBo, "done")
	})
	t.Run("signs in meanwhile", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		b.Applier.Entra = stale{b.entra, []directory.Assignment{e3}}
		b.apply(t, runs.Pending, "does not show it yet")
		b.entra.users["id-bo"].LastSuccessful = daysAgo(0)
		b.goesBack(t, runs.Kept, "signed in 1 hour ago")
		if !slices.ContainsFunc(b.entra.users["id-bo"].Assignments, func(a directory.Assignment) bool { return a.SKU == "sku-e3" }) {
			t.Errorf("rolled back, and Bo holds %+v", b.entra.users["id-bo"].Assignments)
		}
	})
}
