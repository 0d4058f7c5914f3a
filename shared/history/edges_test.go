package history

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// With adds to the ledger's item of a license what only the digest's item has. After a removal, this is that somebody
// else restored the license. For an announcement, it is the time from which the person has held the license.
func TestItemWith(t *testing.T) {
	t.Parallel()
	item := func(s State, run string, night int) *Item { return &Item{State: s, Run: run, At: at(night)} }
	held := func(s State, since time.Time) *Item { return &Item{State: s, Run: "r1", At: at(5), HeldSince: since} }
	for name, tc := range map[string]struct{ ledger, digest, want *Item }{
		"neither":                                {nil, nil, nil},
		"the ledger alone":                       {item(Taken, "r1", 1), nil, item(Taken, "r1", 1)},
		"the digest alone":                       {nil, item(Restored, "r1", 2), nil},
		"restored by somebody else":              {item(Taken, "r1", 1), item(Restored, "r1", 2), item(Restored, "r1", 2)},
		"restored, and taken by another run":     {item(Taken, "r2", 3), item(Restored, "r1", 2), item(Taken, "r2", 3)},
		"taken by both":                          {item(Taken, "r1", 1), item(Taken, "r1", 1), item(Taken, "r1", 1)},
		"open, and restored before":              {item(Open, "r1", 3), item(Restored, "r1", 2), item(Open, "r1", 3)},
		"announced, restored before":             {held(Announced, time.Time{}), item(Restored, "r0", 2), held(Announced, at(2))},
		"not sure, restored before":              {held(Unsure, time.Time{}), item(Restored, "r0", 2), held(Unsure, at(2))},
		"announced, and restored before that":    {held(Announced, at(3)), item(Restored, "r0", 2), held(Announced, at(3))},
		"taken, and announced before":            {item(Taken, "r1", 4), held(Announced, at(2)), item(Taken, "r1", 4)},
		"announced, the earlier one is as early": {held(Announced, at(2)), held(Announced, at(2)), held(Announced, at(2))},
	} {
		if d := cmp.Diff(tc.want, tc.ledger.With(tc.digest), cmp.AllowUnexported(Item{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestNilDigest(t *testing.T) {
	t.Parallel()
	var none *Digest
	if none.Sighting("ann") != nil || none.Baseline(0) != nil || none.Of("ann", "e3") != nil || none.Len() != 0 || len(slices.Collect(none.Sighted())) != 0 {
		t.Error("a nil digest knows something")
	}
}

// Before and Prices skip plans of runs whose clock was ahead.
func TestPlansBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	price := func(license string) []Price { return []Price{{License: license}} }
	for night, prices := range map[int][]Price{0: price("old"), 1: price("new"), 2: nil, 9: price("ahead")} {
		w.leave(&Planned{Run: nameOf(night), AsOf: at(night), Prices: prices})
	}
	if err := store.PutBytes(t.Context(), w.store, "history/plans/"+nameOf(3)+".json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	for run, want := range map[string][]string{nameOf(0): nil, nameOf(1): {nameOf(0)}, nameOf(2): {nameOf(1), nameOf(0)}, nameOf(20): {nameOf(3), nameOf(2), nameOf(1), nameOf(0)}} {
		got, err := Before(t.Context(), w.store, run, at(4))
		if d := cmp.Diff(want, slices.Clip(got), cmp.Transformer("len", func(s []string) []string { return append([]string{}, s...) })); d != "" || err != nil {
			t.Errorf("before %s: %v (-want +got):\n%s", run, err, d)
		}
	}
	for run, want := range map[string]string{"": "new", nameOf(0): "old", nameOf(1): "new", nameOf(20): "new"} {
		got, err := Prices(t.Context(), w.store, run, at(4))
		if err != nil || len(got) != 1 || got[0].License != want {
			t.Errorf("up to run %q: %+v, %v; want %s", run, got, err, want)
		}
	}
	if got, err := Prices(t.Context(), newWorld(t).store, "", at(4)); got != nil || err != nil {
		t.Errorf("an empty store has the prices %+v, %v", got, err)
	}
}

func TestSamePrice(t *testing.T) {
	t.Parallel()
	one := Price{License: "e3", Currency: "EUR", Run: "r0", From: at(0), Renews: at(9)}
	for name, tc := range map[string]struct {
		change func(*Price)
		want   bool
	}{
		"the same":           {func(*Price) {}, true},
		"of another run":     {func(p *Price) { p.Run, p.From = "r1", at(1) }, true},
		"in another zone":    {func(p *Price) { p.Renews = p.Renews.In(time.FixedZone("x", 3600)) }, true},
		"another renewal":    {func(p *Price) { p.Renews = at(10) }, false},
		"another currency":   {func(p *Price) { p.Currency = "SEK" }, false},
		"another in several": {func(p *Price) { p.Currency, p.Renews = "SEK", at(10) }, false},
	} {
		other := one
		if tc.change(&other); one.Same(&other) != tc.want || other.Same(&one) != tc.want {
			t.Errorf("%s: want %t", name, tc.want)
		}
	}
}

func TestOverrideOfAPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := PutOverride(t.Context(), w.store, &Override{Run: nameOf(1), PlanHash: "h1", At: at(1)}); err != nil {
		t.Fatal(err)
	}
	if err := store.PutBytes(t.Context(), w.store, "history/overrides/"+nameOf(2)+".json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		night      int
		hash, want string
	}{{0, "h1", ""}, {1, "h1", "h1"}, {1, "h2", ""}, {2, "h1", ""}} {
		if got, err := OverrideOf(t.Context(), w.store, &plan.Plan{Run: nameOf(tc.night), PlanHash: tc.hash}); got != tc.want || err != nil {
			t.Errorf("night %d, %s: %q, %v", tc.night, tc.hash, got, err)
		}
	}
}

func TestEachItem(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	m, _, err := snapshot.GetManifest(t.Context(), w.store, nameOf(1))
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	each := func(i *Item) error { users = append(users, i.User); return nil }
	if err := EachItem(t.Context(), w.store, m, each); err != nil || !slices.Equal(users, []string{"ann"}) {
		t.Errorf("%q, %v", users, err)
	}
	if err := EachItem(t.Context(), w.store, m, func(*Item) error { return store.ErrExists }); err == nil {
		t.Error("an error of the caller is lost")
	}
	if users = nil; EachItem(t.Context(), w.store, &snapshot.Manifest{Run: "r"}, each) != nil || users != nil {
		t.Errorf("a run without a digest has items of %q", users)
	}
}

// For each signal, such as the use of Teams, the digest keeps the newest reading that earlier runs stored. It ignores a
// reading with a later time than its own, because some clock was then wrong.
func TestSignalsOfTheDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reading := func(night int) *plan.Baseline {
		return &plan.Baseline{Run: nameOf(night), Read: at(night), Partitions: 1}
	}
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Signals: map[string]*plan.Baseline{"m365.teams": reading(0), "copilot": reading(0)}})
	w.settle(1)
	w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Signals: map[string]*plan.Baseline{"m365.teams": reading(1), "m365.onedrive": reading(9)}})
	for night := 2; night < 4; night++ {
		st := w.settle(night)
		got := map[directory.Signal]*plan.Baseline{}
		for s := range directory.Signal(directory.Signals) {
			if b := st.Baseline(s); b != nil {
				got[s] = b
			}
		}
		if d := cmp.Diff(map[directory.Signal]*plan.Baseline{directory.TeamsUse: reading(1), directory.CopilotUse: reading(0)}, got); d != "" {
			t.Errorf("night %d (-want +got):\n%s", night, d)
		}
		w.plans(night)
	}
}
