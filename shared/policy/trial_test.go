package policy

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// The variants of a trial differ in the number of days of a rule. If the form of the condition allows it, a variant
// with more days is evaluated only for some people: those from whom the variant with the fewest days reclaims. The
// verdicts are the same as in an evaluation for everybody.
func TestVariantsOfATrial(t *testing.T) {
	t.Parallel()
	for when, narrows := range map[string]bool{
		"AzureAdSistaLogon.earlierThan(now - days(60))":                                                                    true,
		"AzureAdSistaLogon.earlierThan(now - days(60)) && created.earlierThan(now - days(60))":                             true,
		"AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()":                                  true,
		`department == "HR" ? AzureAdSistaLogon.earlierThan(now - days(60)) : created.earlierThan(now - days(90))`:         true,
		`department == "HR" ? created.hasValue() : AzureAdSistaLogon.earlierThan(now - days(60))`:                          true,
		"created.value() < now - days(60)":                                                                                 true,
		"created.value() <= now - days(60)":                                                                                true,
		"now - days(60) > created.value()":                                                                                 true,
		"now - days(60) >= created.value()":                                                                                true,
		"!AzureAdSistaLogon.earlierThan(now - days(60))":                                                                   false,
		"AzureAdSistaLogon.laterThan(now - days(60))":                                                                      false,
		"AzureAdSistaLogon.earlierThan(now + days(60) - days(90))":                                                         false,
		"AzureAdSistaLogon.earlierThan(now - days(60) - days(5))":                                                          false,
		`AzureAdSistaLogon.earlierThan(timestamp("2026-12-23T12:00:00Z") - days(60))`:                                      false,
		"AzureAdSistaLogon.earlierThan(now - days(60)) && !created.earlierThan(now - days(60))":                            false,
		"!created.earlierThan(now - days(60)) || AzureAdSistaLogon.earlierThan(now - days(60))":                            false,
		"AzureAdSistaLogon.earlierThan(now - days(60)) ? created.hasValue() : created.earlierThan(now - days(90))":         false,
		`department == "HR" ? AzureAdSistaLogon.laterThan(now - days(60)) : AzureAdSistaLogon.earlierThan(now - days(60))`: false,
		`department == "HR" ? AzureAdSistaLogon.earlierThan(now - days(60)) : AzureAdSistaLogon.laterThan(now - days(60))`: false,
		"created.value() > now - days(60)":                                                                                 false,
		"created.value() >= now - days(60)":                                                                                false,
		"now - days(60) < created.value()":                                                                                 false,
		"now - days(60) <= created.value()":                                                                                false,
		"AzureAdSistaLogon.earlierThan(now - days(60)) == created.earlierThan(now - days(60))":                             false,
		`created.value() < now - days(60) || created.value() > now - days(60) && department == "Sales"`:                    false,
		`created.value() > now - days(60) && department == "Sales" || created.value() < now - days(60)`:                    false,
		"created.value() < now + days(60) - days(90)":                                                                      false,
		"now + days(60) - days(90) > created.value()":                                                                      false,
		"now - days(60) > created.value() - days(60)":                                                                      false,
		"AzureAdSistaLogon.earlierThan(now + days(60))":                                                                    false,
		"created.value() < now + days(60)":                                                                                 false,
		"now + days(60) > created.value()":                                                                                 false,
		`created.value() - days(60) < now - days(60)`:                                                                      false,
		"optional.of(created.value() - days(60)).earlierThan(now - days(60))":                                              false,
	} {
		text := []byte("tenant: 11111111-2222-3333-4444-555555555555\n" + edgeHead + "rules:\n  - name: r\n    license: m365\n    when: |\n      " + when + "\n    then: remove\n")
		p, err := Trial("p", text, []Variant{{"r", 60, 90}, {"r", 60, 30}, {"r", 60, 60}, {"r", 0, 0}})
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		for i, r := range p.Rules {
			if got := r.within != nil; got != (narrows && (i == 0 || i == 2)) || got && r.within != p.Rules[1] {
				t.Errorf("%s: variant %d is evaluated for a part of the people: %t", when, i, got)
			}
		}
		checkVariants(t, when, p)
	}
}

func checkVariants(t *testing.T, when string, p *Policy) {
	t.Helper()
	j, e := judge(t, p, noon), edges{rand.New(rand.NewPCG(8, 1))}
	var people []*directory.Person
	for range 100 {
		people = append(people, e.person())
	}
	swept := j.Sweep(inColumns(people))
	var list []Outcome
	for row, who := range people {
		var want []Outcome
		for i, r := range p.Rules {
			want = append(want, j.Ask(r, who).Outcome)
			if got := swept.Verdicts[i][row]; got != NotPlain && plainOutcomes[got] != want[i] {
				t.Errorf("%s, rule %s, person %d: the columns show %d, and the judge says %s", when, r.Name, row, got, want[i])
			}
		}
		list = j.Outcomes(who, list)
		if d := cmp.Diff(want, list); d != "" {
			t.Errorf("%s, person %d (-Ask +Outcomes):\n%s", when, row, d)
		}
	}
}

// Two rules have variants with different numbers of days. A variant can use the result of a variant with fewer days
// only if both belong to the same rule (Rule.within).
func TestVariantsOfTwoRules(t *testing.T) {
	t.Parallel()
	text := []byte("tenant: 11111111-2222-3333-4444-555555555555\n" + edgeHead + `rules:
  - {name: a, license: m365, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: b, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(60)), then: remove}
`)
	p, err := Trial("p", text, []Variant{{"a", 60, 90}, {"b", 60, 30}, {"a", 60, 60}, {"b", 60, 90}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Rules[0].within != p.Rules[2] || p.Rules[1].within != nil || p.Rules[2].within != nil || p.Rules[3].within != p.Rules[1] {
		t.Errorf("within %v", []*Rule{p.Rules[0].within, p.Rules[1].within, p.Rules[2].within, p.Rules[3].within})
	}
	checkVariants(t, "two rules", p)
}

func TestJudgeAt(t *testing.T) {
	t.Parallel()
	p, who := load(t, twoRules), employee()
	who.Entra.LastSuccessful = noon.Add(-50 * day)
	j := judge(t, p, noon)
	before := j.Ask(p.Rules[0], who).Outcome
	j.At(noon.Add(20 * day))
	if after := j.Ask(p.Rules[0], who).Outcome; before != Keep || after != Reclaim || !j.Now().Equal(noon.Add(20*day)) {
		t.Errorf("%s, and %s as of %s", before, after, j.Now())
	}
}
