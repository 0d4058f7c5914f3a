package decision

import (
	"errors"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	citrixDN = "CN=Citrix,OU=Licenses,DC=corp"
	text     = `
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  e3:     {sku: SPE_E3,           group: {entra: LIC-E3}}
  exo:    {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}}
  citrix: {group: {ad: "` + citrixDN + `"}}
exempt: {users: [exempt@x.example]}
rules:
  - {name: m365, license: e3, for: accountEnabled, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: exo}}
  - {name: m365-long, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(90)), then: remove}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove}
`
)

var (
	asOf      = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	e3ByGroup = directory.Assignment{SKU: "sku-e3", Group: "g-e3", State: "Active"}
	e3Direct  = directory.Assignment{SKU: "sku-e3", State: "Active"}
)

func daysAgo(n int) time.Time { return asOf.AddDate(0, 0, -n) }

// accountOf returns an Entra account whose last sign-in was the given number of days ago.
func accountOf(name string, days int, holds ...directory.Assignment) directory.EntraUser {
	return directory.EntraUser{
		ID: "id-" + name, UsageLocation: "SE", UserPrincipalName: name + "@x.example", Enabled: directory.Yes,
		Created: daysAgo(900), LastSuccessful: daysAgo(days), Assignments: holds,
	}
}

type world struct {
	partitions int
	entra      []directory.EntraUser
	ad         []directory.ADUser
	citrix     []string // SIDs of the group's members
	staff      []string // SIDs of the members of the group CN=Staff,DC=corp, for a policy that asks for it
	failed     string   // why Active Directory was not read; empty if it was read
	woven      bool     // whether the run has the tables of people and members, which runs of older versions lack
	policy     string   // the text of the policy; if it is empty, the variable "text" is used
	past       []any    // *history.Item and *history.Setback values from earlier runs
	feeds      [2]*plan.Baseline
	begin      func(*snapshot.Begin)
	manifest   func(*snapshot.Manifest)
}

// The method "remember" writes a digest of "past" and "feeds", and returns its key, or "" if both are empty.
func (w world) remember(t testing.TB, s store.Store) string {
	t.Helper()
	if len(w.past) == 0 && w.feeds == [2]*plan.Baseline{} {
		return ""
	}
	const key = "runs/run/history/past.jsonl.gz"
	err := store.PutLines(t.Context(), s, key, func(emit func(any) error) error {
		err := emit(map[string]any{"head": history.Digest{Run: "run", At: asOf, Baselines: w.feeds}})
		for _, line := range w.past {
			if b, ok := line.(*history.Setback); ok {
				line = map[string]any{"setback": b}
			}
			err = errors.Join(err, emit(line))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w world) seal(t testing.TB) *Run {
	t.Helper()
	ctx := t.Context()
	s := store.Store(&store.Memory{})
	entra := func(name string) directory.GroupRef { return directory.GroupRef{Source: directory.Entra, Name: name} }
	b := &snapshot.Begin{
		Run: "run", Read: asOf.Add(-time.Minute), AsOf: asOf, Tenant: "11111111-2222-3333-4444-555555555555", Policy: text, Partitions: max(1, w.partitions),
		SKUs:   []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}},
		Groups: []directory.Group{{Ref: entra("LIC-E3"), ID: "g-e3", Grants: []string{"sku-e3"}}, {Ref: entra("LIC-EXO"), ID: "g-exo", Grants: []string{"sku-exo"}}},
	}
	if w.policy != "" {
		b.Policy = w.policy
	}
	if w.begin != nil {
		w.begin(b)
	}
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Run: "run", Readings: [2]snapshot.Reading{w.read(t, s, b, directory.Entra), w.read(t, s, b, directory.AD)}}
	m.Readings[directory.AD].Failed, m.History = w.failed, w.remember(t, s)
	if w.woven {
		if err := m.Weave(ctx, s, b.Partitions); err != nil {
			t.Fatal(err)
		}
	}
	if w.manifest != nil {
		w.manifest(m)
	}
	if err := snapshot.Seal(ctx, s, m); err != nil {
		t.Fatal(err)
	}
	r, err := Open(ctx, s, "run")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w world) read(t testing.TB, s store.Store, b *snapshot.Begin, src directory.Source) snapshot.Reading {
	t.Helper()
	out, err := snapshot.NewWriter(s, b, src, "1", asOf)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if src == directory.Entra {
		for i := range w.entra {
			err = out.AddEntra(&w.entra[i])
		}
	} else {
		for i := range w.ad {
			err = out.AddAD(&w.ad[i])
		}
		key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
		for _, sid := range w.citrix {
			err = out.AddMember(key, sid, sid)
		}
		for _, sid := range w.staff {
			err = out.AddMember(directory.GroupRef{Source: directory.AD, Name: "CN=Staff,DC=corp"}.Key(false), sid, sid)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	reading, err := out.Finish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reading
}
