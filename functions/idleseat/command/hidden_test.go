package command

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "department" returns the indexes of people who are in a department, hold Citrix, are not exempt, and
// have the given logon activity.
func department(s *shell, name string, logon sandbox.Activity) (people []int) {
	c := s.company.Company
	for i := 20; i < c.Size(); i++ { // the people with an index below 20 are the same special cases in every company
		p := c.Person(i)
		if p.Kind == sandbox.Synced && p.Logon == logon && p.AD.Department == name && p.Entra.UserType == "Member" &&
			slices.Contains(p.ADGroups, sandbox.CitrixGroup) && len(p.Groups) < 2 && !slices.Contains(p.Groups, "LIC-Exempt") {
			people = append(people, i)
		}
	}
	return people
}

// TestHiddenAttributes revokes the right of idleseat's account to read the last logons in one department. The people of
// this department look as if they never logged on. They keep Citrix, and the plan names the missing right.
func TestHiddenAttributes(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1500, Seed: 3})
	active := department(s, "Legal", sandbox.Active)
	if len(active) < 20 {
		t.Fatalf("only %d active holders in the department", len(active))
	}
	hidden := map[string]bool{}
	for _, i := range active {
		s.company.Company.Hide(i, "lastLogonTimestamp", "lastLogon")
		hidden[s.company.Company.Person(i).Entra.ID] = true
	}
	p := s.plan(exitDone)
	for _, c := range p.Changes {
		if c.License == "citrix" && hidden[c.User] {
			t.Errorf("%s is active, and would lose Citrix: %s", c.UserPrincipalName, c.Reason)
		}
	}
	said := 0
	for _, u := range p.Undecided {
		if u.License == "citrix" && hidden[u.User] && strings.Contains(u.Reason, "no right to see lastLogonTimestamp of this person; grant it") {
			said++
		}
	}
	if said != len(active) {
		t.Errorf("%d people are undecided for what may not be read, want %d", said, len(active))
	}
	// Revoke the right for a second department, from whose idle people the plan takes Citrix. They must keep Citrix,
	// because apply can no longer prove that they are idle.
	taken := map[string]bool{}
	for _, i := range department(s, "Support", sandbox.Idle) {
		s.company.Company.Hide(i, "lastLogonTimestamp", "lastLogon")
		taken[s.company.Company.Person(i).Entra.ID] = true
	}
	var r runs.Results
	if err := json.Unmarshal(s.finish(p.Run).out, &r); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, got := range r.Results {
		if got.License != "citrix" || !taken[got.User] {
			continue
		}
		if kept++; got.Status != runs.Kept || !strings.Contains(got.Note, "no right to see lastLogonTimestamp") {
			t.Errorf("the right is gone at the last moment: %s, %q", got.Status, got.Note)
		}
	}
	if kept == 0 {
		t.Error("nobody lost the right between plan and apply, so this shows nothing")
	}
}
