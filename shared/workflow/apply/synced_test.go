package apply

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	bigDN, smallDN   = "CN=Big,DC=corp", "CN=Small,DC=corp"
	bigSID, smallSID = "S-1-5-21-101", "S-1-5-21-102"
	leaveBig         = "RemoveMember <GUID=guid-" + bigDN + "> guid-dora"
	joinSmall        = "AddMember <GUID=guid-" + smallDN + "> guid-dora"
	leaveSmall       = "RemoveMember <GUID=guid-" + smallDN + "> guid-dora"
	joinBig          = "AddMember <GUID=guid-" + bigDN + "> guid-dora"
)

// moveDora changes Dora's license from "big" to "small". Both are synced groups: Dora is in an Active Directory group,
// and the Entra group that is synced from it gives the product.
var moveDora = plan.Change{User: "id-dora", SID: "S-1-5-21-4", Rule: "big", License: "big", To: "small", Via: plan.ADGroup, IdleSince: &idle}

// syncedBench returns a bench with two products that Active Directory groups give. Dora holds one of the products.
func syncedBench(t *testing.T) *bench {
	t.Helper()
	rules := strings.NewReplacer("exempt:", `  big:   {sku: BIG, group: {ad: "`+bigDN+`"}}
  small: {sku: SMALL, group: {ad: "`+smallDN+`"}}
exempt:`).Replace(text) + "  - {name: big, license: big, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: small}}\n"
	s := store.Store(&store.Memory{})
	b := &bench{entra: newEntra(), ad: newAD(), now: asOf.Add(time.Hour)}
	b.Applier = &Applier{Store: s, Entra: b.entra, AD: b.ad, Now: func() time.Time { return b.now }}
	seal(t, s, rules)
	begin, err := snapshot.GetBegin(t.Context(), s, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.SKUs = append(begin.SKUs, directory.SKU{ID: "sku-big", PartNumber: "BIG"}, directory.SKU{ID: "sku-small", PartNumber: "SMALL"})
	for id, sid := range map[string]string{"g-big": bigSID, "g-small": smallSID} {
		sku := strings.Replace(id, "g-", "sku-", 1)
		begin.Granting = append(begin.Granting, directory.Group{ID: id, Name: id, Synced: true, SID: sid, Grants: []string{sku}})
		b.entra.grants[id] = sku
	}
	m := &snapshot.Manifest{Run: "run"}
	m.Readings[directory.AD].GroupSIDs = map[string]string{}
	b.ad.groups = map[string]directory.Group{}
	for dn, sid := range map[string]string{bigDN: bigSID, smallDN: smallSID, citrixDN: "", liteDN: ""} {
		m.Readings[directory.AD].GroupSIDs[directory.GroupRef{Source: directory.AD, Name: dn}.Key(false)] = sid
		g := directory.Group{ID: dn, GUID: "guid-" + dn, SID: sid}
		b.ad.groups[dn], b.ad.groups[directory.GroupByGUID(g.GUID, "")] = g, g
	}
	b.entra.sids = map[string]string{"g-big": bigSID, "g-small": smallSID}
	if err := errors.Join(store.PutJSON(t.Context(), s, layout.Begin("run"), begin), store.PutJSON(t.Context(), s, layout.Manifest("run"), m)); err != nil {
		t.Fatal(err)
	}
	b.ad.in[bigDN] = []string{"S-1-5-21-4"}
	b.entra.users["id-dora"].LastSuccessful = idle
	b.sync()
	b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{moveDora} })
	return b
}

// The method "sync" copies Dora's memberships from Active Directory to Entra ID, as Entra Connect does.
func (b *bench) sync() {
	for dn, id := range map[string]string{bigDN: "g-big", smallDN: "g-small"} {
		b.entra.in[id] = nil
		for _, sid := range b.ad.in[dn] {
			if sid == "S-1-5-21-4" {
				b.entra.in[id] = []string{"id-dora"}
			}
		}
	}
	b.entra.follow()
}

func (b *bench) applied(t *testing.T) runs.Result {
	t.Helper()
	results, err := b.Apply(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	return results.Results[0]
}

// TestSyncedGroups: a license of a synced group is changed in Active Directory. The change goes on only when Graph
// shows that the license was given or freed, and not when reads show only the membership.
func TestSyncedGroups(t *testing.T) {
	t.Parallel()
	b := syncedBench(t)
	for n, step := range []struct {
		sync   bool
		status runs.Status
		note   string
		writes []string
	}{
		{false, runs.Pending, "waiting for its license to become active", []string{joinSmall}},
		{false, runs.Pending, "waiting for its license to become active", []string{joinSmall}},
		{true, runs.Pending, "waiting for its license to be freed", []string{joinSmall, leaveBig}},
		{false, runs.Pending, "waiting for its license to be freed", []string{joinSmall, leaveBig}},
		{true, runs.Done, "", []string{joinSmall, leaveBig}},
	} {
		if b.now = b.now.Add(20 * time.Minute); step.sync {
			b.sync()
		}
		if r := b.applied(t); r.Status != step.status || !strings.Contains(r.Note, step.note) {
			t.Fatalf("step %d: %s %q, want %s %q", n, r.Status, r.Note, step.status, step.note)
		}
		if d := cmp.Diff(step.writes, b.ad.writes()); d != "" {
			t.Fatalf("step %d: writes (-want +got):\n%s", n, d)
		}
	}
	if w := b.entra.writes(); len(w) > 0 {
		t.Errorf("Entra ID was written, which takes no change of a synced group: %q", w)
	}
	e, err := ledger.In(b.Store).Latest(t.Context(), "id-dora", "big")
	if err != nil || e.SourceEntra != "g-big" || e.TargetEntra != "g-small" {
		t.Errorf("ledger %+v, %v", e, err)
	}
}

// TestSyncedGroupIsGivenBack: a change has moved a person from one synced group to another, and an operator then asks
// for a restore. The person joins the source group at once. The person leaves the target group only when Entra Connect
// must have synced this, so the person never lacks both products.
func TestSyncedGroupIsGivenBack(t *testing.T) {
	t.Parallel()
	b := syncedBench(t)
	b.applied(t)
	b.sync()
	b.now = b.now.Add(20 * time.Minute)
	b.applied(t) // the person has left the source group
	if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Minute)
	if r := b.applied(t); r.Status != runs.Pending || !strings.Contains(r.Note, rejoined) {
		t.Fatalf("%s %q", r.Status, r.Note)
	}
	if d := cmp.Diff([]string{joinSmall, leaveBig, joinBig}, b.ad.writes()); d != "" {
		t.Fatalf("writes (-want +got):\n%s", d)
	}
	b.sync()
	b.now = b.now.Add(adGroup{}.readLag(true) - time.Minute)
	if r := b.applied(t); r.Status != runs.Pending {
		t.Fatalf("before Entra Connect must have run: %s %q", r.Status, r.Note)
	}
	b.now = b.now.Add(2 * time.Minute)
	if r := b.applied(t); r.Status != runs.Kept || len(b.ad.in[smallDN]) > 0 || len(b.ad.in[bigDN]) != 1 {
		t.Errorf("%s %q, in %v", r.Status, r.Note, b.ad.in)
	}
	if d := cmp.Diff(leaveSmall, b.ad.writes()[len(b.ad.writes())-1]); d != "" {
		t.Errorf("the last write (-want +got):\n%s", d)
	}
}

// TestCounterpartOfAnEntry: a ledger entry names the Entra group that is synced from the group of the change. The
// method "unmirrored" returns a reason if that group is not synced from it, or does not give the license.
func TestCounterpartOfAnEntry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		edit       func(*bench)
		group, has string
		via        plan.Via
		why        string
		is         error
	}{
		"it is":                 {nil, bigDN, "g-big", plan.ADGroup, "", nil},
		"another":               {nil, bigDN, "g-small", plan.ADGroup, "is not synced from", nil},
		"none noted":            {nil, bigDN, "", plan.ADGroup, "does not say which group of Entra ID", nil},
		"noted for another way": {nil, "g-e3", "g-big", plan.EntraGroup, "it was altered", nil},
		"gone in AD":            {func(b *bench) { delete(b.ad.groups, bigDN) }, bigDN, "g-big", plan.ADGroup, "is gone", nil},
		"of the cloud by now":   {func(b *bench) { delete(b.entra.sids, "g-big") }, bigDN, "g-big", plan.ADGroup, "is not synced from", nil},
		"gives nothing by now":  {func(b *bench) { delete(b.entra.grants, "g-big") }, bigDN, "g-big", plan.ADGroup, "does not grant BIG", nil},
		"AD does not answer":    {func(b *bench) { b.ad.fail = map[string]error{"FindGroup " + bigDN: errDown} }, bigDN, "g-big", plan.ADGroup, "", errDown},
		"Graph does not answer": {func(b *bench) { b.entra.fail = map[string]error{"FindGroup g-big": errDown} }, bigDN, "g-big", plan.ADGroup, "", errDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := syncedBench(t)
			if tc.edit != nil {
				tc.edit(b)
			}
			j := b.jobOf(t)
			why, err := targets[tc.via].unmirrored(t.Context(), j, j.run.Policy.LicenseNamed("big"), tc.group, tc.has)
			if !errors.Is(err, tc.is) || !strings.Contains(why, tc.why) || (why == "") != (tc.why == "") {
				t.Errorf("%q, %v; want %q, %v", why, err, tc.why, tc.is)
			}
		})
	}
}

// TestSyncedAndGoneFromEntra: the account in Entra ID is deleted while a license of a synced group is rolled back or
// restored. The account in Active Directory joins the source group again. The change then stays pending for 30 days,
// because the deleted account may come back. Only after that, the account leaves the target group. Retry asks an
// operator to act, except while a removal may still take effect.
func TestSyncedAndGoneFromEntra(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"joined", "left", "restored"} {
		b := syncedBench(t)
		want := runs.Kept
		if how == "restored" {
			b.tookBig(t)
			want = runs.Done
		} else {
			b.applied(t)
			b.sync()
			b.now = b.now.Add(20 * time.Minute)
			if how == "left" {
				b.applied(t)
			}
			if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
				t.Fatal(err)
			}
		}
		delete(b.entra.users, "id-dora")
		for _, days := range []int{0, 28} {
			b.at(b.now.AddDate(0, 0, days))
			if r := b.applied(t); r.Status != runs.Pending || !strings.Contains(r.Note, "the account is no longer in Entra ID; the change stays open for 30 days") || r.Retry != (days > 0 || how != "left") {
				t.Fatalf("%s, after %d days: %s %q, again %t", how, days, r.Status, r.Note, r.Retry)
			}
		}
		if d := cmp.Diff(members{bigDN: {doraSID}, smallDN: {doraSID}}, b.inSynced()); d != "" {
			t.Errorf("%s: groups while it waits (-want +got):\n%s", how, d)
		}
		b.at(b.now.AddDate(0, 0, 3))
		if r := b.applied(t); r.Status != want || !strings.Contains(r.Note, "no longer in Entra ID") {
			t.Errorf("%s: %s %q", how, r.Status, r.Note)
		}
		if d := cmp.Diff(members{bigDN: {doraSID}, smallDN: {}}, b.inSynced()); d != "" {
			t.Errorf("%s: groups (-want +got):\n%s", how, d)
		}
	}
}

// The method "tookBig" sets up a restore. An earlier run changed Dora's license "big" to "small", and the plan of the
// run restores "big".
func (b *bench) tookBig(t *testing.T) {
	t.Helper()
	c := moveDora
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	b.ad.in = members{smallDN: {doraSID}}
	planned := &history.Planned{Run: "r0", Touches: []history.Touch{{User: "id-dora", License: "big"}}}
	if err := history.PutPlanned(t.Context(), b.Store, planned, true); err != nil {
		t.Fatal(err)
	}
	b.put(t, ledger.Intent{
		Person: "id-dora", SID: doraSID, License: "big", To: "small", Run: "r0", Rule: "big", Via: "ad-group", Source: bigDN, Target: smallDN, SKU: "sku-big", TargetSKU: "sku-small",
		SourceEntra: "g-big", TargetEntra: "g-small", SourceGUID: "guid-" + bigDN, TargetGUID: "guid-" + smallDN, At: daysAgo(10), Before: ledger.Holding{InGroups: []string{bigDN}},
	}, ledger.Done)
	b.lag()
}

func (b *bench) inSynced() members { return members{bigDN: b.ad.in[bigDN], smallDN: b.ad.in[smallDN]} }
