package apply

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestOpenChangeIsAskedAgain: the write of a change failed, and then the person came back. Apply does not repeat the
// write. It makes the reverse write, because the first write may still take effect later.
func TestOpenChangeIsAskedAgain(t *testing.T) {
	t.Parallel()
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, changeBo)
		b.entra.fail = map[string]error{changeEXO: errDown}
		b.apply(t, runs.Pending, "did not go through")
		b.entra.fail, b.entra.users["id-bo"].LastSuccessful = nil, daysAgo(0)
		b.goesBack(t, runs.Kept, "signed in 1 hour ago")
		b.wrote(t, changeEXO, backFromEXO, backFromEXO) // the first write may take effect late
		b.logged(t, changeBo, "rolled back")
	})
	t.Run("AD group", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, freeEgon)
		b.ad.fail = map[string]error{leaveEgon: errDown}
		b.apply(t, runs.Pending, "did not go through")
		b.ad.fail, b.ad.people["S-1-5-21-5"].LastLogonTimestamp = nil, daysAgo(0)
		b.goesBack(t, runs.Kept, "logged on 1 hour ago")
		b.wrote(t, leaveEgon, "AddMember "+citrixDN+" guid-egon") // the first write may take effect late
		b.logged(t, freeEgon, "rolled back")
	})
	t.Run("Entra group, target late", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, moveAnna)
		b.apply(t, runs.Pending, "joined")
		b.entra.users["id-anna"].LastSuccessful = daysAgo(0)
		b.apply(t, runs.Kept, "signed in 1 hour ago")
		b.wrote(t, joinEXO, leaveEXO)
		b.logged(t, moveAnna, "rolled back")
	})
}

// TestTargetFailsAfterTheSourceWasLeft: a change removes the person from the source group, and then the target group
// cannot give its license. Apply first adds the person to the source group again, and then removes the person from the
// target group. So the person always has a license.
func TestTargetFailsAfterTheSourceWasLeft(t *testing.T) {
	t.Parallel()
	const joinE3 = "AddMember g-e3 id-anna"
	b := newBench(t, moveAnna)
	b.apply(t, runs.Pending, "joined")
	b.follow()
	b.apply(t, runs.Pending, "left the source group")
	b.entra.full["g-exo"] = "CountViolation"
	b.follow()
	b.apply(t, runs.Pending, targetHidden) // this read contradicts an earlier read
	b.wrote(t, joinEXO, leaveE3)
	b.settle()
	b.apply(t, runs.Pending, "joined the source group again")
	b.wrote(t, joinEXO, leaveE3, joinE3)
	b.follow()
	b.apply(t, runs.Pending, "joined the source group again") // this read may show the state before the write that left the source group
	b.wrote(t, joinEXO, leaveE3, joinE3, joinE3)
	b.settle()
	b.apply(t, runs.Kept, "CountViolation")
	b.wrote(t, joinEXO, leaveE3, joinE3, joinE3, leaveEXO)
	b.logged(t, moveAnna, "rolled back")
}

// TestFailedMeansAsBefore: if a directory refuses a change midway, the person keeps the licenses from before the
// change.
func TestFailedMeansAsBefore(t *testing.T) {
	t.Parallel()
	protected := refusal("the group is protected")
	tests := map[string]struct {
		change     plan.Change
		pending    bool // whether the refusal comes after the first call
		entra, ad  string
		wantMember members // members of the target and the source groups
	}{
		"Entra, joining":          {moveAnna, false, joinEXO, "", members{"g-e3": {"id-anna"}, "g-exo": nil}},
		"Entra, leaving":          {moveAnna, true, leaveE3, "", members{"g-e3": {"id-anna"}, "g-exo": nil}},
		"AD, joining":             {demoteEgon, false, "", joinEgon, members{citrixDN: {"S-1-5-21-4", "S-1-5-21-5"}, liteDN: nil}},
		"AD, leaving":             {demoteEgon, false, "", leaveEgon, members{citrixDN: {"S-1-5-21-4", "S-1-5-21-5"}, liteDN: nil}},
		"AD, leaving, no targets": {freeEgon, false, "", leaveEgon, members{citrixDN: {"S-1-5-21-4", "S-1-5-21-5"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			if tc.pending {
				b.apply(t, runs.Pending, "joined")
			}
			if tc.entra == leaveE3 {
				b.follow()
			}
			b.entra.fail, b.ad.fail = map[string]error{tc.entra: protected}, map[string]error{tc.ad: protected}
			b.apply(t, runs.Failed, "the group is protected")
			b.logged(t, tc.change, "failed")
			got := members{}
			for group := range tc.wantMember {
				got[group] = append(b.entra.in[group], b.ad.in[group]...)
			}
			if d := cmp.Diff(tc.wantMember, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
		})
	}
}

// TestKilledAndExpired: a call began changes, its results were not stored, and the plan has expired. A later call finds
// these changes in the ledger and ends them as failed.
func TestKilledAndExpired(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	whole := b.Store
	b.Store = brokenStore{Store: whole, put: "/results/"}
	b.entra.fail = map[string]error{changeEXO: errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err == nil {
		t.Fatal("results that were not written are no error")
	}
	b.Store, b.entra.fail = whole, nil
	b.at(asOf.Add(2 * plan.Lifetime))
	b.follow()
	for range 2 { // Bo's license may have been taken
		if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
			t.Fatal(err)
		}
		b.lag()
	}
	b.logged(t, moveAnna, "failed")
	b.logged(t, changeBo, "failed")
}

// TestExpiredBeginsNothing: after a plan has expired, its open changes are rolled back and its other changes are
// refused.
func TestExpiredBeginsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	b.entra.fail = map[string]error{"GroupsOf id-bo": errDown}
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.entra.fail = nil
	b.at(asOf.Add(2 * plan.Lifetime))
	b.follow()
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil || r.Count(runs.Failed) != 1 || r.Results[1].Status != runs.Refused {
		t.Fatalf("results %+v, error %v", r, err)
	}
	b.logged(t, changeBo, "")
	b.wrote(t, joinEXO, leaveEXO)
}

// TestRefusedBatchKeepsWhyItDoesNotReturn: a batch is refused, and one of its open changes cannot be rolled back
// either. The result of this change says what prevents the rollback, because an operator must repair it.
func TestRefusedBatchKeepsWhyItDoesNotReturn(t *testing.T) {
	t.Parallel()
	b := newBench(t, moveAnna, changeBo)
	b.entra.fail = map[string]error{changeEXO: errDown} // Bo's change is to be tried again, too
	if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	b.follow()
	if err := history.Stop(t.Context(), b.Store, "run", "id-anna", "later", b.now); err != nil {
		t.Fatal(err)
	}
	b.deadSignIns()
	b.entra.fail[leaveEXO] = errors.New("403: the application may not write this group")
	s := &Steps{Applier: *b.Applier, Policy: func(context.Context) (string, error) { return text, nil }}
	state, err := s.Do(t.Context(), StepInput{Op: "prepare", Batch: BatchState{Run: "run", Batch: "entra-0001"}})
	if err == nil {
		_, err = s.Do(t.Context(), StepInput{Op: "change", Batch: *state})
	}
	if !errors.Is(err, runs.ErrRefused) {
		t.Errorf("%v", err)
	}
	if x := b.resultOf(t, moveAnna); !x.Retry || !strings.Contains(x.Note, "403") {
		t.Errorf("what returns: %+v", x)
	}
	if x := b.resultOf(t, changeBo); !x.Retry || !strings.Contains(x.Note, "source entra is unhealthy") {
		t.Errorf("what does not: %+v", x)
	}
}
