package command

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestWrongClock: if this machine's clock differs from the clock of Graph by eleven minutes or more, plan and apply
// fail, and no run begins. A difference of nine minutes is allowed.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ahead time.Duration
		runs  bool
	}{
		"400 days ahead":   {400 * day, false},
		"3.9 days ahead":   {94 * time.Hour, false}, // the difference is too small to make the sign-in dates look stale
		"an hour behind":   {-time.Hour, false},
		"11 minutes ahead": {11 * time.Minute, false},
		"9 minutes ahead":  {9 * time.Minute, true},
		"9 minutes behind": {-9 * time.Minute, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 100})
			good := s.plan(exitDone)
			s.setenv("IDLESEAT_TEST_AHEAD", tc.ahead.String())
			if tc.runs {
				s.plan(exitDone)
				return
			}
			for _, args := range [][]string{{"plan"}, {"plan", "--user", "anna@contoso.example"}} {
				a := s.want(exitFailed, args...)
				for _, want := range []string{"the clocks disagree", time.Now().UTC().Format("2006-01-02T15"), time.Now().Add(tc.ahead).UTC().Format("2006-01-02T15"), "set this machine's clock right"} {
					if !strings.Contains(a.err, want) {
						t.Errorf("%q: stderr lacks %q:\n%s", args, want, a.err)
					}
				}
			}
			if runs, _ := filepath.Glob(s.path("store/runs/*")); len(runs) != 1 {
				t.Errorf("a run was begun by a wrong clock: %q", runs)
			}
			if a := s.run("apply", good.Run, "--yes"); a.status == exitDone {
				t.Errorf("a plan was applied by a wrong clock: %s", a.out)
			}
			s.unwritten()
		})
	}
}

// TestWrongClockOfTheDirectory: if this machine's clock differs from the clock of the domain controller by eleven
// minutes, no run begins, and no plan is applied. A difference of nine minutes is allowed.
func TestWrongClockOfTheDirectory(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 600, Seed: 4})
	good := s.plan(exitDone)
	s.company.Company.SetADClock(-11 * time.Minute)
	for _, args := range [][]string{{"plan"}, {"plan", "--user", "anna@contoso.example"}, {"apply", good.Run, "--yes"}} {
		a := s.run(args...)
		if a.status != exitFailed || !strings.Contains(a.err, "the clocks disagree: the domain controller "+s.company.ADURL) {
			t.Errorf("%q: exit status %d, %s", args, a.status, a.err)
		}
	}
	if runs, _ := filepath.Glob(s.path("store/runs/*")); len(runs) != 1 {
		t.Errorf("a run was begun by a wrong clock: %q", runs)
	}
	s.unwritten()
	s.company.Company.SetADClock(9 * time.Minute)
	if p := s.plan(exitDone); p.Sources["ad"].State != plan.Healthy {
		t.Errorf("nine minutes: %+v", p.Sources["ad"])
	}
}

// whileAhead calls the function "do" while the clocks of this machine and of the company are ahead. These clocks agree,
// so no command can notice the fault.
func (s *shell) whileAhead(by time.Duration, do func()) {
	s.ahead.Add(int64(by))
	s.setenv("IDLESEAT_TEST_AHEAD", time.Duration(s.ahead.Load()).String())
	do()
	s.ahead.Add(-int64(by))
	s.setenv("IDLESEAT_TEST_AHEAD", time.Duration(s.ahead.Load()).String())
}

// TestRunFromTheFuture makes a run while all clocks are 400 days ahead. After the clocks are right again, this run must
// supersede no run, must not count as the newest run, and no plan may use its snapshot.
func TestRunFromTheFuture(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 4})
	var future string
	s.whileAhead(400*day, func() {
		s.want(exitHeld, "plan")
		runs, _ := filepath.Glob(s.path("store/runs/*"))
		if len(runs) != 1 {
			t.Fatalf("runs %q", runs)
		}
		future = filepath.Base(runs[0])
	})
	if a := s.want(exitUsage, "plan", "--run", future); !strings.Contains(a.err, "a clock that was ahead") {
		t.Errorf("plan over a snapshot from the future: %s", a.err)
	}
	if a := s.want(exitUsage, "explain", "anna@contoso.example"); !strings.Contains(a.err, "make one with `idleseat plan") {
		t.Errorf("the run from the future is the newest: %s", a.err)
	}
	p := s.plan(exitDone)
	if a := s.want(exitDone, "explain", "anna@contoso.example"); !strings.Contains(string(a.out), p.Run) {
		t.Errorf("explain does not rest on run %s:\n%s", p.Run, a.out)
	}
	s.finish(p.Run)
	if len(s.company.Company.History()) == 0 {
		t.Error("nothing was changed")
	}
}

// TestPlanFromTheFuture makes a plan while all clocks are two hours ahead. The plan cannot be applied. Later runs
// compare their sources with the run before this plan.
func TestPlanFromTheFuture(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1000, Seed: 4})
	s.plan(exitDone)
	var future printed
	s.whileAhead(2*time.Hour, func() { future = s.plan(exitDone) })
	if a := s.want(exitHeld, "apply", future.Run, "--yes"); !strings.Contains(a.err, "a clock that was ahead") {
		t.Errorf("apply: %s", a.err)
	}
	s.company.Intercept(func(next http.Handler) http.Handler {
		return fewer(each(2, func(map[string]any) bool { return false })(next))
	})
	if p := s.plan(exitDone); p.Sources["entra"].State != plan.Unhealthy || !strings.Contains(p.Sources["entra"].Reason, "part of the list is missing") {
		t.Errorf("half of the people are gone, and source entra is %+v", p.Sources["entra"])
	}
	s.unwritten()
}

// TestHeldPlanSupersedesNothing: after a plan that is on hold, an earlier plan can still be applied.
func TestHeldPlanSupersedesNothing(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, replace(t, "count: 500", "count: 40"))
	good := s.plan(exitDone)
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("policy.yaml", strings.Replace(string(text), "days(60)", "days(1)", 1)) // the mistake
	if bad := s.plan(exitHeld); !bad.Overridable {
		t.Fatalf("held by %q", bad.HoldReasons)
	}
	s.write("policy.yaml", string(text))
	s.finish(good.Run)
	if len(s.company.Company.History()) == 0 {
		t.Error("nothing was changed")
	}
}
