package apply

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// TestNeverSignedInWhileDatesAreStale: the schedule plans in mode enforce. The dates of Active Directory cannot be
// trusted, so no run remembers the accounts there. Bo never signed in, and an earlier night saw him in Entra ID. The
// write takes the license like the plan, and does not wait for a second reading in Active Directory.
func TestNeverSignedInWhileDatesAreStale(t *testing.T) {
	t.Parallel()
	const sid = "S-1-5-21-77"
	ready := func() *bench {
		c := changeBo
		c.SID, c.IdleSince = sid, nil
		b := newBenchOf(t, text, c)
		bo := b.entra.users["id-bo"]
		bo.SID, bo.ImmutableID, bo.Synced, bo.Enabled, bo.Created, bo.LastSuccessful = sid, "guid-bo", true, directory.Yes, daysAgo(900), time.Time{}
		b.ad.people[sid] = &directory.ADUser{SID: sid, GUID: "guid-bo", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(30)}
		b.remembers(t, c)
		begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
		if err != nil {
			t.Fatal(err)
		}
		begin.Scheduled = true
		m := snapshot.Manifest{Run: "run"}
		m.Readings[directory.Entra].Freshness = directory.Freshness{Sampled: 1, WithActivity: 1, Newest: asOf}
		m.Readings[directory.AD].Freshness = staleDates
		for key, object := range map[string]any{"runs/run/begin.json": begin, "runs/run/manifest.json": &m} {
			if err := store.PutJSON(t.Context(), b.Store, key, object); err != nil {
				t.Fatal(err)
			}
		}
		account := known.Account{Key: known.KeyOf("id-bo"), Seen: known.Always, Enabled: known.Always, Joined: known.SecondOf(asOf)}
		if err := known.Put(t.Context(), b.Store, "run", 0, &known.Partition{Accounts: [2][]known.Account{directory.Entra: {account}}}); err != nil {
			t.Fatal(err)
		}
		b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{c} })
		return b
	}
	ready().apply(t, runs.Done, "")
	r := newRelayed(t, ready())
	r.round(t, "entra-0001", false)
	r.is(t, runs.Done, "")
}
