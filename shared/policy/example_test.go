package policy_test

import (
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

const file = `
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  m365-e3: {sku: SPE_E3}
rules:
  - name: m365-idle-60
    license: m365-e3
    for: accountEnabled
    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()
    then: {remove: true, mailbox: lost}
`

// Of three people, the first signed in last week, and the second last year. The third was not read.
func ExampleJudge_Ask() {
	p, err := policy.Load("policy.yaml", []byte(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	judge, err := p.NewJudge(map[string]string{"SPE_E3": "05e9a617-0261-4cee-bb44-138d3ef5d965"}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	signedIn := func(at time.Time) *directory.Person {
		return &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{
			ID: "6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0", Enabled: directory.Yes, LastSuccessful: at,
			Assignments: []directory.Assignment{{SKU: "05e9a617-0261-4cee-bb44-138d3ef5d965", State: "Active"}},
		}}
	}
	for _, who := range []*directory.Person{
		signedIn(now.AddDate(0, 0, -7)), signedIn(now.AddDate(-1, 0, 0)), {EntraState: directory.NotRead},
	} {
		fmt.Println(judge.Ask(p.Rules[0], who).Outcome)
	}
	// Output:
	// keep
	// reclaim
	// undecided
}

// Load reports all faults in a file, with their places and remedies.
func ExampleLoad_faults() {
	_, err := policy.Load("policy.yaml", []byte(`
tenant: contoso
licenses: {m365-e3: {sku: SPE_E3}}
rules:
  - name: idle
    license: m365-e5
    when: AzureAdSistaLogon.hasNoValue()
    then: remove
`))
	fmt.Println(err)
	// Output:
	// policy.yaml:2:9: tenant must be the tenant's id, like 11111111-2222-3333-4444-555555555555, not "contoso"; Entra ID shows the id on its overview page
	// policy.yaml:6:14: there is no license "m365-e5"; the policy has m365-e3
}
