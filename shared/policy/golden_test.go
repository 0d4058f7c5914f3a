package policy

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

const people = `- name: idle
  now: 2026-11-23T12:00:00Z
  person:
    entra: {employeeType: Employee, accountEnabled: true, lastActivity: 2026-08-01T12:00:00Z}
    ad: {lastLogonTimestamp: 2026-11-23}
    licenses: [m365-e3, citrix]
  expect: {m365: reclaim, citrix: keep}
- name: wrong on purpose
  now: 2026-11-23T12:00:00Z
  person:
    entra: {employeeType: Employee, lastActivity: 2026-08-01T12:00:00Z}
    ad: notRead
    licenses: [m365-e3]
  expect:
    m365: keep
    citrix: reclaim
- name: missing
  now: 2026-11-23
  person:
    entra: {synced: true}
  expect: {citrix: undecided}
`

func TestGolden(t *testing.T) {
	t.Parallel()
	got, err := Test(load(t, twoRules), "people.yaml", []byte(people))
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		Passed: []string{"idle", "missing"},
		Failed: []Failure{
			{Case: "wrong on purpose", Line: 15, Rule: "m365", Expected: Keep, Got: Reclaim, Why: "no sign-in since 2026-08-01 (114 days)"},
			{Case: "wrong on purpose", Line: 16, Rule: "citrix", Expected: Reclaim, Got: NotHolder, Why: "does not hold citrix"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestGoldenFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new, want string }{
		{"unknown key", "  now: 2026-11-23\n", "  when: 2026-11-23\n", "g:17:3: a case lacks the key \"now\"; write the instant at which the rules are asked\ng:18:3: unknown key \"when\" in a case; the keys are name, now, person, expect"},
		{"unknown field unlike any", "lastLogonTimestamp", "zzz", `g:5:10: unknown key "zzz" in ad`},
		{"unknown field", "lastLogonTimestamp", "lastLogon", `g:5:10: unknown key "lastLogon" in ad; did you mean "lastLogonTimestamp"?`},
		{"text a number", "employeeType: Employee, accountEnabled", "employeeId: 7, accountEnabled", `g:4:25: the value must be text, not a number; put 7 in quotes`},
		{"flag a text", "accountEnabled: true", `accountEnabled: "yes"`, `g:4:53: accountEnabled must be true or false, not text`},
		{"date", "2026-08-01T12:00:00Z}\n    ad: {", "yesterday}\n    ad: {", `g:4:73: the value must be a date like 2027-03-01 or an instant like 2027-03-01T18:00:00Z, not "yesterday"`},
		{"word for an account", "ad: notRead", "ad: notread", `g:12:9: ad must be the account's fields, absent, missing or notRead, not "notread"`},
		{"unknown license", "citrix]", "citrx]", `g:6:25: the policy has no license "citrx"; did you mean "citrix"?`},
		{"license without account", "entra: {synced: true}", "{entra: absent, licenses: [m365-e3]}", `g:20:32: license m365-e3 is held in Entra, and the person has no account there`},
		{"group nobody asks for", "entra: {synced: true}", "{entra: {}, groups: [{entra: X}]}", `g:20:26: the policy does not ask for members of entra:X`},
		{"unknown rule", "{m365: reclaim", "{m356: reclaim", `g:7:12: the policy has no rule "m356"`},
		{"unknown outcome", "m365: keep", "m365: kept", `g:15:11: an outcome is keep, reclaim, undecided, exempt or notHolder, not "kept"`},
		{"no expectation", "{citrix: undecided}", "{}", `g:21:11: expect is empty; name at least one rule`},
		{"nobody", "entra: {synced: true}", "licenses: []", `g:20:5: person has neither entra nor ad; give at least one`},
		{"no YAML", people, "- [", `g:1:1: not YAML: a value is missing`},
		{"nothing", people, "", `g:1:1: the file is empty`},
		{"too many cases", people, strings.Repeat("- {}\n", 10_001), `g:10001:3: a list has at most 10000 entries; name a group in place of its members`},
		{"two cases without a name", "- name: missing\n  now: 2026-11-23\n", "- now: 2026-11-23\n  person: {entra: {}}\n  expect: {m365: keep}\n- now: 2026-11-23\n", "g:17:3: a case lacks the key \"name\"; write what the case shows\ng:20:3: a case lacks the key \"name\"; write what the case shows"},
		{"no person", "  person:\n    entra: {synced: true}\n", "", `g:17:3: a case lacks the key "person"; write {entra: {…}, ad: {…}, licenses: […], groups: […]}`},
		{"nothing expected", "  expect: {citrix: undecided}\n", "", `g:17:3: a case lacks the key "expect"; write {RULE: keep}`},
		{"person a list", "\n    entra: {synced: true}", " []", `g:19:11: person must be a mapping of keys to values, not a list`},
		{"expect a list", "{citrix: undecided}", "[]", `g:21:11: expect must be a mapping of keys to values, not a list`},
		{"outcome a number", "m365: keep", "m365: 7", `g:15:11: the expected outcome must be text, not a number; put 7 in quotes`},
		{"a license a number", "[m365-e3, citrix]", "[7, citrix]", `g:6:16: a license must be text, not a number; put 7 in quotes`},
		{"a license without its name", "[m365-e3, citrix]", "[{since: 2026-01-01}]", `g:6:16: a license lacks the key "name"; write a license of the policy`},
		{"a license without since", "[m365-e3, citrix]", "[{name: citrix}]", `g:6:16: a license lacks the key "since"; write the day on which it was given, or notRead`},
		{"a license since nonsense", "[m365-e3, citrix]", "[{name: citrix, since: spring}]", `g:6:38: since must be a date like 2027-03-01 or an instant like 2027-03-01T18:00:00Z, not "spring"`},
		{"a group with a fault", "entra: {synced: true}", "{entra: {}, groups: [{entre: X}]}", `g:20:27: unknown key "entre" in a group; did you mean "entra"?`},
		{"a group by its name alone", "entra: {synced: true}", "{entra: {}, groups: [X]}", `g:20:26: a group must say in which directory the group is: {entra: X}, or {ad: "DISTINGUISHED NAME"}`},
		{"a report without an account", "entra: {synced: true}", "{ad: {}, reports: {copilot.lastActivity: none}}", `g:20:23: a report is about an account in Entra ID, and the person has none`},
		{"a text that is missing", "{synced: true}", "{mail: }", `g:20:19: the value must be text, not empty`},
		{"a text that is a list", "{synced: true}", "{mail: []}", `g:20:19: the value must be text, not a list`},
		{"a text that is a mapping", "{synced: true}", "{mail: {}}", `g:20:19: the value must be text, not a mapping`},
		{"name twice", "name: missing", "name: idle", `g:17:3: there are two cases named "idle"; give each its own name`},
		{"no cases", people, "[]", `g:1:1: there are no cases; write at least one`},
		{"a mapping", people, "a: b", `g:1:1: a file of golden people must be a list, not a mapping`},
		{"a case of text", people, "- a", `g:1:3: a case must be a mapping of keys to values, not text`},
	}
	p := load(t, twoRules)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(people, tt.old) {
				t.Fatalf("the file has no %q", tt.old)
			}
			_, err := Test(p, "g", []byte(strings.Replace(people, tt.old, tt.new, 1)))
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("Test gave %v, want Faults", err)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGoldenPeople(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {newHolder: 14}
licenses: {m365-e3: {sku: SPE_E3}, citrix: {group: {ad: "CN=Citrix"}}}
rules:
  - {name: typeless, license: m365-e3, when: employeeType == "", then: remove}
  - {name: synced, license: m365-e3, when: onPremisesSyncEnabled, then: remove}
  - {name: enabled, license: m365-e3, when: accountEnabled, then: remove}
  - {name: logon, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
  - {name: work, license: citrix, for: adEnabled, when: LastlogonTimestamp.hasNoValue(), then: remove}
attributes: {adEnabled: ad.accountEnabled}
`)
	const doubt = "synced from Active Directory, but no account was found there"
	for name, tc := range map[string]struct {
		person, expect string
		why            string // why the case fails; empty if it passes
	}{
		"a text of no letters":                   {"{entra: {employeeType: ''}, licenses: [m365-e3]}", "{typeless: reclaim}", ""},
		"a text":                                 {"{entra: {employeeType: x}, licenses: [m365-e3]}", "{typeless: keep}", ""},
		"in both directories":                    {"{entra: {}, ad: {}, licenses: [m365-e3]}", "{synced: reclaim}", ""},
		"in Entra alone":                         {"{entra: {}, licenses: [m365-e3]}", "{synced: keep}", ""},
		"synced, and not there":                  {"{entra: {synced: true}, licenses: [m365-e3]}", "{synced: reclaim, logon: undecided}", ""},
		"not synced, though in both":             {"{entra: {synced: false}, ad: {}, licenses: [m365-e3]}", "{synced: keep}", ""},
		"by the name of the field":               {"{entra: {onPremisesSyncEnabled: false}, ad: {}, licenses: [m365-e3]}", "{synced: keep}", ""},
		"enabled, unless it says that it is not": {"{entra: {}, licenses: [m365-e3]}", "{enabled: reclaim}", ""},
		"blocked":                                {"{entra: {accountEnabled: false}, licenses: [m365-e3]}", "{enabled: keep}", ""},
		"blocked in Active Directory":            {"{ad: {accountEnabled: false}, licenses: [citrix]}", "{work: keep}", ""},
		"a holder for long":                      {"{ad: {}, licenses: [citrix]}", "{logon: reclaim, work: reclaim}", ""},
		"a new holder":                           {"{ad: {}, licenses: [{name: citrix, since: 2026-11-20}]}", "{logon: keep}", ""},
		"a new holder of a product":              {"{entra: {}, licenses: [{name: m365-e3, since: 2026-11-20}]}", "{enabled: keep}", ""},
		"a holder since nobody knows":            {"{entra: {}, licenses: [{name: m365-e3, since: notRead}]}", "{enabled: undecided}", ""},
		"AD was not read, a new holder":          {"{ad: notRead, entra: {synced: true}, licenses: [{name: citrix, since: 2026-11-20}]}", "{logon: undecided}", ""},
		"missing in AD, a new holder":            {"{ad: missing, entra: {}, licenses: [{name: citrix, since: 2026-11-20}]}", "{logon: undecided}", ""},
		"why somebody missing is open":           {"{entra: {synced: true}, licenses: [m365-e3]}", "{logon: keep}", "license citrix and LastlogonTimestamp are not known: " + doubt},
		"why somebody unread is open":            {"{ad: notRead, entra: {synced: true}, licenses: [m365-e3]}", "{logon: keep}", "license citrix is not known: Active Directory was not read; LastlogonTimestamp was not read"},
		"why somebody missing in Entra is":       {"{entra: missing, ad: {}, licenses: [citrix]}", "{enabled: keep}", "license m365-e3 and accountEnabled are not known: Entra was not read"},
		"why somebody without Entra is":          {"{entra: notRead, ad: {}, licenses: [citrix]}", "{enabled: keep}", "license m365-e3 is not known: Entra was not read; accountEnabled was not read"},
		"why an unread account is, missing":      {"{entra: notRead, ad: missing, licenses: [citrix]}", "{enabled: keep}", "license m365-e3 is not known: Entra was not read; accountEnabled was not read"},
	} {
		report, err := Test(p, "g", fmt.Appendf(nil, "[{name: x, now: 2026-11-23, person: %s, expect: %s}]", tc.person, tc.expect))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		why := ""
		for _, f := range report.Failed {
			why += f.Why
		}
		if d := cmp.Diff(tc.why, why); d != "" {
			t.Errorf("%s: why it fails (-want +got):\n%s", name, d)
		}
	}
}

func TestGoldenPeopleEnabledAgain(t *testing.T) {
	t.Parallel()
	p := load(t, "grace: {enabledAgain: 14}\n"+strings.TrimPrefix(twoRules, "\n"))
	for person, expect := range map[string]string{
		"{entra: {employeeType: Employee, enabledSince: 2026-11-20}, licenses: [m365-e3]}": "{m365: keep}",
		"{entra: {employeeType: Employee, enabledSince: 2026-11-01}, licenses: [m365-e3]}": "{m365: reclaim}",
		"{entra: {employeeType: Employee}, licenses: [m365-e3]}":                           "{m365: reclaim}",
		"{ad: {created: 2020-01-01, enabledSince: 2026-11-20}, licenses: [citrix]}":        "{citrix: keep}",
		"{ad: {created: 2020-01-01, enabledSince: 2026-11-01}, licenses: [citrix]}":        "{citrix: reclaim}",
	} {
		report, err := Test(p, "g", fmt.Appendf(nil, "[{name: x, now: 2026-11-23, person: %s, expect: %s}]", person, expect))
		if err != nil || len(report.Failed) > 0 {
			t.Errorf("%s: %v, %+v", person, err, report.Failed)
		}
	}
}

// A case in a file of golden people may give a date of a usage report without the end of the report. The report then
// ends two days before the time of the case. A license without a date of assignment counts as held for long.
func TestGoldenReports(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {newHolder: 14}
attributes: {teams: m365.teams, given: m365.teamsAssigned, copilot: copilot.lastActivity}
licenses: {m365-e3: {sku: SPE_E3}, citrix: {group: {ad: "CN=Citrix"}}}
rules:
  - {name: used, license: m365-e3, when: teams.earlierThan(now - days(30)) && given.earlierThan(now - days(90)), then: remove}
  - {name: lately, license: m365-e3, when: copilot.earlierThan(now - days(2)), then: remove}
  - {name: sooner, license: m365-e3, when: copilot.earlierThan(now - duration("47h")), then: remove}
  - {name: logon, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
`)
	for name, tc := range map[string]struct{ now, person, expect string }{
		"two dates":           {"2026-11-23", "{entra: {}, licenses: [m365-e3], reports: {m365.teams: 2026-10-01, m365.teamsAssigned: 2026-07-01}}", "{used: reclaim}"},
		"the second is young": {"2026-11-23", "{entra: {}, licenses: [m365-e3], reports: {m365.teams: 2026-10-01, m365.teamsAssigned: 2026-11-01}}", "{used: keep}"},
		"the first is young":  {"2026-11-23", "{entra: {}, licenses: [m365-e3], reports: {m365.teams: 2026-11-01, m365.teamsAssigned: 2026-07-01}}", "{used: keep}"},
		"the end of a report": {"2026-11-23", "{entra: {}, licenses: [m365-e3], reports: {copilot.lastActivity: 2026-07-01}}", "{lately: reclaim, sooner: undecided}"},
		"a holder for long":   {"2000-01-05", "{ad: {}, licenses: [citrix]}", "{logon: reclaim}"},
	} {
		report, err := Test(p, "g", fmt.Appendf(nil, "[{name: x, now: %s, person: %s, expect: %s}]", tc.now, tc.person, tc.expect))
		if err != nil || len(report.Failed) > 0 {
			t.Errorf("%s: %v, %+v", name, err, report.Failed)
		}
	}
}

func TestGoldenFields(t *testing.T) {
	t.Parallel()
	words := map[directory.Kind]string{directory.Text: "Some text", directory.Date: "2026-01-02T03:04:05Z", directory.Bool: "true"}
	for _, name := range directory.FieldNames() {
		field, _ := directory.FieldNamed(name)
		source, bare, own := strings.Cut(name, ".")
		if field.OfLicense() { // the license has the date: {name: NAME, since: DATE}
			continue
		}
		if !own { // computed from other fields
			continue
		}
		given, want := fmt.Sprintf("{%s: {%s: %s}}", source, bare, words[field.Kind]), words[field.Kind]
		if signal, dated := field.Signal(); dated && signal.Reported() { // a report gives whole days
			given, want = fmt.Sprintf("{entra: {}, reports: {%s: 2026-01-02, through: 2026-01-03}}", name), "2026-01-02T23:59:59Z"
		}
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(given), &n); err != nil {
			t.Fatal(err)
		}
		g := &golden{reader: &reader{name: "g"}, policy: &Policy{}}
		var who directory.Person
		g.person(n.Content[0], &who)
		if len(g.faults) > 0 {
			t.Errorf("%s: %v", name, g.faults)
			continue
		}
		if got := show(field.Kind, field.Of(&who)); got != want {
			t.Errorf("%s was given %q and has %q", name, given, got)
		}
	}
}

func FuzzTest(f *testing.F) {
	shipped, err := os.ReadFile("../../infra/policy_test.yaml")
	if err != nil {
		f.Fatal(err)
	}
	p := loadFile(f, "../../infra/policy.yaml")
	f.Add(shipped)
	f.Add([]byte(people))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Test(p, "g", data)
		var faults Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("the error is not Faults: %v", err)
		}
	})
}
