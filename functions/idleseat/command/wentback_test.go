package command

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// onlySignIn returns an edit of a user in Graph's answers. The edit leaves only the old sign-in date "at". The real
// Graph may omit sign-in dates, too (docs-contrib, api-reference/v1.0/resources/signinactivity.md).
func onlySignIn(id string, at time.Time) func(user map[string]any) {
	return func(user map[string]any) {
		if user["id"] == id {
			user["signInActivity"] = map[string]any{"lastSignInDateTime": at.UTC().Format(time.RFC3339)}
		}
	}
}

// The function "keeper" returns an active person with accounts in both directories who holds E3 only through the group
// LIC-M365-E3. By the given rule, the person keeps the license.
func keeper(t *testing.T, s *shell, rule string) (i int, p sandbox.Person) {
	t.Helper()
	verdicts := golden(s, s.now())
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Activity == sandbox.Active && p.Logon == sandbox.Active && p.Entra != nil && p.AD != nil && p.Kind == sandbox.Synced &&
			p.Entra.EmployeeType == "Employee" && p.Entra.Enabled == directory.Yes && len(p.Entra.Assignments) == 1 && slices.Contains(p.Groups, "LIC-M365-E3") && verdicts[p.Entra.ID+" "+rule] == "keep" {
			return i, p
		}
	}
	t.Fatalf("nobody is kept by %s", rule)
	return 0, sandbox.Person{}
}

func (s *shell) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

// TestADateGoesBack removes the newest date of two people overnight, so that only an older date is left. Their last
// activity is then unknown, and they keep their licenses.
func TestADateGoesBack(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 20*day, sandbox.Options{Users: 500, Seed: 4})
	_, anna := keeper(t, s, "m365-idle-60")
	n, egon := keeper(t, s, "citrix-idle-90")
	s.plan(exitDone)
	signedIn, loggedOn := anna.Entra.LastActivity().Format(time.DateOnly), egon.AD.LastLogonTimestamp.Format(time.DateOnly)
	long := s.now().AddDate(0, 0, -400)
	old := long.UTC().Format(time.DateOnly)
	s.company.Intercept(edited("/users", onlySignIn(anna.Entra.ID, long)))
	next := func() {
		s.later(day)
		s.company.Company.RestoreFromBackup(n, long)
	}
	next()
	since := s.now().UTC().Format(time.DateOnly)
	want := map[string]string{
		anna.Entra.ID + " m365-e3": "AzureAdSistaLogon went back: since " + since + " it is " + old + ", and the newest known one is " + signedIn,
		egon.Entra.ID + " citrix":  "LastlogonTimestamp went back: since " + since + " it is " + old + ", and the newest known one is " + loggedOn,
	}
	for _, args := range [][]string{nil, nil, {"--user", anna.Entra.UserPrincipalName}} { // the date is missing every night
		p := s.plan(exitDone, args...)
		for person, want := range want {
			user, license, _ := strings.Cut(person, " ")
			if args != nil && user != anna.Entra.ID {
				continue
			}
			if got := p.reason(user, license); !strings.Contains(got, want) {
				t.Errorf("plan %q, %s: %q, want %q", args, license, got, want)
			}
			if slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == user && c.License == license }) {
				t.Errorf("plan %q takes %s for a date that went back", args, license)
			}
		}
		next()
	}
	accepted := s.plan(exitDone, "--accept-feeds")
	if change, _ := s.change(accepted, func(c plan.Change) bool { return c.User == anna.Entra.ID && c.License == "m365-e3" }); !strings.HasPrefix(change.Reason, "no sign-in since "+old) {
		t.Errorf("accepted: %+v", change)
	}
	s.unwritten()
}

// TestADateGoesBackBeforeTheWrite: if apply reads an older date of a person than the plan did, the person keeps the
// license.
func TestADateGoesBackBeforeTheWrite(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, day, sandbox.Options{Users: 500, Seed: 4})
	p := s.plan(exitDone)
	idle := func(rule string) func(plan.Change) bool {
		return func(c plan.Change) bool { return c.Rule == rule && c.IdleSince != nil }
	}
	anna, _ := s.change(p, idle("m365-idle-60"))
	egon, n := s.change(p, idle("citrix-idle-90"))
	s.company.Intercept(edited("/users", onlySignIn(anna.User, anna.IdleSince.AddDate(0, 0, -30))))
	s.company.Company.RestoreFromBackup(n, egon.IdleSince.AddDate(0, 0, -30))
	r := s.done(p.Run)
	for _, c := range []plan.Change{anna, egon} {
		i := slices.IndexFunc(r.Results, func(x runs.Result) bool { return x.User == c.User && x.License == c.License })
		want := "the newest known one is " + c.IdleSince.UTC().Format(time.DateOnly)
		if i < 0 || r.Results[i].Status != runs.Kept || !strings.Contains(r.Results[i].Note, want) || !strings.Contains(r.Results[i].Note, "went back") {
			t.Errorf("%s: %+v, want kept: %q", c.License, r.Results[i], want)
		}
	}
	if r.Count(runs.Done) == 0 {
		t.Error("nobody else's license was taken")
	}
}
