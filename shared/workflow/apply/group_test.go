package apply

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
)

const (
	joinEXO  = "AddMember g-exo id-anna"
	leaveEXO = "RemoveMember g-exo id-anna"
	leaveE3  = "RemoveMember g-e3 id-anna"
)

// TestGroupMove: the person leaves the source group only when the target group's license is active. The change is done
// only when the source group's license is gone.
func TestGroupMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "waiting for its license to become active")
	b.wrote(t, joinEXO)
	b.logged(t, moveAnna, "open")
	b.apply(t, runs.Pending, "waiting for its license to become active") // the directory has not given the license yet
	b.wrote(t, joinEXO)
	b.follow()
	b.apply(t, runs.Pending, "waiting for its license to be freed")
	b.wrote(t, joinEXO, leaveE3)
	b.apply(t, runs.Pending, "waiting for its license to be freed")
	b.wrote(t, joinEXO, leaveE3)
	b.logged(t, moveAnna, "open")
	b.follow()
	b.apply(t, runs.Done, "")
	b.wrote(t, joinEXO, leaveE3)
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-anna", "e3")
	if err != nil {
		t.Fatal(err)
	}
	before, after := directory.Assignment{SKU: "sku-e3", Group: "g-e3", State: "Active"}, directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Active"}
	want := &ledger.Entry{
		Seq: 1, Sum: e.Sum,
		Intent: ledger.Intent{
			Person: "id-anna", UserPrincipalName: "anna@x.example", License: "e3", MonthlySaving: 35, Run: "run", PlanHash: e.PlanHash, Rule: "m365", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo",
			SKU: "sku-e3", TargetSKU: "sku-exo", Reason: "idle", Before: ledger.Holding{Assignments: []directory.Assignment{before}, InGroups: []string{"g-e3"}}, At: b.now, IdleSince: &idle, Bound: true,
		},
		Completion: &ledger.Completion{Outcome: ledger.Done, After: ledger.Holding{Assignments: []directory.Assignment{after}, InGroups: []string{"g-exo"}}, At: b.now, Intent: e.Sum},
	}
	if d := cmp.Diff(want, e, cmpopts.EquateEmpty()); d != "" || len(e.PlanHash) != 64 {
		t.Errorf("ledger (-want +got):\n%s", d)
	}
}

func TestGroupWithoutTarget(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeAnna)
	b.apply(t, runs.Pending, "waiting for its license to be freed")
	b.follow()
	b.apply(t, runs.Done, "")
	b.wrote(t, "RemoveMember g-visio id-anna")
}

// TestAlreadyInTarget: a person who already has the target group's license leaves the source group at once.
func TestAlreadyInTarget(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.entra.in.add("g-exo", "id-anna")
	b.follow()
	b.apply(t, runs.Pending, "waiting for its license to be freed")
	b.wrote(t, leaveE3)
}

// TestRollBack: if the rule or the target group no longer allows a change, apply rolls the change back. The person
// keeps the licenses and memberships from before the change.
func TestRollBack(t *testing.T) {
	t.Parallel()
	signIn := func(b *bench) { b.entra.users["id-anna"].LastSuccessful = daysAgo(0) }
	full := func(b *bench) { b.entra.full["g-exo"] = "CountViolation" }
	inTarget := func(b *bench) { b.entra.in.add("g-exo", "id-anna") }
	none := func(*bench) {}
	tests := map[string]struct {
		before, meanwhile func(*bench)
		note              string
		writes            []string
	}{
		"signs in while pending":      {none, signIn, "signed in 1 hour ago", []string{joinEXO, leaveEXO}},
		"exempt while pending":        {none, func(b *bench) { b.entra.in.add("g-exempt", "id-anna") }, "exempt", []string{joinEXO, leaveEXO}},
		"dates vanish while pending":  {none, func(b *bench) { b.entra.users["id-anna"].LastSuccessful = zero }, "no longer there", []string{joinEXO, leaveEXO}},
		"target without seats":        {none, full, "CountViolation", []string{joinEXO, leaveEXO}},
		"target loses a plan":         {none, func(b *bench) { b.entra.reduced = "g-exo" }, "the target group gives its license with service plans switched off", []string{joinEXO, leaveEXO}},
		"in a target without seats":   {func(b *bench) { inTarget(b); full(b); b.follow() }, none, "CountViolation", nil},
		"was in the target, signs in": {func(b *bench) { inTarget(b) }, signIn, "signed in 1 hour ago", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			tc.before(b)
			if name != "in a target without seats" {
				b.apply(t, runs.Pending, "joined the target group")
			}
			tc.meanwhile(b)
			b.follow()
			b.apply(t, runs.Kept, tc.note)
			b.wrote(t, tc.writes...)
			b.logged(t, moveAnna, "rolled back")
			if d := cmp.Diff([]string{"id-anna"}, b.entra.in["g-e3"]); d != "" {
				t.Errorf("members of the source (-want +got):\n%s", d)
			}
		})
	}
}

// TestRollBackIsTriedAgain: a later call finishes a rollback that failed.
func TestRollBackIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.entra.full["g-exo"] = "CountViolation"
	b.follow()
	b.entra.fail = map[string]error{leaveEXO: errDown}
	b.apply(t, runs.Pending, "going back is not finished")
	b.logged(t, moveAnna, "open")
	b.entra.fail = nil
	b.Entra = deaf{b.entra}
	b.apply(t, runs.Pending, "left the target group again, which the directory does not show yet")
	b.logged(t, moveAnna, "open")
	b.Entra = b.entra
	b.apply(t, runs.Kept, "CountViolation")
	b.logged(t, moveAnna, "rolled back")
	b.wrote(t, joinEXO, leaveEXO, leaveEXO)
}

type deaf struct{ *fakeEntra }

func (deaf) RemoveMember(context.Context, string, string) error { return nil }

// TestGroupInterrupted: after a failure, the next call continues from the state of the directory.
func TestGroupInterrupted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		joined     bool // whether the failure comes after the target group's license became active
		fail, lost string
		note       string
	}{
		"joining does not arrive":          {false, joinEXO, "", "did not go through"},
		"joining is not answered":          {false, "", joinEXO, "did not go through"},
		"read back after joining":          {false, "ReadLicenses #1", "", "could not be read again"},
		"membership of the source unknown": {true, "DirectGroups id-anna", "", "down"},
		"leaving does not arrive":          {true, leaveE3, "", "did not go through"},
		"leaving is not answered":          {true, "", leaveE3, "did not go through"},
		"read back after leaving":          {true, "ReadLicenses #2", "", "could not be read again"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, moveAnna)
			if tc.joined {
				b.apply(t, runs.Pending, "joined")
				b.follow()
			}
			b.entra.fail, b.entra.lost = map[string]error{tc.fail: errDown}, map[string]error{tc.lost: errDown}
			b.apply(t, runs.Pending, tc.note)
			b.logged(t, moveAnna, "open")
			b.entra.fail, b.entra.lost = nil, nil
			for range 3 {
				b.follow()
				if r, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil || r.Count(runs.Done) == 1 {
					break
				}
			}
			b.logged(t, moveAnna, "done")
			want := members{"g-e3": nil, "g-exo": {"id-anna"}, "g-visio": {"id-anna"}}
			if d := cmp.Diff(want, b.entra.in, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
		})
	}
}

// TestTargetNotReadable: a change does not begin while nobody knows whether the person is in the target group. A
// rollback could otherwise end a membership that the person had before the change.
func TestTargetNotReadable(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna)
	b.entra.fail = map[string]error{"DirectGroups id-anna": errDown}
	b.apply(t, runs.Pending, "nothing was done")
	b.logged(t, moveAnna, "")
	b.wrote(t)
}
