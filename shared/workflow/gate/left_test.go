package gate

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// TestWhatStepsLeaveInTheStore: the steps of a run store the results, and the changes as CSV for people. A restore
// stores its plan, and its changes as CSV.
func TestWhatStepsLeaveInTheStore(t *testing.T) {
	t.Parallel()
	s := steps(t, busy())
	s.gated(t, false)
	if _, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run"}); err != nil {
		t.Fatal(err)
	}
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
	if _, err := restore.Plan(t.Context(), s.Store, restore.Request{Of: "earlier", Run: "mine", Policy: text}, clock); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"runs/run/results/settled.json", "runs/run/changes.csv", "runs/mine/changes.csv", "runs/mine/plan.json"} {
		if _, err := store.GetBytes(t.Context(), s.Store, key, 1<<20); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestHeldAgainByEachID: a run took a license, and a later run finds that the person holds it again. The later run
// records this once under each id of the person.
func TestHeldAgainByEachID(t *testing.T) {
	t.Parallel()
	again := func(user, sid string) plan.Decision {
		return plan.Decision{User: user, SID: sid, Rule: "citrix", License: "citrix", Outcome: policy.Keep, HeldAgain: "r0", Refused: "cooling down"}
	}
	e := quiet()
	e.partitions[0] = []plan.Decision{again("id-ann", "S-1-5-21-1"), again("id-bob", ""), again("S-1-5-21-3", "S-1-5-21-3")}
	s := e.put(t)
	if _, err := Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	left, err := history.GetPlanned(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	var want []history.Touch
	for _, user := range []string{"id-ann", "S-1-5-21-1", "id-bob", "S-1-5-21-3"} {
		want = append(want, history.Touch{User: user, License: "citrix", Run: "r0"})
	}
	if d := cmp.Diff(want, left.HeldAgain); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestHeldAgainUnderAnotherName: the policy renamed a license after a run took it. If the person holds it again, the
// run records it under the old name, because later runs look for that name in the ledger.
func TestHeldAgainUnderAnotherName(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.taken = []ledger.Intent{{Person: "id-ann", License: "office", SKU: "sku-e3", Run: "r0", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -3)}}
	e.partitions[0] = []plan.Decision{{User: "id-ann", Rule: "m365", License: "e3", Outcome: policy.Keep, HeldAgain: "r0", Refused: "cooling down"}}
	s := e.put(t)
	if _, err := Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	left, err := history.GetPlanned(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]history.Touch{{User: "id-ann", License: "office", Run: "r0"}}, left.HeldAgain); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestVoidOverrideAlone: an override counts for nothing if its run does not exist. Such an override alone does not put
// a later plan on hold.
func TestVoidOverrideAlone(t *testing.T) {
	t.Parallel()
	s := quiet().put(t)
	if err := history.PutOverride(t.Context(), s, &history.Override{Run: "gone", PlanHash: "x", At: clock}); err != nil {
		t.Fatal(err)
	}
	night := matched("night", "a", 0, 3)
	night.putInto(t, s)
	if p, err := Run(t.Context(), s, "night", clock); err != nil || p.Verdict != plan.Review || len(p.HoldReasons) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestAcceptedAreThoseWhoMatched: an override does not accept people for whom the rule was undecided.
func TestAcceptedAreThoseWhoMatched(t *testing.T) {
	t.Parallel()
	rules, err := policy.Load("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	undecided := reclaim("u", 70)
	undecided.Outcome = policy.Undecided
	one := reclaim("a", 70)
	with, without := newMatches(rules, nil), newMatches(rules, nil)
	with.add(&one)
	with.add(&undecided)
	without.add(&one)
	if with.hash() != without.hash() {
		t.Error("who is undecided is in the hash of who matched")
	}
	first := matched("r0", "a", 0, 60)
	first.partitions[0] = append(first.partitions[0], undecided)
	s := first.put(t)
	p, err := Run(t.Context(), s, "r0", clock)
	if err != nil {
		t.Fatal(err)
	}
	people, why, err := peopleOf(t.Context(), s, &history.Override{Run: "r0", PlanHash: p.PlanHash})
	if err != nil || why != "" || len(people) != 60 {
		t.Errorf("%d people, %q, %v", len(people), why, err)
	}
}

// TestOverrideWhoseDataAreGone: an operator overrode the limits of a run, and the data of this run cannot be read any
// more. The override then accepts nobody.
func TestOverrideWhoseDataAreGone(t *testing.T) {
	t.Parallel()
	s := quiet().put(t)
	p := &plan.Plan{Run: "r0", Verdict: plan.Hold, Overridable: true, MatchHash: "x", HoldReasons: []string{"limit"}}
	p.Bind()
	if err := errors.Join(snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "r0", Tenant: tenant, Policy: text, Partitions: 1}), snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "r0"}), runs.PutPlan(t.Context(), s, p, runs.Nobody)); err != nil {
		t.Fatal(err)
	}
	people, why, err := peopleOf(t.Context(), s, &history.Override{Run: "r0", PlanHash: p.PlanHash})
	if len(people) != 0 || !strings.HasPrefix(why, "its data cannot be read") || err != nil {
		t.Errorf("%v, %q, %v", people, why, err)
	}
}

// TestNamesThatAreNobodys: if the policy contains a name that nobody has, the plan is on hold and lists similar names.
// If the similar names cannot be read, there is no plan.
func TestNamesThatAreNobodys(t *testing.T) {
	t.Parallel()
	listed := strings.Replace(text, "limits:", "exempt: {users: [boss@x.example], leave: [{user: old@x.example, until: 2026-01-01}]}\nlimits:", 1)
	listed = strings.Replace(listed, ", model: user", "", 1)
	s := store.Store(&store.Memory{})
	b := &snapshot.Begin{Run: "run", Read: asOf, AsOf: asOf, Tenant: tenant, Policy: listed, Partitions: 1, SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}}}
	w, err := snapshot.NewWriter(s, b, directory.Entra, "1", asOf)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(snapshot.PutBegin(t.Context(), s, b), w.AddEntra(&directory.EntraUser{ID: "id-bos", UserPrincipalName: "bos@x.example", LastSuccessful: asOf}))
	reading, ferr := w.Finish(t.Context())
	m := &snapshot.Manifest{Run: "run", Readings: [2]snapshot.Reading{reading, healthy(directory.AD)}}
	if err := errors.Join(err, ferr, w.Close(), snapshot.Seal(t.Context(), s, m)); err != nil {
		t.Fatal(err)
	}
	taken := plan.Decision{User: "S-1", Rule: "citrix", License: "citrix", Outcome: policy.Reclaim, Via: plan.ADGroup, SavesNothing: "x", IdleSince: asOf.AddDate(0, 0, -90)}
	err = opened(t, s).Put(t.Context(), 0, func(emit func(*plan.Decision) error) (decision.Summary, error) {
		return decision.Summary{People: 1, Kinds: map[string]int{"room": 2}, Tallies: []plan.Tally{{Rule: "m365", Holders: 1}, {Rule: "citrix", Holders: 9, Reclaim: 1}}}, emit(&taken)
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]int{"room": 2}, p.Kinds); d != "" || p.Verdict != plan.Hold || p.Overridable || !strings.HasPrefix(p.HoldReasons[0], "1 of the names in exempt.users") {
		t.Errorf("%+v, kinds (-want +got):\n%s", p, d)
	}
	notes := strings.Join(p.Notes, "\n")
	for _, want := range []string{`the policy lists "boss@x.example", and nobody has ever been found by that name; did you mean "bos@x.example"?`, "exempt.leave: the leave of old@x.example until 2026-01-01 is over", "license citrix: 1 change is counted as saving nothing: it is not known whether a seat becomes free"} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	if err := store.PutBytes(t.Context(), s, reading.Parts[0].Key, []byte("half")); err != nil {
		t.Fatal(err)
	}
	if p, err := Run(t.Context(), s, "run", clock); err == nil {
		t.Errorf("people cannot be read, and there is a plan: %+v", p)
	}
}

// TestRestoreOfAMixture: a run took one license each from two people. One of these licenses is restored already, or
// another run is restoring it. A restore of the run still restores the license of the other person, even if the run's
// plan is missing.
func TestRestoreOfAMixture(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*testing.T, *ledger.Ledger){
		"one is back": func(t *testing.T, book *ledger.Ledger) { wrote(t, book, "bob", "mixed", "", ledger.Restored) },
		"one is on its way": func(t *testing.T, book *ledger.Ledger) {
			wrote(t, book, "bob", "mixed", "", ledger.Done)
			wrote(t, book, "bob", "back", "mixed", "")
		},
	} {
		for _, planned := range []bool{false, true} {
			s := quiet().put(t)
			book := ledger.In(s)
			wrote(t, book, "ann", "mixed", "", ledger.Done)
			other(t, book)
			if planned {
				if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "mixed", Touches: []history.Touch{{User: "ann", License: "e3"}, {User: "bob", License: "e3"}}}, true); err != nil {
					t.Fatal(err)
				}
			}
			goesOn(t, s, "back")
			p, err := restore.Plan(t.Context(), s, restore.Request{Of: "mixed", Run: "mine", Policy: text}, clock)
			if err != nil || users(p.Changes) != "ann" {
				t.Errorf("%s, planned %t: %+v, %v", name, planned, p, err)
			}
		}
	}
	s := quiet().put(t)
	if err := store.PutBytes(t.Context(), s, "history/plans/ghost.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	if p, err := restore.Plan(t.Context(), s, restore.Request{Of: "ghost", Run: "mine", Policy: text}, clock); !errors.Is(err, restore.ErrNothing) || errors.Is(err, runs.ErrNoPlan) {
		t.Errorf("a damaged plan of nothing: %+v, %v", p, err)
	}
}

// The function "wrote" writes an entry about E3 into the ledger. The entry stays open if there is no outcome.
func wrote(t *testing.T, book *ledger.Ledger, user, run, back string, o ledger.Outcome) {
	t.Helper()
	last, err := book.Latest(t.Context(), user, "e3")
	if err != nil {
		t.Fatal(err)
	}
	e, err := book.Begin(t.Context(), ledger.Intent{Person: user, License: "e3", Run: run, RestoreOf: back, Rule: "m365", Via: "direct", At: asOf}, last)
	if err == nil && o != "" {
		err = book.Complete(t.Context(), e, ledger.Completion{Outcome: o})
	}
	if err != nil {
		t.Fatal(err)
	}
}
