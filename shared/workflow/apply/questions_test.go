package apply

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
)

// oldDN is a license group that is gone. The policy names another one now.
const oldDN = "CN=Old,DC=corp"

// The function "leftOld" returns a bench whose run has a single change: it restores the license that Dora had through
// the group oldDN. The parameter "restores" is the run that an operator restores, or "" if a run restores because Dora
// returned.
func leftOld(t *testing.T, restores, guid string) *bench {
	t.Helper()
	c := freeDora
	c.Rule, c.RestoreOf = plan.RestoreRule, "r0"
	b := newBench(t, c)
	if restores != "" {
		b.plan(t, func(p *plan.Plan) { p.Changes, p.Restores = []plan.Change{c}, restores })
	}
	b.ad.in, b.ad.groups = members{}, map[string]directory.Group{}
	for _, dn := range []string{citrixDN, liteDN} {
		g := directory.Group{ID: dn, GUID: "guid-" + dn}
		b.ad.groups[dn], b.ad.groups[directory.GroupByGUID(g.GUID, "")] = g, g
	}
	planned := &history.Planned{Run: "r0", Touches: []history.Touch{{User: "id-dora", License: "citrix"}}}
	if err := history.PutPlanned(t.Context(), b.Store, planned, true); err != nil {
		t.Fatal(err)
	}
	b.put(t, ledger.Intent{
		Person: "id-dora", SID: doraSID, License: "citrix", To: "lite", Run: "r0", Rule: "citrix", Via: "ad-group", Source: oldDN, SourceGUID: guid, Target: oldDN + ",DC=2", TargetGUID: guid,
		At: daysAgo(10), Before: ledger.Holding{InGroups: []string{oldDN}},
	}, ledger.Done)
	b.lag()
	b.ad.people[doraSID].LastLogonTimestamp = b.now.AddDate(0, 0, -1)
	return b
}

func (b *bench) opened(t *testing.T) *job {
	t.Helper()
	j, err := b.open(t.Context(), Request{Run: "run"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// TestRelayAndAGroupThatIsGone: a run removed Dora from a group that is gone now, and the policy names another one. A
// restore adds Dora to the new group, both on one machine and through a relay. For this, the relay also reads the group
// in the ledger.
func TestRelayAndAGroupThatIsGone(t *testing.T) {
	t.Parallel()
	for _, restores := range []string{"", "r0"} {
		for _, relay := range []bool{false, true} {
			b := leftOld(t, restores, otherGUID)
			if relay {
				newRelayed(t, b).round(t, "ad-0001", false)
			} else if _, err := b.Apply(t.Context(), Request{Run: "run"}); err != nil {
				t.Fatal(err)
			}
			if x := b.results(t).Results[0]; x.Status != runs.Done || !slices.Equal(b.ad.in[citrixDN], []string{doraSID}) {
				t.Errorf("restores %q, relay %t: %s %q, in %v", restores, relay, x.Status, x.Note, b.ad.in)
			}
		}
	}
}

// TestQuestionsOfTheLedger: the relay must read the groups of the ledger by their objectGUIDs. An entry of an older
// version has no objectGUID. The relay then reads its group only if the policy of the run that took the license named
// it.
func TestQuestionsOfTheLedger(t *testing.T) {
	t.Parallel()
	asks := func(b *bench, former, name string) bool {
		j := b.opened(t)
		if former != "" {
			j.run.Begin.Former = map[string]directory.Group{"citrix": {ID: former}}
		}
		return slices.Contains(j.asked(t), protocol.Group{DN: name, Direct: true})
	}
	if !asks(leftOld(t, "", otherGUID), "", directory.GroupByGUID(otherGUID, "")) {
		t.Error("the objectGUID of the ledger is not asked about")
	}
	for _, former := range []string{"", oldDN} {
		if got := asks(leftOld(t, "", ""), former, oldDN); got != (former != "") {
			t.Errorf("former %q: asks %t", former, got)
		}
	}
}

// TestQuestionsOfADamagedLedger: the batch reads in the ledger which groups the relay must read. If the entry of one
// license is damaged, the batch goes on. If the ledger cannot be read at all, the batch fails.
func TestQuestionsOfADamagedLedger(t *testing.T) {
	t.Parallel()
	b := leftOld(t, "", otherGUID)
	b.damage(t, "ledger/id-dora/citrix/000001.json")
	j := b.opened(t)
	j.asked(t)
	j.ledger = ledger.In(brokenStore{b.Store, "", "ledger/"})
	if groups, err := j.questions(t.Context()); err == nil {
		t.Errorf("the ledger cannot be read: %v", groups)
	}
}

// TestRelayOfWhatGoesBack: to roll back a change in a deployment, a batch requests only the members of the change's
// group from the relay. So a wrong clock of the relay, or an exempt group in an unreachable domain, does not stop it.
// Only evidence that was requested two hours ago is too old.
func TestRelayOfWhatGoesBack(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(text, "exempt: {groups: [{entra: LIC-Exempt}]}", `exempt: {groups: [{ad: "CN=Exempt,DC=other"}]}`, 1)
	b := newBenchOf(t, rules, freeDora)
	b.ad.fail = map[string]error{"RemoveMember " + citrixDN + " guid-dora": errDown}
	b.apply(t, runs.Pending, "")
	b.ad.fail = nil
	if err := history.Stop(t.Context(), b.Store, "run", "id-dora", "later", b.now); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		read, later time.Duration
		ask         bool
	}{
		"its clock is behind":    {-9 * time.Hour, 0, true},
		"its clock is ahead":     {9 * time.Hour, 0, true},
		"asked two hours ago":    {0, 2 * time.Hour, false},
		"asked half an hour ago": {-9 * time.Hour, time.Hour / 2, true},
	} {
		r, now := newRelayed(t, b), b.now
		state := r.step(t, "prepare", &BatchState{Run: "run", Batch: "ad-0001", Scope: runs.Back})
		if d := cmp.Diff([]protocol.Group{{DN: citrixDN, Direct: true}}, state.Groups); d != "" || state.Sample != 0 || !state.Ask {
			t.Fatalf("ask %t, sample %d, groups (-want +got):\n%s", state.Ask, state.Sample, d)
		}
		b.now = now.Add(tc.read)
		state.Evidence = &protocol.Ending{Answer: protocol.Answer{Key: r.bring(t, state)}}
		b.now = now
		r.Steps.Now = func() time.Time { return now.Add(tc.later) }
		if state = r.step(t, "change", state); state.Ask != tc.ask {
			t.Errorf("%s: %+v", name, state)
		}
	}
}
