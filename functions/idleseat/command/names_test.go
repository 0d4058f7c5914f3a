package command

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func (s *shell) lists(name string) {
	s.t.Helper()
	s.write("policy.yaml", replace(s.t, "[breakglass@contoso.example]", "[breakglass@contoso.example, '"+name+"']")(string(s.company.Policy())))
}

func (s *shell) takes(p printed, i int) bool {
	who := s.company.Company.Person(i)
	for _, c := range p.Changes {
		if who.Entra != nil && c.User == who.Entra.ID || who.AD != nil && c.SID == who.AD.SID {
			return true
		}
	}
	return false
}

func (p printed) said(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(strings.Join(p.Notes, "\n"), text) {
		t.Errorf("notes %q lack %q", p.Notes, text)
	}
}

// TestListedByEveryName: the policy can exempt a person by each name that commands print.
func TestListedByEveryName(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	who := s.idleHolders(s.plan(exitDone), 1)[0]
	p := s.company.Company.Person(who)
	s.company.Company.SetUPN(who, "another.half@contoso.example")
	for what, name := range map[string]string{
		"userPrincipalName in Entra ID": "Another.Half@contoso.example", "userPrincipalName in Active Directory": p.AD.UserPrincipalName,
		"object id": p.Entra.ID, "SID": p.AD.SID, "account name": p.AD.SAMAccount,
	} {
		s.lists(name)
		if s.takes(s.plan(exitDone), who) {
			t.Errorf("%s: %q is taken from", what, name)
		}
	}
	s.unwritten()
}

// TestListedIsFollowed: an exempt person gets a new name, and another person gets the old name. Both are exempt.
func TestListedIsFollowed(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]string{"users": "", "leave": "leave"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
			company := s.company.Company
			who := s.idleHolders(s.plan(exitDone), 2)
			upn := company.Person(who[0]).Entra.UserPrincipalName
			s.lists(upn)
			if entry == "leave" {
				s.write("policy.yaml", replace(t, "leave:  [", "leave:  [{user: '"+upn+"', until: 2030-01-01}, ")(string(s.company.Policy())))
			}
			if s.takes(s.plan(exitDone), who[0]) {
				t.Error("taken from somebody who is listed")
			}
			company.SetUPN(who[0], "married.name@contoso.example")
			company.SetUPN(who[1], upn)
			// The account in Active Directory still has the old name. Without Active Directory, idleseat must find the
			// person by the id.
			s.setenv("IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1")
			p := s.plan(exitDone)
			if s.takes(p, who[0]) || s.takes(p, who[1]) {
				t.Error("taken from who was renamed, or from who has the name now")
			}
			p.said(t, `is named "married.name@contoso.example" now and was followed by the id `+company.Person(who[0]).Entra.ID)
			p.said(t, "a name that another account ("+company.Person(who[1]).Entra.ID+") has now")
			one := s.plan(exitDone, "--user", "married.name@contoso.example")
			if one.Verdict != plan.Nothing || s.takes(one, who[0]) {
				t.Errorf("a run for one person: %s, %+v", one.Verdict, one.Changes)
			}
		})
	}
}

// TestNameOfNobody misspells a name in the policy. The command "policy check" reports the name, and runs are on hold
// until the name is correct.
func TestNameOfNobody(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	const wrong, right = "ingrid.halvorson.2@contoso.example", "ingrid.halvorsen.2@contoso.example"
	if a := s.want(exitDone, "policy", "check", s.path("policy.yaml"), "--store", s.path("store")); !strings.Contains(string(a.out), "no run for everybody yet") {
		t.Errorf("without a run: %s", a.out)
	}
	s.lists(wrong)
	s.plan(exitHeld, "--user", right) // a run for a person is on hold, too, even if the policy spells the name of that person correctly
	for range 2 {
		p := s.plan(exitHeld)
		if len(p.Changes) == 0 || p.Overridable || !strings.Contains(strings.Join(p.HoldReasons, "\n"), "1 of the names in exempt.users and exempt.leave") || strings.Contains(strings.Join(p.HoldReasons, "\n"), "ingrid") {
			t.Errorf("%d changes, held for %q, overridable %v", len(p.Changes), p.HoldReasons, p.Overridable)
		}
		p.said(t, `the policy lists "`+wrong+`", and nobody has ever been found by that name; did you mean "`+right+`"?`)
		s.want(exitHeld, "apply", p.Run, "--yes", "--override-limits", p.PlanHash)
	}
	check := []string{"policy", "check", s.path("policy.yaml"), "--store", s.path("store")}
	if a := s.want(exitUsage, check...); !strings.Contains(a.err, wrong) || !strings.Contains(a.err, `did you mean "`+right+`"?`) {
		t.Errorf("policy check: %s", a.err)
	}
	s.plan(exitHeld, "--user", right)
	s.lists(right)
	s.want(exitDone, check...)
	if p := s.plan(exitDone); s.takes(p, 2) {
		t.Error("taken from who is listed")
	}
	s.lists("*@contoso.example")
	if a := s.want(exitUsage, check[:3]...); !strings.Contains(a.err, "is a pattern") || !strings.Contains(a.err, "endsWith") {
		t.Errorf("a pattern: %s", a.err)
	}
	s.lists(`CORP\u0000002`)
	if a := s.want(exitUsage, check[:3]...); !strings.Contains(a.err, "write the account name alone, as u0000002") {
		t.Errorf("a name with its domain: %s", a.err)
	}
	s.unwritten()
}

// TestListedOnPremises exempts a person by a name that only Active Directory has. If Active Directory is down, the name
// matches nobody, and the run is on hold. Once a run has found the person, later runs find the person without Active
// Directory.
func TestListedOnPremises(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	who := s.idleHolders(s.plan(exitDone), 1)[0]
	name := s.company.Company.Person(who).AD.UserPrincipalName
	s.company.Company.SetUPN(who, "cloud.name@contoso.example")
	s.remove("*")
	s.lists(name)
	up := s.env
	s.setenv("IDLESEAT_AD_URLS", "ldaps://127.0.0.1:1")
	down := s.env
	s.plan(exitHeld).said(t, "Active Directory, which may know the name, was not read")
	s.env = up
	if s.takes(s.plan(exitDone), who) {
		t.Error("taken from who is listed")
	}
	s.env = down
	p := s.plan(exitDone)
	if s.takes(p, who) {
		t.Error("taken from who is listed, while Active Directory is down")
	}
	s.unwritten()
}

// TestListedIsGone: if an account that the policy exempts is deleted, the plan says so, and has the same changes as
// before.
func TestListedIsGone(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	before := s.plan(exitDone)
	glass := s.company.Company.Person(0).Entra
	s.company.Company.Delete(0)
	p := s.plan(exitDone)
	p.said(t, `the policy lists "`+glass.UserPrincipalName+`", whose account (`+glass.ID+") is gone since ")
	if len(p.Changes) != len(before.Changes) {
		t.Errorf("%d changes, %d before", len(p.Changes), len(before.Changes))
	}
}
