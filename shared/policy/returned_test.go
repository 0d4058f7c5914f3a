package policy

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

func judgeOf(t *testing.T, edit string) (*Judge, *Policy) {
	t.Helper()
	p, err := Load("p", []byte("tenant: 11111111-2222-3333-4444-555555555555\n"+edit+twoRules))
	if err != nil {
		t.Fatal(err)
	}
	j, err := p.NewJudge(map[string]string{"SPE_E3": "e3", "EXCHANGESTANDARD": "exo"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return j, p
}

// A person has returned if an activity date that the rule reads is known and later than the change.
func TestReturned(t *testing.T) {
	t.Parallel()
	j, policy := judgeOf(t, "")
	since := noon.Add(-10 * day)
	tests := map[string]struct {
		rule   string
		change func(*directory.Person)
		want   time.Time
		asked  directory.Flag
	}{
		"stayed away":              {"m365", signIn(11 * day), time.Time{}, directory.Unset},
		"at that instant":          {"m365", signIn(10 * day), time.Time{}, directory.Unset},
		"came back":                {"m365", signIn(9 * day), noon.Add(-9 * day), directory.Yes},
		"never":                    {"m365", func(*directory.Person) {}, time.Time{}, directory.Unset},
		"dates not trusted":        {"m365", func(p *directory.Person) { signIn(9 * day)(p); p.Stale[directory.Entra] = "stalled" }, time.Time{}, directory.Unset},
		"dates in doubt":           {"m365", func(p *directory.Person) { signIn(9 * day)(p); p.Entra.DatesInDoubt = true }, time.Time{}, directory.Unset},
		"a contractor now":         {"m365", func(p *directory.Person) { signIn(9 * day)(p); p.Entra.EmployeeType = "Contractor" }, noon.Add(-9 * day), directory.No},
		"blocked":                  {"m365", func(p *directory.Person) { signIn(9 * day)(p); p.Entra.Enabled = directory.No }, noon.Add(-9 * day), directory.No},
		"blocked or not, unread":   {"m365", func(p *directory.Person) { signIn(9 * day)(p); p.Entra.Enabled = directory.Unset }, noon.Add(-9 * day), directory.Unset},
		"signed in, not logged on": {"citrix", signIn(9 * day), time.Time{}, directory.Unset},
		"logged on":                {"citrix", func(p *directory.Person) { p.AD.LastLogonTimestamp = noon.Add(-day) }, noon.Add(-day), directory.Yes},
	}
	for name, tc := range tests {
		p := employee()
		tc.change(p)
		at, asked := j.Returned(policy.RuleNamed(tc.rule), p, since)
		if !at.Equal(tc.want) || asked != tc.asked {
			t.Errorf("%s: %s, %v; want %s, %v", name, at, asked, tc.want, tc.asked)
		}
	}
}

// The condition "for" may read a date of the license. This date has no value for a person who returns, because this
// person does not hold the license.
func TestReturnedOfALicense(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes: {given: entra.licenseChanged}
licenses: {e3: {sku: SPE_E3}}
rules: [{name: r, license: e3, for: given.hasNoValue(), when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}]
`)
	who := employee()
	who.Entra.Assignments, who.Entra.LastSuccessful = nil, noon
	if at, asked := judge(t, p, noon).Returned(p.Rules[0], who, noon.Add(-day)); !at.Equal(noon) || asked != directory.Yes {
		t.Errorf("%s, %v", at, asked)
	}
}

// After a restore, a rule does not take the license again for as many days as its condition names. If the condition
// names no days, this time is 90 days.
func TestCooling(t *testing.T) {
	t.Parallel()
	const undated = `
licenses: {e3: {sku: SPE_E3}}
rules: [{name: undated, license: e3, when: 'department == ""', then: remove}]
`
	p, err := Load("p", []byte("tenant: 11111111-2222-3333-4444-555555555555\n"+undated))
	if err != nil {
		t.Fatal(err)
	}
	j, err := p.NewJudge(map[string]string{"SPE_E3": "e3"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	dated, policy := judgeOf(t, "")
	unused := load(t, `
licenses: {e3: {sku: SPE_E3}}
rules:
  - {name: never, license: e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}
  - {name: never-old, license: e3, when: AzureAdSistaLogon.hasNoValue() && created.value() < now - days(180), then: remove}
`)
	never := judge(t, unused, noon)
	tests := map[string]struct {
		j    *Judge
		rule *Rule
		ago  time.Duration
		want bool
	}{
		"never signed in, within the span":  {dated, policy.RuleNamed("m365"), 60 * day, true},
		"never signed in, after the span":   {dated, policy.RuleNamed("m365"), 60*day + time.Second, false},
		"never logged on, within the span":  {dated, policy.RuleNamed("citrix"), 90 * day, true},
		"never logged on, after the span":   {dated, policy.RuleNamed("citrix"), 91 * day, false},
		"a rule without dates, fresh":       {j, p.RuleNamed("undated"), 89 * day, true},
		"a rule without dates, the day":     {j, p.RuleNamed("undated"), 90 * day, false},
		"a rule without dates, a year past": {j, p.RuleNamed("undated"), 365 * day, false},
		"without a use, the day":            {never, unused.RuleNamed("never"), 90 * day, true},
		"without a use, after the day":      {never, unused.RuleNamed("never"), 90*day + time.Second, false},
		"without a use, of an old account":  {never, unused.RuleNamed("never-old"), 180 * day, true},
		"of an old account, after the day":  {never, unused.RuleNamed("never-old"), 180*day + time.Second, false},
	}
	for name, tc := range tests {
		if got := tc.j.Cooling(tc.rule, employee(), noon.Add(-tc.ago)); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	j, p := judgeOf(t, "")
	for want, ago := range map[string]time.Duration{
		"signed in 0 seconds ago": -time.Minute, "signed in 1 second ago": time.Second, "signed in 3 minutes ago": 3*time.Minute + time.Second,
		"signed in 1 hour ago": 90 * time.Minute, "signed in 2 days ago": 50 * time.Hour,
	} {
		if got := j.Ago(p.RuleNamed("m365"), noon.Add(-ago)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := j.Ago(p.RuleNamed("citrix"), noon.Add(-time.Hour)); got != "logged on 1 hour ago" {
		t.Errorf("%q", got)
	}
}
