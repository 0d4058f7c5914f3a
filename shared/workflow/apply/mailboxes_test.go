package apply

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Bo holds E3 and Exchange Online, which give one mailbox. Two rules remove one license each. The plan has both
// changes. Only an older version makes such a plan.
var (
	removeE3  = plan.Change{User: "id-bo", Rule: "m365", License: "e3", IdleSince: &idle}
	removeEXO = plan.Change{User: "id-bo", Rule: "mail", License: "exo", IdleSince: &idle}
)

func mailboxBench(t *testing.T, via plan.Via, changes ...plan.Change) *bench {
	t.Helper()
	s := store.Store(&store.Memory{})
	b := &bench{entra: newEntra(), ad: newAD(), now: asOf.Add(time.Hour)}
	b.Applier = &Applier{Store: s, Entra: b.entra, AD: b.ad, Now: func() time.Time { return b.now }}
	begin := &snapshot.Begin{Run: "run", AsOf: asOf, Tenant: tenant, Partitions: 1, Policy: `
tenant: ` + tenant + `
mode: enforce
licenses:
  e3:  {sku: SPE_E3,           group: {entra: LIC-E3}}
  exo: {sku: EXCHANGESTANDARD, group: {entra: LIC-EXO}}
rules:
  - {name: m365, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
  - {name: mail, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`}
	for name, product := range map[string][2]string{"e3": {"SPE_E3", "EXCHANGE_S_ENTERPRISE"}, "exo": {"EXCHANGESTANDARD", "EXCHANGE_S_STANDARD"}} {
		begin.SKUs = append(begin.SKUs, directory.SKU{ID: "sku-" + name, PartNumber: product[0], PlansRead: true, Plans: []directory.ServicePlan{{ID: product[1], Name: product[1]}}})
		begin.Groups = append(begin.Groups, directory.Group{Ref: directory.GroupRef{Source: directory.Entra, Name: "LIC-" + strings.ToUpper(name)}, ID: "g-" + name, Grants: []string{"sku-" + name}})
	}
	if err := snapshot.PutBegin(t.Context(), s, begin); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	bo := b.entra.users["id-bo"]
	if bo.Assignments = nil; via == plan.Direct {
		bo.Assignments = []directory.Assignment{{SKU: "sku-e3", State: "Active"}, {SKU: "sku-exo", State: "Active"}}
	} else {
		b.entra.in = members{"g-e3": {"id-bo"}, "g-exo": {"id-bo"}}
		b.follow()
	}
	b.plan(t, func(p *plan.Plan) {
		for _, c := range changes {
			c.Via = via
			p.Changes = append(p.Changes[:len(p.Changes):len(p.Changes)], c)
		}
		p.Changes = p.Changes[1:]
	})
	return b
}

// Two rules take the two licenses of one mailbox in one run. One license must stay, even while a read still shows the
// license that was taken first.
func TestOneLicenseOfTheMailboxStays(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		via  plan.Via
		slow bool
		want string
	}{
		"through groups":   {plan.EntraGroup, false, "RemoveMember g-e3 id-bo"},
		"directly":         {plan.Direct, false, "ChangeLicenses id-bo -sku-e3"},
		"reads are behind": {plan.Direct, true, "ChangeLicenses id-bo -sku-e3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mailboxBench(t, tc.via, removeE3, removeEXO)
			b.entra.slow = tc.slow
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil || len(r.Results) != 2 || r.Results[1].Status != runs.Refused || !strings.HasPrefix(r.Results[1].Note, "the mailbox would be left without a license") {
				t.Fatalf("%+v, %v", r.Results, err)
			}
			b.wrote(t, tc.want)
		})
	}
}

// Another run takes the other license of the mailbox. The change is in the ledger, but not yet in the digest of this
// run. If the change is pending or was done a moment ago, and leaves no mailbox, apply refuses to take this license,
// too.
func TestOtherRunTakesTheOtherLicense(t *testing.T) {
	t.Parallel()
	const minute = time.Minute
	for name, tc := range map[string]struct {
		began   time.Duration // before now
		outcome ledger.Outcome
		via     plan.Via
		license string // the name in the other run's policy
		to      string // skuId that the other change gives
		want    runs.Status
	}{
		"pending":                     {30 * minute, "", plan.EntraGroup, "exo", "", runs.Refused},
		"pending, under another name": {30 * minute, "", plan.EntraGroup, "exchange", "", runs.Refused},
		"pending, for a mailbox":      {30 * minute, "", plan.EntraGroup, "exo", "sku-e3", runs.Pending},
		"done a moment ago":           {minute, ledger.Done, plan.EntraGroup, "exo", "", runs.Refused},
		"done long ago":               {30 * minute, ledger.Done, plan.EntraGroup, "exo", "", runs.Pending},
		"rolled back a moment ago":    {minute, ledger.RolledBack, plan.EntraGroup, "exo", "", runs.Pending},
		"being announced":             {minute, "", plan.Notice, "exo", "", runs.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := mailboxBench(t, plan.EntraGroup, removeE3)
			at, book := b.now.Add(-tc.began), ledger.In(b.Store)
			in := ledger.Intent{Person: "id-bo", License: tc.license, Run: "other", Rule: "mail", Via: string(tc.via), Source: "g-exo", SKU: "sku-exo", TargetSKU: tc.to, At: at}
			e, err := book.Begin(t.Context(), in, nil)
			if err == nil && tc.outcome != "" {
				err = book.Complete(t.Context(), e, ledger.Completion{Outcome: tc.outcome, At: at})
			}
			if err != nil {
				t.Fatal(err)
			}
			b.apply(t, tc.want, "")
			if tc.want == runs.Refused {
				b.wrote(t)
				return
			}
			b.wrote(t, "RemoveMember g-e3 id-bo")
		})
	}
}

// TestMailboxMeanwhile: a change that takes E3 is pending. If somebody then takes the other license that gives the
// mailbox, the change is rolled back, because the person would lose the mailbox.
func TestMailboxMeanwhile(t *testing.T) {
	t.Parallel()
	for _, via := range []plan.Via{plan.EntraGroup, plan.Direct} {
		for gone, want := range map[bool]runs.Status{false: runs.Pending, true: runs.Kept} {
			b := mailboxBench(t, via, removeE3)
			in := ledger.Intent{Person: "id-bo", License: "e3", Rule: "m365", Via: string(via), SKU: "sku-e3", At: b.now}
			if via == plan.EntraGroup {
				in.Source = "g-e3"
			}
			b.put(t, in, "")
			if gone {
				b.entra.in["g-exo"] = nil
				bo := b.entra.users["id-bo"]
				bo.Assignments = slices.DeleteFunc(bo.Assignments, func(a directory.Assignment) bool { return a.SKU == "sku-exo" })
				b.follow()
			} else if via == plan.Direct {
				want = runs.Done
			}
			note := map[bool]string{true: "the mailbox would be left without a license, since no other license of the person is known to give one"}[gone]
			b.apply(t, want, note)
			if wrote := b.entra.writes(); gone == (len(wrote) > 0) {
				t.Errorf("%s, gone %t: wrote %v", via, gone, wrote)
			}
		}
	}
}
