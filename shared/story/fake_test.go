package story_test

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	run      = "20261129T020000Z-1a2b3c4d"
	citrixDN = "CN=Citrix Users,OU=Licenses,DC=corp,DC=contoso,DC=example"
	rules    = `
tenant: 11111111-2222-3333-4444-555555555555
mode: review
currency: USD
attributes: {site: ad.physicalDeliveryOfficeName}
licenses:
  m365-e3: {sku: SPE_E3, group: {entra: LIC-M365-E3}, monthlyPrice: 39}
  exchange-online: {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO-P1}, monthlyPrice: 4}
  visio: {sku: VISIOCLIENT, monthlyPrice: 15}
  citrix: {group: {ad: "` + citrixDN + `"}, monthlyPrice: 18, model: user}
grace: {neverSignedIn: 14}
exempt:
  users: [breakglass@contoso.example]
  groups: [{entra: LIC-Exempt}]
  leave: [{user: anna@contoso.example, until: 2027-03-01, reason: parental leave}]
  when: jobTitle == "Chief Executive"
rules:
  - name: m365-idle-60
    license: m365-e3
    for: accountEnabled && systemRole == "Employee"
    when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue()
    then: {changeTo: exchange-online, onReturn: restore}
  - name: visio-idle-45
    license: visio
    for: site != "Lab"
    when: AzureAdSistaLogon.earlierThan(now - days(45))
    then: {remove: true, notice: 14}
  - name: citrix-idle-90
    license: citrix
    when: |
      LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90))
                                    : created.value() <= now - days(90)
    then: remove
`
)

var (
	asOf = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)
	now  = asOf.Add(6 * time.Hour)

	e3       = directory.Assignment{SKU: "sku-e3", Group: "g-e3", State: "Active", Updated: daysAgo(800)}
	e3Direct = directory.Assignment{SKU: "sku-e3", State: "Active", Updated: daysAgo(800)}
	exo      = directory.Assignment{SKU: "sku-exo", Group: "g-exo", State: "Active", Updated: daysAgo(800)}
	visio    = directory.Assignment{SKU: "sku-visio", State: "Active", Updated: daysAgo(300)}
)

func daysAgo(n int) time.Time { return asOf.AddDate(0, 0, -n) }

// The type "world" has the accounts that a run reads, and entries of the ledger.
type world struct {
	entra  []directory.EntraUser
	ad     []directory.ADUser
	citrix []string // SIDs of the members
	exempt []string // object ids of the members of LIC-Exempt

	earlier, later []done // ledger entries from before and from after the reading
	begin          func(*snapshot.Begin)
	manifest       func(*snapshot.Manifest)
}

type done struct {
	ledger.Intent
	outcome ledger.Outcome // empty while the change is pending
	took    time.Duration
	note    string
}

// The function "person" returns the account of an employee in Entra ID. The argument "days" is the number of days since
// the last sign-in, or -1 for none.
func person(name string, days int, holds ...directory.Assignment) directory.EntraUser {
	u := directory.EntraUser{
		ID: "id-" + name, UserPrincipalName: name + "@contoso.example", DisplayName: name, UserType: "Member", EmployeeType: "Employee",
		Department: "Sales", UsageLocation: "SE", Enabled: directory.Yes, Created: daysAgo(900), Assignments: holds,
	}
	if days >= 0 {
		u.LastSuccessful = daysAgo(days)
	}
	return u
}

// The function "synced" makes u a synchronized account, and returns its account in Active Directory.
func synced(u *directory.EntraUser, days int) directory.ADUser {
	sid := "S-1-5-21-" + u.ID
	u.SID, u.Synced, u.ImmutableID = sid, true, "guid-"+u.ID
	ad := directory.ADUser{SID: sid, GUID: "guid-" + u.ID, DN: "CN=" + u.DisplayName + ",DC=corp", SAMAccount: u.DisplayName, UserPrincipalName: u.UserPrincipalName, Office: "Lund", Enabled: directory.Yes, Created: u.Created}
	if days >= 0 {
		ad.LastLogonTimestamp = daysAgo(days)
	}
	return ad
}

func (w *world) seal(t *testing.T) store.Store {
	t.Helper()
	ctx, s := t.Context(), store.Store(&store.Memory{})
	ref := func(name string) directory.GroupRef { return directory.GroupRef{Source: directory.Entra, Name: name} }
	b := &snapshot.Begin{
		Run: run, Read: asOf, AsOf: asOf, Tenant: "11111111-2222-3333-4444-555555555555", Policy: rules, Partitions: 2,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}, {ID: "sku-visio", PartNumber: "VISIOCLIENT"}},
		Groups: []directory.Group{
			{Ref: ref("LIC-M365-E3"), ID: "g-e3", Name: "LIC-M365-E3", Grants: []string{"sku-e3"}}, {Ref: ref("LIC-EXO-P1"), ID: "g-exo", Name: "LIC-EXO-P1", Grants: []string{"sku-exo"}},
			{Ref: ref("LIC-Exempt"), ID: "g-exempt", Name: "LIC-Exempt"},
		},
	}
	if w.begin != nil {
		w.begin(b)
	}
	w.write(t, s, w.earlier)
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Run: run, Readings: [2]snapshot.Reading{w.read(t, s, b, directory.Entra), w.read(t, s, b, directory.AD)}}
	var err error
	if m.History, err = history.MakeDigest(ctx, s, run, asOf); err != nil {
		t.Fatal(err)
	}
	if w.manifest != nil {
		w.manifest(m)
	}
	if err := snapshot.Seal(ctx, s, m); err != nil {
		t.Fatal(err)
	}
	w.write(t, s, w.later)
	return s
}

func (w *world) read(t *testing.T, s store.Store, b *snapshot.Begin, source directory.Source) snapshot.Reading {
	t.Helper()
	out, err := snapshot.NewWriter(s, b, source, "1", asOf)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	add := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if source == directory.Entra {
		for i := range w.entra {
			add(out.AddEntra(&w.entra[i]))
		}
		for _, id := range w.exempt {
			add(out.AddMember(directory.GroupRef{Source: directory.Entra, Name: "LIC-Exempt"}.Key(false), id, id))
		}
	} else {
		for i := range w.ad {
			add(out.AddAD(&w.ad[i]))
		}
		for _, sid := range w.citrix {
			add(out.AddMember(directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true), sid, sid))
		}
	}
	reading, err := out.Finish(t.Context())
	add(err)
	return reading
}

func (w *world) write(t *testing.T, s store.Store, list []done) {
	t.Helper()
	book := ledger.In(s)
	for _, d := range list {
		last, err := book.Latest(t.Context(), d.Person, d.License)
		if err != nil {
			t.Fatal(err)
		}
		e, err := book.Begin(t.Context(), d.Intent, last)
		if err == nil && d.outcome != "" {
			err = book.Complete(t.Context(), e, ledger.Completion{Outcome: d.outcome, At: d.At.Add(d.took), Note: d.note})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The function "took" returns the entry with which a run exchanged m365-e3 for exchange-online, "days" days ago.
func took(name string, days int, outcome ledger.Outcome) done {
	idle := daysAgo(days + 75)
	return done{outcome: outcome, took: 3 * time.Minute, Intent: ledger.Intent{
		Person: "id-" + name, License: "m365-e3", To: "exchange-online", UserPrincipalName: name + "@contoso.example", Rule: "m365-idle-60", Via: "entra-group",
		Run: "r" + daysAgo(days).Format("20060102"), At: daysAgo(days), Reason: "no sign-in since " + idle.Format(time.DateOnly) + " (75 days)", IdleSince: &idle, ApprovedBy: "kim@contoso.example", MonthlySaving: 35,
	}}
}

// The function "back" returns the entry with which a later run restored a license, "days" days ago. The entry "of" took
// the license.
func back(name string, days int, of done) done {
	d := of
	d.Rule, d.RestoreOf, d.Run, d.At, d.TakenAt = "restore", of.Run, "r"+daysAgo(days).Format("20060102"), daysAgo(days), of.At
	d.Reason, d.outcome, d.MonthlySaving = "restored", ledger.Done, -35
	return d
}
