package apply

import (
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

const doraSID = "S-1-5-21-4"

func (b *bench) madeAgain() {
	again := *b.entra.users["id-dora"]
	again.ID, again.UserPrincipalName = "id-dora-2", "dora@x.example"
	b.ad.people[doraSID].UserPrincipalName = again.UserPrincipalName
	delete(b.entra.users, "id-dora")
	b.entra.users[again.ID], b.entra.users[again.UserPrincipalName] = &again, &again
}

func (b *bench) tookCitrix(t *testing.T, id string) {
	t.Helper()
	b.ad.in = members{}
	left := &history.Planned{Run: "r0", Touches: []history.Touch{{User: id, License: "citrix"}}}
	if err := history.PutPlanned(t.Context(), b.Store, left, true); err != nil {
		t.Fatal(err)
	}
	b.put(t, ledger.Intent{Person: id, SID: doraSID, License: "citrix", Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, At: daysAgo(10), Before: ledger.Holding{InGroups: []string{citrixDN}}}, ledger.Done)
	b.lag()
}

// TestRestoredUnderTheFormerId: a license in Active Directory comes back although the ledger has the person under
// another id: the SID alone, or the id of a deleted account in Entra ID.
func TestRestoredUnderTheFormerId(t *testing.T) {
	t.Parallel()
	for _, former := range []string{doraSID, "id-dora-0"} {
		for _, by := range []string{"a run", "an operator"} {
			t.Run(former+" by "+by, func(t *testing.T) {
				t.Parallel()
				c := freeDora
				c.Rule, c.RestoreOf, c.TakenAs = plan.RestoreRule, "r0", former
				b := newBench(t, c)
				if by == "an operator" {
					c.User, c.TakenAs = former, ""
					b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
				}
				b.ad.people[doraSID].LastLogonTimestamp = daysAgo(1)
				b.tookCitrix(t, former)
				b.apply(t, runs.Done, "")
				b.wrote(t, "AddMember "+citrixDN+" guid-dora")
				e, err := ledger.In(b.Store).Latest(t.Context(), former, "citrix")
				if err != nil || e.Seq != 2 || e.Run != "run" || e.Completion == nil || e.Completion.Outcome != ledger.Done {
					t.Errorf("%+v, %v", e, err)
				}
				if e, err := ledger.In(b.Store).Latest(t.Context(), "id-dora", "citrix"); former != "id-dora" && (e != nil || err != nil) {
					t.Errorf("under the present id: %+v, %v", e, err)
				}
			})
		}
	}
}

// TestRestoredWithoutTheEntraAccount: an operator restores licenses of a person whose account in Entra ID is gone. A
// license in Active Directory comes back. A license in Entra ID does not, because it belonged to the account that is
// gone.
func TestRestoredWithoutTheEntraAccount(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(*bench){
		"gone":       func(b *bench) { delete(b.entra.users, "id-dora") },
		"made again": (*bench).madeAgain,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			citrix, e3 := freeDora, freeDora
			citrix.Rule, citrix.RestoreOf = plan.RestoreRule, "r0"
			e3.Rule, e3.RestoreOf, e3.License, e3.Via = plan.RestoreRule, "r0", "e3", plan.Direct
			b := newBench(t, citrix)
			b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{e3, citrix}, "r0" })
			b.tookCitrix(t, "id-dora")
			gone(b)
			r, err := b.Apply(t.Context(), Request{Run: "run"})
			if err != nil || len(r.Results) != 2 {
				t.Fatalf("%+v, %v", r, err)
			}
			for _, x := range r.Results {
				if want := map[string]runs.Status{"citrix": runs.Done, "e3": runs.Failed}[x.License]; x.Status != want {
					t.Errorf("%s: %s, %q; want %s", x.License, x.Status, x.Note, want)
				}
			}
			b.wrote(t, "AddMember "+citrixDN+" guid-dora")
		})
	}
}

// TestBegunWithoutTheEntraAccount: a change of an Active Directory group goes on although the account in Entra ID is
// gone by now. A change that has not begun does not begin.
func TestBegunWithoutTheEntraAccount(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeDora)
	b.ad.deaf = true
	b.apply(t, runs.Pending, "still shows the member")
	b.ad.deaf = false
	b.madeAgain()
	b.ad.in = members{}
	b.apply(t, runs.Done, "")

	b = newBench(t, freeDora)
	delete(b.entra.users, "id-dora")
	b.apply(t, runs.Kept, goneFromEntra)
	b.wrote(t)
	b = newBench(t, freeDora)
	delete(b.entra.users, "id-dora")
	b.ad.fail = map[string]error{"ReadPerson " + doraSID: directory.ErrUncertain}
	b.apply(t, runs.Pending, "Active Directory could not be read")
	b.wrote(t)
}

// TestOpenWithoutTheEntraAccount: the restore of a license in Entra ID has begun, and then the account in Entra ID is
// gone. The change fails and does not stay pending, even if the account in Active Directory is still there.
func TestOpenWithoutTheEntraAccount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]plan.Change{
		"a restore by a group": {Rule: plan.RestoreRule, RestoreOf: "r0", Via: plan.EntraGroup},
		"a direct restore":     {Rule: plan.RestoreRule, RestoreOf: "r0", Via: plan.Direct},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.User, c.SID, c.UserPrincipalName, c.License = "id-dora", doraSID, freeDora.UserPrincipalName, "e3"
			b := newBench(t, freeDora)
			b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
			b.put(t, ledger.Intent{
				Person: c.User, SID: c.SID, License: "e3", Run: "run", Rule: c.Rule, RestoreOf: "r0", Via: string(c.Via),
				Source: "g-e3", SKU: "sku-e3", At: daysAgo(1),
			}, "")
			delete(b.entra.users, c.User)
			b.entra.fail = map[string]error{"DirectGroups " + c.User: directory.ErrNoPerson}
			b.apply(t, runs.Failed, goneFromEntra)
			b.wrote(t)
		})
	}
}
