package gate

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// goesOn writes the objects that a run needs to go on with its changes.
func goesOn(t *testing.T, s store.Store, run string) {
	t.Helper()
	err := snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: run, AsOf: asOf, Tenant: tenant, Policy: text, Partitions: 1})
	if errors.Is(err, store.ErrExists) {
		err = nil
	}
	err = errors.Join(err, snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: run}))
	if _, missing := runs.GetPlan(t.Context(), s, run); errors.Is(missing, runs.ErrNoPlan) {
		p := &plan.Plan{Run: run, Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{}}
		p.Bind()
		err = errors.Join(err, runs.PutPlan(t.Context(), s, p, runs.Nobody))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestResume: the next run continues changes that earlier runs began. A scheduled run in mode enforce needs no approval
// for this. A run in mode review continues them when an operator approves its plan.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, mode := range []policy.Mode{policy.Enforce, policy.Review} {
		e := quiet()
		if mode == policy.Enforce {
			e.text, e.scheduled = enforced(text), true
		}
		e.partitions[0] = []plan.Decision{{User: "ann", Rule: "m365", License: "e3", Outcome: policy.NotHolder, Pending: "earlier", Refused: "pending: run earlier"}}
		s := steps(t, e)
		old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ledger.Done})
		out := s.gated(t, false)
		p, err := runs.GetPlan(t.Context(), s.Store, "run")
		if err != nil || cmp.Diff([]string{"earlier"}, p.Resumes) != "" || p.Verdict != plan.Nothing {
			t.Fatalf("verdict %s, resumes %v, %v", p.Verdict, p.Resumes, err)
		}
		if mode == policy.Review {
			if out.Go {
				t.Errorf("in review it goes on without approval: %+v", out)
			}
			if out, err = s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: p.PlanHash}}); err != nil {
				t.Fatal(err)
			}
		}
		want := Batches{Entra: []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun}}, AD: []Batch{}}
		if d := cmp.Diff(want, out.Batches); d != "" || !out.Go {
			t.Errorf("%s: goes on %t, batches (-want +got):\n%s", mode, out.Go, d)
		}
		last, err := ledger.In(s.Store).Latest(t.Context(), "ann", "e3")
		if err != nil || ledger.In(s.Store).Complete(t.Context(), last, ledger.Completion{Outcome: ledger.Done}) != nil {
			t.Fatal(err)
		}
		if out, err = s.Do(t.Context(), StepInput{Op: "settle", Run: "run"}); err != nil || out.Batches.any() || out.Go {
			t.Errorf("%s, all done: %+v, %v", mode, out, err)
		}
	}
}

// TestApproveWhatIsOpen: an operator can approve a plan again to finish a change that is begun in the ledger, even if
// there is a newer plan.
func TestApproveWhatIsOpen(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ""})
	r := &runs.Results{Run: "earlier", PlanHash: old.PlanHash}
	stuck := runs.ResultOf(&old.Changes[0], runs.Pending, "the relay brought no evidence")
	stuck.Retry = true
	r.Set(stuck)
	if err := runs.PutResults(t.Context(), s.Store, "entra-0001", r); err != nil {
		t.Fatal(err)
	}
	s.gated(t, false) // a newer plan
	out, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "earlier", PlanHash: old.PlanHash}})
	if err != nil || !out.Go || len(out.Batches.Entra) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestRestorePlans: a restore restores the licenses that a run took, and resumes unfinished earlier restores. A restore
// for one person also stops the run's unfinished change for this person.
func TestRestorePlans(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		user    string
		want    []string // people whose license is restored
		resumes []string
		stopped map[string]bool // people whose changes the run must not make any more
	}{
		"everybody":        {"", []string{"ann", "bob", "dan"}, []string{"back"}, nil}, // bob: the data of the run "earlier" has expired, so "earlier" cannot roll back
		"one, done":        {"ann", []string{"ann"}, nil, map[string]bool{"ann": true}},
		"one, by name":     {"DAN@x.example", []string{"dan"}, nil, map[string]bool{"dan": true}},
		"one, on its way":  {"cid", nil, []string{"back"}, map[string]bool{"cid": true}},
		"one, under way":   {"bob", []string{"bob"}, nil, map[string]bool{"bob": true}},
		"somebody unknown": {"eve", nil, nil, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steps(t, quiet()).Store
			if _, err := Run(t.Context(), s, "run", clock); err != nil { // the restore uses the data of this run
				t.Fatal(err)
			}
			earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": "", "cid": ledger.Done, "dan": ledger.Done})
			book := ledger.In(s)
			last, err := book.Latest(t.Context(), "cid", "e3")
			if err == nil {
				_, err = book.Begin(t.Context(), ledger.Intent{Person: "cid", License: "e3", Run: "back", Rule: plan.RestoreRule, RestoreOf: "earlier"}, last)
			}
			goesOn(t, s, "back")
			if err != nil {
				t.Fatal(err)
			}
			p, err := restore.Plan(t.Context(), s, restore.Request{Of: "earlier", User: tc.user, Run: "mine"}, clock)
			if len(tc.want)+len(tc.resumes) == 0 {
				if !errors.Is(err, restore.ErrNothing) {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range p.Changes {
				if want := map[bool]float64{false: -35}[c.User == "bob"]; c.RestoreOf != "earlier" || c.Rule != plan.RestoreRule || c.MonthlySaving != want {
					t.Errorf("%+v", c)
				}
				got = append(got, c.User)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("people (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.resumes, p.Resumes); d != "" {
				t.Errorf("resumes (-want +got):\n%s", d)
			}
			by, err := history.Withdrawn(t.Context(), s, "earlier")
			if want := map[bool]string{true: "mine"}[tc.user == ""]; by != want || err != nil {
				t.Errorf("the run is stopped by %q, %v", by, err)
			}
			stopped, err := history.Stopped(t.Context(), s, "earlier")
			if d := cmp.Diff(tc.stopped, stopped, cmpopts.EquateEmpty()); d != "" || err != nil {
				t.Errorf("%v, people whose changes are stopped (-want +got):\n%s", err, d)
			}
		})
	}
	if _, err := restore.Plan(t.Context(), steps(t, quiet()).Store, restore.Request{Of: "never", Run: "mine"}, clock); !errors.Is(err, runs.ErrNoPlan) {
		t.Errorf("a run that never was: %v", err)
	}
}

// TestRestoreOfOne: a restore that names only a person finds the run that took the person's licenses. It is refused if
// several runs took licenses of the person.
func TestRestoreOfOne(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	if _, err := Run(t.Context(), s.Store, "run", clock); err != nil {
		t.Fatal(err)
	}
	earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": "", "cid": ledger.RolledBack, "dan": ledger.Done})
	book := ledger.In(s.Store)
	e, err := book.Begin(t.Context(), ledger.Intent{Person: "dan", License: "citrix", Run: "later", Rule: "citrix", Via: "ad-group", At: asOf}, nil)
	if err == nil {
		err = book.Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: asOf})
	}
	if err != nil {
		t.Fatal(err)
	}
	restore := func(user string) (*StepOutput, error) {
		return s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: user, Started: clock, Request: Request{User: user}})
	}
	out, err := restore("ann")
	if err != nil || out.Changes != 1 || !out.Go {
		t.Fatalf("%+v, %v", out, err)
	}
	if p, err := runs.GetPlan(t.Context(), s.Store, out.Run); err != nil || p.Restores != "earlier" || p.Changes[0].User != "ann" {
		t.Errorf("%+v, %v", p, err)
	}
	if out, err := restore("bob"); err != nil || out.Changes != 1 || !out.Go { // the restore is pending
		t.Errorf("%+v, %v", out, err)
	}
	for user, want := range map[string]string{
		"dan": "licenses of \"dan\" were taken by the runs later and earlier",
		"cid": "nobody in run run has the name \"cid\"",
		"":    "no plan",
	} {
		if out, err := restore(user); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", user, out, err, want)
		}
	}
}

// TestRestoreResumesWhatGoesBack: a restore resumes the changes of an earlier run only to return licenses. The resumed
// batches have the scope runs.Back. Reasons that forbid the earlier run to take licenses do not stop such batches.
func TestRestoreResumesWhatGoesBack(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	old := earlier.Run(t, s.Store, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ledger.Done})
	goesOn(t, s.Store, "earlier")
	want := []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Back}}
	out, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "e", Started: clock, Request: Request{Restore: "earlier", User: "ann"}})
	if err != nil || len(out.Batches.Entra) != 1 || cmp.Diff(want, out.Batches.Entra) != "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = s.Do(t.Context(), StepInput{Op: "settle", Run: out.Run}); err != nil || cmp.Diff(want, out.Batches.Entra) != "" || out.Resumed[runs.Pending] != 1 {
		t.Errorf("the next round: %+v, %v", out, err)
	}
}

// TestResumeWithoutResults: the results of an earlier run are damaged. A new run resumes the earlier run all the same,
// and names the damaged object. If the earlier run itself continues, its step "settle" fails.
func TestResumeWithoutResults(t *testing.T) {
	t.Parallel()
	objects := store.Store(&store.Memory{})
	old := earlier.Run(t, objects, "earlier", map[string]ledger.Outcome{"ann": ""})
	goesOn(t, objects, "earlier")
	if err := store.PutBytes(t.Context(), objects, "runs/earlier/results/entra-0001.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	e := quiet()
	e.text, e.scheduled = enforced(text), true
	e.taken = []ledger.Intent{{Person: "zoe", License: "e3", Run: "r9", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)}} // any entry: only with one, putInto makes the digest of earlier runs
	e.putInto(t, objects)
	s := stepsOn(objects)
	out := s.gated(t, false)
	want := []Batch{{Run: "earlier", PlanHash: old.PlanHash, Batch: "entra-0001", Scope: runs.Begun}}
	if d := cmp.Diff(want, out.Batches.Entra); d != "" || !out.Go {
		t.Errorf("batches (-want +got):\n%s", d)
	}
	if p, err := runs.GetPlan(t.Context(), s.Store, "run"); err != nil || !strings.Contains(strings.Join(p.Notes, "\n"), `"runs/earlier/results/entra-0001.json"`) {
		t.Errorf("%v, notes %q", err, p.Notes)
	}
	if _, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "earlier"}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("settled: %v", err)
	}
}
