package policy

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

// licenseChanged is the newest date of the assignments that grant the rule's license.
func TestLicenseChanged(t *testing.T) {
	t.Parallel()
	const text = `
tenant: 11111111-2222-3333-4444-555555555555
mode: audit
attributes: {given: entra.licenseChanged, hired: entra.hired, passwordSet: ad.passwordSet}
licenses: {e3: {sku: SPE_E3}, copilot: {sku: Microsoft_365_Copilot}, citrix: {group: {ad: "CN=C,DC=x"}}}
rules:
  - {name: e3, license: e3, when: given.earlierThan(now - days(30)), then: remove}
  - {name: copilot, license: copilot, for: given.hasValue(), when: given.earlierThan(now - days(30)), then: remove}
  - {name: citrix, license: citrix, when: given.hasValue(), then: remove}
`
	p, err := Load("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot", "SPE_E3": "e3"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	way := func(sku, group string, ago int) directory.Assignment {
		a := directory.Assignment{SKU: sku, Group: group, State: "Active"}
		if ago > 0 {
			a.Updated = noon.AddDate(0, 0, -ago)
		}
		return a
	}
	for name, tc := range map[string]struct {
		ways        []directory.Assignment
		e3, copilot Outcome
	}{
		"each its own":          {[]directory.Assignment{way("e3", "", 40), way("copilot", "", 20)}, Reclaim, Keep},
		"the other way round":   {[]directory.Assignment{way("e3", "", 20), way("copilot", "", 40)}, Keep, Reclaim},
		"the newest of two":     {[]directory.Assignment{way("e3", "g", 40), way("e3", "", 20), way("copilot", "g", 50), way("copilot", "", 40)}, Keep, Reclaim},
		"one way does not say":  {[]directory.Assignment{way("e3", "g", 0), way("e3", "", 40), way("copilot", "", 40)}, Undecided, Reclaim},
		"not held, or not told": {[]directory.Assignment{way("copilot", "", 0)}, NotHolder, Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot", "SPE_E3": "e3"}, noon)
			if err != nil {
				t.Fatal(err)
			}
			who := copilotHolder()
			who.Entra.Assignments = tc.ways
			if e3, copilot := j.Ask(p.Rules[0], who).Outcome, j.Ask(p.Rules[1], who).Outcome; e3 != tc.e3 || copilot != tc.copilot {
				t.Errorf("e3 %s, copilot %s; want %s, %s", e3, copilot, tc.e3, tc.copilot)
			}
		})
	}
	who := copilotHolder()
	who.Memberships = []string{p.LicenseNamed("citrix").holders.key}
	who.ADState, who.AD = directory.Present, &directory.ADUser{SID: "S-1"}
	if v := j.Ask(p.Rules[2], who); v.Outcome != Undecided || !strings.Contains(v.Reason, "the license is one of Active Directory") {
		t.Errorf("a license of Active Directory: %s, %s", v.Outcome, v.Reason)
	}
	who.Entra.Assignments = []directory.Assignment{way("e3", "", 40), way("copilot", "", 20)}
	if got := [2]string{j.Evidence(p.Rules[0], who)[0].Value, j.Evidence(p.Rules[1], who)[0].Value}; got != [2]string{"2026-10-14T12:00:00Z", "2026-11-03T12:00:00Z"} {
		t.Errorf("evidence: %q", got)
	}
	for _, e := range j.Profile(who) {
		if e.Attribute == "given" {
			t.Errorf("the profile has %+v", e)
		}
	}
	if _, err := Load("p", []byte(text+"exempt: {when: given.hasValue()}\n")); err == nil || !strings.Contains(err.Error(), "given is about the license of a rule") {
		t.Errorf("an exemption: %v", err)
	}
}
