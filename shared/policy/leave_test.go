package policy

import (
	"testing"
	"time"
)

// After a leave, a rule takes a license only when the person has been idle for the rule's whole span since the end of
// the leave.
func TestBackFromLeave(t *testing.T) {
	t.Parallel()
	p := load(t, `
exempt: {leave: [{user: anna@x, until: 2026-11-24}, {user: anna@x, until: 2026-10-01}]}
licenses: {m365-e3: {sku: SPE_E3}}
rules:
  - {name: dated, license: m365-e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: undated, license: m365-e3, when: accountEnabled, then: remove}
  - {name: never, license: m365-e3, when: AzureAdSistaLogon.hasNoValue(), then: remove}
`)
	ends, year := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), noon.AddDate(-1, 0, 0)
	for _, tc := range []struct {
		rule string
		last time.Time
		want time.Time // when the rule takes the license
	}{
		{"dated", year, ends.Add(60*day + time.Second)},
		{"dated", ends.Add(8 * time.Hour), ends.Add(8*time.Hour + 60*day + time.Second)}, // the first day back
		{"undated", year, ends.Add(unusedSpan)},
		{"never", time.Time{}, ends.Add(unusedSpan)},
	} {
		who := employee()
		who.Entra.UserPrincipalName, who.Entra.LastSuccessful = "anna@x", tc.last
		j := judge(t, p, ends)
		r := p.RuleNamed(tc.rule)
		if v := j.Ask(r, who); v.Outcome != Keep {
			t.Errorf("%s: %s: %s", tc.rule, v.Outcome, v.Reason)
		}
		if at, turns := j.Turns(r, who); !turns || !at.Equal(tc.want) {
			t.Errorf("%s, last use %s: turns %t at %s, want %s", tc.rule, tc.last, turns, at, tc.want)
		}
		if j.setNow(noon); tc.last.Before(noon) { // still on leave
			if at, turns := j.Turns(r, who); !turns || !at.Equal(tc.want) {
				t.Errorf("%s, on leave: turns %t at %s, want %s", tc.rule, turns, at, tc.want)
			}
		}
		who.Entra.UserPrincipalName = "bo@x"
		if j.setNow(ends); tc.last.Before(noon) && j.Ask(r, who).Outcome != Reclaim {
			t.Errorf("%s: the license of somebody who was not on leave is kept", tc.rule)
		}
	}
}

func TestBackFromLeaveInTheTree(t *testing.T) {
	t.Parallel()
	p := load(t, exempting)
	who := employee()
	who.Entra.UserPrincipalName = "back@contoso.example"
	tree, err := judge(t, p, noon).Tree(p.Rules[0], who)
	if err != nil {
		t.Fatal(err)
	}
	last := tree.Parts[len(tree.Parts)-1]
	if tree.Says != False || last.Name != "grace" || last.Says != False || last.Why != "was on leave until 2026-11-22, and has not been idle for the whole span of the rule since" {
		t.Errorf("%s: %s %s %q", tree.Says, last.Name, last.Says, last.Why)
	}
}
