package restore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	text   = `
tenant: ` + tenant + `
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
)

var (
	asOf    = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	clock   = asOf.Add(time.Minute)
	errDown = errors.New("down")
)

// storeWithRun returns a store in which the run "run" has begun.
func storeWithRun(t *testing.T) store.Store {
	t.Helper()
	s := store.Store(&store.Memory{})
	b := &snapshot.Begin{
		Run: "run", Read: asOf, AsOf: asOf, Tenant: tenant, Tool: "v1", Policy: text, Partitions: 1,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}},
	}
	if err := snapshot.PutBegin(t.Context(), s, b); err != nil {
		t.Fatal(err)
	}
	return s
}

// takes writes an earlier run whose plan takes E3 from people. became has each person's outcome. An empty outcome
// leaves the change open.
func takes(t *testing.T, s store.Store, run string, became map[string]ledger.Outcome) *plan.Plan {
	t.Helper()
	p := &plan.Plan{Run: run, Mode: policy.Review, Verdict: plan.Review, Changes: []plan.Change{}, Created: asOf, Expires: asOf.Add(plan.Lifetime)}
	past := &history.Planned{Run: run, AsOf: asOf, Expires: p.Expires}
	book := ledger.In(s)
	for _, user := range []string{"ann", "bob", "cid", "dan"} {
		outcome, changed := became[user]
		if !changed {
			continue
		}
		p.Changes = append(p.Changes, plan.Change{User: user, Rule: "m365", License: "e3", To: "exo", Via: plan.Direct})
		past.Touches = append(past.Touches, history.Touch{User: user, License: "e3"})
		e, err := book.Begin(t.Context(), ledger.Intent{Person: user, UserPrincipalName: user + "@x.example", License: "e3", To: "exo", Run: run, Rule: "m365", Via: "direct", MonthlySaving: 35, At: asOf}, nil)
		if err == nil && outcome != "" {
			err = book.Complete(t.Context(), e, ledger.Completion{Outcome: outcome, At: asOf})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p.Bind()
	if err := errors.Join(snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: run, AsOf: asOf, Tenant: tenant, Policy: text, Partitions: 1}), runs.PutPlan(t.Context(), s, p, runs.Nobody), history.PutPlanned(t.Context(), s, past, true)); err != nil {
		t.Fatal(err)
	}
	return p
}

// users returns the people of the changes, in order.
func users(changes []plan.Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, c.User)
	}
	return strings.Join(all, " ")
}
