package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
)

const daysPolicy = `# a comment
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  m365:   {sku: SPE_E3, monthlyPrice: 39}
  citrix: {group: {ad: "CN=Citrix,DC=x"}, monthlyPrice: 18}
exempt: {when: 'department == "days(60)"'}
rules:
  - name: a
    license: m365
    for: 'department != "Größe days(60) 😀" || created.value() < now - days(60)'
    when: '  department != "Größe 😀 days(60)" && AzureAdSistaLogon.earlierThan(now - days( 60 )) || AzureAdSistaLogon.earlierThan(now - days(0x3c))'
    then: remove
  - name: b
    license: citrix
    when: |
      LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))
                                    : created.value() <= now - days(30)
    then: {remove: true}
  - {name: c, license: citrix, when: 'LastlogonTimestamp.hasNoValue() || LastlogonTimestamp.earlierThan(now - duration("1000h"))', then: remove}
`

func TestVaried(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		by    []policy.Variant
		when  [2]string // the conditions "when" of the rules a and b
		fault string
	}{
		{name: "nothing", when: [2]string{
			`department != "Größe 😀 days(60)" && AzureAdSistaLogon.earlierThan(now - days( 60 )) || AzureAdSistaLogon.earlierThan(now - days(0x3c))`,
			"LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))\n                              : created.value() <= now - days(30)",
		}},
		{name: "every place, and no text", by: []policy.Variant{{"a", 60, 5}, {"b", 30, 3650}}, when: [2]string{
			`department != "Größe 😀 days(60)" && AzureAdSistaLogon.earlierThan(now - days( 5 )) || AzureAdSistaLogon.earlierThan(now - days(5))`,
			"LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))\n                              : created.value() <= now - days(3650)",
		}},
		{name: "no such rule", by: []policy.Variant{{"bb", 30, 5}}, fault: `no rule "bb"`},
		{name: "no such days", by: []policy.Variant{{"a", 61, 5}}, fault: `rule a has no days(61)`},
		{name: "no days", by: []policy.Variant{{"c", 41, 5}}, fault: `rule c has no days(41)`},
		{name: "too many days", by: []policy.Variant{{"a", 60, 3651}}, fault: "not 3651"},
		{name: "too few days", by: []policy.Variant{{"a", 60, 0}}, fault: "not 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text, err := policy.Varied("p", []byte(daysPolicy), c.by...)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("got %v, want %q", err, c.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p, err := policy.Load("p", text)
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			before, err := policy.Load("p", []byte(daysPolicy))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.when, [2]string{p.Rules[0].WhenSource, p.Rules[1].WhenSource}); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if p.Rules[0].ForSource != before.Rules[0].ForSource || p.Exempt.When != before.Exempt.When {
				t.Errorf("another condition has changed:\n%s", text)
			}
		})
	}
}

// Trial changes its rules after it has compiled them. So a Trial must share no rules with another Trial or with a
// loaded policy.
func TestTrialSharesNoPolicy(t *testing.T) {
	t.Parallel()
	variants := []policy.Variant{{"a", 60, 30}, {"a", 60, 90}}
	seen := map[*policy.Policy]bool{}
	for range 2 {
		p, err := policy.Trial("p", []byte(daysPolicy), variants)
		if err != nil {
			t.Fatal(err)
		}
		if seen[p] {
			t.Error("two trials have the same policy")
		}
		seen[p] = true
	}
}

func TestTrialHasARuleForEachVariant(t *testing.T) {
	t.Parallel()
	p, err := policy.Trial("p", []byte(daysPolicy), []policy.Variant{{"b", 90, 45}, {"a", 60, 60}, {"b", 90, 90}, {"a", 60, 1}, {"c", 0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Rules {
		got = append(got, fmt.Sprint(r.License.Name, r.DayNumbers()))
	}
	if d := cmp.Diff([]string{"citrix[30 45]", "m365[60]", "citrix[30 90]", "m365[1]", "citrix[]"}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestVariedNumbers(t *testing.T) {
	t.Parallel()
	for number, from := range map[string]int{"90": 90, "0x5a": 90, "0x5A": 90, "0x05A": 90, "15": 15, "0xf": 15, "0xF": 15} {
		text := strings.Replace(daysPolicy, "days( 60 )", "days("+number+")", 1)
		got, err := policy.Varied("p", []byte(text), policy.Variant{Rule: "a", From: from, To: 7})
		if err != nil || strings.Count(string(got), "days(7)") != 1 {
			t.Errorf("%s: %v\n%s", number, err, got)
		}
	}
}

func TestFaultsOfATrial(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text  string
		by    policy.Variant
		fault string
	}{
		"no such rule":  {daysPolicy, policy.Variant{Rule: "bb", From: 90, To: 30}, `no rule "bb"`},
		"no such days":  {daysPolicy, policy.Variant{Rule: "b", From: 91, To: 30}, "rule b has no days(91)"},
		"too many days": {daysPolicy, policy.Variant{Rule: "b", From: 90, To: 3651}, "not 3651"},
		"no policy":     {"rules: none", policy.Variant{Rule: "b", From: 90, To: 30}, "rules"},
	} {
		if p, err := policy.Trial("p", []byte(tc.text), []policy.Variant{{Rule: "a"}, tc.by}); p != nil || err == nil || !strings.Contains(err.Error(), tc.fault) {
			t.Errorf("%s: %v, want %q", name, err, tc.fault)
		}
		if text, err := policy.Varied("p", []byte(tc.text), tc.by); text != nil || err == nil || !strings.Contains(err.Error(), tc.fault) {
			t.Errorf("%s, varied: %v, want %q", name, err, tc.fault)
		}
	}
}
