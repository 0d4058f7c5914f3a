package apply

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	tenant   = "11111111-2222-3333-4444-555555555555"
	citrixDN = "CN=Citrix,DC=corp"
	liteDN   = "CN=Lite,DC=corp"
	text     = `
tenant: ` + tenant + `
mode: enforce
licenses:
  e3:     {sku: SPE_E3,           group: {entra: LIC-E3}}
  exo:    {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}}
  visio:  {sku: VISIO,            group: {entra: LIC-VISIO}}
  citrix: {group: {ad: "` + citrixDN + `"}}
  lite:   {group: {ad: "` + liteDN + `"}}
exempt: {groups: [{entra: LIC-Exempt}]}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo: exo}}
  - {name: visio, license: visio, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)) || LastlogonTimestamp.hasNoValue(), then: remove}
  - {name: citrix-lite, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: {changeTo: lite}}
`
)

var asOf = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return asOf.AddDate(0, 0, -n) }

// Anna holds E3 and Visio through groups. Bo holds E3 directly. Dora holds Citrix and is in both directories. Egon is
// only in Active Directory.
var (
	idle       = daysAgo(100)
	moveAnna   = plan.Change{User: "id-anna", UserPrincipalName: "anna@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.EntraGroup, Reason: "idle", IdleSince: &idle, MonthlySaving: 35}
	freeAnna   = plan.Change{User: "id-anna", Rule: "visio", License: "visio", Via: plan.EntraGroup, IdleSince: &idle}
	changeBo   = plan.Change{User: "id-bo", Rule: "m365", License: "e3", To: "exo", Via: plan.Direct, IdleSince: &idle}
	freeDora   = plan.Change{User: "id-dora", SID: "S-1-5-21-4", Rule: "citrix", License: "citrix", Via: plan.ADGroup, IdleSince: &idle}
	freeEgon   = plan.Change{User: "S-1-5-21-5", SID: "S-1-5-21-5", Rule: "citrix", License: "citrix", Via: plan.ADGroup, IdleSince: &idle}
	demoteEgon = plan.Change{User: "S-1-5-21-5", SID: "S-1-5-21-5", Rule: "citrix-lite", License: "citrix", To: "lite", Via: plan.ADGroup, IdleSince: &idle}
)

// A bench is an applier with fakes for both directories, and with a store that has a run and its plan.
type bench struct {
	*Applier
	entra *fakeEntra
	ad    *fakeAD
	now   time.Time
}

func newEntra() *fakeEntra {
	f := &fakeEntra{
		tenant: tenant, in: members{"g-e3": {"id-anna"}, "g-visio": {"id-anna"}}, full: map[string]string{},
		grants: map[string]string{"g-e3": "sku-e3", "g-exo": "sku-exo", "g-visio": "sku-visio"},
		users: map[string]*directory.EntraUser{
			"id-anna": {ID: "id-anna", UsageLocation: "SE", LastSuccessful: idle},
			"id-bo":   {ID: "id-bo", UsageLocation: "SE", LastSuccessful: idle, Assignments: []directory.Assignment{{SKU: "sku-e3", State: "Active"}}},
			"id-busy": {ID: "id-busy", LastSuccessful: asOf},
			"id-dora": {ID: "id-dora", UsageLocation: "SE", LastSuccessful: daysAgo(1), SID: "S-1-5-21-4", ImmutableID: "guid-dora", Synced: true},
		},
	}
	f.follow()
	return f
}

func newAD() *fakeAD {
	return &fakeAD{
		in: members{citrixDN: {"S-1-5-21-4", "S-1-5-21-5"}},
		people: map[string]*directory.ADUser{
			"S-1-5-21-4": {SID: "S-1-5-21-4", GUID: "guid-dora", DN: "CN=Dora", LastLogonTimestamp: idle},
			"S-1-5-21-9": {SID: "S-1-5-21-9", GUID: "guid-busy", DN: "CN=Busy", LastLogonTimestamp: asOf},
			"S-1-5-21-5": {SID: "S-1-5-21-5", GUID: "guid-egon", DN: "CN=Egon", LastLogonTimestamp: idle},
		},
	}
}

func newBench(t *testing.T, changes ...plan.Change) *bench {
	t.Helper()
	rules := text
	if len(changes) > 0 && changes[0].Rule == "citrix-lite" { // the rule citrix would otherwise come before the rule citrix-lite
		rules = strings.Replace(rules, "name: citrix, license: citrix", "name: citrix, license: lite", 1)
	}
	return newBenchOf(t, rules, changes...)
}

func newBenchOf(t *testing.T, policy string, changes ...plan.Change) *bench {
	t.Helper()
	s := store.Store(&store.Memory{})
	b := &bench{entra: newEntra(), ad: newAD(), now: asOf.Add(time.Hour)}
	b.Applier = &Applier{Store: s, Entra: b.entra, AD: b.ad, Now: func() time.Time { return b.now }}
	seal(t, s, policy)
	b.plan(t, func(p *plan.Plan) { p.Changes = changes })
	return b
}

// The function "seal" writes a run with an empty snapshot. An empty snapshot is enough, because apply decides by fresh
// evidence.
func seal(t *testing.T, s store.Store, policy string) {
	t.Helper()
	begin := &snapshot.Begin{Run: "run", AsOf: asOf, Tenant: tenant, Policy: policy, Partitions: 1}
	for _, name := range []string{"e3", "exo", "visio"} {
		part := map[string]string{"e3": "SPE_E3", "exo": "EXCHANGESTANDARD", "visio": "VISIO"}[name]
		begin.SKUs = append(begin.SKUs, directory.SKU{ID: "sku-" + name, PartNumber: part})
		ref := directory.GroupRef{Source: directory.Entra, Name: "LIC-" + strings.ToUpper(name)}
		begin.Groups = append(begin.Groups, directory.Group{Ref: ref, ID: "g-" + name, Grants: []string{"sku-" + name}})
	}
	for _, g := range [][2]string{{"LIC-Exempt", "g-exempt"}, {"APP-Salesforce", "g-app"}, {"APP-Lite", "g-applite"}} {
		if !strings.Contains(policy, g[0]) {
			continue
		}
		begin.Groups = append(begin.Groups, directory.Group{Ref: directory.GroupRef{Source: directory.Entra, Name: g[0]}, ID: g[1]})
	}
	if strings.Contains(policy, "LIC-E3-More") {
		begin.Groups = append(begin.Groups, directory.Group{Ref: directory.GroupRef{Source: directory.Entra, Name: "LIC-E3-More"}, ID: "g-e3more", Grants: []string{"sku-e3"}})
	}
	if err := snapshot.PutBegin(t.Context(), s, begin); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "run"}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) plan(t *testing.T, edit func(*plan.Plan)) (hash string) {
	t.Helper()
	r, err := decision.Open(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	p := &plan.Plan{
		Run: "run", AsOf: asOf, Tenant: tenant, Mode: policy.Enforce, Verdict: plan.Apply, Changes: []plan.Change{moveAnna},
		ManifestHash: r.ManifestHash, PolicyHash: r.Begin.PolicyHash(), Created: asOf, Expires: asOf.Add(plan.Lifetime),
	}
	edit(p)
	p.Bind()
	if err := runs.PutPlan(t.Context(), b.Store, p, noDecisions); err != nil {
		t.Fatal(err)
	}
	return p.PlanHash
}

func noDecisions(context.Context, func(*plan.Decision) error) (decision.Summary, error) {
	return decision.Summary{}, nil
}

func (b *bench) apply(t *testing.T, want runs.Status, note string) {
	t.Helper()
	r, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 || r.Results[0].Status != want || !strings.Contains(r.Results[0].Note, note) {
		t.Fatalf("results %+v, want %s with %q", r.Results, want, note)
	}
}

// The method "goesBack" applies a plan with one change that must be rolled back, although it may have taken the
// license. The first apply must leave the change pending, because a removal may still be on its way. After the lag, the
// second apply must end the change with the status "want".
func (b *bench) goesBack(t *testing.T, want runs.Status, note string) {
	t.Helper()
	b.apply(t, runs.Pending, note)
	b.lag()
	b.apply(t, want, note)
}

// The method "lag" advances the clock until no removal can be on its way any more.
func (b *bench) lag() { b.at(b.now.Add(adGroup{}.readLag(true))) }

// The method "wrote" checks the list of all writes to the directories so far: first those to Entra ID, and then those
// to Active Directory.
func (b *bench) wrote(t *testing.T, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, append(b.entra.writes(), b.ad.writes()...), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("writes (-want +got):\n%s", d)
	}
}

// The method "logged" checks the outcome of a change in the ledger. The parameter "want" is "" for no entry, and "open"
// for an entry without a completion.
func (b *bench) logged(t *testing.T, c plan.Change, want string) {
	t.Helper()
	e, err := ledger.In(b.Store).Latest(t.Context(), c.User, c.License)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	switch {
	case e != nil && e.Completion != nil:
		got = string(e.Completion.Outcome)
	case e != nil:
		got = "open"
	}
	if got != want {
		t.Errorf("the ledger says %q of %s, want %q", got, c.User, want)
	}
}

// The method "at" sets the clock. It also gives one account of each directory a new date, so that the dates of the
// directories count as healthy.
func (b *bench) at(now time.Time) {
	b.now = now
	b.entra.users["id-busy"].LastSuccessful, b.ad.people["S-1-5-21-9"].LastLogonTimestamp = now, now
}

// The method "settle" advances the clock until every read shows all writes.
func (b *bench) settle() { b.at(b.now.Add(directory.Settling)) }

func (b *bench) follow() { b.entra.follow() }

func (b *bench) begun(t *testing.T, person, license, to string) {
	t.Helper()
	in := ledger.Intent{Person: person, License: license, To: to, Run: "other", Rule: "m365", Via: "direct", At: asOf}
	if _, err := ledger.In(b.Store).Begin(t.Context(), in, nil); err != nil {
		t.Fatal(err)
	}
}
