package apply

import (
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

const (
	citrixGUID = "11111111-0000-0000-0000-000000000001"
	otherGUID  = "22222222-0000-0000-0000-000000000002"
)

func (f *fakeAD) at(dn, guid string, days int) {
	if f.groups == nil {
		f.groups = map[string]directory.Group{}
	}
	g := directory.Group{ID: dn, GUID: guid, Created: daysAgo(days)}
	f.groups[dn], f.groups[directory.GroupByGUID(guid, "")] = g, g
}

// TestADGroupIsItsGUID: a change finds each group by the objectGUID, and not by the DN.
func TestADGroupIsItsGUID(t *testing.T) {
	t.Parallel()
	b := newBench(t, demoteEgon)
	b.ad.at(citrixDN, citrixGUID, 900)
	b.ad.at(liteDN, otherGUID, 900)
	b.apply(t, runs.Done, "")
	b.wrote(t, "AddMember <GUID="+otherGUID+"> guid-egon", "RemoveMember <GUID="+citrixGUID+"> guid-egon")
	e, err := ledger.In(b.Store).Latest(t.Context(), demoteEgon.User, "citrix")
	if err != nil || e.Source != citrixDN || e.SourceGUID != citrixGUID || e.Target != liteDN || e.TargetGUID != otherGUID {
		t.Errorf("%+v, %v", e, err)
	}
}

func (b *bench) reread(t *testing.T, guid string) {
	t.Helper()
	m := &snapshot.Manifest{Run: "run"}
	m.Readings[directory.AD] = snapshot.Reading{Source: directory.AD, Groups: map[string]string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(false): guid}}
	if err := store.PutJSON(t.Context(), b.Store, "runs/run/manifest.json", m); err != nil {
		t.Fatal(err)
	}
}

// TestAnotherADGroup: apply does not change a group that now has the DN of the group that the run read.
func TestAnotherADGroup(t *testing.T) {
	t.Parallel()
	b := newBench(t, freeEgon)
	b.reread(t, citrixGUID)
	b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{freeEgon} })
	b.ad.at(citrixDN, otherGUID, 1)
	b.apply(t, runs.Refused, "is another one (objectGUID "+otherGUID+") than the run has read ("+citrixGUID+"); plan again")
	b.wrote(t)
	for name, read := range map[string]string{"with the run's reading": citrixGUID, "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, freeEgon)
			b.reread(t, read)
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{freeEgon} })
			b.ad.at(citrixDN, citrixGUID, 900)
			b.ad.at("CN=Domain Admins,DC=corp", otherGUID, 9000)
			in := ledger.Intent{Person: freeEgon.User, SID: freeEgon.SID, License: "citrix", Run: "run", Rule: "citrix", Via: "ad-group", Source: citrixDN, SourceGUID: otherGUID, At: asOf}
			if _, err := ledger.In(b.Store).Begin(t.Context(), in, nil); err != nil {
				t.Fatal(err)
			}
			b.apply(t, runs.Refused, `has "`+otherGUID+`" as sourceGuid`)
			b.wrote(t)
		})
	}
}

// TestADGroupDeletedMeanwhile: a change ends if somebody deletes its group after the change has begun. If nobody knows
// whether the person is still in the group, the change stays open.
func TestADGroupDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	inGone := func(f *fakeAD) { f.in = members{directory.GroupByGUID(citrixGUID, ""): {freeEgon.SID}} }
	out := func(f *fakeAD) { f.in = members{} }
	for name, tc := range map[string]struct {
		change plan.Change
		left   bool // whether an earlier call was about to take the license
		world  []func(*fakeAD)
		want   runs.Status
		note   string
		ends   ledger.Outcome // empty if the change stays open
	}{
		"deleted":                        {freeEgon, false, []func(*fakeAD){out}, runs.Done, "", ledger.Done},
		"deleted after it was left":      {freeEgon, true, []func(*fakeAD){out}, runs.Done, "", ledger.Done},
		"made again":                     {freeEgon, false, []func(*fakeAD){out, func(f *fakeAD) { f.at("CN=Other,DC=corp", newGUID, 1) }}, runs.Done, "", ledger.Done},
		"hidden, the person still in it": {freeEgon, false, []func(*fakeAD){inGone}, runs.Kept, "undecided: license citrix is not known", ledger.RolledBack},
		"nobody knows": {freeEgon, false, []func(*fakeAD){out, func(f *fakeAD) {
			f.fail = map[string]error{"MemberOf <GUID=" + citrixGUID + "> " + freeEgon.SID: directory.ErrNoGroup}
		}}, runs.Pending, "no such group", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tc.change)
			b.reread(t, citrixGUID)
			b.plan(t, func(p *plan.Plan) { p.Changes = []plan.Change{tc.change} })
			b.ad.at(liteDN, otherGUID, 900)
			for _, change := range tc.world {
				change(b.ad)
			}
			in := ledger.Intent{Person: tc.change.User, SID: tc.change.SID, License: "citrix", Run: "run", Rule: tc.change.Rule, Via: "ad-group", Source: citrixDN, SourceGUID: citrixGUID, At: asOf}
			e, err := ledger.In(b.Store).Begin(t.Context(), in, nil)
			if err == nil && tc.left {
				_, _, err = ledger.In(b.Store).Leave(t.Context(), e, asOf)
			}
			if err != nil {
				t.Fatal(err)
			}
			b.apply(t, tc.want, tc.note)
			b.wrote(t)
			e, err = ledger.In(b.Store).Latest(t.Context(), tc.change.User, "citrix")
			switch {
			case err != nil:
				t.Fatal(err)
			case e.Completion == nil && tc.ends != "", e.Completion != nil && e.Completion.Outcome != tc.ends:
				t.Errorf("the entry ended as %+v, want %q", e.Completion, tc.ends)
			}
		})
	}
}

// TestADWayBack: a restore adds people to the group that they left, even if its DN has changed. It adds nobody to a
// different group that now has the old DN.
func TestADWayBack(t *testing.T) {
	t.Parallel()
	const newDN = "CN=Citrix 2027,DC=corp"
	tests := map[string]struct {
		guid   string // objectGUID in the ledger
		former string // objectGUID as the earlier run read it
		groups func(*fakeAD)
		want   runs.Status
		note   string
		into   string
	}{
		"as it was":                    {citrixGUID, "", func(f *fakeAD) { f.at(citrixDN, citrixGUID, 900) }, runs.Done, "", citrixGUID},
		"renamed":                      {citrixGUID, citrixGUID, func(f *fakeAD) { f.at(newDN, citrixGUID, 900) }, runs.Done, "the group " + citrixDN + " is called " + newDN + " now", citrixGUID},
		"renamed, another in place":    {citrixGUID, citrixGUID, func(f *fakeAD) { f.at(newDN, citrixGUID, 900); f.at(citrixDN, otherGUID, 1) }, runs.Done, "is called " + newDN + " now", citrixGUID},
		"renamed, the run is gone":     {citrixGUID, "", func(f *fakeAD) { f.at(newDN, citrixGUID, 900) }, runs.Refused, "held by the group that is " + newDN + " now, which the policy does not name for it; if the license group was renamed, name it so in the policy", ""},
		"deleted":                      {citrixGUID, citrixGUID, func(f *fakeAD) { f.at(newDN, otherGUID, 900) }, runs.Refused, "it is gone; name the present group of the license in the policy", ""},
		"deleted, another in place":    {citrixGUID, citrixGUID, func(f *fakeAD) { f.at(citrixDN, otherGUID, 1) }, runs.Refused, "is gone, and another one (" + otherGUID + ") is at " + citrixDN + " now: nobody is put into it", ""},
		"altered":                      {otherGUID, citrixGUID, func(f *fakeAD) { f.at(citrixDN, citrixGUID, 900); f.at("CN=Domain Admins,DC=corp", otherGUID, 9000) }, runs.Refused, "held by the group that is CN=Domain Admins,DC=corp now", ""},
		"of an earlier version":        {"", "", func(f *fakeAD) { f.at(citrixDN, citrixGUID, 900) }, runs.Done, "", citrixGUID},
		"of an earlier version, doubt": {"", "", func(f *fakeAD) { f.at(citrixDN, otherGUID, 1) }, runs.Refused, "was made on 2026-11-22, after the license was taken on 2026-11-13", ""},
		"of an earlier version, gone":  {"", "", func(f *fakeAD) { f.at(newDN, citrixGUID, 900) }, runs.Refused, "it is gone", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := putsBackEgon(t, tc.guid, tc.former)
			tc.groups(b.ad)
			b.apply(t, tc.want, tc.note)
			if tc.into == "" {
				b.wrote(t)
				return
			}
			b.wrote(t, "AddMember <GUID="+tc.into+"> guid-egon")
		})
	}
}

// putsBackEgon returns a bench whose run restores Citrix to Egon. The ledger has the objectGUID "guid" of the group.
// The earlier run read the objectGUID "former".
func putsBackEgon(t *testing.T, guid, former string) *bench {
	t.Helper()
	c := freeEgon
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	begin, err := snapshot.GetBegin(t.Context(), b.Store, "run")
	if err != nil {
		t.Fatal(err)
	}
	begin.Former = map[string]directory.Group{"citrix": {ID: citrixDN, GUID: former}}
	if err := store.PutJSON(t.Context(), b.Store, "runs/run/begin.json", begin); err != nil {
		t.Fatal(err)
	}
	b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, "r0" })
	b.ad.in = members{}
	in := ledger.Intent{Person: c.User, SID: c.SID, License: "citrix", Run: "r0", Rule: "citrix", Via: "ad-group", Source: citrixDN, SourceGUID: guid, At: daysAgo(10)}
	e, err := ledger.In(b.Store).Begin(t.Context(), in, nil)
	if err == nil {
		err = ledger.In(b.Store).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done, At: daysAgo(10).Add(time.Minute)})
	}
	if err != nil || !strings.HasPrefix(e.Key(), "ledger/"+c.User) {
		t.Fatal(err)
	}
	return b
}
