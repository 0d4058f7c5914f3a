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
	want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun}}, AD: []Batch{}}
	if d := cmp.Diff(want, out.Batches); d != "" || !out.Go || !out.Unapproved || out.Changes == 0 {
		t.Fatalf("goes on %t, unapproved %t, %d changes, batches (-want +got):\n%s", out.Go, out.Unapproved, out.Changes, d)
	}
}

func TestNightOfNothingNeedsNoApproval(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.scheduled = true
	e.partitions[0] = []plan.Decision{{User: "ann", Rule: "m365", License: "e3", Outcome: policy.NotHolder, Pending: "earlier", Refused: "pending: run earlier"}}
	s := steps(t, e)
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ""})
	out := s.gated(t, false)
	if out.Unapproved || !out.Go || out.Verdict != plan.Nothing {
		t.Fatalf("%+v", out)
	}
}

// TestNoticeOfEarlierChanges: the notice of an execution without changes of its own says whether the changes of earlier
// runs are done.
func TestNoticeOfEarlierChanges(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]plan.Plan{
		"a night of nothing":        {Mode: policy.Enforce, Verdict: plan.Nothing},
		"a restore of open changes": {Mode: policy.Review, Verdict: plan.Review, Restores: "earlier"},
	} {
		s := steps(t, quiet())
		old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ""})
		p := &own
		p.Run, p.Changes, p.Resumes, p.Pending = "run", []plan.Change{}, []string{"earlier"}, []plan.Begun{{User: "ann", License: "e3", Run: "earlier"}}
		p.Bind()
		slow := &runs.Results{Run: "earlier", PlanHash: old.PlanHash}
		slow.Set(runs.ResultOf(&old.Changes[0], runs.Pending, "the directory does not show it yet"))
		if err := errors.Join(runs.PutPlan(t.Context(), s.Store, p, runs.Nobody), runs.PutResults(t.Context(), s.Store, "entra-0001", slow)); err != nil {
			t.Fatal(err)
		}
		ends := func(want Outcome, subject string) {
			out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: mostRounds})
			if err != nil {
				t.Fatal(err)
			}
			notice := s.told(t, out).Notice
			if notice.Outcome != want || notice.Subject != subject || !strings.Contains(notice.Message, "Changes    none\n") {
				t.Errorf("%s: %s, %s\n%s", name, notice.Outcome, notice.Subject, notice.Message)
			}
		}
		ends(Waits, ": 0 of 1 change done, 1 pending")
		last, err := ledger.In(s.Store).Latest(t.Context(), "ann", "e3")
		outcome := map[bool]ledger.Outcome{true: ledger.Restored, false: ledger.Done}[p.Restores != ""]
		if err != nil || ledger.In(s.Store).Complete(t.Context(), last, ledger.Completion{Outcome: outcome}) != nil {
			t.Fatal(err)
		}
		ends(Done, map[bool]string{true: ": restored, 0 changes", false: ": done, 0 changes"}[p.Restores != ""])
	}
}

// TestUnapprovedRounds: while a plan waits for an operator, the night finishes the changes of earlier runs. The notice
// of the night reports the waiting plan and these changes. The waiting plan gets no results, which would show its
// changes as pending.
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
	want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun}}, AD: []Batch{}}
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
	if own, err := runs.Outcome(t.Context(), s.Store, p); err != nil || len(own.Results) > 0 {
		t.Errorf("the plan that waits has the results %+v, %v", own, err)
	}
	told := s.told(t, out)
	if told.Notice.Outcome != Waiting || !strings.Contains(told.Notice.Message, "begun by earlier runs: done 1") || !strings.Contains(told.Notice.Message, " "+p.PlanHash+" ") {
		t.Errorf("%s: %s", told.Notice.Outcome, told.Notice.Message)
	}
	if m := told.Metrics("notice"); m["Done"] != 1 || m["Pending"] != 0 {
		t.Errorf("metrics %v", m)
	}
}
