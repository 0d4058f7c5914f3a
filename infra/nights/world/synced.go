package world

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// In some companies with Options.Apps, Entra Connect syncs the group groupOnPrem from Active Directory, and the group
// gives Entra ID P2. The product writes the group in Active Directory. Graph shows the effect after the next sync.
const (
	premium  = "entra-p2"
	partP2   = "AAD_PREMIUM_P2"
	skuP2    = "84a661c4-e949-4bd2-a560-ed7766fcaf2b"
	dnOnPrem = "CN=" + groupOnPrem + ",OU=Licenses," + sandbox.BaseDN
)

// Entra Connect syncs every 30 minutes by default. A stalled sync catches up before the next night. In the calm nights
// at the end, the sync is faster.
const (
	usualSync   = 30 * time.Minute
	stalledSync = 20 * time.Hour
	calmSync    = 10 * time.Minute
)

// syncDelay returns how long Entra Connect usually takes to sync a change. It returns 0 in a company without a synced
// group.
func (w *World) syncDelay() time.Duration {
	if w.synced {
		return usualSync
	}
	return 0
}

// mayBeSynced reports whether Entra Connect can sync a membership of the person. The person must have a synced account,
// and neither of the person's two accounts may have been created again.
func (w *World) mayBeSynced(i int, p sandbox.Truth) bool {
	return p.EntraID != "" && p.SID != "" && w.box.Company.Person(i).Kind == sandbox.Synced && !w.touched[i]
}

// holdsPremium reports whether a person holds Entra ID P2. The product takes this license by a write to the group in
// Active Directory. A change of the membership therefore counts at once, before Entra Connect has synced it.
func (w *World) holdsPremium(i int, p sandbox.Truth) bool {
	other := func(way sandbox.Way) bool { return way.Group != groupOnPrem }
	return p.EntraID != "" && (w.inGroup(i, groupOnPrem) || slices.ContainsFunc(p.P2, other))
}

// stuckPremium reports whether the product cannot safely take Entra ID P2 from a person. For example, the person holds
// the license in several ways, the directories disagree about the membership, no usage report lists the person, or a
// temporary change of the company, such as a deleted group, prevents it.
func (w *World) stuckPremium(i int, p sandbox.Truth) bool {
	h := &w.people[i]
	unlisted := w.reports && len(p.E3)+len(p.Exchange) == 0 // without a mailbox, no report says when the person was active
	if w.closed(premium) || len(p.P2) != 1 || unlisted {
		return true
	}
	in := w.inGroup(i, groupOnPrem)
	switch p.P2[0].Group {
	case "":
		return in || h.nowhere
	case groupOnPrem:
		return !in || h.split || w.contradictory(i, p) || !w.mayBeSynced(i, p)
	}
	return true
}

// tellPremium tells the judge whether the rule for Entra ID P2 covers a person, whether the product can take the
// license, and whether the person holds it. The parameter "outside" is set if the rule does not cover the person.
func (w *World) tellPremium(i int, p sandbox.Truth, outside bool, at time.Time) {
	if !w.synced {
		return
	}
	h := &w.people[i]
	w.state(judge.Outside, h, h.told.outside, map[string]bool{premium: outside}, at)
	w.state(judge.Stuck, h, h.told.stuck, map[string]bool{premium: w.stuckPremium(i, p)}, at)
	w.holds(h, premium, w.holdsPremium(i, p), at)
}

// The method "ended" tells the judge which changes of the synced group the product calls done. The field Holds of the
// event is set if the membership has changed already and the license has not.
func (w *World) ended(r runs.Results) {
	for _, x := range r.Results {
		i, known := w.number(x.User)
		if !known || x.Status != runs.Done || x.License != premium {
			continue
		}
		in := w.inGroup(i, groupOnPrem)
		follows := slices.Contains(w.box.Company.Truth(i).P2, sandbox.Way{Group: groupOnPrem})
		early := in != follows && in == (x.Rule == plan.RestoreRule)
		w.hear(judge.Event{What: judge.Ended, At: w.clock.Now(), Person: w.people[i].id, License: premium, Holds: early})
	}
}

// The function "syncedGroup" reports whether an administrator may put the person into the synced group.
func syncedGroup(w *World, i int, p sandbox.Truth) bool {
	return w.synced && w.mayBeSynced(i, p) && !w.people[i].split
}

func regroupOnPrem(x sandbox.ADGroupChange) func(*World) {
	return func(w *World) { w.box.Company.ChangeADGroup(groupOnPrem, x) }
}

func setSync(d time.Duration) func(*World) { return func(w *World) { w.box.Company.SetSyncDelay(d) } }

// The variable "turnsOfSynced" has the changes that can happen to the synced group, such as a move. Two changes of the
// same object never overlap. Two entries name groupCitrix as their object, although they change the synced group. So
// they never overlap with the turn "swapped", which moves both groups.
var turnsOfSynced = []turn{
	{"Entra Connect stalls", "sync", 0.03, 1, "", setSync(stalledSync), setSync(usualSync)},
	{"the synced group is moved", groupCitrix, 0.006, 2, premium,
		regroupOnPrem(sandbox.ADGroupChange{DN: "CN=" + groupOnPrem + ",OU=Moved," + sandbox.BaseDN}),
		regroupOnPrem(sandbox.ADGroupChange{})},
	{"the synced group is deleted in Active Directory", groupCitrix, 0.004, 1, premium,
		regroupOnPrem(sandbox.ADGroupChange{Deleted: true}), regroupOnPrem(sandbox.ADGroupChange{})},
	{"the synced group is deleted in Entra ID", groupOnPrem, 0.003, 1, premium,
		regroup(groupOnPrem, sandbox.GroupChange{Deleted: true, Instead: []string{partP2}}),
		regroup(groupOnPrem, sandbox.GroupChange{Instead: []string{partP2}})},
	{"the synced group is emptied", "members", 0.004, 1, premium, empties(groupOnPrem), refills(groupOnPrem)},
}
