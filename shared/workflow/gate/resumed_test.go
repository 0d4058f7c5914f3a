package gate

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// TestResumedChanges: the step "settle" counts the changes of the run, and separately the unfinished changes of earlier
// runs. If an operator overrode the limits of a run, all later batches of this run are marked as overridden.
func TestResumedChanges(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.partitions[0] = []plan.Decision{reclaim("new", 70)}
	s := steps(t, e)
	old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ledger.Done, "cid": ""})
	p := &plan.Plan{
		Run: "run", Mode: policy.Enforce, Verdict: plan.Apply, Changes: []plan.Change{{User: "new", License: "e3", Via: plan.Direct, MonthlySaving: 35}, {User: "other", License: "e3", Via: plan.Direct, MonthlySaving: 9}},
		Resumes: []string{"earlier", "gone"}, Pending: []plan.Begun{{User: "ann", License: "e3", Run: "earlier"}, {User: "cid", License: "e3", Run: "another"}, {User: "eve", License: "e3", Run: "earlier"}, {User: "cid", License: "e3", Run: "earlier"}},
	}
	p.Bind()
	noted := &history.Override{Run: "earlier", PlanHash: old.PlanHash} // from a process that died before it wrote results
	if err := history.PutOverride(t.Context(), s.Store, noted); err != nil {
		t.Fatal(err)
	}
	if err := runs.PutPlan(t.Context(), s.Store, p, runs.Nobody); err != nil {
		t.Fatal(err)
	}
	book := ledger.In(s.Store)
	done, err := book.Begin(t.Context(), ledger.Intent{Person: "new", License: "e3", Run: "run", At: asOf}, nil)
	if err != nil || book.Complete(t.Context(), done, ledger.Completion{Outcome: ledger.Done}) != nil {
		t.Fatal(err)
	}
	own := &runs.Results{Run: "run", PlanHash: p.PlanHash, Override: p.PlanHash}
	if err := runs.PutResults(t.Context(), s.Store, "entra-0001", own); err != nil {
		t.Fatal(err)
	}
	out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Batch{{Run: "run", PlanHash: p.PlanHash, Override: true, Batch: "entra-0001"}, {Run: "earlier", PlanHash: old.PlanHash, Override: true, Batch: "entra-0001", Scope: runs.Begun}}
	if d := cmp.Diff(want, out.Batches.Entra); d != "" {
		t.Errorf("batches (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[runs.Status]int{runs.Pending: 2}, out.Resumed); d != "" {
		t.Errorf("resumed (-want +got):\n%s", d)
	}
	if out.MonthlySaving != 35 || out.Results[runs.Done] != 1 || out.Results[runs.Pending] != 1 {
		t.Errorf("%+v", out)
	}
}

// TestRoundsOfWaiting: a run tries a change that waits for a repair only a few times. It tries any other change for
// about a day.
func TestRoundsOfWaiting(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		again bool // whether the change waits for a fault to be repaired
		round int
		want  bool
	}{
		"trouble, at first":       {true, 0, true},
		"trouble, a last time":    {true, troubleRounds - 2, true},
		"trouble, once too often": {true, troubleRounds - 1, false},
		"waiting, a last time":    {false, mostRounds - 2, true},
		"waiting, for too long":   {false, mostRounds - 1, false},
		"waiting, beyond trouble": {false, troubleRounds, true},
	} {
		e := quiet()
		e.partitions[0] = []plan.Decision{reclaim("a", 70)}
		s := steps(t, e)
		s.gated(t, false)
		p, err := runs.GetPlan(t.Context(), s.Store, "run")
		if err != nil {
			t.Fatal(err)
		}
		said := &runs.Results{Run: "run", PlanHash: p.PlanHash}
		r := runs.ResultOf(&p.Changes[0], runs.Pending, "waits")
		r.Retry = tc.again
		said.Set(r)
		if err := runs.PutResults(t.Context(), s.Store, "entra-0001", said); err != nil {
			t.Fatal(err)
		}
		if out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: tc.round}); err != nil || out.Go != tc.want || out.Batches.Entra[0].Override {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// TestAgeOfFeeds: the state that a step returns has the age of the newest date of each source. A source without a
// newest date has no age.
func TestAgeOfFeeds(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.entra.Newest, e.ad.Newest = asOf.Add(-90*time.Minute), time.Time{}
	if d := cmp.Diff(map[string]float64{"entra": 1.5}, steps(t, e).gated(t, false).FeedAge); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestRestoresOnTheWay: a restore resumes each unfinished earlier restore once, in a fixed order.
func TestRestoresOnTheWay(t *testing.T) {
	t.Parallel()
	s := quiet().put(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Done, "cid": ledger.Done, "dan": ledger.Done})
	book := ledger.In(s)
	for user, run := range map[string]string{"ann": "back2", "bob": "back1", "cid": "back2"} {
		last, err := book.Latest(t.Context(), user, "e3")
		if err == nil {
			_, err = book.Begin(t.Context(), ledger.Intent{Person: user, SID: "S-" + user, UserPrincipalName: user + "@x.example", License: "e3", Run: run, Rule: plan.RestoreRule, RestoreOf: "earlier"}, last)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	goesOn(t, s, "back1")
	goesOn(t, s, "back2")
	for user, want := range map[string][]string{"": {"back1", "back2"}, "cid": {"back2"}, "S-bob": {"back1"}, "ANN@x.example": {"back2"}} {
		p, err := restore.Plan(t.Context(), s, restore.Request{Of: "earlier", User: user, Run: "mine-" + user, Policy: text}, clock)
		if err != nil {
			t.Errorf("%s: %v", user, err)
			continue
		}
		if d := cmp.Diff(want, p.Resumes, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", user, d)
		}
		if n := map[string]int{"": 3}[user]; user == "" && len(p.Pending) != n {
			t.Errorf("%d are pending", len(p.Pending))
		}
	}
}

// TestOneGroupInDoubtOfTwoQuestions: a group exempts people, and also gives a license. If its members are in doubt, the
// plan has one sentence about the group, and not two.
func TestOneGroupInDoubtOfTwoQuestions(t *testing.T) {
	t.Parallel()
	j := inDoubt(t, func(j *judgement) {
		j.Begin.Earlier = &directory.Earlier{Members: map[string]int{citrixGroup.Key(true): 9}}
	})
	if got := j.doubts(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// TestRestoreByThePolicyInForce: the plan of a restore has the mode of the policy in force. If that policy cannot be
// read, it has the mode of the run that took the licenses.
func TestRestoreByThePolicyInForce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		inForce string
		err     error
		want    plan.Verdict
	}{
		"enforce":        {enforced(text), nil, plan.Apply},
		"review":         {text, nil, plan.Review},
		"cannot be read": {enforced(text), errDown, plan.Review},
	} {
		s := steps(t, quiet())
		earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ledger.Done})
		book := ledger.In(s.Store)
		e, err := book.Begin(t.Context(), ledger.Intent{Person: "ann", License: "citrix", Run: "later", Rule: "citrix", Via: "ad-group", At: asOf}, nil)
		if err != nil || book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done}) != nil {
			t.Fatal(err)
		}
		s.Policy = func(context.Context) (string, error) { return tc.inForce, tc.err }
		out, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "x", Started: clock, Request: Request{Restore: "earlier", User: "ann"}})
		if err != nil || out.Verdict != tc.want || out.Changes != 1 || !out.Go || out.Batches.Entra[0].Override {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// TestRestoreGoesOnWithAnother: a restore also works on the batches of an unfinished earlier restore.
func TestRestoreGoesOnWithAnother(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Done})
	first, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "a", Started: clock, Request: Request{Restore: "earlier", User: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	wrote(t, ledger.In(s.Store), "ann", first.Run, "earlier", "")
	second, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "b", Started: clock.Add(time.Minute), Request: Request{Restore: "earlier"}})
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	for _, b := range second.Batches.Entra {
		runs = append(runs, b.Run)
	}
	if d := cmp.Diff([]string{first.Run, second.Run}, runs); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestOpenChangeOfALostPlan: an earlier run began a change and did not finish it. If the plan of that run is lost, the
// new plan reports the change, and no run resumes it. If the plan and the data exist, a run resumes the change in every
// mode except audit.
func TestOpenChangeOfALostPlan(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mode    string
		there   bool
		resumes []string
		reason  string
	}{
		"audit":        {"audit", true, nil, "begun, and nothing is known of it since"},
		"review":       {"review", true, []string{"lost"}, "begun, and nothing is known of it since"},
		"audit, lost":  {"audit", false, nil, `it waits for a restore: its plan cannot be read: run "lost": the run has no plan`},
		"review, lost": {"review", false, nil, `it waits for a restore: its plan cannot be read: run "lost": the run has no plan`},
	} {
		e := quiet()
		s := e.put(t)
		wrote(t, ledger.In(s), "ann", "lost", "", "")
		if tc.there {
			goesOn(t, s, "lost")
		}
		key, err := history.MakeDigest(t.Context(), s, "later", asOf)
		if err != nil {
			t.Fatal(err)
		}
		e.run, e.history, e.text = "later", key, strings.Replace(text, "mode: review", "mode: "+tc.mode, 1)
		e.putInto(t, s)
		p, err := Run(t.Context(), s, "later", clock)
		if err != nil || len(p.Pending) != 1 || p.Pending[0].Reason != tc.reason {
			t.Fatalf("%s: %+v, %v", name, p, err)
		}
		if d := cmp.Diff(tc.resumes, p.Resumes); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if noted := slices.Contains(p.Notes, "run lost cannot finish what it began: its plan cannot be read: run \"lost\": the run has no plan; `idleseat restore --run lost` rolls that back by the ledger"); noted == tc.there {
			t.Errorf("%s: notes %q", name, p.Notes)
		}
	}
}

// TestClosedPlanOfAnUnreadableLedger: after an edit of the policy, a plan can be approved only to finish the changes
// that it has begun. If the ledger cannot be read, nobody knows whether there are any, so the approval fails.
func TestClosedPlanOfAnUnreadableLedger(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.partitions[0] = []plan.Decision{reclaim("a", 70)}
	s := steps(t, e)
	planned := s.gated(t, false)
	s.Policy = func(context.Context) (string, error) { return text + "# edited", nil }
	inner := s.Store
	for nth := 1; nth < 40; nth++ {
		s.Store = failing.Nth(inner, nth)
		if out, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: planned.PlanHash}}); err == nil {
			t.Errorf("call %d fails: %+v", nth, out)
		}
	}
}

// TestRunThatCanEndItself: an operator restores a run that has an open change. If the data of this run can be read, the
// run is resumed and rolls its change back. The plan of the restore then has no change for it.
func TestRunThatCanEndItself(t *testing.T) {
	t.Parallel()
	e := quiet()
	e.partitions[0] = []plan.Decision{reclaim("bob", 70)}
	s := steps(t, e).Store
	if _, err := Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.In(s).Begin(t.Context(), ledger.Intent{Person: "bob", License: "e3", Run: "run", Rule: "m365"}, nil); err != nil {
		t.Fatal(err)
	}
	p, err := restore.Plan(t.Context(), s, restore.Request{Of: "run", Run: "mine"}, clock)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Changes) != 0 || len(p.Resumes) != 1 || p.Resumes[0] != "run" {
		t.Errorf("changes %+v, resumes %v", p.Changes, p.Resumes)
	}
	for run, want := range map[string]bool{"run": false, "lost": true} {
		if _, err := decision.Open(t.Context(), s, run); runs.Gone(err) != want {
			t.Errorf("%s: %v", run, err)
		}
	}
}

// TestTakenBeforeItWasStopped: a restore stops a change that an earlier run has begun. The earlier run takes the
// license before it sees the stop. The restore then reports this change as failed, and its message asks the operator to
// restore again.
func TestTakenBeforeItWasStopped(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ""})
	goesOn(t, s.Store, "earlier")
	out, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "x", Started: clock, Request: Request{Restore: "earlier"}})
	if err != nil || out.Resumed[runs.Pending] != 2 {
		t.Fatalf("%+v, %v", out, err)
	}
	book := ledger.In(s.Store)
	for user, o := range map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Restored} {
		last, err := book.Latest(t.Context(), user, "e3")
		if err != nil || book.Complete(t.Context(), last, ledger.Completion{Outcome: o}) != nil {
			t.Fatal(err)
		}
	}
	out, err = s.Do(t.Context(), StepInput{Op: "settle", Run: out.Run})
	if err != nil || out.Go {
		t.Fatalf("%+v, %v", out, err)
	}
	if d := cmp.Diff(map[runs.Status]int{runs.Failed: 1, runs.Kept: 1}, out.Resumed); d != "" || out.ResumedSaving != 0 {
		t.Errorf("saves %g, resumed (-want +got):\n%s", out.ResumedSaving, d)
	}
	if n := s.told(t, out).Notice; !strings.Contains(n.Subject, "1 FAILED") || !strings.Contains(n.Message, "restore again") {
		t.Errorf("%+v", n)
	}
}
