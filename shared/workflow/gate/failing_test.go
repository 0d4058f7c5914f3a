package gate

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "lively" returns the objects of a store that has everything that the steps read, and the hash of the
// plan in it.
func lively(t *testing.T) (objects map[string][]byte, planHash string) {
	t.Helper()
	s := &store.Memory{}
	first := matched("r0", "a", 0, 60)
	first.putInto(t, s)
	p, err := Run(t.Context(), s, "r0", clock.AddDate(0, 0, -3))
	if err != nil {
		t.Fatal(err)
	}
	old := earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ledger.Done})
	goesOn(t, s, "earlier")
	said := &runs.Results{Run: "earlier", PlanHash: old.PlanHash}
	said.Set(runs.ResultOf(&old.Changes[0], runs.Pending, "waits"))
	err = errors.Join(
		history.PutOverride(t.Context(), s, &history.Override{Run: "r0", PlanHash: p.PlanHash, At: clock.AddDate(0, 0, -3)}),
		runs.PutResults(t.Context(), s, "entra-0001", said),
		store.PutLines(t.Context(), s, "mailboxes.jsonl.gz", func(emit func(any) error) error {
			return emit(directory.Mailbox{UserPrincipalName: "a000@x.example"})
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	e := matched("run", "a", 0, 60)
	e.text = strings.Replace(enforced(text), "sku: EXCHANGESTANDARD,", "sku: EXCHANGESTANDARD, mailboxQuota: 50,", 1)
	e.scheduled, e.mailboxes = true, &snapshot.Mailboxes{Key: "mailboxes.jsonl.gz"}
	for i := range e.partitions[0] {
		e.partitions[0][i].Mailbox = true
	}
	e.partitions = append(e.partitions, []plan.Decision{guarded("z", 80)})
	e.taken = []ledger.Intent{{Person: "gone", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}}
	e.putInto(t, s)
	if p, err = Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	return s.Objects(), p.PlanHash
}

// TestAFailingStoreHoldsEveryStep: if any call of the store fails, the step fails and does not go on. There is one
// exception: a step that cannot write the report goes on.
func TestAFailingStoreHoldsEveryStep(t *testing.T) {
	t.Parallel()
	restore := func(r Request) func(string) StepInput {
		return func(string) StepInput {
			return StepInput{Op: "restore", Entrance: entrance.Restore, Started: clock, Request: r}
		}
	}
	for name, tc := range map[string]struct {
		in    func(hash string) StepInput // returns the input, given the hash of the plan
		calls int                         // smallest number of store calls that the step must make
	}{
		"gate":   {func(string) StepInput { return StepInput{Op: "gate", Run: "run", Apply: true} }, 25},
		"hold":   {func(string) StepInput { return StepInput{Op: "hold", Run: "run"} }, 4},
		"settle": {func(string) StepInput { return StepInput{Op: "settle", Run: "run"} }, 5},
		"approve": {func(hash string) StepInput {
			return StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: hash}}
		}, 8},
		"restore":                    {restore(Request{Restore: "earlier"}), 10},
		"restore one":                {restore(Request{User: "bob"}), 10},
		"restore all without a plan": {restore(Request{Restore: "r9"}), 10},
		"restore one without a plan": {restore(Request{Restore: "r9", User: "gone"}), 10},
		"restore open":               {restore(Request{Restore: "earlier", User: "ann"}), 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			template, hash := lively(t)
			do := func(nth int) (*failing.Store, *StepOutput, error) {
				inner := &store.Memory{}
				inner.Become(template)
				s, f := stepsOn(inner), failing.Nth(inner, nth)
				s.Store = f
				out, err := s.Do(t.Context(), tc.in(hash))
				return f, out, err
			}
			all, whole, err := do(0)
			if len(all.Keys()) < tc.calls || err != nil {
				t.Fatalf("%d calls, want at least %d: %+v, %v", len(all.Keys()), tc.calls, whole, err)
			}
			without := 0
			for nth := 1; nth <= len(all.Keys()); nth++ {
				f, out, err := do(nth)
				if err == nil && out.NoReport != "" {
					without++
					if d := cmp.Diff(whole, out, cmpopts.IgnoreFields(StepOutput{}, "Report", "NoReport")); d != "" || out.Report != "" {
						t.Errorf("call %d of %d, %s, fails: report %q (-with a report +without):\n%s", nth, len(all.Keys()), f.Keys()[nth-1], out.Report, d)
					}
					continue
				}
				if !errors.Is(err, failing.Err) || out != nil {
					t.Errorf("call %d of %d, %s, fails: %+v, %v", nth, len(all.Keys()), f.Keys()[nth-1], out, err)
				}
			}
			if (without > 0) != (whole.Report != "") {
				t.Errorf("%d calls cost only the report %q", without, whole.Report)
			}
		})
	}
}
