package command

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestConverted: accounts that were converted to cloud-only keep a SID but are no longer synced. The rules treat them
// as accounts that exist only in Entra ID, and the plan says so.
func TestConverted(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1500, Seed: 3})
	converted := map[string]bool{}
	for i := 20; i < s.company.Company.Size(); i++ {
		p := s.company.Company.Person(i)
		if p.Kind == sandbox.NoADAccount && p.Activity == sandbox.Idle && slices.Contains(p.Groups, "LIC-M365-E3") && len(p.Groups) == 1 &&
			p.Entra.Enabled == directory.Yes && p.Entra.EmployeeType == "Employee" {
			converted[p.Entra.ID] = true
		}
	}
	for i := range s.company.Company.Size() { // people who exist only in Entra ID; below, they get the attributes of a converted account
		if p := s.company.Company.Person(i); p.Kind == sandbox.CloudOnly && p.Activity == sandbox.Idle && slices.Contains(p.Groups, "LIC-M365-E3") &&
			len(p.Groups) == 1 && p.Entra.Enabled == directory.Yes && p.Entra.EmployeeType == "Employee" {
			converted[p.Entra.ID] = true
		}
	}
	if len(converted) == 0 {
		t.Fatal("nobody is idle and in Entra ID alone, so this shows nothing")
	}
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if id, _ := user["id"].(string); converted[id] {
			user["onPremisesSecurityIdentifier"], user["onPremisesSyncEnabled"], user["onPremisesImmutableId"] = "S-1-5-21-9-9-9-"+id[len(id)-4:], nil, nil
		}
	}))
	p := s.plan(exitDone)
	taken := 0
	for _, c := range p.Changes {
		if converted[c.User] && c.License == "m365-e3" {
			taken++
		}
	}
	if taken != len(converted) {
		t.Errorf("%d of %d converted accounts that are idle are decided", taken, len(converted))
	}
	if !slices.ContainsFunc(p.Notes, func(n string) bool { return strings.Contains(n, "they count as accounts of Entra ID alone") }) {
		t.Errorf("the plan does not say so: %q", p.Notes)
	}
}

// TestAnchors joins accounts by the immutable id. If this id comes from the employeeID, the policy must name employeeID
// as the anchor.
func TestAnchors(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]policyText{
		"objectGUID": func(text string) string { return text },
		"employeeID": func(text string) string {
			return strings.Replace(text, "mode: review", "mode: review\nanchor: employeeID", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 600, Seed: 3}, edit)
			accounts := map[string]*directory.ADUser{}
			for i := range s.company.Company.Size() {
				if p := s.company.Company.Person(i); p.Kind == sandbox.Synced {
					accounts[p.Entra.ID] = p.AD
				}
			}
			s.company.Intercept(edited("/users", func(user map[string]any) {
				id, _ := user["id"].(string)
				if ad := accounts[id]; ad != nil && name == "objectGUID" {
					user["onPremisesImmutableId"] = ad.GUID
				} else if ad != nil {
					user["onPremisesImmutableId"] = ad.EmployeeID
				}
			}))
			p := s.plan(exitDone)
			for _, u := range p.Undecided {
				if accounts[u.User] != nil {
					t.Errorf("%s is undecided: %s", u.UserPrincipalName, u.Reason)
				}
			}
			if len(p.Changes) == 0 {
				t.Error("nothing is to be changed, so this shows little")
			}
		})
	}
	s := newShell(t, sandbox.Options{Users: 20}, func(text string) string { return "anchor: employeeId\n" + text })
	if a := s.want(exitUsage, "policy", "check", s.path("policy.yaml")); !strings.Contains(a.err, `"employeeId" is no anchor that is known`) || !strings.Contains(a.err, "objectSid") {
		t.Errorf("a misspelt anchor: %s", a.err)
	}
}

// TestWithoutSID removes the SID of two people from Entra ID. The immutable id still joins their accounts. The policy
// exempts one of them by the object id in Entra ID, and this person keeps Citrix in Active Directory.
func TestWithoutSID(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 1500, Seed: 3})
	idle := department(s, "Support", sandbox.Idle)
	if len(idle) < 2 {
		t.Fatalf("%d idle holders in the department", len(idle))
	}
	exempt, other := s.company.Company.Person(idle[0]), s.company.Company.Person(idle[1])
	text, err := os.ReadFile(s.path("policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("policy.yaml", strings.Replace(string(text), "users:  [", "users:  ["+exempt.Entra.ID+", ", 1))
	s.company.Intercept(edited("/users", func(user map[string]any) {
		if id := user["id"]; id == exempt.Entra.ID || id == other.Entra.ID {
			user["onPremisesSecurityIdentifier"] = nil
		}
	}))
	p := s.plan(exitDone)
	planned := map[string]bool{}
	for _, c := range p.Changes {
		if c.License == "citrix" {
			planned[c.User] = true
		}
	}
	if planned[exempt.Entra.ID] || planned[exempt.AD.SID] {
		t.Error("who is exempt by the object id would lose Citrix")
	}
	if !planned[other.Entra.ID] || planned[other.AD.SID] {
		t.Errorf("who is not exempt is not one person of two halves: %v, %v", planned[other.Entra.ID], planned[other.AD.SID])
	}
	var r runs.Results
	if err := json.Unmarshal(s.run("apply", p.Run, "--yes", "--format", "json").out, &r); err != nil {
		t.Fatal(err)
	}
	done := slices.ContainsFunc(r.Results, func(x runs.Result) bool {
		return x.User == other.Entra.ID && x.License == "citrix" && x.Status == runs.Done
	})
	if !done {
		t.Errorf("the change of who is not exempt was not made: %+v", r.Results)
	}
}
