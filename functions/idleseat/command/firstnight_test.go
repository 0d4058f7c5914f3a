package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

const noEarlierRun = "this store knows no earlier run"

// TestFirstNightWithoutDates: in the first night of a store, only one account has a sign-in date. Although no earlier
// run shows how many dates are normal, the source is unhealthy, and the run is on hold and takes no license.
func TestFirstNightWithoutDates(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 5*day, sandbox.Options{Users: 310, Seed: 4})
	for _, v := range []string{"URLS", "BASE", "BIND", "PASSWORD_FILE", "CA"} {
		s.setenv("IDLESEAT_AD_"+v, "")
	}
	_, anna := keeper(t, s, "m365-idle-60")
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if user["id"] != anna.Entra.ID {
			delete(user, "signInActivity")
		}
	}))
	for range 2 { // the second night must not take the few dates of the first night for normal
		p := s.plan(exitHeld)
		if f := p.Sources["entra"]; f.State != plan.Unhealthy || !strings.Contains(f.Reason, "only 1 of ") || !strings.Contains(f.Reason, "if it is, plan with --accept-feeds") {
			t.Errorf("source entra: %+v", f)
		}
		if len(p.Changes) > 0 || !strings.Contains(strings.Join(p.HoldReasons, " "), "only 1 of ") {
			t.Errorf("%d changes, held because of %q", len(p.Changes), p.HoldReasons)
		}
		s.want(exitHeld, "apply", p.Run, "--yes")
		s.later(day)
	}
	one := s.plan(exitDone, "--user", "ingrid.halvorsen.2@contoso.example")
	if len(one.Changes) > 0 || !strings.Contains(one.Undecided[0].Reason, "only 1 of ") {
		t.Errorf("one person: %+v, undecided %+v", one.Changes, one.Undecided)
	}
	s.company.Intercept(nil)
	if p := s.plan(exitDone); p.Sources["entra"].State != plan.Healthy || len(p.Changes) == 0 {
		t.Errorf("with the dates back: %+v, %d changes", p.Sources["entra"], len(p.Changes))
	}
	s.unwritten()
}

// TestFirstReading: Graph has no sign-in date of a person. The plans of the first day call this a "first reading",
// because no run of an earlier day saw the account. The plan of the next day does not.
func TestFirstReading(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 5*day, sandbox.Options{Users: 500, Seed: 4})
	_, anna := keeper(t, s, "m365-idle-60")
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if user["id"] == anna.Entra.ID {
			delete(user, "signInActivity")
		}
	}))
	hers := func(c plan.Change) bool { return c.User == anna.Entra.ID && c.License == "m365-e3" }
	for i, first := range []bool{true, true, false} {
		p := s.plan(exitDone)
		c, _ := s.change(p, hers)
		if c.FirstReading != first || strings.HasSuffix(c.Reason, "; first reading") != first || !strings.HasPrefix(c.Reason, "never signed in") {
			t.Errorf("plan %d: %+v", i, c)
		}
		dated := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.IdleSince != nil && c.Rule == "m365-idle-60" })
		if p.Changes[dated].FirstReading {
			t.Errorf("plan %d, somebody with a date: %+v", i, p.Changes[dated])
		}
		if p.FirstRun != (i == 0) {
			t.Errorf("plan %d: first run %t", i, p.FirstRun)
		}
		if i == 1 {
			s.later(day)
		}
	}
	other := newShellAgo(t, 5*day, sandbox.Options{Users: 500, Seed: 4})
	for _, first := range []bool{true, false} {
		text := string(other.want(exitDone, "plan").out)
		if got := strings.Contains(text, noEarlierRun); got != first {
			t.Errorf("the text of the plan says %q: %t", noEarlierRun, got)
		}
		if !strings.Contains(text, "\n  first reading: no run of an earlier day saw the account") {
			t.Errorf("the plan does not say what a first reading is:\n%s", text)
		}
	}
	s.setenv("IDLESEAT_STORE", s.path("another")) // a store without any run
	if p := s.plan(exitDone); !p.FirstRun {
		t.Error("another store does not say that it knows no earlier run")
	}
	s.unwritten()
}

// TestAllOfAFew: if a rule matches all holders of a license and there are at least three holders, the run is on hold.
func TestAllOfAFew(t *testing.T) {
	t.Parallel()
	for holders, status := range map[int]int{2: exitDone, 3: exitHeld} {
		s := newShell(t, sandbox.Options{Users: 300, Seed: 4})
		for _, v := range []string{"URLS", "BASE", "BIND", "PASSWORD_FILE", "CA"} {
			s.setenv("IDLESEAT_AD_"+v, "")
		}
		left := map[any]bool{}
		for _, c := range s.plan(exitDone).Changes {
			if len(left) < holders {
				left[c.User] = true
			}
		}
		s.setenv("IDLESEAT_STORE", s.path("another"))
		s.company.Intercept(edited("/users", func(user map[string]any) {
			if !left[user["id"]] {
				user["assignedLicenses"], user["licenseAssignmentStates"] = []any{}, []any{}
			}
		}))
		p := s.plan(status)
		if held := strings.Contains(strings.Join(p.HoldReasons, " "), "matches every one of the 3 holders"); held != (status == exitHeld) || len(p.Changes) != holders {
			t.Errorf("%d holders: held %t %q, %d changes", holders, held, p.HoldReasons, len(p.Changes))
		}
	}
}
