package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The function "asks" loads a policy with one rule about Citrix and an exemption.
func asks(t *testing.T, scope, exempt string) *Policy {
	t.Helper()
	return load(t, fmt.Sprintf(`
attributes: {adDepartment: ad.department}
licenses: {citrix: {group: {ad: %q}}}
exempt:
  when: |
    %s
rules:
  - name: r
    license: citrix
    for: |
      %s
    when: "true"
    then: remove
`, citrixDN, exempt, scope))
}

// For a person without an employeeType, the condition employeeType != "Contractor" is unknown, and the rule is
// undecided. An author who adds || employeeType == "" includes such people, and the condition is then true.
func TestTextsWithoutValue(t *testing.T) {
	t.Parallel()
	const open = "employeeType has no value, and the condition does not say what holds then; add && employeeType != \"\" to leave such people alone, or || employeeType == \"\" to mean them, too"
	for scope, want := range map[string]Outcome{
		`employeeType != "Contractor"`:                                               Undecided,
		`!(employeeType == "Contractor")`:                                            Undecided,
		`!(employeeType in ["Contractor", "External"])`:                              Undecided,
		`!employeeType.startsWith("C")`:                                              Undecided,
		`!employeeType.endsWith("r")`:                                                Undecided,
		`!employeeType.contains("tract")`:                                            Undecided,
		`!employeeType.matches("^C.*$")`:                                             Undecided,
		`(employeeType == "Contractor") == false`:                                    Undecided,
		`!(employeeType == "Contractor" || employeeType == "External")`:              Undecided,
		`["Contractor", "External"].all(x, employeeType != x)`:                       Undecided,
		`!["Contractor", "External"].exists(x, employeeType == x)`:                   Undecided,
		`employeeType != department`:                                                 Undecided,
		`!("Contractor" in [employeeType, "x"])`:                                     Undecided,
		`employeeType != "Contractor" && employeeType != ""`:                         Keep,
		`employeeType != "" && !(employeeType in ["Contractor"])`:                    Keep,
		`employeeType == "" || employeeType != "Contractor"`:                         Reclaim,
		`!(employeeType in ["", "Contractor"])`:                                      Keep,
		`employeeType == "Employee"`:                                                 Keep,
		`employeeType in ["Employee"]`:                                               Keep,
		`!(employeeType != "Employee")`:                                              Keep,
		`employeeType == ""`:                                                         Reclaim,
		`!(employeeType != "")`:                                                      Reclaim,
		`size(employeeType) == 0`:                                                    Reclaim,
		`employeeType == "Contractor" ? false : true`:                                Reclaim, // the author wrote both results
		`!(employeeType == "Contractor" ? true : false)`:                             Reclaim,
		`employeeType != "Contractor" ? true : false`:                                Undecided,
		`!(accountEnabled && !(employeeType == "Employee"))`:                         Keep,
		`accountEnabled != false`:                                                    Reclaim, // a flag has a value
		`accountEnabled && employeeType != "Contractor" || department != "Contract"`: Reclaim, // the department is certainly different
	} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			p := asks(t, scope, "false")
			who := employee()
			who.Entra.EmployeeType, who.Entra.Department = "", "Sales"
			v := judge(t, p, noon).Ask(p.Rules[0], who)
			if v.Outcome != want || want == Undecided && v.Reason != open {
				t.Errorf("%s (%s), want %s", v.Outcome, v.Reason, want)
			}
			who.Entra.EmployeeType = "Manager"
			if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome == Undecided {
				t.Errorf("with a value: %s (%s)", v.Outcome, v.Reason)
			}
		})
	}
}

// An exemption reads a field of an account in Entra ID. If the person has no such account, the field has no value. If
// Entra ID was not read, the field is unknown.
func TestExemptWithoutAccount(t *testing.T) {
	t.Parallel()
	member := []string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)}
	adOnly := &directory.Person{EntraState: directory.NoAccount, ADState: directory.Present, AD: &directory.ADUser{SID: "S-1", Department: "Sales", Created: noon.Add(-400 * day), RecipientType: "1"}, Memberships: member}
	notRead := *adOnly
	notRead.EntraState = directory.NotRead
	for exempt, want := range map[string][2]Outcome{ // outcomes if there is no account in Entra ID, and if Entra ID was not read
		`userType == "Guest"`:                                         {Reclaim, Undecided},
		`userType in ["Guest", "Extern"]`:                             {Reclaim, Undecided},
		`userType != "Member"`:                                        {Exempt, Undecided},
		`userType == ""`:                                              {Exempt, Undecided},
		`AzureAdSistaLogon.laterThan(now - days(30))`:                 {Reclaim, Undecided},
		`AzureAdSistaLogon.hasNoValue()`:                              {Exempt, Undecided},
		`accountEnabled`:                                              {Undecided, Undecided},
		`adDepartment == "Board"`:                                     {Reclaim, Reclaim},
		`adDepartment == "Sales"`:                                     {Exempt, Exempt},
		`created.laterThan(now - days(30)) && userType == "Member"`:   {Reclaim, Undecided},
		`created.earlierThan(now - days(30)) && userType == "Member"`: {Reclaim, Undecided},
	} {
		t.Run(exempt, func(t *testing.T) {
			t.Parallel()
			p := asks(t, "true", exempt)
			var got [2]Outcome
			for i, who := range []*directory.Person{adOnly, &notRead} {
				got[i] = judge(t, p, noon).Ask(p.Rules[0], who).Outcome
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	p := asks(t, `userType != "Guest"`, "false")
	if v := judge(t, p, noon).Ask(p.Rules[0], adOnly); v.Outcome != Undecided || !strings.Contains(v.Reason, "no account in Entra") {
		t.Errorf("who is asked stays open: %s (%s)", v.Outcome, v.Reason)
	}
}

func TestLetterCase(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{
		`department == "sales ÖST"`, `department in ["it", "SALES öst"]`, `"Sales Öst" == department`, `department.startsWith("SALES")`, `department.endsWith("öst")`,
		`department.contains("ES Ö")`, `department.matches("^sales ö.*$")`, `department == jobTitle`, `["sales öst"].exists(d, d == department)`, `!(department != "SALES ÖST")`,
		`department + "!" == "SALES öst!"`, `department.matches("^\\S+ [a-zö]+$")`,
	} {
		p := asks(t, scope, "false")
		who := employee()
		who.Entra.Department, who.Entra.JobTitle = "Sales Öst", "SALES ÖST"
		if ours, plain := bothWays(t, p, p.Rules[0].scope, who); ours != "true" || plain != "true" {
			t.Errorf("%s: the Judge says %s, CEL says %s", scope, ours, plain)
		}
		who.Entra.Department = "Sales Väst"
		if ours, plain := bothWays(t, p, p.Rules[0].scope, who); ours == "true" && !strings.Contains(scope, "a-zö") && !strings.Contains(scope, "startsWith") {
			t.Errorf("%s holds of another department: %s, %s", scope, ours, plain)
		}
		if got := p.Rules[0].ForSource; got != scope {
			t.Errorf("the rule shows %q", got)
		}
	}
	for _, pair := range [][2]string{{"ſ", "S"}, {"K", "k"}, {"straße", "STRAẞE"}, {"Ωm", "ωM"}} { // equal according to strings.EqualFold
		if !strings.EqualFold(pair[0], pair[1]) || fold(pair[0]) != fold(pair[1]) {
			t.Errorf("%q and %q: %q, %q", pair[0], pair[1], fold(pair[0]), fold(pair[1]))
		}
	}
}
