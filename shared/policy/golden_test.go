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
		{"unknown key", "  now: 2026-11-23\n", "  when: 2026-11-23\n", "g:17:3: a case lacks the key \"now\"; write the instant at which the rules are asked\ng:18:3: unknown key \"when\" in a case"},
		{"unknown field", "lastLogonTimestamp", "lastLogon", `g:5:10: unknown key "lastLogon" in ad; did you mean "lastLogonTimestamp"?`},
		{"text a number", "employeeType: Employee, accountEnabled", "employeeId: 7, accountEnabled", `g:4:25: the value must be text, not a number; put 7 in quotes`},
		{"flag a text", "accountEnabled: true", `accountEnabled: "yes"`, `g:4:53: accountEnabled must be true or false, not text`},
		{"date", "2026-08-01T12:00:00Z}\n    ad: {", "yesterday}\n    ad: {", `g:4:73: the value must be a date like 2027-03-01 or an instant like 2027-03-01T18:00:00Z, not "yesterday"`},
		{"word for a half", "ad: notRead", "ad: notread", `g:12:9: ad must be the account's fields, absent, missing or notRead, not "notread"`},
		{"unknown license", "citrix]", "citrx]", `g:6:25: the policy has no license "citrx"; did you mean "citrix"?`},
		{"license without account", "entra: {synced: true}", "{entra: absent, licenses: [m365-e3]}", `g:20:32: license m365-e3 is held in Entra, and the person has no account there`},
		{"group nobody asks for", "entra: {synced: true}", "{entra: {}, groups: [{entra: X}]}", `g:20:26: the policy does not ask for members of entra:X`},
		{"unknown rule", "{m365: reclaim", "{m356: reclaim", `g:7:12: the policy has no rule "m356"`},
		{"unknown outcome", "m365: keep", "m365: kept", `g:15:11: an outcome is keep, reclaim, undecided, exempt or notHolder, not "kept"`},
		{"no expectation", "{citrix: undecided}", "{}", `g:21:11: expect is empty; name at least one rule`},
		{"nobody", "entra: {synced: true}", "licenses: []", `g:20:5: person has neither entra nor ad; give at least one`},
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

// TestGoldenFields shows that every field of the directory can be given to a
// golden person.
func TestGoldenFields(t *testing.T) {
	t.Parallel()
	words := map[directory.Kind]string{directory.Text: "Some text", directory.Date: "2026-01-02T03:04:05Z", directory.Bool: "true"}
	for _, name := range directory.FieldNames() {
		field, _ := directory.FieldNamed(name)
		half, bare, given := strings.Cut(name, ".")
		if !given { // it follows from others
			continue
		}
		var n yaml.Node
		if err := yaml.Unmarshal(fmt.Appendf(nil, "{%s: {%s: %s}}", half, bare, words[field.Kind]), &n); err != nil {
			t.Fatal(err)
		}
		g := &golden{reader: &reader{name: "g"}, policy: &Policy{}}
		var who directory.Person
		g.person(n.Content[0], &who)
		if len(g.faults) > 0 {
			t.Errorf("%s: %v", name, g.faults)
			continue
		}
		if got := show(field.Kind, field.Of(&who)); got != words[field.Kind] {
			t.Errorf("%s was given %q and has %q", name, words[field.Kind], got)
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
