package world

import (
	"cmp"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// In some companies of applications, two groups give E3. A person may be in either group, or in both. The product must
// not take E3 from a person in both groups. It restores E3 by the group by which it took E3.
const (
	groupLab = "Duplicate" // original name of the second group
	labName  = "LIC-E3-Lab"
)

// The function "lab" completes a change of the second group of E3. In the result, the group still gives E3, and it has
// its usual name unless x has another name.
func lab(x sandbox.GroupChange) sandbox.GroupChange {
	x.Name, x.More = cmp.Or(x.Name, labName), append([]string{"SPE_E3"}, x.More...)
	return x
}

// The method "awaitsE3" reports whether a person is in a group of E3 that has not given its license yet. When the group
// gives its license, the person holds E3 in one more way.
func (w *World) awaitsE3(i int, p sandbox.Truth) bool {
	return w.several && slices.ContainsFunc([]string{groupE3, groupLab}, func(group string) bool {
		return w.inGroup(i, group) && !slices.Contains(p.E3, sandbox.Way{Group: group})
	})
}

// The method "elsewhere" reports whether a person stays in one group of E3 when the person leaves the other group. The
// caller must hold the lock.
func (w *World) elsewhere(e sandbox.Event) bool {
	other := map[string]string{groupE3: groupLab, groupLab: groupE3}[e.Group]
	return other != "" && w.listed[place{e.Person, other}]
}

// The method "way" returns the group by which the product takes or gives a license, for the judge. It returns "" while
// the product may have to use another group.
func (w *World) way(e sandbox.Event) string {
	if _, again := w.out[e3Again]; again || w.closed(e3) {
		return ""
	}
	return e.Group
}

// The function "severalGroups" reports whether the person may be in the groups of E3 of a company with two such groups.
func severalGroups(w *World, _ int, p sandbox.Truth) bool { return w.several && p.EntraID != "" }

// The method "changesGroup" moves a person from one group of E3 to the other.
func (w *World) changesGroup(i int) {
	from, to := groupE3, groupLab
	if slices.Contains(w.box.Company.Truth(i).E3, sandbox.Way{Group: groupLab}) {
		from, to = groupLab, groupE3
	}
	w.box.Company.SetMember(i, to, true)
	w.box.Company.SetMember(i, from, false)
}

func relab(x sandbox.GroupChange) func(*World) { return regroup(groupLab, lab(x)) }

// The function "unlab" deletes the second group of E3. Nobody waits for its license any longer.
func unlab(w *World) {
	relab(sandbox.GroupChange{Deleted: true})(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.waits, func(p place, _ bool) bool { return p.group == groupLab })
}

// The variable "turnsOfSeveral" contains the kinds of turns of the second group of E3.
var turnsOfSeveral = []turn{
	{"the second group of E3 is renamed", groupLab, 0.005, 2, "",
		relab(sandbox.GroupChange{Name: labName + "-old"}), relab(sandbox.GroupChange{})},
	{"the second group of E3 gives a second product", groupLab, 0.004, 3, e3,
		relab(sandbox.GroupChange{More: []string{partP2}}), relab(sandbox.GroupChange{})},
	{"the members of the second group of E3 are hidden", groupLab, 0.003, 2, "",
		relab(sandbox.GroupChange{Hidden: true}), relab(sandbox.GroupChange{})},
	{"the second group of E3 is deleted", groupLab, 0.004, 2, e3, unlab, relab(sandbox.GroupChange{})},
	{"the second group of E3 is emptied", "members", 0.004, 1, e3, empties(groupLab), refills(groupLab)},
}
