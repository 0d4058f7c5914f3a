// Package earlier writes the objects that an earlier run has left in a store. Tests use them to check what a later run
// makes of them.
package earlier

import (
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Tenant is the tenant of the earlier runs.
const Tenant = "11111111-2222-3333-4444-555555555555"

// Policy is the text of the policy of the earlier runs.
const Policy = `
tenant: ` + Tenant + `
mode: review
currency: SEK
licenses:
  e3:     {sku: SPE_E3, monthlyPrice: 39}
  exo:    {sku: EXCHANGESTANDARD, monthlyPrice: 4}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}, model: user, monthlyPrice: 18}
limits: {stopAbove: {percent: 10, count: 20}, perRun: 3}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.hasNoValue(), then: {changeTo: exo}}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.hasNoValue(), then: remove}
`

// AsOf is the time of the earlier runs.
var AsOf = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// Run writes an earlier run. Its plan takes E3 from each person who is a key of the map "became": ann, bob, cid or dan.
// The map's values are the outcomes of these changes. The outcome "" leaves a change pending.
func Run(t *testing.T, s store.Store, run string, became map[string]ledger.Outcome) *plan.Plan {
	t.Helper()
	p := &plan.Plan{Run: run, Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{}, Created: AsOf, Expires: AsOf.Add(plan.Lifetime)}
	past := &history.Planned{Run: run, AsOf: AsOf, Expires: p.Expires}
	book := ledger.In(s)
	for _, user := range []string{"ann", "bob", "cid", "dan"} {
		outcome, changed := became[user]
		if !changed {
			continue
		}
		p.Changes = append(p.Changes, plan.Change{User: user, UserPrincipalName: user + "@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.Direct})
		past.Touches = append(past.Touches, history.Touch{User: user, License: "e3"})
		e, err := book.Begin(t.Context(), ledger.Intent{Person: user, UserPrincipalName: user + "@x.example", License: "e3", To: "exo", Run: run, Rule: "m365", Via: "direct", MonthlySaving: 35, At: AsOf}, nil)
		if err == nil && outcome != "" {
			err = book.Complete(t.Context(), e, ledger.Completion{Outcome: outcome, At: AsOf})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Bind()
	if err := errors.Join(snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: run, AsOf: AsOf, Tenant: Tenant, Policy: Policy, Partitions: 1}), runs.PutPlan(t.Context(), s, p, runs.Nobody), history.PutPlanned(t.Context(), s, past, true)); err != nil {
		t.Fatal(err)
	}
	return p
}

// Newer changes a stored run, so that it looks like a run of a newer version: its policy has a key that this version
// does not know.
func Newer(t *testing.T, s store.Store, run string) {
	t.Helper()
	b, err := snapshot.GetBegin(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	b.Policy += "\nlater: true\n"
	raw, err := store.Encode(layout.Begin(run), b)
	if err == nil {
		err = store.PutBytes(t.Context(), s, layout.Begin(run), raw)
	}
	if err != nil {
		t.Fatal(err)
	}
}
