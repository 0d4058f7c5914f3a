package policy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestReasonsOfKeeping(t *testing.T) {
	t.Parallel()
	p := load(t, "attributes: {logon: ad.lastLogonTimestamp}"+twoRules+`
  - {name: logons, license: m365-e3, when: LastlogonTimestamp.hasNoValue() || logon.hasNoValue(), then: remove}
  - {name: flag, license: m365-e3, when: accountEnabled == false, then: remove}
  - {name: both, license: m365-e3, when: AzureAdSistaLogon.hasNoValue() && LastlogonTimestamp.hasNoValue(), then: remove}
`)
	for name, tc := range map[string]struct {
		rule   string
		change func(*directory.Person)
		want   string
	}{
		"not asked":            {"m365", func(p *directory.Person) { p.Entra.EmployeeType = "Consultant" }, "not asked: accountEnabled true, systemRole Consultant"},
		"perhaps not asked":    {"m365", func(p *directory.Person) { p.Entra.Enabled, p.Entra.LastSuccessful = directory.Unset, noon }, "last sign-in 2026-11-23 (today)"},
		"used":                 {"m365", func(p *directory.Person) { p.Entra.LastSuccessful = noon.Add(-36 * time.Hour) }, "last sign-in 2026-11-22 (1 day)"},
		"no dates of use":      {"flag", func(*directory.Person) {}, "kept: accountEnabled true"},
		"used, of two kinds":   {"both", func(p *directory.Person) { p.Entra.LastSuccessful = noon.Add(-36 * time.Hour) }, "last sign-in 2026-11-22 (1 day)"},
		"one kind, read twice": {"logons", func(p *directory.Person) { p.AD.LastLogonTimestamp = noon.Add(-36 * time.Hour) }, "last logon 2026-11-22 (1 day)"},
		"matches":              {"flag", func(p *directory.Person) { p.Entra.Enabled = directory.No }, "matches: accountEnabled false"},
	} {
		who := employee()
		tc.change(who)
		j := judge(t, p, noon)
		r := p.RuleNamed(tc.rule)
		if d := cmp.Diff(tc.want, j.Reason(r, who, j.Ask(r, who))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	for rule, want := range map[string]bool{"m365": true, "citrix": true, "both": true, "flag": false} {
		if got := p.RuleNamed(rule).ReadsActivity(); got != want {
			t.Errorf("%s reads a date of use: %t", rule, got)
		}
	}
}

func TestAgoAtTheBounds(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	j := judge(t, p, noon)
	for ago, want := range map[time.Duration]string{
		day: "signed in 1 day ago", day - time.Second: "signed in 23 hours ago", time.Hour: "signed in 1 hour ago", time.Hour - time.Second: "signed in 59 minutes ago",
		time.Minute: "signed in 1 minute ago", time.Minute - time.Second: "signed in 59 seconds ago", time.Second: "signed in 1 second ago", -time.Hour: "signed in 0 seconds ago",
	} {
		if got := j.Ago(p.RuleNamed("m365"), noon.Add(-ago)); got != want {
			t.Errorf("%s: %q, want %q", ago, got, want)
		}
	}
}

// Turns returns the exact second at which a rule begins to reclaim: for example, the date of the last sign-in plus 60
// days. With earlierThan, this is a second later.
func TestTurnsAtTheMomentItself(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {m365-e3: {sku: SPE_E3}}
rules:
  - {name: strict, license: m365-e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: loose, license: m365-e3, when: AzureAdSistaLogon.hasValue() && AzureAdSistaLogon.value() <= now - days(60), then: remove}
  - {name: fixed, license: m365-e3, when: 'now >= timestamp("2027-01-01T00:00:00Z")', then: remove}
  - {name: two, license: m365-e3, when: AzureAdSistaLogon.earlierThan(now - days(60) - days(7)), then: remove}
`)
	who := employee()
	who.Entra.LastSuccessful = noon.Add(-10 * day)
	for rule, want := range map[string]time.Time{
		"strict": noon.Add(50*day + time.Second), "loose": noon.Add(50 * day), "fixed": time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), "two": noon.Add(57*day + time.Second),
	} {
		j := judge(t, p, noon)
		for range 2 { // the first call must not influence the second
			if got, ok := j.Turns(p.RuleNamed(rule), who); !ok || !got.Equal(want) {
				t.Errorf("%s turns at %s, want %s", rule, got, want)
			}
		}
	}
	if got := p.LongestSpan(); got != 60*day {
		t.Errorf("the longest span is %s", got)
	}
}

func TestSpansAtTheirBounds(t *testing.T) {
	t.Parallel()
	for expr, span := range map[string]time.Duration{"days(1)": day, "days(3650)": 3650 * day, `duration("87600h")`: 3650 * day, `duration("1s")`: time.Second} {
		p := load(t, "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: 'AzureAdSistaLogon.earlierThan(now - "+expr+")', then: remove}]\n")
		who := employee()
		who.Entra.LastSuccessful = noon
		if got, ok := judge(t, p, noon).Turns(p.Rules[0], who); !ok || !got.Equal(noon.Add(span+time.Second)) {
			t.Errorf("%s: turns at %s, %t", expr, got, ok)
		}
		if p.LongestSpan() != span {
			t.Errorf("%s: the longest span is %s", expr, p.LongestSpan())
		}
	}
	for _, expr := range []string{"days(0)", "days(3651)", "days(-1)", `duration("87600h1s")`} {
		if _, err := Load("p", []byte("tenant: 11111111-2222-3333-4444-555555555555\nlicenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: 'AzureAdSistaLogon.earlierThan(now - "+expr+")', then: remove}]\n")); err == nil {
			t.Errorf("%s is taken", expr)
		}
	}
}
