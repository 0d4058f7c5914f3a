package command

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestQuestion: the question before a plan is applied has the changes of the plan and the pending changes of earlier
// runs.
func TestQuestion(t *testing.T) {
	t.Parallel()
	anna := plan.Change{User: "1", UserPrincipalName: "anna@x", License: "citrix"}
	tests := map[string]struct {
		plan plan.Plan
		want string
	}{
		"take": {plan.Plan{Changes: make([]plan.Change, 2)}, "Apply 2 changes of run R in tenant T"},
		"take and finish": {plan.Plan{Changes: []plan.Change{anna}, Pending: []plan.Begun{{Run: "A"}, {Run: "B"}}},
			"Apply 1 change of run R and finish 2 pending changes of earlier runs in tenant T"},
		"only finish":           {plan.Plan{Resumes: []string{"A"}, Pending: []plan.Begun{{Run: "A"}}}, "Finish 1 pending change of earlier runs in tenant T"},
		"finish, not said whom": {plan.Plan{Resumes: []string{"A"}}, "Apply 0 changes of run R in tenant T"},
		"restore to one":        {plan.Plan{Restores: "Q", Changes: []plan.Change{anna, {User: "1", License: "m365-e3"}}}, "Restore citrix and m365-e3 to anna@x, taken by run Q, in tenant T"},
		"restore to many":       {plan.Plan{Restores: "Q", Changes: []plan.Change{anna, {User: "1"}, {User: "2"}}}, "Restore 3 licenses to 2 people, taken by run Q, in tenant T"},
		"restore and roll back": {plan.Plan{Restores: "Q", Changes: []plan.Change{anna}, Pending: []plan.Begun{{Run: "Q"}}},
			"Restore citrix to anna@x, taken by run Q, and roll back 1 unfinished change of run Q in tenant T"},
		"only roll back":         {plan.Plan{Restores: "Q", Pending: []plan.Begun{{Run: "Q"}, {Run: "Q"}}}, "Roll back 2 unfinished changes of run Q in tenant T"},
		"finish another restore": {plan.Plan{Restores: "Q", Pending: []plan.Begun{{Run: "B"}}}, "Finish 1 pending change of earlier runs in tenant T"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tc.plan
			p.Run, p.Tenant, p.PlanHash = "R", "T", strings.Repeat("0123456789ab", 2)
			if d := cmp.Diff(tc.want+" (plan 0123456789ab…)? [yes/no]", question(&p)); d != "" {
				t.Errorf("question (-want +got):\n%s", d)
			}
		})
	}
}

// TestEndsWithWhatIsPending: while changes are pending, the output of plan and apply ends with the command that
// finishes them.
func TestEndsWithWhatIsPending(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16, LicenseDelay: time.Minute})
	p := s.plan(exitDone)
	finish := regexp.MustCompile(`(?m)^\d+ pending changes? waits? for the directory, often for minutes; then finish:  idleseat apply (\S+) --yes$`)
	if a := s.want(exitDone, "apply", p.Run, "--yes"); !finish.Match(a.out) || strings.Contains(string(a.out), "RULE") {
		t.Errorf("apply ends with:\n%s", a.out)
	}
	planned := s.want(exitDone, "plan").out
	next := regexp.MustCompile(`(?m)^finish what earlier runs began:  idleseat apply (\S+)$`).FindSubmatch(planned)
	if next == nil || strings.Contains(string(planned), "apply it:") {
		t.Fatalf("a plan of nothing, while changes are pending, ends with:\n%s", planned)
	}
	run := string(next[1])
	for range 9 {
		a := s.want(exitDone, "apply", run, "--yes")
		again := finish.FindSubmatch(a.out)
		if pending := strings.Contains(a.err, "pending"); pending != (again != nil) {
			t.Fatalf("pending %v, and apply ends with:\n%s%s", pending, a.err, a.out)
		}
		if again == nil {
			if a := s.want(exitDone, "plan"); strings.Contains(string(a.out), "idleseat apply") {
				t.Errorf("after everything is done, plan says:\n%s", a.out)
			}
			return
		}
		if string(again[1]) != run {
			t.Errorf("apply of run %s goes on with run %s", run, again[1])
		}
		s.passes(time.Minute)
	}
	t.Error("changes stay pending")
}

// TestSaysWhatIsHalfway: while a change is pending, the commands apply, runs and explain mention it.
func TestSaysWhatIsHalfway(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 16, LicenseDelay: time.Minute})
	p := s.plan(exitDone)
	first := p.Changes[0]
	if first.Via != plan.EntraGroup {
		t.Fatalf("the first change is made at once: %+v", first)
	}
	for _, want := range []string{": 1 to be made, ", ": 0 to be made, "} {
		a := s.want(exitDone, "apply", p.Run, "--limit", "1", "--yes")
		if said := strings.Contains(string(a.out), "what was chosen is done or pending already"); !strings.Contains(string(a.out), want) || said != (want[2] == '0') {
			t.Errorf("want %q; why nothing is chosen: %t\n%s", want, said, a.out)
		}
	}
	s.want(exitDone, "plan")
	if a := s.want(exitDone, "runs"); !strings.Contains(string(a.out), "it found 1 change of earlier runs pending") {
		t.Errorf("runs:\n%s", a.out)
	}
	s.want(exitDone, "restore", first.User, "--yes")
	if a := s.want(exitDone, "explain", first.User); !strings.Contains(string(a.out), "m365-e3 is kept: run ") || !strings.Contains(string(a.out), " began to change it, and it was restored on ") {
		t.Errorf("explain:\n%s", a.out)
	}
}

// TestFreed: the text about a restore says that the license is paid again, even if its price is unknown.
func TestFreed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		saving   float64
		restored bool
		want     string
	}{
		{39, false, "39.00 USD a month freed"}, {0, false, "0.00 USD a month freed"}, {-39, true, "39.00 USD a month paid again"},
		{0, true, "0.00 USD a month paid again"}, {-4, false, "4.00 USD a month paid again"},
	} {
		if got := freed(tc.saving, "USD", tc.restored); got != tc.want {
			t.Errorf("%.0f, restored %t: %q, want %q", tc.saving, tc.restored, got, tc.want)
		}
	}
}
