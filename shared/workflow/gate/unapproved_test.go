package gate

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestUnapprovedNight: a scheduled night in mode review finishes the changes that earlier runs began. Its own plan
// waits for an operator.
func TestUnapprovedNight(t *testing.T) {
	t.Parallel()
	e := busy()
	e.scheduled = true
	e.partitions[0] = append(e.partitions[0], plan.Decision{User: "ann", Rule: "m365", License: "e3", Outcome: policy.NotHolder, Pending: "earlier", Refused: "pending: run earlier"})
	s := steps(t, e)
	old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ""})
	out := s.gated(t, false)
	want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001"}}, AD: []Batch{}}
	if d := cmp.Diff(want, out.Batches); d != "" || !out.Go || !out.Unapproved || out.Changes == 0 {
		t.Fatalf("goes on %t, unapproved %t, %d changes, batches (-want +got):\n%s", out.Go, out.Unapproved, out.Changes, d)
	}
}

// TestUnapprovedRounds: if a plan waits for an operator, no round of the night begins the changes of that plan. The
// night goes on while changes of earlier runs are pending. Its notice reports both the waiting plan and the earlier
// changes.
func TestUnapprovedRounds(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.partitions[0] = []plan.Decision{reclaim("new", 70)}
	s := steps(t, e)
	old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ""})
	p := &plan.Plan{
		Run: "run", Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{{User: "new", License: "e3", Via: plan.Direct, MonthlySaving: 35}},
		Resumes: []string{"earlier"}, Pending: []plan.Begun{{User: "ann", License: "e3", Run: "earlier"}},
	}
	p.Bind()
	slow := &runs.Results{Run: "earlier", PlanHash: old.PlanHash}
	slow.Set(runs.ResultOf(&old.Changes[0], runs.Pending, "the directory does not show it yet"))
	if err := errors.Join(runs.PutPlan(t.Context(), s.Store, p, runs.Nobody), runs.PutResults(t.Context(), s.Store, "entra-0001", slow)); err != nil {
		t.Fatal(err)
	}
	settle := func(round int) *StepOutput {
		out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: round, Unapproved: true})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out := settle(troubleRounds)
	want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001"}}, AD: []Batch{}}
	if d := cmp.Diff(want, out.Batches); d != "" || !out.Go || out.Resumed[runs.Pending] != 1 || out.Results != nil {
		t.Errorf("while it is pending: goes on %t, resumed %v, results %v, batches (-want +got):\n%s", out.Go, out.Resumed, out.Results, d)
	}
	if m := s.told(t, out).Metrics("notice"); m["Pending"] != 1 {
		t.Errorf("metrics %v", m)
	}
	last, err := ledger.In(s.Store).Latest(t.Context(), "ann", "e3")
	if err != nil || ledger.In(s.Store).Complete(t.Context(), last, ledger.Completion{Outcome: ledger.Done}) != nil {
		t.Fatal(err)
	}
	out = settle(troubleRounds + 1)
	if out.Go || out.Batches.any() || !out.Unapproved {
		t.Errorf("all is done: %+v", out)
	}
	told := s.told(t, out)
	if told.Notice.Outcome != Waiting || !strings.Contains(told.Notice.Message, "begun by earlier runs: done 1") || !strings.Contains(told.Notice.Message, " "+p.PlanHash+" ") {
		t.Errorf("%s: %s", told.Notice.Outcome, told.Notice.Message)
	}
	if m := told.Metrics("notice"); m["Done"] != 1 || m["Pending"] != 0 {
		t.Errorf("metrics %v", m)
	}
}
