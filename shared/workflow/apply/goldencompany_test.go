package apply

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// goldenPolicy is the policy of the golden stores.
const goldenPolicy = `
tenant: ` + tenant + `
mode: enforce
currency: SEK
licenses:
  e3:     {sku: SPE_E3,           group: {entra: LIC-E3},  monthlyPrice: 39}
  exo:    {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}, monthlyPrice: 4}
  citrix: {group: {ad: "` + citrixDN + `"}, monthlyPrice: 18}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: exo}}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove}
`

// goldenCompany returns the company of the golden stores. Anna moves between groups, Bo's product is exchanged, and
// Dora leaves Citrix. Other people keep the feeds healthy.
func goldenCompany() (*fakeEntra, *fakeAD) {
	created := daysAgo(900)
	e := &fakeEntra{
		tenant: tenant, in: members{"g-e3": {"id-anna", "id-busy", "id-finn"}}, full: map[string]string{}, grants: map[string]string{"g-e3": "sku-e3", "g-exo": "sku-exo"},
		users: map[string]*directory.EntraUser{
			"id-anna": {ID: "id-anna", UserPrincipalName: "anna@x.example", LastSuccessful: idle},
			"id-bo":   {ID: "id-bo", UserPrincipalName: "bo@x.example", LastSuccessful: idle, Assignments: []directory.Assignment{{SKU: "sku-e3", State: "Active"}}},
			"id-busy": {ID: "id-busy", UserPrincipalName: "busy@x.example", LastSuccessful: asOf},
			"id-dora": {ID: "id-dora", UserPrincipalName: "dora@x.example", LastSuccessful: daysAgo(1), SID: "S-1-5-21-4", ImmutableID: "44444444-0000-4000-8000-000000000004", Synced: true},
			"id-finn": {ID: "id-finn", UserPrincipalName: "finn@x.example", LastSuccessful: daysAgo(3)},
		},
	}
	for _, u := range e.users {
		u.Created, u.UserType, u.Enabled, u.UsageLocation = created, "Member", directory.Yes, "SE"
	}
	e.follow()
	d := &fakeAD{
		in: members{citrixDN: {"S-1-5-21-4", "S-1-5-21-9"}},
		people: map[string]*directory.ADUser{
			"S-1-5-21-4": {SID: "S-1-5-21-4", GUID: "44444444-0000-4000-8000-000000000004", DN: "CN=Dora", LastLogonTimestamp: idle},
			"S-1-5-21-9": {SID: "S-1-5-21-9", GUID: "99999999-0000-4000-8000-000000000009", DN: "CN=Busy", LastLogonTimestamp: asOf},
		},
	}
	for _, u := range d.people {
		u.Created, u.Enabled = created, directory.Yes
	}
	return e, d
}

// goldenBench returns an applier for a store and the company.
func goldenBench(s store.Store) *bench {
	e, d := goldenCompany()
	b := &bench{entra: e, ad: d, now: asOf.Add(time.Minute)}
	b.Applier = &Applier{Store: s, Entra: e, AD: d, Now: func() time.Time { return b.now }}
	return b
}

// reads writes what a run reads from the company, and seals the snapshot.
func (b *bench) reads(t *testing.T, rules *policy.Policy) {
	t.Helper()
	ctx := t.Context()
	begin := &snapshot.Begin{
		Run: goldenRun, Started: asOf, Read: asOf, AsOf: asOf, Tenant: tenant, Tool: "golden", Policy: goldenPolicy, Partitions: 1, People: len(b.entra.users), Scheduled: true,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3", Enabled: 10, Consumed: 4}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD", Enabled: 10}},
	}
	for name, sku := range map[string]string{"LIC-E3": "sku-e3", "LIC-EXO": "sku-exo"} {
		begin.Groups = append(begin.Groups, directory.Group{Ref: directory.GroupRef{Source: directory.Entra, Name: name}, ID: strings.ToLower(strings.Replace(name, "LIC-", "g-", 1)), Grants: []string{sku}})
	}
	begin.Groups = append(begin.Groups, directory.Group{Ref: directory.GroupRef{Source: directory.AD, Name: citrixDN}, ID: citrixDN})
	for _, q := range rules.MemberQueries() {
		begin.Members = append(begin.Members, q.Key())
	}
	must(t, snapshot.PutBegin(ctx, b.Store, begin))
	var readings [2]snapshot.Reading
	for _, source := range []directory.Source{directory.Entra, directory.AD} {
		w, err := snapshot.NewWriter(b.Store, begin, source, "1", asOf)
		must(t, err)
		for _, u := range b.entra.users {
			if source == directory.Entra {
				must(t, w.AddEntra(u))
			}
		}
		for _, u := range b.ad.people {
			if source == directory.AD {
				must(t, w.AddAD(u))
			}
		}
		for _, q := range rules.MemberQueries() {
			for _, sid := range b.ad.in[q.Ref.Name] {
				if q.Ref.Source == directory.AD && source == directory.AD {
					must(t, w.AddMember(q.Key(), sid, sid))
				}
			}
		}
		readings[source], err = w.Finish(ctx)
		must(t, err)
		must(t, w.Close())
	}
	must(t, (&collect.Collector{Store: b.Store, Now: b.Applier.Now}).Seal(ctx, goldenRun, readings[0], readings[1]))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// decides evaluates a sealed run and makes its plan.
func (b *bench) decides(t *testing.T, run string) *plan.Plan {
	t.Helper()
	r, err := decision.Open(t.Context(), b.Store, run)
	must(t, err)
	w, err := evaluate.NewWorker(r)
	must(t, err)
	for n := range r.Begin.Partitions {
		must(t, w.Partition(t.Context(), n))
	}
	p, err := gate.Run(t.Context(), b.Store, run, b.now)
	must(t, err)
	return p
}
