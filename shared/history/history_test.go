package history

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

var start = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// The type "world" is a store in which a test simulates nights.
type world struct {
	*testing.T
	store store.Store
	book  *ledger.Ledger
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := store.Store(&store.Memory{})
	return &world{t, s, ledger.In(s)}
}

// annIsTaken returns a world after two nights. The first night took Ann's license.
func annIsTaken(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.settle(0)
	w.plans(0, "ann")
	w.writes(0, "ann", "m365", ledger.Done)
	w.settle(1)
	return w
}

func nameOf(night int) string {
	return snapshot.NewRun(start.AddDate(0, 0, night), [4]byte{0, 0, 0, byte(night)})
}

func at(night int) time.Time { return start.AddDate(0, 0, night) }

// The method "settle" makes the digest of a night's run, seals the run, and loads the digest.
func (w *world) settle(night int) *Digest {
	w.Helper()
	run := nameOf(night)
	key, err := MakeDigest(w.Context(), w.store, run, at(night))
	if err != nil {
		w.Fatal(err)
	}
	m := &snapshot.Manifest{Run: run, History: key}
	if err := snapshot.Seal(w.Context(), w.store, m); err != nil {
		w.Fatal(err)
	}
	st, err := Load(w.Context(), w.store, m)
	if err != nil {
		w.Fatal(err)
	}
	return st
}

func (w *world) plans(night int, users ...string) {
	w.Helper()
	p := &Planned{Run: nameOf(night), AsOf: at(night), Expires: at(night).Add(plan.Lifetime), Touches: []Touch{}}
	for _, u := range users {
		p.Touches = append(p.Touches, Touch{User: u, License: "e3"})
	}
	w.leave(p)
}

func (w *world) leave(p *Planned) {
	w.Helper()
	if err := PutPlanned(w.Context(), w.store, p, true); err != nil {
		w.Fatal(err)
	}
}

// The method "writes" adds an entry for a night to the ledger. Without an outcome, the entry stays open.
func (w *world) writes(night int, user, rule string, o ledger.Outcome) {
	w.Helper()
	last, err := w.book.Latest(w.Context(), user, "e3")
	if err != nil {
		w.Fatal(err)
	}
	e, err := w.book.Begin(w.Context(), ledger.Intent{Person: user, License: "e3", Run: nameOf(night), Rule: rule, To: "exo", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo", At: at(night)}, last)
	if err != nil {
		w.Fatal(err)
	}
	if o != "" {
		if err := w.book.Complete(w.Context(), e, ledger.Completion{Outcome: o, At: at(night).Add(time.Hour)}); err != nil {
			w.Fatal(err)
		}
	}
}

// The function "states" returns the state of each user's license in the digest. It omits users without an item.
func states(st *Digest, users ...string) map[string]State {
	all := map[string]State{}
	for _, u := range users {
		if i := st.Of(u, "e3"); i != nil {
			all[u] = i.State
		}
	}
	return all
}

func (w *world) want(st *Digest, want map[string]State) {
	w.Helper()
	if d := cmp.Diff(want, states(st, "ann", "bob", "cid", "dan", "eve")); d != "" {
		w.Errorf("what run %s knows (-want +got):\n%s", st.Run, d)
	}
}

// TestNights: a change of an earlier night may end only after the next run has made its digest. The digest after that
// has the change nevertheless.
func TestNights(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.settle(0), map[string]State{})
	w.plans(0, "ann", "bob", "cid", "dan", "eve")
	w.writes(0, "ann", "m365", ledger.Done)
	w.writes(0, "bob", "m365", "")
	w.writes(0, "cid", "m365", ledger.RolledBack)
	w.writes(0, "dan", "m365", ledger.Announced)
	st := w.settle(1)
	w.want(st, map[string]State{"ann": Taken, "bob": Open, "dan": Announced})
	want := &Item{User: "ann", License: "e3", State: Taken, Run: nameOf(0), Rule: "m365", To: "exo", ID: LicenseID{SKU: "sku-e3"}, ToID: LicenseID{SKU: "sku-exo"}, Via: plan.Direct, Began: at(0), At: at(0).Add(time.Hour)}
	if d := cmp.Diff(want, st.Of("ann", "e3")); d != "" {
		t.Errorf("ann (-want +got):\n%s", d)
	}
	w.plans(1)
	w.writes(0, "eve", "m365", ledger.Done) // the change is late, but the plan of night 0 is still valid
	if e, err := w.book.Latest(t.Context(), "bob", "e3"); err != nil || w.book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: at(1)}) != nil {
		t.Fatal(err)
	}
	w.want(w.settle(2), map[string]State{"ann": Taken, "bob": Taken, "dan": Announced, "eve": Taken})
	w.plans(2, "ann", "dan")
	w.writes(2, "ann", plan.RestoreRule, ledger.Done)
	w.writes(2, "dan", "m365", ledger.Failed) // the announcement stays
	w.want(w.settle(20), map[string]State{"ann": Restored, "bob": Taken, "dan": Announced, "eve": Taken})
	w.plans(20)
	w.want(w.settle(300), map[string]State{"ann": Restored, "bob": Taken, "dan": Announced, "eve": Taken})
}

// MakeDigest lists the whole ledger if the store has no plan and no digest.
func TestWithoutEarlierRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.writes(0, "ann", "m365", ledger.Done)
	w.writes(0, "bob", "m365", "")
	w.writes(0, "cid", "m365", ledger.Failed)
	w.want(w.settle(400), map[string]State{"ann": Taken, "bob": Open})
}

// TestIdentify: the digest of an older version has no ids of licenses, such as the skuId. MakeDigest reads them from
// the ledger once.
func TestIdentify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.plans(0, "ann", "bob")
	w.writes(0, "ann", "m365", ledger.Done)
	w.writes(0, "bob", "m365", ledger.Done)
	old := w.settle(1)
	m, _, err := snapshot.GetManifest(t.Context(), w.store, nameOf(1))
	if err != nil {
		t.Fatal(err)
	}
	err = store.PutLines(t.Context(), w.store, m.History, func(emit func(any) error) error {
		if err := emit(line{Head: old}); err != nil {
			return err
		}
		for i := range old.All() {
			if i.ID, i.ToID = (LicenseID{}), (LicenseID{}); i.User == "ann" {
				i.State, i.At, i.TakenBy, i.TakenAt = Restored, at(1), i.Run, i.At
			}
			if err := emit(line{Item: i}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.plans(1)
	w.settle(20)
	w.plans(20)
	st := w.settle(21)
	w.want(st, map[string]State{"ann": Restored, "bob": Taken})
	for _, user := range []string{"ann", "bob"} {
		if i := st.Of(user, "e3"); i.ID.SKU != "sku-e3" || i.ToID.SKU != "sku-exo" || user == "ann" && !i.At.Equal(at(1)) {
			t.Errorf("%+v", i)
		}
	}
	w.plans(21)
	counted := &counting{Store: w.store}
	if _, err := MakeDigest(t.Context(), counted, nameOf(22), at(22)); err != nil || counted.ledger != 0 {
		t.Errorf("the ledger was read %d times, %v", counted.ledger, err)
	}
}

// MakeDigest does not read the ledger of people whom no recent plan touched.
func TestOnlyWhatMayHaveChanged(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	w.plans(1)
	counted := &counting{Store: w.store}
	if _, err := MakeDigest(t.Context(), counted, nameOf(2), at(2)); err != nil {
		t.Fatal(err)
	}
	if counted.ledger != 0 {
		t.Errorf("the ledger was read %d times", counted.ledger)
	}
}

// A license that somebody else restored counts as restored from the time when a run first saw that the person holds it
// again.
func TestHeldAgain(t *testing.T) {
	t.Parallel()
	w := annIsTaken(t)
	w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Expires: at(4), HeldAgain: []Touch{{"ann", "e3", nameOf(0)}, {"bob", "e3", nameOf(0)}}})
	st := w.settle(2)
	w.want(st, map[string]State{"ann": Restored})
	if got := st.Of("ann", "e3").At; !got.Equal(at(1)) {
		t.Errorf("restored at %s", got)
	}
	w.plans(2)
	if got := w.settle(3).Of("ann", "e3").At; !got.Equal(at(1)) {
		t.Errorf("the night after: restored at %s", got)
	}
}

// A license that somebody else restored counts as restored from the time at which the run read the directories. The
// field AsOf does not count, because an operator may choose it.
func TestHeldAgainAsOfAnotherTime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		asOf, read, want time.Time
	}{
		"long before the reading":       {at(-50), at(1).Add(time.Minute), at(1).Add(time.Minute)},
		"long after the reading":        {at(90), at(1).Add(time.Minute), at(1).Add(time.Minute)},
		"an older version, long before": {at(-50), time.Time{}, at(1)},
		"an older version, as of later": {at(1).Add(time.Hour), time.Time{}, at(1).Add(time.Hour)},
	} {
		w := annIsTaken(t)
		w.leave(&Planned{Run: nameOf(1), AsOf: tc.asOf, Read: tc.read, Expires: at(4), HeldAgain: []Touch{{"ann", "e3", nameOf(0)}}})
		if got := w.settle(2).Of("ann", "e3"); got.State != Restored || !got.At.Equal(tc.want) {
			t.Errorf("%s: %s at %s, want %s", name, got.State, got.At, tc.want)
		}
	}
	if got := (&Planned{Run: "a run without a time", AsOf: at(0)}).Seen(); !got.Equal(at(0)) {
		t.Errorf("without a time in the name: %s", got)
	}
}

// A license in Active Directory keeps its past when the Entra account is gone. The license is then found by the SID.
func TestPastOfASID(t *testing.T) {
	t.Parallel()
	for via, found := range map[plan.Via]bool{plan.ADGroup: true, plan.EntraGroup: false} {
		w := newWorld(t)
		w.settle(0)
		w.plans(0, "ann")
		e, err := w.book.Begin(t.Context(), ledger.Intent{Person: "ann", SID: "S-ann", License: "e3", Run: nameOf(0), Rule: "m365", Via: string(via), At: at(0)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: at(0)}); err != nil {
			t.Fatal(err)
		}
		w.settle(1)
		w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Expires: at(4), HeldAgain: []Touch{{"S-ann", "e3", nameOf(0)}}})
		st := w.settle(2)
		state := map[bool]State{true: Restored, false: Taken}[found]
		w.want(st, map[string]State{"ann": state})
		if i := st.OfSID("S-ann", "e3"); (i != nil) != found || found && (i.State != state || i.User != "ann") {
			t.Errorf("%s: %+v", via, i)
		}
	}
}

func TestBaselines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	facts := func(night, people int) *plan.Baseline {
		return &plan.Baseline{Read: at(night), Freshness: directory.Freshness{Sampled: people}}
	}
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Expires: at(3), Feeds: [2]*plan.Baseline{facts(0, 100), facts(0, 200)}})
	w.settle(1)
	w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Expires: at(4), Feeds: [2]*plan.Baseline{nil, facts(1, 201)}}) // Entra was not healthy
	if d := cmp.Diff([2]*plan.Baseline{facts(0, 100), facts(1, 201)}, w.settle(2).Baselines); d != "" {
		t.Errorf("baselines (-want +got):\n%s", d)
	}
}

// TestKnown: the digest has the last healthy reading in Known, even if the plan of that night is on hold and has no
// baseline in Feeds. A plan of an older version has only Feeds, so its Feeds also serve as Known.
func TestKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(night int) *plan.Baseline { return &plan.Baseline{Run: nameOf(night), Read: at(night)} }
	older, both := read(0), [2]*plan.Baseline{read(1), read(1)}
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Expires: at(3), Feeds: [2]*plan.Baseline{older, older}})
	if d := cmp.Diff([2]*plan.Baseline{older, older}, w.settle(1).Known); d != "" {
		t.Errorf("known after an older version's plan (-want +got):\n%s", d)
	}
	w.leave(&Planned{Run: nameOf(1), AsOf: at(1), Expires: at(4), OnHold: true, Known: both})
	for night := 2; night < 4; night++ { // the digest of the previous night has the reading too
		next := w.settle(night)
		if d := cmp.Diff(both, next.Known); d != "" {
			t.Errorf("night %d: known after a held plan (-want +got):\n%s", night, d)
		}
		if d := cmp.Diff([2]*plan.Baseline{older, older}, next.Baselines); d != "" {
			t.Errorf("night %d: baselines (-want +got):\n%s", night, d)
		}
	}
	w.leave(&Planned{Run: nameOf(400), AsOf: at(400), Expires: at(403), Known: [2]*plan.Baseline{read(400), read(400)}})
	if d := cmp.Diff(both, w.settle(4).Known); d != "" {
		t.Errorf("known after a plan from the future (-want +got):\n%s", d)
	}
}

func TestNewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plans(1)
	w.plans(3)
	if err := PutPlanned(t.Context(), w.store, &Planned{Run: nameOf(5)}, false); err != nil {
		t.Fatal(err)
	}
	for run, want := range map[string]string{nameOf(0): nameOf(3), nameOf(1): nameOf(3), nameOf(3): "", nameOf(4): ""} {
		if got, err := Newer(t.Context(), w.store, run, at(9)); got != want || err != nil {
			t.Errorf("newer than %s: %q, %v; want %q", run, got, err, want)
		}
	}
}

// TestSupersedes: a newer plan for everybody supersedes an older one, so that no change of the older plan begins any
// more. A plan on hold supersedes nothing unless its limits were set aside. A plan whose run has a time later than now
// supersedes nothing either.
func TestSupersedes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	leave := func(night int, held bool) {
		if err := PutPlanned(t.Context(), w.store, &Planned{Run: nameOf(night), OnHold: held}, true); err != nil {
			t.Fatal(err)
		}
	}
	check := func(now int, want, newest string) {
		t.Helper()
		if got, err := Newer(t.Context(), w.store, nameOf(0), at(now)); got != want || err != nil {
			t.Errorf("day %d: superseded by %q, %v; want %q", now, got, err, want)
		}
		if got, err := Newest(t.Context(), w.store, at(now)); got != newest || err != nil {
			t.Errorf("day %d: newest %q, %v; want %q", now, got, err, newest)
		}
	}
	leave(0, false)
	leave(2, true)
	leave(400, false)
	check(0, "", nameOf(0))
	check(2, "", nameOf(2))
	leave(1, false)
	check(2, nameOf(1), nameOf(2))
	if err := PutOverride(t.Context(), w.store, &Override{Run: nameOf(2), At: at(2)}); err != nil {
		t.Fatal(err)
	}
	check(2, nameOf(2), nameOf(2))
	check(400, nameOf(400), nameOf(400))
}

// A baseline in a plan does not count if its time is later than now. The clock of run 400 was ahead.
func TestBaselineFromTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := &plan.Baseline{Read: at(0), Freshness: directory.Freshness{Sampled: 100}}
	w.settle(0)
	w.leave(&Planned{Run: nameOf(0), AsOf: at(0), Expires: at(3), Feeds: [2]*plan.Baseline{good, nil}})
	w.leave(&Planned{Run: nameOf(400), AsOf: at(400), Expires: at(403), Feeds: [2]*plan.Baseline{{Read: at(400)}, {Read: at(400)}}})
	for night := 1; night < 3; night++ {
		if d := cmp.Diff([2]*plan.Baseline{good, nil}, w.settle(night).Baselines); d != "" {
			t.Errorf("night %d: baselines (-want +got):\n%s", night, d)
		}
	}
}

// After a damaged digest, the next night uses the digest before it, the later plans and the ledger.
func TestDamaged(t *testing.T) {
	t.Parallel()
	tests := map[string]func(w *world, m *snapshot.Manifest) (key string){
		"standing": func(w *world, m *snapshot.Manifest) string { return m.History },
		"manifest": func(_ *world, m *snapshot.Manifest) string { return "runs/" + m.Run + "/manifest.json" },
		"plan":     func(_ *world, m *snapshot.Manifest) string { return layout.Plans + m.Run + ".json" },
		"foreign":  func(*world, *snapshot.Manifest) string { return layout.Plans + "notes.txt" },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(0)
			w.plans(0, "ann", "bob")
			w.writes(0, "ann", "m365", ledger.Done)
			st := w.settle(1)
			w.plans(1, "cid")
			w.writes(1, "cid", "m365", ledger.Done)
			m, _, err := snapshot.GetManifest(t.Context(), w.store, st.Run)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.PutBytes(t.Context(), w.store, damage(w, m), []byte("half")); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(t.Context(), w.store, m); (err == nil) == (name == "standing") {
				t.Errorf("loaded: %v", err)
			}
			w.want(w.settle(2), map[string]State{"ann": Taken, "cid": Taken})
		})
	}
}

// A damaged entry stops only the changes of its person, until somebody repairs it.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(0)
	w.plans(0, "ann", "bob")
	w.writes(0, "ann", "m365", ledger.Done)
	const key = "ledger/bob/e3/000001.json"
	if err := store.PutBytes(t.Context(), w.store, key, []byte(`{"person":"bob",`)); err != nil {
		t.Fatal(err)
	}
	for night := 1; night < 3; night++ {
		st := w.settle(night)
		w.want(st, map[string]State{"ann": Taken, "bob": Unreadable})
		if i := st.Of("bob", "e3"); i != nil && !strings.Contains(i.Why, key) {
			t.Errorf("the reason does not name the object: %s", i.Why)
		}
	}
	if err := store.PutJSON(t.Context(), w.store, key, ledger.Intent{Person: "bob", License: "e3", Run: nameOf(0)}); err != nil {
		t.Fatal(err)
	}
	w.want(w.settle(3), map[string]State{"ann": Taken, "bob": Open})
}
