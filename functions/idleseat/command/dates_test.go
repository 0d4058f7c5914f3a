package command

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestOneLosesTheDates removes the sign-in dates of one person from Graph's answers, too few for the whole source to
// look unhealthy. The person must not count as somebody who never signed in. The rule is undecided until the dates are
// back or an operator accepts the sources.
func TestOneLosesTheDates(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4})
	first := s.plan(exitDone)
	verdicts := golden(s, time.Now())
	var victim *directory.EntraUser
	for i := 0; victim == nil; i++ {
		p := s.company.Company.Person(i)
		if p.Activity == sandbox.Active && p.Entra != nil && p.AD != nil && p.Entra.EmployeeType == "Employee" && p.Entra.Enabled == directory.Yes &&
			len(p.Entra.Assignments) == 1 && slices.Contains(p.Groups, "LIC-M365-E3") && verdicts[p.Entra.ID+" m365-idle-60"] == "keep" {
			victim = p.Entra
		}
	}
	forget := edited("/users", func(user map[string]any) {
		if user["id"] == victim.ID {
			delete(user, "signInActivity")
		}
	})
	s.company.Intercept(forget)
	want := "got lost: no date has come since " + time.Now().UTC().Format(time.DateOnly)
	for _, args := range [][]string{nil, nil, {"--user", victim.UserPrincipalName}} { // the dates are missing every night
		p := s.plan(exitDone, args...)
		if got := p.reason(victim.ID, "m365-e3"); !strings.Contains(got, want) {
			t.Errorf("plan %q: %q", args, got)
		}
		for _, c := range p.Changes {
			if c.User == victim.ID {
				t.Errorf("plan %q takes a license for dates that got lost: %+v", args, c)
			}
		}
		if f := p.Sources["entra"]; f.State != plan.Healthy {
			t.Errorf("plan %q: the feed is %+v", args, f)
		}
	}
	if a := s.want(exitDone, "explain", victim.UserPrincipalName); !strings.Contains(string(a.out), want) {
		t.Errorf("explain:\n%s", a.out)
	}
	s.company.Intercept(nil)
	if p := s.plan(exitDone); len(p.Changes) != len(first.Changes) || len(p.Undecided) != len(first.Undecided) {
		t.Errorf("with the dates back: %d changes and %d undecided, before %d and %d", len(p.Changes), len(p.Undecided), len(first.Changes), len(first.Undecided))
	}
	s.company.Intercept(forget)
	if got := s.plan(exitDone).reason(victim.ID, "m365-e3"); !strings.Contains(got, want) {
		t.Errorf("lost once more: %q", got)
	}
	accepted := s.plan(exitDone, "--accept-feeds")
	change, _ := s.change(accepted, func(c plan.Change) bool { return c.User == victim.ID && c.License == "m365-e3" })
	if !strings.HasPrefix(change.Reason, "never signed in") {
		t.Errorf("accepted: %+v", change)
	}
	s.unwritten()
}

// TestDatesToCome: a sign-in date in the future makes the verdict undecided. It does not count as "never signed in".
func TestDatesToCome(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 4})
	before := s.plan(exitDone)
	s.company.Intercept(spoil(func(w http.ResponseWriter, _ *http.Request, body map[string]any) {
		for i, u := range body["value"].([]any) {
			if activity, ok := u.(map[string]any)["signInActivity"].(map[string]any); ok && i%3 == 0 {
				activity["lastSignInDateTime"] = "9999-12-31T00:00:00Z"
			}
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	after := s.plan(exitDone)
	planned := map[string]bool{}
	for _, c := range before.Changes {
		planned[c.User+c.Rule] = true
	}
	for _, c := range after.Changes {
		if !planned[c.User+c.Rule] {
			t.Errorf("a wrong clock costs a license: %+v", c)
		}
	}
	if after.Counts.Undecided <= before.Counts.Undecided {
		t.Errorf("%d undecided, %d before", after.Counts.Undecided, before.Counts.Undecided)
	}
}
