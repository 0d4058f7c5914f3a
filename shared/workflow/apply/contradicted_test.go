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

// TestContradictionAtTheLastMoment: a rule needs only Entra ID, but the accounts in both directories may contradict
// each other. So apply also reads the account in Active Directory. If it cannot be read, the contradictions that the
// run stored count.
func TestContradictionAtTheLastMoment(t *testing.T) {
	t.Parallel()
	down := map[string]error{"ReadPerson S-1-5-21-4": errDown}
	tests := map[string]struct {
		anchor string
		knew   directory.Contradiction
		fail   map[string]error
		want   runs.Status
		note   string
	}{
		"nothing is wrong":                        {"guid-dora", 0, nil, runs.Done, ""},
		"nothing is wrong, and AD is down":        {"guid-dora", 0, down, runs.Done, ""},
		"the anchor disagrees by now":             {"other", 0, nil, runs.Kept, "onPremisesImmutableId does not agree"},
		"the run knew it, and AD is down":         {"other", directory.Disagreed, down, runs.Kept, "its accounts in Entra ID and Active Directory contradicted each other on 2026-11-23, and Active Directory was not read"},
		"the run knew it, and it was mended":      {"guid-dora", directory.Disagreed, nil, runs.Done, ""},
		"the run knew of another, not asked here": {"guid-dora", directory.Shared, nil, runs.Kept, "another account claimed the same SID or onPremisesImmutableId on 2026-11-23"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := changeBo
			c.User = "id-dora"
			b := newBenchOf(t, text, c)
			dora := b.entra.users["id-dora"]
			dora.LastSuccessful, dora.ImmutableID, dora.Enabled, dora.Assignments = idle, tc.anchor, directory.Yes, []directory.Assignment{{SKU: "sku-e3", State: "Active"}}
			b.ad.fail = tc.fail
			b.remembers(t, c)
			account := known.Account{Key: known.KeyOf("id-dora"), Newest: [directory.ActivityDates]known.Second{2: known.SecondOf(idle)}, Seen: known.Always, Enabled: known.Always, Joined: known.SecondOf(asOf), Contradicted: tc.knew}
			p := &known.Partition{Accounts: [2][]known.Account{directory.Entra: {account}}}
			if err := known.Put(t.Context(), b.Store, "run", 0, p); err != nil {
				t.Fatal(err)
			}
			b.apply(t, tc.want, tc.note)
			if tc.want == runs.Done {
				b.wrote(t, "ChangeLicenses id-dora +sku-exo -sku-e3")
			} else {
				b.wrote(t)
			}
		})
	}
}

// The method "remembers" gives the run a plan with only the change c, and makes the run's reading of Entra ID healthy.
// Calls of Apply then read the facts about accounts that the run stored.
func (b *bench) remembers(t *testing.T, c plan.Change) {
	t.Helper()
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.Read = asOf
	read := snapshot.Manifest{Run: "run"}
	read.Readings[directory.Entra].Freshness = directory.Freshness{Sampled: 1, WithActivity: 1, Newest: asOf}
	for key, object := range map[string]any{"runs/run/begin.json": begin, "runs/run/manifest.json": &read} {
		if err := store.PutJSON(t.Context(), b.Store, key, object); err != nil {
			t.Fatal(err)
		}
	}
	b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{c} })
}
