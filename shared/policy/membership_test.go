package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Membership in an Entra group is a license. The grace newHolder applies to people who got this license recently.
func TestGoldenSeats(t *testing.T) {
	t.Parallel()
	text := "grace: {newHolder: 14}\n" + strings.Replace(twoRules, "rules:", "rules:\n  - {name: seat, license: salesforce, when: AzureAdSistaLogon.earlierThan(now - days(45)), then: remove}", 1)
	text = strings.Replace(text, "licenses:", "licenses:\n  salesforce: {group: {entra: APP-Salesforce}, model: user}", 1)
	const cases = `- name: idle
  now: 2026-11-23T12:00:00Z
  person: {entra: {accountEnabled: true, lastActivity: 2026-08-01T12:00:00Z}, licenses: [salesforce]}
  expect: {seat: reclaim}
- name: new
  now: 2026-11-23T12:00:00Z
  person: {entra: {accountEnabled: true, lastActivity: 2026-08-01T12:00:00Z}, licenses: [{name: salesforce, since: 2026-11-20}]}
  expect: {seat: keep}
- name: no holder
  now: 2026-11-23T12:00:00Z
  person: {entra: {accountEnabled: true, lastActivity: 2026-08-01T12:00:00Z}}
  expect: {seat: notHolder}
- name: Entra ID was not read
  now: 2026-11-23T12:00:00Z
  person: {entra: notRead, ad: {lastLogonTimestamp: 2026-11-23}}
  expect: {seat: undecided}
`
	got, err := Test(load(t, text), "people.yaml", []byte(cases))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Report{Passed: []string{"idle", "new", "no holder", "Entra ID was not read"}}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	none := strings.Replace(cases, "entra: {accountEnabled: true, lastActivity: 2026-08-01T12:00:00Z}, licenses: [salesforce]", "entra: absent, licenses: [salesforce]", 1)
	if _, err := Test(load(t, text), "people.yaml", []byte(none)); err == nil || !strings.Contains(err.Error(), "is held in Entra, and the person has no account there") {
		t.Errorf("without an account: %v", err)
	}
}
