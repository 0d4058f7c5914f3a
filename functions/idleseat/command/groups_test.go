package command

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// madeAgain is the object id of a group that was deleted, and then created again with the same name.
const madeAgain = "60000000-0000-4000-8000-00000000aaaa"

// onLeave returns a person who is exempt only through the group LIC-Exempt-Leave, which is nested in LIC-Exempt.
func (s *shell) onLeave() sandbox.Person {
	s.t.Helper()
	for i := range s.company.Company.Size() {
		p := s.company.Company.Person(i)
		if p.Activity == sandbox.OnLeave && p.Entra != nil && slices.Contains(p.Groups, "LIC-Exempt-Leave") && slices.Contains(p.Groups, "LIC-M365-E3") && p.Entra.UserPrincipalName != "anna@contoso.example" {
			return p
		}
	}
	s.t.Fatal("nobody is on leave")
	return sandbox.Person{}
}

// TestExemptGroupOvernight changes a group between two nights. If the next run finds the right group with its members,
// its plan has the same changes as before. Otherwise the run is on hold.
func TestExemptGroupOvernight(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name   string // the group that changes
		change sandbox.GroupChange
		held   string // the reason for the hold; empty if the run must not be on hold
		note   string
	}{
		"deleted":                     {"LIC-Exempt", sandbox.GroupChange{Deleted: true}, "is gone; restore it", ""},
		"made again":                  {"LIC-Exempt", sandbox.GroupChange{ID: madeAgain}, "is another one (object id " + madeAgain, ""},
		"emptied":                     {"LIC-Exempt", sandbox.GroupChange{Emptied: true}, "members in an earlier run and has none now", ""},
		"renamed":                     {"LIC-Exempt", sandbox.GroupChange{Name: "LIC-Keep"}, "", `is named "LIC-Keep" now`},
		"a second one of the name":    {"Duplicate", sandbox.GroupChange{Name: "LIC-Exempt"}, "", "several groups are named entra:LIC-Exempt"},
		"hidden, and shown":           {"LIC-Exempt", sandbox.GroupChange{Hidden: true, Unhidden: true}, "", ""},
		"hidden":                      {"LIC-Exempt", sandbox.GroupChange{Hidden: true}, "Member.Read.Hidden", ""},
		"hidden, and refused":         {"LIC-Exempt", sandbox.GroupChange{Hidden: true, Denied: true}, "Member.Read.Hidden", ""},
		"a nested one hidden":         {"LIC-Exempt-Leave", sandbox.GroupChange{Hidden: true}, "Member.Read.Hidden", ""},
		"a second license group":      {"Duplicate", sandbox.GroupChange{Name: "LIC-M365-E3"}, "", "several groups are named entra:LIC-M365-E3"},
		"a license group, made again": {"LIC-EXO-P1", sandbox.GroupChange{ID: madeAgain}, "is another one (object id " + madeAgain, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
			before := s.plan(exitDone)
			s.company.Company.ChangeGroup(tc.name, tc.change)
			if tc.held == "" {
				after := s.plan(exitDone)
				if diff := cmp.Diff(before.Changes, after.Changes); diff != "" {
					t.Errorf("other changes than before:\n%s", diff)
				}
				if !strings.Contains(strings.Join(after.Notes, "\n"), tc.note) {
					t.Errorf("notes %q lack %q", after.Notes, tc.note)
				}
				return
			}
			for range 2 { // the second run must not accept the changed group either
				after := s.plan(exitHeld)
				if !strings.Contains(strings.Join(after.HoldReasons, "\n"), tc.held) || after.Overridable {
					t.Errorf("held for %q, overridable %v; want %q", after.HoldReasons, after.Overridable, tc.held)
				}
				if exempt := strings.HasPrefix(tc.name, "LIC-Exempt"); exempt && len(after.Changes) > 0 {
					t.Errorf("%d changes while nobody knows who is exempt", len(after.Changes))
				}
			}
			s.unwritten()
		})
	}
}

// TestExemptGroupThatNobodyFinds: an exempt group with a misspelt name leaves everybody undecided. The plan is on hold and
// a note says why, and a plan for one person has the note.
func TestExemptGroupThatNobodyFinds(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100, Seed: 2}, replace(t, "LIC-Exempt", "LIC-Exmpt"))
	const want = "the policy names the group entra:LIC-Exmpt, and it was not found"
	p := s.plan(exitHeld)
	if len(p.HoldReasons) != 1 || len(p.Notes) != 1 || !strings.HasPrefix(p.HoldReasons[0], want) || !strings.HasPrefix(p.Notes[0], want) {
		t.Errorf("hold reasons %q, notes %q", p.HoldReasons, p.Notes)
	}
	one := string(s.want(exitDone, "plan", "--user", "anna@contoso.example").out)
	if !strings.Contains(one, want) {
		t.Errorf("a plan for one person lacks %q:\n%s", want, one)
	}
}

// TestExemptGroupLosesANestedGroup empties a group that is nested in the exempt group. The exempt group still has some
// members, but the run is on hold until the people are back.
func TestExemptGroupLosesANestedGroup(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1500, Seed: 5})
	before, company, who := s.plan(exitDone), s.company.Company, s.onLeave().Entra.ID
	var nested []int
	for i := range company.Size() {
		if slices.Contains(company.Groups(i), "LIC-Exempt-Leave") {
			nested = append(nested, i)
		}
	}
	company.ChangeGroup("LIC-Exempt-Leave", sandbox.GroupChange{Emptied: true})
	for range 2 {
		held := regexp.MustCompile(`the group entra:LIC-Exempt had \d+ members in an earlier run and has [1-9]\d* now`)
		if p := s.plan(exitHeld); !held.MatchString(strings.Join(p.HoldReasons, "\n")) || p.Overridable || len(p.Changes) >= len(before.Changes) {
			t.Errorf("held for %q, overridable %t, %d changes", p.HoldReasons, p.Overridable, len(p.Changes))
		}
	}
	if p := s.plan(exitDone, "--user", who); len(p.Changes) > 0 || len(p.Undecided) == 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "the newest run for everybody") {
		t.Errorf("a run for one person, who lost the exemption: %d changes, undecided %+v, notes %q", len(p.Changes), p.Undecided, p.Notes)
	}
	for _, i := range nested {
		company.SetMember(i, "LIC-Exempt-Leave", true)
	}
	if diff := cmp.Diff(before.Changes, s.plan(exitDone).Changes); diff != "" {
		t.Errorf("other changes than before:\n%s", diff)
	}
}

// TestExemptByAnAttributeThatIsLost clears an attribute that exempt.when reads. The run is on hold until the attribute
// is back or an operator accepts the loss.
func TestExemptByAnAttributeThatIsLost(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 500, Seed: 5}, replace(t, `userType == "Guest"`, `department == "Sales"`), replace(t, "percent: 10", "percent: 100"))
	before := s.plan(exitDone)
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if user["department"] == "Sales" {
			user["department"] = nil
		}
	}))
	held := regexp.MustCompile(`rule m365-idle-60: exempt.when and the kinds of accounts exempt \d+ of \d+ holders, and exempted \d+ of \d+ in an earlier run`)
	for range 2 {
		if p := s.plan(exitHeld); !held.MatchString(strings.Join(p.HoldReasons, "\n")) || p.Overridable {
			t.Errorf("held for %q, overridable %t", p.HoldReasons, p.Overridable)
		}
	}
	if p := s.plan(exitDone, "--accept-feeds"); len(p.Changes) <= len(before.Changes) {
		t.Errorf("%d changes, %d before", len(p.Changes), len(before.Changes))
	}
	s.plan(exitDone)
}

// TestGroupIsAccepted: after a run with --accept-feeds, later runs trust the present state of a changed group.
func TestGroupIsAccepted(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]sandbox.GroupChange{"made again": {ID: madeAgain}, "emptied": {Emptied: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5}, replace(t, "percent: 10", "percent: 100"))
			before := s.plan(exitDone)
			s.company.Company.ChangeGroup("LIC-Exempt", change)
			s.plan(exitHeld)
			if p := s.plan(exitDone, "--accept-feeds"); len(p.Changes) <= len(before.Changes) {
				t.Errorf("%d changes, %d before", len(p.Changes), len(before.Changes))
			}
			s.plan(exitDone)
		})
	}
}

// TestExemptGroupAtTheLastMoment changes the exempt group between plan and apply. If the group's members are unknown,
// apply changes nothing.
func TestExemptGroupAtTheLastMoment(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name   string
		change sandbox.GroupChange
		goesOn bool
	}{
		"deleted":             {"LIC-Exempt", sandbox.GroupChange{Deleted: true}, false},
		"made again":          {"LIC-Exempt", sandbox.GroupChange{ID: madeAgain}, false},
		"emptied":             {"LIC-Exempt", sandbox.GroupChange{Emptied: true}, false},
		"hidden":              {"LIC-Exempt", sandbox.GroupChange{Hidden: true}, false},
		"hidden, and refused": {"LIC-Exempt", sandbox.GroupChange{Hidden: true, Denied: true}, false},
		"a nested one hidden": {"LIC-Exempt-Leave", sandbox.GroupChange{Hidden: true, Denied: true}, true}, // apply continues, because the plan has no changes for members of the nested group
		"renamed":             {"LIC-Exempt", sandbox.GroupChange{Name: "LIC-Keep"}, true},
		"hidden, and shown":   {"LIC-Exempt", sandbox.GroupChange{Hidden: true, Unhidden: true}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond})
			p := s.plan(exitDone)
			s.company.Company.ChangeGroup(tc.name, tc.change)
			r := s.done(p.Run)
			if tc.goesOn {
				if r.Count(runs.Done) != len(p.Changes) {
					t.Errorf("%d of %d done", r.Count(runs.Done), len(p.Changes))
				}
				return
			}
			for _, one := range r.Results {
				if one.Status != runs.Kept || !strings.Contains(one.Note, "undecided") {
					t.Errorf("%+v", one)
				}
			}
			s.unwritten()
		})
	}
}

// TestHiddenGroupAndOnePerson plans for one member of an exempt group that memberOf does not show. Only the list of the
// group's members shows the membership. Without this list, the verdict is undecided, and no license is taken.
func TestHiddenGroupAndOnePerson(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	who := s.onLeave()
	for _, change := range []sandbox.GroupChange{{Hidden: true}, {Hidden: true, Denied: true}, {Hidden: true, Unhidden: true}} {
		s.company.Company.ChangeGroup("LIC-Exempt", change)
		p := s.plan(exitDone, "--user", who.Entra.ID)
		for _, c := range p.Changes {
			if c.License == "m365-e3" {
				t.Errorf("%+v: taken: %+v", change, c)
			}
		}
		if undecided := len(p.Undecided) > 0; p.Verdict != plan.Nothing && len(p.Changes) == 0 || undecided == change.Unhidden {
			t.Errorf("%+v: verdict %s, undecided %+v", change, p.Verdict, p.Undecided)
		}
	}
	s.unwritten()
}

// TestHiddenLicenseGroup hides the members of a license group. Without a further permission, no read shows whether a
// person has joined or left the group, so a change would stay pending forever. The plan refuses such changes and names
// the permission.
func TestHiddenLicenseGroup(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"LIC-M365-E3", "LIC-EXO-P1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
			moved := func() (n int, p printed) {
				p = s.plan(exitDone)
				for _, c := range p.Changes {
					if c.Via == plan.EntraGroup {
						n++
					}
				}
				return n, p
			}
			before, _ := moved()
			for _, change := range []sandbox.GroupChange{{Hidden: true}, {Hidden: true, Denied: true}, {Hidden: true, Unhidden: true}} {
				s.company.Company.ChangeGroup(name, change)
				n, p := moved()
				refused := 0
				for _, r := range p.Refused {
					if strings.Contains(r.Reason, "entra:"+name+" hides its members from this application") && strings.Contains(r.Reason, "Member.Read.Hidden") {
						refused++
					}
				}
				if shown := change.Unhidden; before == 0 || shown && (n != before || refused > 0) || !shown && (n > 0 || refused != before) {
					t.Errorf("%+v: %d changes through groups, %d refused; with the group shown: %d changes", change, n, refused, before)
				}
			}
			s.unwritten()
		})
	}
}

// TestEmptiedADGroupAndOnePerson empties an exempt group of Active Directory, or creates it again. A run for one former
// member reads no list of the members, and takes nothing. If only this person has left the group, the run takes the
// license.
func TestEmptiedADGroupAndOnePerson(t *testing.T) {
	t.Parallel()
	const contractors = "CN=Citrix Contractors,OU=Licenses," + sandbox.BaseDN
	for name, change := range map[string]func(c *sandbox.Company, who int){
		"emptied": func(c *sandbox.Company, _ int) {
			for i := range c.Size() {
				if slices.Contains(c.Person(i).ADGroups, contractors) {
					c.SetMember(i, "Citrix Contractors", false)
				}
			}
		},
		"created again": func(c *sandbox.Company, _ int) {
			c.ChangeADGroup("Citrix Contractors", sandbox.ADGroupChange{Remade: 1})
		},
		"left": func(c *sandbox.Company, who int) { c.SetMember(who, "Citrix Contractors", false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 20 * time.Millisecond}, withoutGrace(t),
				replace(t, "groups: [{entra: LIC-Exempt}]", `groups: [{entra: LIC-Exempt}, {ad: "`+contractors+`"}]`), replace(t, "percent: 10", "percent: 90"))
			_, who := s.change(s.plan(exitDone), func(c plan.Change) bool { return c.License == "m365-e3" && c.SID != "" && c.Via == plan.EntraGroup })
			s.company.Company.SetMember(who, "Citrix Contractors", true)
			s.plan(exitDone)
			change(s.company.Company, who)
			id := s.company.Company.Person(who).Entra.ID
			one := s.plan(exitDone, "--user", id)
			if len(one.Changes) == 0 {
				t.Fatalf("nothing is planned: %+v", one)
			}
			r := s.done(one.Run)
			if left := name == "left"; left != (r.Count(runs.Done) > 0) {
				t.Errorf("results %+v", r.Results)
			}
			if name != "left" {
				s.unwritten()
			}
		})
	}
}
