package history

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Stop stops the changes of one person in one run. It does not stop other people, other runs, or the run as a whole.
func TestStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, stop := range [][2]string{{"r1", "ann"}, {"r1", "bob"}, {"r1", "ann"}, {"r2", "cid"}, {"r1-one", "dan"}} {
		if err := Stop(t.Context(), w.store, stop[0], stop[1], "back", at(1)); err != nil {
			t.Fatal(err)
		}
	}
	for run, want := range map[string]map[string]bool{"r1": {"ann": true, "bob": true}, "r2": {"cid": true}, "r3": {}} {
		got, err := Stopped(t.Context(), w.store, run)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", run, err, d)
		}
		if by, err := Withdrawn(t.Context(), w.store, run); by != "" || err != nil {
			t.Errorf("%s: withdrawn by %q, %v", run, by, err)
		}
	}
}

// Earlier returns the accounts and groups that the newest run before a given run found. It skips night 4, whose plan
// was made from an old snapshot and has none.
func TestEarlier(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	found := func(id string) *directory.Earlier {
		return &directory.Earlier{Groups: map[string]directory.EarlierGroup{"g": {ID: id}}}
	}
	for _, night := range []int{1, 3, 400} {
		w.leave(&Planned{Run: nameOf(night), Earlier: found(nameOf(night))})
	}
	w.leave(&Planned{Run: nameOf(4)})
	for run, want := range map[string]*directory.Earlier{nameOf(0): nil, nameOf(1): nil, nameOf(2): found(nameOf(1)), nameOf(3): found(nameOf(1)), nameOf(4): found(nameOf(3)), nameOf(5): found(nameOf(3)), nameOf(500): found(nameOf(3))} {
		got, lost, err := Earlier(t.Context(), w.store, run, at(5))
		if d := cmp.Diff(want, got); d != "" || err != nil || len(lost) > 0 {
			t.Errorf("before %s: %v (-want +got):\n%s", run, err, d)
		}
	}
}

// If the object of a run is damaged, Earlier uses the object of the run before. Without such a run, Earlier fails,
// because nothing is known.
func TestEarlierThatIsDamaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	found := &directory.Earlier{Groups: map[string]directory.EarlierGroup{"g": {ID: "old"}}}
	w.leave(&Planned{Run: nameOf(2), Earlier: found})
	for _, night := range []int{1, 3} {
		if err := store.PutBytes(t.Context(), w.store, layout.Noted(layout.Plans, nameOf(night)), []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	got, lost, err := Earlier(t.Context(), w.store, nameOf(4), at(5))
	if d := cmp.Diff(found, got); d != "" || err != nil || len(lost) != 1 || !strings.Contains(lost[0], layout.Noted(layout.Plans, nameOf(3))) {
		t.Errorf("%v, lost %q (-want +got):\n%s", err, lost, d)
	}
	got, lost, err = Earlier(t.Context(), w.store, nameOf(2), at(5))
	if got != nil || lost != nil || !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "move the object out of the store") {
		t.Errorf("%+v, %q, %v", got, lost, err)
	}
}

// If an override is damaged, Overrides leaves it out and returns the others.
func TestOverridesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := Override{Run: nameOf(2), At: at(2)}
	if err := PutOverride(t.Context(), w.store, &good); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{nameOf(1) + ".json", "notes.txt", nameOf(-40) + ".json"} {
		if err := store.PutBytes(t.Context(), w.store, layout.Overrides+name, []byte("{")); err != nil {
			t.Fatal(err)
		}
	}
	counted := failing.Nth(w.store, 0)
	got, err := Overrides(t.Context(), counted, at(0), at(3))
	if d := cmp.Diff([]Override{good}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if len(counted.Keys()) != 4 { // one call lists the overrides; the old override is not read
		t.Errorf("the store was asked %d times", len(counted.Keys()))
	}
}

// A run may take two days until its plan is made, and the plan may then be applied for plan.Lifetime. After that time,
// the run is too old.
func TestTooOld(t *testing.T) {
	t.Parallel()
	last := at(0).Add(48*time.Hour + plan.Lifetime)
	for _, tc := range []struct {
		run  string
		at   time.Time
		want bool
	}{
		{nameOf(0), at(0), false}, {nameOf(0), last, false}, {nameOf(0), last.Add(time.Second), true},
		{"notes", last.AddDate(9, 0, 0), false}, {"", last.AddDate(9, 0, 0), false},
	} {
		if got := tooOld(tc.run, tc.at); got != tc.want {
			t.Errorf("%s at %s: %t", tc.run, tc.at, got)
		}
	}
}

func TestItemOf(t *testing.T) {
	t.Parallel()
	since := at(-90)
	entry := func(rule string, o ledger.Outcome) *ledger.Entry {
		e := &ledger.Entry{Intent: ledger.Intent{Person: "ann", License: "e3", UserPrincipalName: "ann@x", Run: "r", Rule: rule, To: "exo", Via: "direct", At: at(0), IdleSince: &since}}
		if o != "" {
			e.Completion = &ledger.Completion{Outcome: o, At: at(1)}
		}
		return e
	}
	item := func(rule string, s State) *Item {
		return &Item{User: "ann", License: "e3", State: s, Run: "r", Rule: rule, To: "exo", Via: plan.Direct, Began: at(0), At: at(1), IdleSince: &since}
	}
	restored, back := entry(plan.RestoreRule, ledger.Done), item(plan.RestoreRule, Restored)
	restored.RestoreOf, restored.TakenAt, back.TakenBy, back.TakenAt = "q", at(-3), "q", at(-3)
	held := item("m365", Restored)
	held.TakenBy, held.TakenAt = "r", at(0)
	heldSince := func(e *ledger.Entry) *ledger.Entry { e.HeldSince = at(-80); return e }
	announcedAgain, perhapsAgain := item("m365", Announced), item("m365", Unsure)
	announcedAgain.HeldSince, perhapsAgain.HeldSince = at(-80), at(-80)
	mailed, byMail := entry("m365", ledger.Announced), item("m365", Announced)
	mailed.Notice, mailed.ByMail, byMail.Due, byMail.ByMail = 14, true, at(15), true
	lost, perhapsByMail := entry("m365", ledger.Unsure), item("m365", Unsure)
	lost.Notice, lost.ByMail, perhapsByMail.Due, perhapsByMail.ByMail = 14, true, at(15), true
	taken := entry("m365", ledger.Done)
	taken.Notice = 14
	open := item("m365", Open)
	open.At, open.UserPrincipalName = at(0), "ann@x"
	for name, tc := range map[string]struct {
		entry *ledger.Entry
		want  *Item
	}{
		"none":               {nil, nil},
		"open":               {entry("m365", ""), open},
		"done":               {entry("m365", ledger.Done), item("m365", Taken)},
		"restored":           {restored, back},
		"restored by others": {entry("m365", ledger.Restored), held},
		"announced":          {entry("m365", ledger.Announced), item("m365", Announced)},
		"perhaps announced":  {entry("m365", ledger.Unsure), item("m365", Unsure)},
		"announced by mail":  {mailed, byMail},
		"perhaps by mail":    {lost, perhapsByMail},
		"no announcement":    {taken, item("m365", Taken)},
		"restored before":    {heldSince(entry("m365", ledger.Announced)), announcedAgain},
		"and perhaps":        {heldSince(entry("m365", ledger.Unsure)), perhapsAgain},
		"and taken again":    {heldSince(entry("m365", ledger.Done)), item("m365", Taken)},
		"failed":             {entry("m365", ledger.Failed), nil},
		"rolled back":        {entry("m365", ledger.RolledBack), nil},
		"a restore failed":   {entry(plan.RestoreRule, ledger.Failed), nil},
		"of a later version": {entry("m365", "something else"), nil},
	} {
		if d := cmp.Diff(tc.want, ItemOf(tc.entry)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// After a run took a license, somebody else restores it. A later plan notices this, but the ledger does not record it.
// So the license must stay Restored in the digest when the ledger is read again, until a later change makes it Taken.
// An announcement keeps the time of the restore, even if its ledger entry lacks this time, as in older versions.
func TestHeldAgainIsKept(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		later func(*world)
		want  map[string]State
	}{
		"the ledger has nothing new": {func(*world) {}, map[string]State{"ann": Restored, "bob": Taken}},
		"taken again":                {func(w *world) { w.writes(12, "ann", "m365", ledger.Done) }, map[string]State{"ann": Taken, "bob": Taken}},
		"announced again":            {func(w *world) { w.writes(12, "ann", "m365", ledger.Announced) }, map[string]State{"ann": Announced, "bob": Taken}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(0)
			w.plans(0, "ann", "bob")
			w.writes(0, "ann", "m365", ledger.Done)
			w.writes(0, "bob", "m365", ledger.Done)
			w.settle(1)
			w.leave(&Planned{Run: nameOf(1), AsOf: at(1), HeldAgain: []Touch{{"ann", "e3", nameOf(0)}, {"bob", "e3", "another run"}}})
			w.want(w.settle(2), map[string]State{"ann": Restored, "bob": Taken})
			w.plans(2)
			w.want(w.settle(12), map[string]State{"ann": Restored, "bob": Taken})
			w.plans(12, "ann") // a plan touches the license again, long after the earlier plans
			tc.later(w)
			st := w.settle(13)
			w.want(st, tc.want)
			if i := st.Of("ann", "e3"); i.State != Taken && !i.Given().Equal(at(1)) {
				t.Errorf("restored at %s", i.Given())
			}
			w.plans(13, "ann") // the ledger is read once more
			if i := w.settle(14).Of("ann", "e3"); i.State != Taken && !i.Given().Equal(at(1)) {
				t.Errorf("a night later: restored at %s", i.Given())
			}
		})
	}
}

// A digest without a head or with a malformed line is damaged.
func TestDigestOfDamagedObjects(t *testing.T) {
	t.Parallel()
	head, item := `{"head":{"run":"r"}}`, `{"user":"ann","license":"e3","state":"taken"}`
	setback := `{"setback":{"user":"ann","license":"e3","times":2}}`
	for name, tc := range map[string]struct {
		lines []string
		want  error
	}{
		"whole":                    {[]string{head, item, setback}, nil},
		"nobody":                   {[]string{head}, nil},
		"empty":                    {nil, store.ErrDamaged},
		"no head":                  {[]string{item}, store.ErrDamaged},
		"no head, a setback":       {[]string{setback}, store.ErrDamaged},
		"the head comes late":      {[]string{item, head}, store.ErrDamaged},
		"a line that says nothing": {[]string{head, `{}`}, store.ErrDamaged},
		"a line of something else": {[]string{head, `{"head":null}`, item}, store.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			err := store.PutLines(t.Context(), w.store, "past.jsonl.gz", func(emit func(any) error) error {
				for _, line := range tc.lines {
					if err := emit(rawLine(line)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			st, err := Load(t.Context(), w.store, &snapshot.Manifest{Run: "r", History: "past.jsonl.gz"})
			if !errors.Is(err, tc.want) || (st == nil) != (tc.want != nil) {
				t.Errorf("%+v, %v; want %v", st, err, tc.want)
			}
		})
	}
	w := newWorld(t)
	if st, err := Load(t.Context(), w.store, &snapshot.Manifest{Run: "r"}); st != nil || err != nil {
		t.Errorf("a run that knows no past: %+v, %v", st, err)
	}
}

type rawLine string

func (l rawLine) MarshalJSON() ([]byte, error) { return []byte(l), nil }

func TestNoDigest(t *testing.T) {
	t.Parallel()
	var none *Digest
	for range none.All() {
		t.Error("an item")
	}
	if none.Len() != 0 || none.Of("ann", "e3") != nil || none.Setback("ann", "e3") != nil {
		t.Error("something is known")
	}
	st := &Digest{items: map[Touch]*Item{{User: "ann", License: "e3"}: {Run: "r"}}, setbacks: map[Touch]*Setback{{User: "ann", License: "e3"}: {Times: 2}}}
	runs := map[string]bool{}
	for i := range st.All() {
		runs[i.Run] = true
	}
	if st.Len() != 1 || st.Of("ann", "e3") == nil || st.Setback("ann", "e3") == nil || !maps.Equal(runs, map[string]bool{"r": true}) {
		t.Errorf("%d items, %v", st.Len(), runs)
	}
	if st.Of("ann", "exo") != nil || st.Setback("bob", "e3") != nil {
		t.Error("somebody else's")
	}
}

// Since is a day before the begin of the change, because activity dates arrive up to a day late.
func TestSinceIsADayEarlier(t *testing.T) {
	t.Parallel()
	if got := (&Item{Began: at(5), At: at(9)}).Since(); !got.Equal(at(4)) {
		t.Errorf("since %s", got)
	}
}
