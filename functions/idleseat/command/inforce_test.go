package command

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "waiting" starts a company and applies a plan. Licenses follow a new group membership only after half a
// day, so the changes stay pending. The function returns the plan, one pending change, and the index of its person.
func waiting(t *testing.T, edit ...policyText) (*shell, printed, plan.Change, int) {
	t.Helper()
	s := newShellAgo(t, 10*day, sandbox.Options{Users: 300, Seed: 5, LicenseDelay: 12 * time.Hour}, edit...)
	p := s.plan(exitDone)
	s.want(exitDone, "apply", p.Run, "--yes")
	c, i := s.change(p, func(c plan.Change) bool { return by("m365-idle-60", plan.EntraGroup)(c) && c.IdleSince != nil })
	if r := s.became(p.Run, c); r.Status != runs.Pending || !strings.Contains(r.Note, "joined the target group") {
		t.Fatalf("the first night: %+v", r)
	}
	return s, p, c, i
}

// The method "became" returns the result of change c in a run, or the zero value if there is none.
func (s *shell) became(run string, c plan.Change) runs.Result {
	s.t.Helper()
	r := s.results(run)
	if x := r.Of(&c); x != nil {
		return *x
	}
	return runs.Result{}
}

// The method "night" advances the time by a day, plans, and applies the plan.
func (s *shell) night() printed {
	s.t.Helper()
	s.later(day)
	a := s.run("plan", "--format", "json")
	var p printed
	if err := json.NewDecoder(bytes.NewReader(a.out)).Decode(&p); err != nil {
		s.t.Fatalf("status %d: %s", a.status, a.err)
	}
	s.run("apply", p.Run, "--yes")
	return p
}

func (s *shell) inGroup(i int, group string) bool {
	return slices.Contains(s.company.Company.Person(i).Groups, group)
}

func (s *shell) lostE3(i int) bool {
	return slices.ContainsFunc(s.company.Company.History(), func(e sandbox.Event) bool {
		return e.Person == i && e.What == sandbox.MemberRemoved && e.Group == "LIC-M365-E3"
	})
}

// TestPolicyInForce edits the policy while a change is pending. If the edited policy keeps the license, the change is
// rolled back.
func TestPolicyInForce(t *testing.T) {
	t.Parallel()
	enforce := replace(t, "mode: review", "mode: enforce")
	tests := map[string]struct {
		before []policyText
		edit   func(c plan.Change) policyText
		note   string
	}{
		"exempt": {nil, func(c plan.Change) policyText {
			return replace(t, "users:  [", "users:  ["+c.UserPrincipalName+", ")
		}, "by the policy in force: exempt"},
		"on leave": {nil, func(c plan.Change) policyText {
			return replace(t, "leave:  [", "leave:  [{user: "+c.UserPrincipalName+", until: 2099-01-01, reason: parental leave}, ")
		}, "by the policy in force: exempt"},
		"in an exempt group": {nil, func(plan.Change) policyText {
			return replace(t, "groups: [", "groups: [{entra: LIC-M365-E3}, ")
		}, "by the policy in force: exempt"},
		"in an exempt group that the run does not know": {nil, func(plan.Change) policyText {
			return replace(t, "groups: [", "groups: [{entra: Helpdesk Admins}, {entra: No Such Group}, ")
		}, "by the policy in force: undecided"},
		"a longer span": {nil, func(plan.Change) policyText {
			return replace(t, "days(60)", "days(3650)")
		}, "by the policy in force: "},
		"another department": {nil, func(plan.Change) policyText {
			return replace(t, `systemRole == "Employee"`, `systemRole == "Employee" && department == "No Such"`)
		}, "by the policy in force: "},
		"a rule of another name": {nil, func(plan.Change) policyText {
			return replace(t, "m365-idle-60", "m365-idle-sixty")
		}, "the policy in force has no rule m365-idle-60"},
		"another target": {nil, func(plan.Change) policyText {
			return replace(t, "{entra: LIC-EXO-P1}", "{entra: LIC-Exempt-Leave}")
		}, "by the policy in force the rule m365-idle-60 changes other licenses"},
		"review": {[]policyText{enforce}, func(plan.Change) policyText {
			return replace(t, "mode: enforce", "mode: review")
		}, "the policy in force is in mode review, and nobody approved this change"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, first, c, i := waiting(t, tc.before...)
			text := string(s.company.Policy())
			for _, e := range append(slices.Clone(tc.before), tc.edit(c)) {
				text = e(text)
			}
			s.write("policy.yaml", text)
			if s.night().Verdict == plan.Hold { // a night on hold finishes nothing, but an operator can
				s.run("apply", first.Run, "--yes")
			}
			if r := s.became(first.Run, c); s.lostE3(i) || r.Status != runs.Kept || !strings.HasPrefix(r.Note, tc.note) {
				t.Errorf("taken %t, %+v", s.lostE3(i), r)
			}
			if s.inGroup(i, "LIC-EXO-P1") {
				t.Error("left in the target group")
			}
			if got := s.entries(c.User, c.License); len(got) == 0 || got[0] != "m365-idle-60 rolled back" {
				t.Errorf("ledger: %v", got)
			}
		})
	}
}

// TestAuditInForce: in mode audit, apply writes nothing. It does not even finish pending changes.
func TestAuditInForce(t *testing.T) {
	t.Parallel()
	s, first, c, i := waiting(t)
	s.write("policy.yaml", replace(t, "mode: review", "mode: audit")(string(s.company.Policy())))
	writes := len(s.company.Company.History())
	s.later(day)
	next := s.plan(exitDone)
	for _, run := range []string{first.Run, next.Run} {
		if a := s.want(exitHeld, "apply", run, "--yes"); !strings.Contains(a.err, "mode audit, in which nothing is written") {
			t.Errorf("apply: %s", a.err)
		}
	}
	for _, e := range s.company.Company.History()[writes:] {
		if e.What == sandbox.MemberAdded || e.What == sandbox.MemberRemoved {
			t.Errorf("written: %+v", e)
		}
	}
	if !s.inGroup(i, "LIC-M365-E3") {
		t.Errorf("%s was taken", c.UserPrincipalName)
	}
}

// TestPolicyFileOfThePlan: without --policy, apply compares the plan with the policy file from which it was made.
func TestPolicyFileOfThePlan(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	s.apart = true // the paths are relative to the folder of the shell
	s.setenv("IDLESEAT_POLICY", "")
	p := s.plan(exitDone, "--policy", "policy.yaml")
	good := string(s.company.Policy())
	s.write("policy.yaml", replace(t, "days(60)", "days(61)")(good))
	if a := s.want(exitHeld, "apply", p.Run, "--yes"); !strings.Contains(a.err, "the policy has changed since the plan was made") {
		t.Errorf("changed: %s", a.err)
	}
	s.write("policy.yaml", "")
	s.want(exitUsage, "apply", p.Run, "--yes")
	s.unwritten()
	s.write("other.yaml", good)
	s.want(exitDone, "apply", p.Run, "--yes", "--policy", "other.yaml")
}

// TestPolicyInTheStore applies a run that has no path of a policy file, like a run that a deployment made. The policy
// in force is then the object policy.yaml of the store, even if --policy names a file. Without this object, apply needs
// --policy.
func TestPolicyInTheStore(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1})
	good := string(s.company.Policy())
	p := s.plan(exitDone)
	var begin map[string]any
	raw, err := os.ReadFile(s.path("store/" + layout.Begin(p.Run)))
	if err == nil {
		err = json.Unmarshal(raw, &begin)
	}
	if err != nil {
		t.Fatal(err)
	}
	delete(begin, "policyFile")
	delete(begin, "sha256") // objects of earlier versions have no hash; a hash would show that the object was edited
	if raw, err = json.Marshal(begin); err != nil {
		t.Fatal(err)
	}
	s.write("store/"+layout.Begin(p.Run), string(raw))
	unset := "IDLESEAT_POLICY="
	named := s.env
	s.env = append(slices.Clone(s.env), unset)
	if a := s.want(exitUsage, "apply", p.Run, "--yes"); !strings.Contains(a.err, "the policy in force is unknown") || !strings.Contains(a.err, "--policy FILE") {
		t.Errorf("no policy is known: %s", a.err)
	}
	for text, want := range map[string]struct {
		status int
		err    string
	}{
		replace(t, "days(60)", "days(61)")(good):             {exitHeld, "the policy has changed since the plan was made"},
		replace(t, "mode: review", "mode: audit")(good):      {exitHeld, "the policy in force is in mode audit"},
		replace(t, "mode: review", "mode: everything")(good): {exitUsage, "policy.yaml of the store"},
	} {
		s.write("store/"+layout.Policy, text)
		for _, s.env = range [][]string{named, append(slices.Clone(named), unset)} {
			if a := s.want(want.status, "apply", p.Run, "--yes"); !strings.Contains(a.err, want.err) {
				t.Errorf("want %q: %s", want.err, a.err)
			}
		}
	}
	s.unwritten()
	s.write("store/"+layout.Policy, good)
	s.want(exitDone, "apply", p.Run, "--yes")
}
