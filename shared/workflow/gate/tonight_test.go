package gate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
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
