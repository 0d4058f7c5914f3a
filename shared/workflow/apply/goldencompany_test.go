package apply

import (
	"context"
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

const goldenPolicy = `
tenant: ` + tenant + `
mode: enforce
currency: SEK
attributes: {copilotUse: copilot.lastActivity}
licenses:
  e3:      {sku: SPE_E3,           group: {entra: LIC-E3},  monthlyPrice: 39}
  exo:     {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}, monthlyPrice: 4, mailboxQuota: 50}
  copilot: {sku: Microsoft_365_Copilot, monthlyPrice: 30}
  citrix:  {group: {ad: "` + citrixDN + `"}, monthlyPrice: 18}
exempt: {groups: [{entra: LIC-Exempt}]}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: exo}}
  - {name: copilot, license: copilot, when: copilotUse.earlierThan(now - days(45)), then: remove}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove}
`

// goldenStrict is the policy of the night before the golden run (see goldenCompany). Its rule matches two people, Gus
// and Hanna. Its limit allows one, so the plan is on hold.
const goldenStrict = `
tenant: ` + tenant + `
mode: enforce
currency: SEK
licenses: {visio: {sku: VISIOCLIENT, monthlyPrice: 15}}
limits: {stopAbove: {count: 1}}
rules:
  - {name: visio, license: visio, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`

// goldenCompany returns the company of the golden stores. In the golden run, Anna moves between groups, Bo's product is
// exchanged, and Dora loses Citrix. In the night before the golden run, Gus and Hanna lose Visio, and a restore gives
// it back to both. Ines used Copilot recently. The others have recent sign-ins, so that the sign-in dates count as
// healthy.
func goldenCompany() (*fakeEntra, *fakeAD) {
	created := daysAgo(900)
	direct := func(sku string) []directory.Assignment { return []directory.Assignment{{SKU: sku, State: "Active"}} }
	e := &fakeEntra{
		tenant: tenant, in: members{"g-e3": {"id-anna", "id-busy", "id-finn"}, "g-exempt": {"id-finn"}}, full: map[string]string{}, grants: map[string]string{"g-e3": "sku-e3", "g-exo": "sku-exo"},
		skus: []directory.SKU{
			{ID: "sku-e3", PartNumber: "SPE_E3", Enabled: 10, Consumed: 4}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD", Enabled: 10},
			{ID: "sku-copilot", PartNumber: "Microsoft_365_Copilot", Enabled: 10, Consumed: 1}, {ID: "sku-visio", PartNumber: "VISIOCLIENT", Enabled: 10, Consumed: 2},
		},
		users: map[string]*directory.EntraUser{
			"id-anna":  {ID: "id-anna", UserPrincipalName: "anna@x.example", LastSuccessful: idle},
			"id-bo":    {ID: "id-bo", UserPrincipalName: "bo@x.example", LastSuccessful: idle, Assignments: direct("sku-e3")},
			"id-busy":  {ID: "id-busy", UserPrincipalName: "busy@x.example", LastSuccessful: daysAgo(2)},
			"id-dora":  {ID: "id-dora", UserPrincipalName: "dora@x.example", LastSuccessful: daysAgo(2), SID: "S-1-5-21-4", ImmutableID: "44444444-0000-4000-8000-000000000004", Synced: true},
			"id-finn":  {ID: "id-finn", UserPrincipalName: "finn@x.example", LastSuccessful: daysAgo(3)},
			"id-gus":   {ID: "id-gus", UserPrincipalName: "gus@x.example", LastSuccessful: idle, Assignments: direct("sku-visio")},
			"id-hanna": {ID: "id-hanna", UserPrincipalName: "hanna@x.example", LastSuccessful: idle, Assignments: direct("sku-visio")},
			"id-ines":  {ID: "id-ines", UserPrincipalName: "ines@x.example", LastSuccessful: daysAgo(2), Assignments: direct("sku-copilot")},
		},
		usage: map[string]string{"copilot": "\ufeffReport Refresh Date,Report Period,User Principal Name,Display Name,Last Activity Date\r\n" +
			"2026-11-21,180,ines@x.example,Ines,2026-11-20\r\n"},
	}
	for _, u := range e.users {
		u.Created, u.UserType, u.Enabled, u.UsageLocation = created, "Member", directory.Yes, "SE"
	}
	e.follow()
	d := &fakeAD{
		in: members{citrixDN: {"S-1-5-21-4", "S-1-5-21-9"}},
		people: map[string]*directory.ADUser{
			"S-1-5-21-4": {SID: "S-1-5-21-4", GUID: "44444444-0000-4000-8000-000000000004", DN: "CN=Dora", LastLogonTimestamp: idle},
			"S-1-5-21-9": {SID: "S-1-5-21-9", GUID: "99999999-0000-4000-8000-000000000009", DN: "CN=Busy", LastLogonTimestamp: daysAgo(2)},
		},
	}
	for _, u := range d.people {
		u.Created, u.Enabled = created, directory.Yes
	}
	return e, d
}

type goldenEntra struct{ *fakeEntra }

func (e goldenEntra) Subscriptions(context.Context) ([]directory.Subscription, error) {
	return []directory.Subscription{{SKU: "sku-e3", Status: "Enabled", Seats: 10, Renews: daysAgo(-200)}}, nil
}

func (e goldenEntra) CountPeople(context.Context) (int, error) { return len(e.users), nil }

func (goldenEntra) LicenseGroups(context.Context) ([]directory.Group, error) { return nil, nil }

func (goldenEntra) FindID(_ context.Context, name string) (string, error) { return name, nil }

func (e goldenEntra) FindGroup(ctx context.Context, name string) (directory.Group, error) {
	return e.fakeEntra.FindGroup(ctx, strings.ToLower(strings.Replace(name, "LIC-", "g-", 1)))
}

func (e goldenEntra) Mailboxes(_ context.Context, each func(directory.Mailbox) error) error {
	for _, name := range []string{"anna@x.example", "bo@x.example"} {
		if err := each(directory.Mailbox{UserPrincipalName: name, Bytes: directory.GB, Kind: "User"}); err != nil {
			return err
		}
	}
	return nil
}

func goldenBench(s store.Store) *bench {
	e, d := goldenCompany()
	b := &bench{entra: e, ad: d, now: asOf.Add(time.Minute)}
	b.Applier = &Applier{Store: s, Entra: e, AD: d, Now: func() time.Time { return b.now }}
	return b
}

// The method "reads" writes the snapshot of the company for a run. It writes the reading of Active Directory in the
// form in which the relay writes it.
func (b *bench) reads(t *testing.T, run, text string) {
	t.Helper()
	ctx := t.Context()
	rules, err := policy.Load("golden", []byte(text))
	must(t, err)
	c := &collect.Collector{Store: b.Store, Entra: goldenEntra{b.entra}, Tool: "golden", Now: b.Applier.Now}
	begin, err := c.Begin(ctx, collect.Start{Run: run, AsOf: b.now, Policy: rules, Text: text, Scheduled: true})
	must(t, err)
	entra, err := c.ReadEntra(ctx, begin, rules)
	must(t, err)
	w, err := snapshot.NewWriter(b.Store, begin, directory.AD, "1", b.now)
	must(t, err)
	for _, u := range b.ad.people {
		must(t, w.AddAD(u))
	}
	for _, q := range rules.MemberQueries() {
		for _, sid := range b.ad.in[q.Ref.Name] {
			must(t, w.AddMember(q.Key(), sid, sid))
		}
	}
	ad, err := w.Finish(ctx)
	must(t, err)
	must(t, w.Close())
	must(t, c.Seal(ctx, run, entra, ad))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

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
