package apply

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The variable "staleDates" has the figures of a reading with all accounts of Active Directory, where nobody logged on
// for 30 days.
var staleDates = directory.Freshness{Sampled: 50, WithActivity: 50, Newest: daysAgo(30)}

// TestRelayIsAskedWhileDatesAreStale: the run read in Active Directory that the person is in no exempt group. Apply
// asks the relay for it again, although the dates there cannot be trusted.
func TestRelayIsAskedWhileDatesAreStale(t *testing.T) {
	t.Parallel()
	const sid = "S-1-5-21-77"
	ready := func(exempt bool) *bench {
		b := safeBench(t, func(begin *snapshot.Begin, m *snapshot.Manifest) {
			begin.Earlier = nil
			m.Readings[directory.AD] = snapshot.Reading{Freshness: staleDates, Members: map[string]int{safe.Key(false): 2}, Groups: map[string]string{safe.Key(false): "guid-safe"}}
		}, func(f *fakeAD) {
			f.people[sid] = &directory.ADUser{SID: sid, GUID: "guid-bo", LastLogonTimestamp: daysAgo(30)}
			if exempt {
				f.in.add(safeDN, sid)
			}
		})
		c := changeBo
		c.SID = sid
		b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{c} })
		bo := b.entra.users["id-bo"]
		bo.SID, bo.ImmutableID, bo.Synced = sid, "guid-bo", true
		return b
	}
	for exempt, want := range map[bool]runs.Status{false: runs.Done, true: runs.Kept} {
		ready(exempt).apply(t, want, "")
		r := newRelayed(t, ready(exempt))
		r.round(t, "entra-0001", false)
		r.is(t, want, "")
		down := newRelayed(t, ready(exempt))
		down.round(t, "entra-0001", true)
		down.is(t, runs.Kept, "exemption is not known")
	}
}

// TestBlockedLeaverWhileDatesAreStale: the account of a blocked person in Active Directory shows that the mailbox is a
// user's. The policy names no group of Active Directory.
func TestBlockedLeaverWhileDatesAreStale(t *testing.T) {
	t.Parallel()
	ready := func(mailbox string) *bench {
		c := changeBo
		c.User, c.SID = "id-dora", "S-1-5-21-4"
		b := newBenchOf(t, text, c)
		dora := b.entra.users["id-dora"]
		dora.LastSuccessful, dora.Enabled, dora.Assignments = idle, directory.No, []directory.Assignment{{SKU: "sku-e3", State: "Active"}}
		b.ad.people["S-1-5-21-4"].RecipientType = mailbox
		b.remembers(t, c)
		m := snapshot.Manifest{Run: "run"}
		m.Readings[directory.Entra].Freshness = directory.Freshness{Sampled: 1, WithActivity: 1, Newest: asOf}
		m.Readings[directory.AD].Freshness = staleDates
		account := known.Account{Key: known.KeyOf("id-dora"), Newest: [directory.ActivityDates]known.Second{2: known.SecondOf(idle)}, Seen: known.Always, Joined: known.SecondOf(asOf)}
		if err := store.PutJSON(t.Context(), b.Store, "runs/run/manifest.json", &m); err != nil {
			t.Fatal(err)
		}
		if err := known.Put(t.Context(), b.Store, "run", 0, &known.Partition{Accounts: [2][]known.Account{directory.Entra: {account}}}); err != nil {
			t.Fatal(err)
		}
		b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{c} })
		return b
	}
	for mailbox, want := range map[string]runs.Status{"2147483648": runs.Done, "34359738368": runs.Kept} {
		ready(mailbox).apply(t, want, "")
		r := newRelayed(t, ready(mailbox))
		r.round(t, "entra-0001", false)
		r.is(t, want, "")
	}
}
