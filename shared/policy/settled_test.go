package policy

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestDaysOfARule(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]int{
		"AzureAdSistaLogon.earlierThan(now - days(60))":                                        60,
		"AzureAdSistaLogon.earlierThan(now - days(60)) && created.earlierThan(now - days(60))": 60,
		"AzureAdSistaLogon.earlierThan(now - days(60)) || created.earlierThan(now - days(61))": 0,
		`AzureAdSistaLogon.earlierThan(now - duration("36h"))`:                                 0,
		`AzureAdSistaLogon.earlierThan(now - duration("48h"))`:                                 2,
		"AzureAdSistaLogon.hasNoValue()":                                                       0,
	} {
		p := load(t, "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: '"+when+"', then: remove}]\n")
		if got := p.Rules[0].Days(); got != want {
			t.Errorf("%s: %d days, want %d", when, got, want)
		}
	}
}

const settledPolicy = `
exempt:
  leave: [{user: a@x, until: 2026-12-02}, {user: a@x, until: 2026-11-01}, {user: b@x, until: 2027-06-01}, {user: b@x, until: 2026-11-23T12:00:00Z}, {user: d@x, until: 2026-12-08T12:00:00Z}]
  %s
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: 'AzureAdSistaLogon.earlierThan(now - days(20)) || AzureAdSistaLogon.hasNoValue()', then: remove}]
`

// If SettledBy is true for a time, TurnsBy finds no change up to this time.
func TestSettledBy(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	settled := 0
	for _, when := range []string{"", `when: department == "Board"`, `when: created.laterThan(now - days(30))`} {
		p := load(t, replaced(when))
		for range 300 {
			who := employee()
			who.Entra.UserPrincipalName = []string{"a@x", "b@x", "c@x"}[random.IntN(3)]
			who.Entra.Department = []string{"Board", "Sales"}[random.IntN(2)]
			who.Entra.LastSuccessful = noon.Add(-time.Duration(random.IntN(40*24)) * time.Hour)
			who.Entra.Created = noon.Add(-time.Duration(random.IntN(60*24)) * time.Hour)
			until := noon.Add(time.Duration(random.IntN(40*24)) * time.Hour)
			j, r := judge(t, p, noon), p.Rules[0]
			v := j.Ask(r, who)
			if !j.SettledBy(until, r, who, v) {
				continue
			}
			settled++
			if at, turns := j.TurnsBy(until, r, who); turns {
				t.Fatalf("seed %d, %s: settled by %s, and turns on %s: %s", seed, v.Outcome, until, at, j.Evidence(r, who))
			}
			if now := judge(t, p, until).Ask(r, who); now.Outcome != v.Outcome {
				t.Fatalf("seed %d: %s until %s, and then %s", seed, v.Outcome, until, now.Outcome)
			}
		}
	}
	if settled < 200 {
		t.Errorf("only %d verdicts are settled; the test shows little", settled)
	}
}

func replaced(line string) string { return strings.Replace(settledPolicy, "  %s\n", "  "+line+"\n", 1) }

func TestWhatSettles(t *testing.T) {
	t.Parallel()
	until := noon.Add(15 * day)
	for name, tc := range map[string]struct {
		when   string // the exemption's condition
		user   string
		signIn time.Duration // how long ago
		want   bool
	}{
		"keeps, and turns later":         {"", "c@x", day, true},
		"keeps, and turns in time":       {"", "c@x", 6 * day, false},
		"keeps, and turns at the end":    {"", "c@x", 5 * day, false},
		"reclaims":                       {"", "c@x", 30 * day, false},
		"on leave for long":              {"", "b@x", 30 * day, true},
		"on leave for some days":         {"", "a@x", 30 * day, false},
		"on leave until the very end":    {"", "d@x", 30 * day, false},
		"exempt by a plain condition":    {`when: department == "Board"`, "c@x", 30 * day, true},
		"exempt by an instant":           {`when: now < timestamp("2026-12-01T00:00:00Z")`, "c@x", 30 * day, false},
		"exempt by a condition of dates": {`when: created.earlierThan(now - days(30))`, "c@x", 30 * day, false},
	} {
		p := load(t, replaced(tc.when))
		who := employee()
		who.Entra.UserPrincipalName, who.Entra.Department, who.Entra.LastSuccessful = tc.user, "Board", noon.Add(-tc.signIn)
		j := judge(t, p, noon)
		if got := j.SettledBy(until, p.Rules[0], who, j.Ask(p.Rules[0], who)); got != tc.want {
			t.Errorf("%s: settled %t", name, got)
		}
	}
	p := load(t, replaced(""))
	if judge(t, p, noon).SettledBy(until, p.Rules[0], employee(), Verdict{Outcome: Keep, InGrace: true}) {
		t.Error("a verdict in grace is settled")
	}
	p = load(t, "exempt: {groups: [{entra: VIP}]}\n"+twoRules)
	if !judge(t, p, noon).SettledBy(until, p.Rules[0], employee(), Verdict{Outcome: Exempt}) {
		t.Error("nobody is on leave, and an exempt person does not stay exempt")
	}
}

// Two rules evaluate one person: first a rule for E3, and then a rule for Exchange Online. For the first rule,
// SettledBy must use the date licenseChanged of E3, and not the date of Exchange Online, which was read last.
func TestSettledByADateOfTheLicense(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes: {given: entra.licenseChanged}
licenses: {m365-e3: {sku: SPE_E3}, exchange-online: {sku: EXCHANGESTANDARD}}
rules:
  - {name: e3, license: m365-e3, when: given.earlierThan(now - days(30)), then: remove}
  - {name: exo, license: exchange-online, when: given.earlierThan(now - days(30)), then: remove}
`)
	who := employee()
	who.Entra.Assignments = []directory.Assignment{
		{SKU: "e3", State: "Active", Updated: noon.Add(-20 * day)}, {SKU: "exo", State: "Active", Updated: noon.Add(-day)},
	}
	j := judge(t, p, noon)
	v, other := j.Ask(p.Rules[0], who), j.Ask(p.Rules[1], who)
	if v.Outcome != Keep || other.Outcome != Keep {
		t.Fatalf("%s, %s", v.Outcome, other.Outcome)
	}
	until := noon.Add(15 * day)
	if first, second := j.SettledBy(until, p.Rules[0], who, v), j.SettledBy(until, p.Rules[1], who, other); first || !second {
		t.Errorf("the license of 20 days ago is settled %t, and the one of a day ago %t", first, second)
	}
}

// SettledBy, TurnsBy and CoolsUntil search for a time with the same Judge. The result of one search must not depend on
// earlier searches.
func TestOneSearchAfterAnother(t *testing.T) {
	t.Parallel()
	p := load(t, `
licenses: {m365-e3: {sku: SPE_E3}}
rules: [{name: r, license: m365-e3, when: created.laterThan(now - days(30)) && AzureAdSistaLogon.earlierThan(now - days(5)), then: remove}]
`)
	r, who, given := p.Rules[0], employee(), noon.Add(-day)
	who.Entra.Created, who.AD.Created, who.Entra.LastSuccessful = noon.Add(-20*day), noon.Add(-20*day), given
	j, want := judge(t, p, noon), noon.Add(4*day+time.Second)
	cools := func(after string) {
		t.Helper()
		if at, ok := j.CoolsUntil(r, who, given); !ok || !at.Equal(want) {
			t.Errorf("after %s it cools until %s, %t; want %s", after, at, ok, want)
		}
	}
	cools("nothing")
	if !j.SettledBy(noon.Add(day), r, who, j.Ask(r, who)) {
		t.Error("the verdict turns in 4 days, and is not settled for one")
	}
	cools("SettledBy")
	if at, ok := j.TurnsBy(noon.Add(day), r, who); ok {
		t.Errorf("turns at %s within a day", at)
	}
	cools("TurnsBy")
	j.At(noon.Add(20 * day)) // the account is too old for the rule by now
	if at, ok := j.CoolsUntil(r, who, given); ok {
		t.Errorf("as of %s it cools until %s", j.Now(), at)
	}
}

// A license was restored. A rule takes the license again only when the whole span of the rule has passed since the
// restore, such as 20 days without a sign-in. A rule without a date of use waits for 90 days.
func TestTurnsAfterARestore(t *testing.T) {
	t.Parallel()
	given := noon.Add(-10 * day)
	for name, tc := range map[string]struct {
		when string
		want time.Time // when the license can be taken
	}{
		"by the last sign-in": {"AzureAdSistaLogon.earlierThan(now - days(20))", given.Add(20*day + time.Second)},
		"without a use":       {"created.earlierThan(now - days(5))", given.Add(90 * day)},
		"without a sign-in":   {"AzureAdSistaLogon.hasNoValue() && created.earlierThan(now - days(180))", given.Add(180*day + time.Second)},
		"never":               {`AzureAdSistaLogon.earlierThan(timestamp("2020-01-01T00:00:00Z"))`, time.Time{}},
	} {
		p := load(t, "licenses: {m365-e3: {sku: SPE_E3}}\nrules: [{name: r, license: m365-e3, when: '"+tc.when+"', then: remove}]\n")
		r, who := p.Rules[0], employee()
		who.Entra.LastSuccessful, who.Entra.Created = noon.Add(-2000*day), noon.Add(-3000*day)
		switch name {
		case "without a sign-in":
			who.Entra.LastSuccessful = time.Time{}
		case "never":
			who.Entra.LastSuccessful = noon.Add(-30 * day)
		}
		j := judge(t, p, noon)
		for of, got := range map[string]func() (time.Time, bool){
			"CoolsUntil": func() (time.Time, bool) { return j.CoolsUntil(r, who, given) },
			"TurnsBy":    func() (time.Time, bool) { return j.TurnsBy(noon.Add(200*day), r, who, given) },
			"Turns":      func() (time.Time, bool) { return j.Turns(r, who, given.Add(-day), given) },
		} {
			if at, ok := got(); ok == tc.want.IsZero() || !at.Equal(tc.want) {
				t.Errorf("%s, %s: %s, %t, want %s", name, of, at, ok, tc.want)
			}
		}
		if at, ok := j.TurnsBy(given.Add(12*day), r, who, given); ok {
			t.Errorf("%s: turns on %s, after the end of the search", name, at)
		}
		if !j.Now().Equal(noon) {
			t.Errorf("%s: the judge is at %s", name, j.Now())
		}
	}
}
