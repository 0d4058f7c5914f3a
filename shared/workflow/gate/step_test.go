package gate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

func steps(t *testing.T, e evaluated) *Steps {
	t.Helper()
	return stepsOn(e.put(t))
}

// stepsOn returns steps over a store. The policy in force is the policy of the run "run".
func stepsOn(over store.Store) *Steps {
	s := &Steps{Store: over, Now: func() time.Time { return clock }}
	s.Policy = func(ctx context.Context) (string, error) {
		begin, err := snapshot.GetBegin(ctx, over, "run")
		if err != nil {
			return "", err
		}
		return begin.Policy, nil
	}
	return s
}

func (s *Steps) gated(t *testing.T, apply bool) *StepOutput {
	t.Helper()
	out, err := s.Do(t.Context(), StepInput{Op: "gate", Run: "run", Apply: apply})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *Steps) approves(t *testing.T, p *plan.Plan) error {
	t.Helper()
	_, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: p.Run, PlanHash: p.PlanHash}})
	return err
}

// TestWhatGoesOn: a scheduled run applies its plan only in mode enforce. A run for everybody that an operator starts
// only makes a plan. A run for one person can apply its plan, except in mode audit, because the request for such a run
// is also the approval.
func TestWhatGoesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		mode      string
		scheduled bool
		apply     bool
		want      bool
	}{
		{"audit", true, false, false}, {"audit", false, true, false}, {"review", true, false, false}, {"review", false, true, true},
		{"enforce", true, false, true}, {"enforce", false, false, false}, {"enforce", false, true, true},
	} {
		e := busy()
		e.scheduled = tt.scheduled
		e.text = strings.Replace(text, "mode: review", "mode: "+tt.mode, 1)
		if got := steps(t, e).gated(t, tt.apply); got.Go != tt.want || got.Scheduled != tt.scheduled || got.Changes == 0 || got.Batches.any() && got.Batches.Entra[0].Override {
			t.Errorf("%s, asked to apply %t: go %t with %d changes", tt.mode, tt.apply, got.Go, got.Changes)
		}
	}
	s := steps(t, quiet())
	if got := s.gated(t, true); got.Go || s.told(t, got).Notice.Outcome != Nothing {
		t.Errorf("a plan of nothing goes on: %+v", got)
	}
}

func TestApprove(t *testing.T) {
	t.Parallel()
	s := steps(t, busy())
	planned := s.gated(t, false)
	for name, tt := range map[string]struct {
		in   Request
		want string // part of the refusal
	}{
		"that plan":    {in: Request{Run: "run", PlanHash: planned.PlanHash}},
		"another hash": {in: Request{Run: "run", PlanHash: "x"}, want: planned.PlanHash},
		"no hash":      {in: Request{Run: "run"}, want: planned.PlanHash},
	} {
		out, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: tt.in})
		switch {
		case tt.want == "" && (err != nil || !out.Go || len(out.Batches.Entra)+len(out.Batches.AD) == 0):
			t.Errorf("%s: %+v, %v", name, out, err)
		case tt.want != "" && (!errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "none", PlanHash: "x"}}); !errors.Is(err, runs.ErrNoPlan) {
		t.Errorf("no such run: %v", err)
	}
	if _, err := s.Do(t.Context(), StepInput{Op: "fly"}); !errors.Is(err, runs.ErrRefused) {
		t.Errorf("unknown step: %v", err)
	}
}

// TestClosed: an operator cannot approve a plan that may begin no change any more, for example because it expired or
// because the policy has changed.
func TestClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		close func(*testing.T, *Steps)
		want  string
		is    error
	}{
		"the policy changed": {func(_ *testing.T, s *Steps) {
			s.Policy = func(context.Context) (string, error) { return text + "# edited\n", nil }
		}, "policy has changed", runs.ErrRefused},
		"the policy cannot be read": {func(_ *testing.T, s *Steps) {
			s.Policy = func(context.Context) (string, error) { return "", errDown }
		}, "down", errDown},
		"expired": {func(_ *testing.T, s *Steps) {
			s.Now = func() time.Time { return clock.Add(plan.Lifetime + time.Hour) }
		}, "the plan expired at", runs.ErrRefused},
		"a newer plan": {func(t *testing.T, s *Steps) {
			if err := history.PutPlanned(t.Context(), s.Store, &history.Planned{Run: "run2"}, true); err != nil {
				t.Fatal(err)
			}
		}, "run2 superseded it", runs.ErrRefused},
		"restored": {func(t *testing.T, s *Steps) {
			if err := history.Withdraw(t.Context(), s.Store, "run", "run-3", clock); err != nil {
				t.Fatal(err)
			}
		}, "run-3 restores it", runs.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steps(t, busy())
			planned := s.gated(t, false)
			tt.close(t, s)
			_, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: planned.PlanHash}})
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	for _, scheduled := range []bool{true, false} {
		e := busy()
		e.scheduled = scheduled
		if out, err := steps(t, e).Do(t.Context(), StepInput{Op: "hold", Run: "run"}); err != nil || out.Scheduled != scheduled {
			t.Errorf("scheduled %t: %+v, %v", scheduled, out, err)
		}
	}
	s := steps(t, busy())
	out, err := s.Do(t.Context(), StepInput{Op: "hold", Run: "run", Failure: Failure{"E", strings.Repeat("x", 5000)}})
	if err != nil || out.Verdict != plan.Hold || out.Go || out.Changes != 0 || len(out.HoldReasons[0]) > 1000 || s.told(t, out).Metrics("notice")["Held"] != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	in := Request{Run: "run", PlanHash: out.PlanHash, Override: true}
	if _, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Override, Request: in}); !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "the plan is held: not everybody could be evaluated (E): xxx") {
		t.Errorf("overridden: %v", err)
	}
}

// approvedAgain approves a plan again. The parameter "before" has the results that an earlier execution reported. The
// new execution must not report them a second time.
func (s *Steps) approvedAgain(t *testing.T, p *plan.Plan, before Totals) {
	t.Helper()
	out, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: p.Run, PlanHash: p.PlanHash}})
	if err != nil || out.Before != before {
		t.Fatalf("%+v, %v", out, err)
	}
	if out, err = s.Do(t.Context(), StepInput{Op: "settle", Run: p.Run, Round: 5, Before: out.Before}); err != nil {
		t.Fatal(err)
	}
	m := s.told(t, out).Metrics("notice")
	if m["Done"] != 0 || m["MonthlySaving"] != 0 || m["Pending"] != 1 || out.Results[runs.Done] != before.Done {
		t.Errorf("metrics %v of %+v", m, out)
	}
}

// TestSettle: the ledger decides what happened to a change. If the ledger has no entry of the run, the results of the
// batches decide.
func TestSettle(t *testing.T) {
	t.Parallel()
	s := steps(t, busy())
	s.gated(t, false)
	p, err := runs.GetPlan(t.Context(), s.Store, "run")
	if err != nil || len(p.Changes) != 3 {
		t.Fatalf("%d changes, %v", len(p.Changes), err)
	}
	settle := func(round int) *StepOutput {
		out, err := s.Do(t.Context(), StepInput{Op: "settle", Run: "run", Round: round})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := settle(0); !out.Go || out.Results[runs.Pending] != 3 || out.WaitSeconds != 60 {
		t.Errorf("nothing begun: %+v", out)
	}
	if out := settle(troubleRounds); out.Go {
		t.Errorf("trouble is waited for again and again: %+v", out)
	}
	book, begun := ledger.In(s.Store), map[int]*ledger.Entry{}
	for _, i := range []int{0, 1} {
		c := p.Changes[i]
		if begun[i], err = book.Begin(t.Context(), ledger.Intent{Person: c.User, License: c.License, Run: "run"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Complete(t.Context(), begun[0], ledger.Completion{Outcome: ledger.Done}); err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Batches() {
		said := &runs.Results{Run: "run", PlanHash: p.PlanHash, Refused: "refused: of a feed"}
		for i := range b.Changes {
			if b.Changes[i].User == p.Changes[2].User && b.Changes[i].License == p.Changes[2].License {
				said.Set(runs.ResultOf(&b.Changes[i], runs.Kept, "signed in"))
			}
		}
		if err := runs.PutResults(t.Context(), s.Store, b.Name, said); err != nil {
			t.Fatal(err)
		}
	}
	out := settle(5)
	if diff := cmp.Diff(map[runs.Status]int{runs.Done: 1, runs.Pending: 1, runs.Kept: 1}, out.Results); diff != "" || !out.Go || out.WaitSeconds != 1920 || out.Round != 6 {
		t.Errorf("%+v, results (-want +got):\n%s", out, diff)
	}
	s.approvedAgain(t, p, Totals{Done: 1, MonthlySaving: 18})
	if out := settle(mostRounds); out.Go {
		t.Errorf("it waits for ever: %+v", out)
	} else if out.Refused != "refused: of a feed" || s.told(t, out).Metrics("notice")["Held"] != 1 {
		t.Errorf("it ends without a word of the refusal: %+v", out)
	}
	if err := book.Complete(t.Context(), begun[1], ledger.Completion{Outcome: ledger.RolledBack}); err != nil {
		t.Fatal(err)
	}
	if out := settle(6); out.Go || out.Results[runs.Kept] != 2 || len(out.Batches.Entra)+len(out.Batches.AD) != 0 || s.told(t, out).Notice.Outcome != Done || out.Refused != "" {
		t.Errorf("all final: %+v", out)
	}
	if _, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: entrance.Approve, Request: Request{Run: "run", PlanHash: p.PlanHash}}); !errors.Is(err, runs.ErrRefused) {
		t.Errorf("a plan of which all is final was approved: %v", err)
	}

	// A repeated step finds the run that its first attempt made.
	asked := StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "e", Started: clock, Request: Request{Restore: "run"}}
	s.Policy = func(context.Context) (string, error) { return "", errDown } // a restore needs no policy in force
	for range 2 {
		out, err := s.Do(t.Context(), asked)
		if err != nil || out.Changes != 1 || !out.Go {
			t.Fatalf("restore: %+v, %v", out, err)
		}
		back, err := runs.GetPlan(t.Context(), s.Store, out.Run)
		if err != nil || back.Restores != "run" || s.approves(t, back) != nil || back.Changes[0].User != p.Changes[0].User || back.Changes[0].Rule != plan.RestoreRule {
			t.Errorf("%+v, %v", back, err)
		}
	}
	asked.Request.User = "somebody else"
	asked.Execution = "f"
	if _, err := s.Do(t.Context(), asked); !errors.Is(err, restore.ErrNothing) {
		t.Errorf("of somebody else: %v", err)
	}
}

// TestRestoreOfTwoRuns: an operator restores a person, and two runs took licenses of this person. An execution can
// restore only one run. So it restores nothing, and the error names both runs.
func TestRestoreOfTwoRuns(t *testing.T) {
	t.Parallel()
	s := steps(t, quiet())
	for _, in := range []ledger.Intent{{Person: "ann", License: "e3", Run: "r1", At: asOf}, {Person: "ann", License: "citrix", Run: "r2", At: asOf}} {
		e, err := ledger.In(s.Store).Begin(t.Context(), in, nil)
		if err != nil || ledger.In(s.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done}) != nil {
			t.Fatal(err)
		}
	}
	out, err := s.Do(t.Context(), StepInput{Op: "restore", Entrance: entrance.Restore, Execution: "e", Started: clock, Request: Request{User: "ann"}})
	if out != nil || !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "r2 and r1") {
		t.Errorf("%+v, %v", out, err)
	}
}
