package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (p printed) planned(user, license string) bool {
	return slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == user && c.License == license })
}

// The function "idler" returns the index and the object id of an employee who is not exempt, and for whom the function
// "fits" returns true.
func idler(t *testing.T, s *shell, fits func(sandbox.Person) bool) (int, string) {
	t.Helper()
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Kind == sandbox.Synced && p.Entra.EmployeeType == "Employee" && p.Entra.Enabled == directory.Yes &&
			!slices.Contains(p.Groups, "LIC-Exempt") && !slices.Contains(p.Groups, "LIC-Exempt-Leave") && p.Entra.UserPrincipalName != "anna@contoso.example" && fits(p) {
			return i, p.Entra.ID
		}
	}
	t.Fatal("nobody is idle so")
	return 0, ""
}

func inE3(p sandbox.Person) bool {
	return p.Activity == sandbox.Idle && slices.Contains(p.Groups, "LIC-M365-E3") && len(p.Entra.Assignments) == 1
}

func inCitrix(p sandbox.Person) bool {
	return p.Logon == sandbox.Idle && slices.Contains(p.ADGroups, sandbox.CitrixGroup)
}

// withoutGrace removes two grace periods from the policy. A plan would give them as the reason to keep a license, and
// hide the reason that a test looks for.
func withoutGrace(t *testing.T) policyText {
	return replace(t, ", newHolder: 14, enabledAgain: 14", "")
}

// TestNewInTheLicense gives licenses to some people and enables the accounts of others, one night before a plan. The
// rules take nothing from these people until the grace period is over.
func TestNewInTheLicense(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, 60*day, sandbox.Options{Users: 1500, Seed: 4})
	given, anna := idler(t, s, inE3)
	blocked, egon := idler(t, s, func(p sandbox.Person) bool { return inE3(p) && p.Entra.ID != anna })
	joined, ines := idler(t, s, func(p sandbox.Person) bool { return p.Logon == sandbox.Idle && len(p.ADGroups) == 0 })
	back, otto := idler(t, s, func(p sandbox.Person) bool { return inCitrix(p) && p.Entra.ID != egon })
	office := s.company.Company
	office.SetMember(given, "LIC-M365-E3", false)
	office.SetEnabled(blocked, false)
	office.SetEnabled(back, false)
	s.plan(exitDone)
	s.later(day)
	office.SetMember(given, "LIC-M365-E3", true)
	office.SetEnabled(blocked, true)
	office.SetMember(joined, "Citrix Users", true)
	office.SetEnabled(back, true)
	lately := map[string]string{anna: "m365-e3", egon: "m365-e3", ines: "citrix", otto: "citrix"}
	check := func(days string, want bool, args ...string) {
		t.Helper()
		p := s.plan(exitDone, args...)
		for user, license := range lately {
			if got := p.planned(user, license); got != want {
				t.Errorf("%s, %s of %s: planned %t, want %t; %s", days, license, user, got, want, p.reason(user, license))
			}
		}
	}
	check("the first night", false)
	for user, words := range map[string]string{anna: "m365-e3 was given, or its assignment changed, on ", egon: "the account was first seen enabled on ", ines: "first seen in the group of citrix on ", otto: "the account was first seen enabled on "} {
		if a := s.want(exitDone, "explain", user); !strings.Contains(string(a.out), words) || !strings.Contains(string(a.out), "in grace until ") {
			t.Errorf("explain, without %q:\n%s", words, a.out)
		}
	}
	if one := s.plan(exitDone, "--user", egon); len(one.Changes) > 0 && one.planned(egon, "m365-e3") {
		t.Errorf("one person: %+v", one.Changes)
	}
	s.later(13 * day)
	check("13 days later", false)
	s.later(2 * day)
	check("15 days later", true)
}

// TestNewInTheLicenseBeforeTheWrite: a person who gets the license again, or whose account is enabled again, between
// plan and apply keeps the license.
func TestNewInTheLicenseBeforeTheWrite(t *testing.T) {
	t.Parallel()
	s := newShellAgo(t, day, sandbox.Options{Users: 1500, Seed: 4})
	given, anna := idler(t, s, inE3)
	back, otto := idler(t, s, func(p sandbox.Person) bool { return inCitrix(p) && p.Entra.ID != anna })
	office := s.company.Company
	office.SetEnabled(back, false)
	p := s.plan(exitDone)
	if !p.planned(anna, "m365-e3") || !p.planned(otto, "citrix") {
		t.Fatalf("not planned: %q, %q", p.reason(anna, "m365-e3"), p.reason(otto, "citrix"))
	}
	office.SetMember(given, "LIC-M365-E3", false)
	office.SetMember(given, "LIC-M365-E3", true)
	office.SetEnabled(back, true)
	r := s.done(p.Run)
	for user, want := range map[string]string{anna: "m365-e3 was given, or its assignment changed, on ", otto: "the account was first seen enabled on "} {
		i := slices.IndexFunc(r.Results, func(x runs.Result) bool { return x.User == user })
		if r.Results[i].Status != runs.Kept || !strings.Contains(r.Results[i].Note, want) {
			t.Errorf("%+v, want kept: %s", r.Results[i], want)
		}
	}
}
