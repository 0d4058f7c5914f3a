package gate

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// TestRollbackOfTonightHasItsBatch: during a night, a change that an earlier run began is rolled back, or an operator
// asks to restore its license. From the next round on, the change is in a batch of scope Back, like a change whose
// rollback began before the night.
func TestRollbackOfTonightHasItsBatch(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		s := store.Store(&store.Memory{})
		old := earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "dan": ""})
		goesOn(t, s, "earlier")
		e := quiet()
		e.partitions[0], e.scheduled, e.text = []plan.Decision{reclaim("a", 70)}, true, enforced(text)
		e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
		e.putInto(t, s)
		steps := stepsOn(s)
		out := steps.gated(t, false)
		one := Batch{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun}
		want := []Batch{{Run: "run", PlanHash: out.PlanHash, Batch: "entra-0001"}, one}
		if d := cmp.Diff(want, out.Batches.Entra); d != "" {
			t.Errorf("the first round (-want +got):\n%s", d)
		}
		if asked {
			if err := history.Stop(t.Context(), s, "earlier", "dan", "mine", clock); err != nil {
				t.Fatal(err)
			}
		} else {
			book := ledger.In(s)
			last, err := book.Latest(t.Context(), "dan", "e3")
			if err == nil {
				_, err = book.RollBack(t.Context(), last, ledger.Mark{At: clock})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		out, err := steps.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: 1})
		if err != nil {
			t.Fatal(err)
		}
		back := one
		back.Scope = runs.Back
		if d := cmp.Diff(append([]Batch{back}, want...), out.Batches.Entra); d != "" || sum(out.Resumed) != 2 {
			t.Errorf("asked %t: the next round resumes %v, batches (-want +got):\n%s", asked, out.Resumed, d)
		}
	}
}

// TestRollbackOfTheOwnPlanHasItsBatch: during a night, a change of the night's own plan begins to go back, or an operator
// asks to restore it. From the next round on, its batch is there once more, to work only on what returns a license. The
// other batches of the plan are not, and neither is it when the plan must not be applied.
func TestRollbackOfTheOwnPlanHasItsBatch(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		s := steps(t, quiet())
		p := &plan.Plan{Run: "run", Mode: policy.Enforce, Verdict: plan.Apply}
		for i := range 101 {
			p.Changes = append(p.Changes, plan.Change{User: fmt.Sprintf("u%03d", i), License: "e3", Via: plan.Direct})
		}
		p.Bind()
		if err := runs.PutPlan(t.Context(), s.Store, p, runs.Nobody); err != nil {
			t.Fatal(err)
		}
		book := ledger.In(s.Store)
		last, err := book.Begin(t.Context(), ledger.Intent{Person: "u100", License: "e3", Run: "run", At: asOf}, nil)
		if err != nil {
			t.Fatal(err)
		}
		done := &runs.Results{Run: "run", PlanHash: p.PlanHash, Results: []runs.Result{runs.ResultOf(&p.Changes[100], runs.Pending, "")}}
		if err := runs.PutResults(t.Context(), s.Store, "entra-0002", done); err != nil {
			t.Fatal(err)
		}
		settled := func(unapproved bool) []Batch {
			out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Unapproved: unapproved})
			if err != nil {
				t.Fatal(err)
			}
			return out.Batches.Entra
		}
		all := []Batch{{Run: "run", PlanHash: p.PlanHash, Batch: "entra-0001"}, {Run: "run", PlanHash: p.PlanHash, Batch: "entra-0002"}}
		if d := cmp.Diff(all, settled(false)); d != "" {
			t.Errorf("nothing returns (-want +got):\n%s", d)
		}
		if asked {
			err = history.Stop(t.Context(), s.Store, "run", "u100", "mine", clock)
		} else {
			_, err = book.RollBack(t.Context(), last, ledger.Mark{At: clock})
		}
		if err != nil {
			t.Fatal(err)
		}
		back := Batch{Run: "run", PlanHash: p.PlanHash, Batch: "entra-0002", Scope: runs.Back}
		if d := cmp.Diff(append([]Batch{back}, all...), settled(false)); d != "" {
			t.Errorf("asked %t (-want +got):\n%s", asked, d)
		}
		if got := settled(true); len(got) != 0 {
			t.Errorf("not approved: %+v", got)
		}
		s.Policy = func(context.Context) (string, error) {
			return strings.Replace(text, "mode: review", "mode: audit", 1), nil
		}
		if d := cmp.Diff(all, settled(false)); d != "" {
			t.Errorf("in mode audit (-want +got):\n%s", d)
		}
	}
}

// TestNotBegunIsLookedUpOnce: a plan has changes that have not begun. The step reads the ledger once for each change, to
// conclude the results. It does not read the ledger again to find what the plan returns.
func TestNotBegunIsLookedUpOnce(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	p := &plan.Plan{Run: "run", Mode: policy.Enforce, Verdict: plan.Apply}
	for i := range 20 {
		p.Changes = append(p.Changes, plan.Change{User: fmt.Sprintf("u%03d", i), License: "e3", Via: plan.Direct})
	}
	p.Bind()
	if err := runs.PutPlan(t.Context(), s.Store, p, runs.Nobody); err != nil {
		t.Fatal(err)
	}
	inner := s.Store
	looks := func(do func(store.Store) error) (n int) {
		counted := failing.Nth(inner, 0)
		if err := do(counted); err != nil {
			t.Fatal(err)
		}
		for _, key := range counted.Keys() {
			if strings.HasPrefix(key, layout.Ledger) {
				n++
			}
		}
		return n
	}
	concluded := looks(func(by store.Store) error {
		_, _, err := Conclude(t.Context(), by, "run", clock)
		return err
	})
	settled := looks(func(by store.Store) error {
		s.Store = by
		_, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run"})
		return err
	})
	if concluded < len(p.Changes) || settled != concluded {
		t.Errorf("%d reads of the ledger to conclude, %d to settle", concluded, settled)
	}
}
