package command

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

const leftAlone = "CN=Citrix Contractors,OU=Licenses," + sandbox.BaseDN

// The function "exempting" returns an edit that exempts the members of the Active Directory group leftAlone.
func exempting(t *testing.T) policyText {
	return replace(t, "groups: [{entra: LIC-Exempt}]", `groups: [{entra: LIC-Exempt}, {ad: "`+leftAlone+`"}]`)
}

// The function "reasons" returns the reasons that the lists give for person i and the license Citrix.
func reasons(s *shell, i int, lists ...[]listed) (all []string) {
	for _, list := range lists {
		for _, l := range list {
			if l.License == "citrix" && l.User == s.company.Company.Person(i).Entra.ID {
				all = append(all, l.Reason)
			}
		}
	}
	return all
}

// TestPrimaryGroup: people count as members of their primary group, although the attribute "member" of this group does
// not list them.
func TestPrimaryGroup(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1500, Seed: 3}, exempting(t))
	idle := department(s, "Support", sandbox.Idle)
	if len(idle) < 2 {
		t.Fatalf("%d idle holders in the department", len(idle))
	}
	exempt, holder := idle[0], idle[1]
	s.company.Company.SetPrimaryGroup(exempt, leftAlone)
	s.company.Company.SetPrimaryGroup(holder, sandbox.CitrixGroup)
	p := s.plan(exitDone)
	for _, c := range p.Changes {
		for _, i := range []int{exempt, holder} {
			if c.License == "citrix" && c.User == s.company.Company.Person(i).Entra.ID {
				t.Errorf("%s would lose Citrix: %s", c.UserPrincipalName, c.Reason)
			}
		}
	}
	if said := reasons(s, holder, p.Refused); len(said) != 1 || !strings.Contains(said[0], "is the account's primary group") {
		t.Errorf("who holds Citrix by primary group: %q", said)
	}
	if said := reasons(s, exempt, p.Undecided, p.Refused); len(said) > 0 {
		t.Errorf("who is exempt by primary group: %q", said)
	}
}

// TestHiddenMembers revokes the right to read the members of an exempt group. Then anybody in Active Directory could be
// exempt, so the commands plan and apply take nothing from people in Active Directory.
func TestHiddenMembers(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 600, Seed: 3}, exempting(t))
	before := s.plan(exitDone)
	s.company.Company.HideMembers(leftAlone)
	a := s.want(exitDone, "apply", before.Run, "--yes")
	if !strings.Contains(string(a.out), "may the account of idleseat read its members?") {
		t.Errorf("apply does not say why:\n%.2000s", a.out)
	}
	inAD := map[string]bool{}
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.Entra != nil && p.AD != nil {
			inAD[p.Entra.UserPrincipalName] = true
		}
	}
	for _, e := range s.company.Company.History() {
		if p := s.company.Company.Person(e.Person); p.AD != nil {
			t.Errorf("written: %+v", e)
		}
	}
	p := s.plan(exitHeld)
	if len(p.HoldReasons) != 1 || !strings.Contains(p.HoldReasons[0], "may not read member of the group") {
		t.Errorf("held by %q", p.HoldReasons)
	}
	for _, c := range p.Changes {
		if inAD[c.UserPrincipalName] {
			t.Errorf("%s would lose %s", c.UserPrincipalName, c.License)
		}
	}
	if len(p.Undecided) == 0 || !strings.Contains(p.Undecided[0].Reason, "may the account of idleseat read its members?") {
		t.Errorf("undecided %+v", p.Undecided)
	}
}
