package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// Golden people may hold a license that is membership in an Entra group. Such a license has the grace newHolder.
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

// A license comes through a synced group of Active Directory. Whether a rule takes this license or gives it in
// exchange, the run must read the direct members of the group, because a write to the group needs them.
func TestMembersOfASyncedGroup(t *testing.T) {
	t.Parallel()
	synced := func(name string) directory.Question {
		return directory.Question{Ref: directory.GroupRef{Source: directory.AD, Name: name}, Direct: true}
	}
	p := load(t, `
licenses:
  m365: {sku: SPE_E3, group: {ad: "CN=Large,DC=x"}}
  exchange: {sku: EXCHANGESTANDARD, group: {ad: "CN=Small,DC=x"}}
  cloud: {sku: VISIO, group: {entra: LIC-VISIO}}
rules:
  - {name: a, license: m365, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: exchange}}
  - {name: b, license: cloud, when: AzureAdSistaLogon.hasNoValue(), then: remove}
`)
	if d := cmp.Diff([]directory.Question{synced("CN=Large,DC=x"), synced("CN=Small,DC=x")}, p.MemberQueries()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
