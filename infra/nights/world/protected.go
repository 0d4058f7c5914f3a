package world

import (
	"maps"
	"slices"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// In some companies, the exempt group has a long list of members. A script of an administrator removes a third of them
// by mistake, and the administrator adds them again a week later. (Microsoft Learn, "Bulk remove group members in
// Microsoft Entra ID": a file can list members to remove.) The product must notice so large a loss in one night, and
// take nothing from these people. The world therefore tells the judge that they are exempt all the time.

// The constant "groupExempt" is the name of the group whose members are exempt.
const groupExempt = "LIC-Exempt"

// The type "protected" has the members of the group of exempt people, if the company has a long list of such members.
type protected struct {
	long map[int]bool // the members; nil: the company has no long list
	gone map[int]bool // the members whom the script removed
}

// The method "protects" gives some companies a long list of exempt members. It adds six of ten people to the exempt
// group.
func (w *World) protects() {
	if !throw(w.options.Seed, "long list").chance(0.2) {
		return
	}
	w.long, w.gone = map[int]bool{}, map[int]bool{}
	for i := range w.box.Company.Size() {
		if w.box.Company.Truth(i).EntraID != "" && throw(w.options.Seed, "long list", i).chance(0.6) {
			w.long[i] = true
			w.box.Company.SetMember(i, groupExempt, true)
		}
	}
	w.kinds = append(w.kinds[:len(w.kinds):len(w.kinds)], turn{cutKind, groupExempt, 0.015, 7, "", (*World).cut, (*World).uncut})
}

// The constant "cutKind" names the turn, a temporary change of the company, that lasts from the script's mistake to its
// correction.
const cutKind = "a script removes a third of the exempt group's members"

// leastCut is the smallest number of members whom the script removes. The product must notice a loss of more than five
// members (docs/policy.md, "Groups of Entra ID"). A few people may join the group on the same days, so the number is
// larger.
const leastCut = 8

// The method "cut" begins the turn cutKind: the script removes members.
func (w *World) cut() {
	in := func(i int) bool { return w.long[i] && w.inGroup(i, groupExempt) }
	n := 0
	for i := range w.people {
		if in(i) {
			n++
		}
	}
	d := throw(w.options.Seed, "script", w.night)
	for _, i := range d.Perm(len(w.people)) {
		if len(w.gone) < max(leastCut, n/3) && in(i) {
			w.gone[i] = true
			w.box.Company.SetMember(i, groupExempt, false)
		}
	}
	w.clock.pass(judge.Slack) // every directory shows what the script did
}

// The method "uncut" ends the turn: the administrator adds the members again.
func (w *World) uncut() {
	for _, i := range slices.Sorted(maps.Keys(w.gone)) {
		w.box.Company.SetMember(i, groupExempt, true)
	}
	clear(w.gone)
}

// The function "leavesList" reports whether an administrator may remove a person from the group of exempt people. The
// members of the long list stay in the group.
func leavesList(w *World, i int, p sandbox.Truth) bool {
	return p.EntraID != "" && w.inExemptGroup(i) && !w.long[i]
}
