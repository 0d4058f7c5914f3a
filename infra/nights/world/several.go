package world

import (
	"cmp"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// In some companies with Options.Apps, two groups give E3. A person may be in one of them or in both. The product must
// not take E3 from a person in both groups. It restores E3 by the same group by which it took E3.
const (
	groupLab = "Duplicate" // original name of the second group
	labName  = "LIC-E3-Lab"
)

// The function "lab" completes a change of the second group of E3: it adds E3 to the products that the group gives. If
// the change has no name, it also sets the usual name of the group.
func lab(x sandbox.GroupChange) sandbox.GroupChange {
	x.Name, x.More = cmp.Or(x.Name, labName), append([]string{"SPE_E3"}, x.More...)
	return x
}

// The method "awaitsE3" reports whether a person has joined a group of E3 that has not given its license yet. The
// person will soon hold E3 through this group, too.
func (w *World) awaitsE3(i int, p sandbox.Truth) bool {
	return w.several && slices.ContainsFunc([]string{groupE3, groupLab}, func(group string) bool {
		return w.inGroup(i, group) && !slices.Contains(p.E3, sandbox.Way{Group: group})
	})
}

// The method "elsewhere" reports whether a person who leaves one of the two groups of E3 is still in the other. The
// person then keeps E3. The caller must hold the lock.
func (w *World) elsewhere(e sandbox.Event) bool {
	other := map[string]string{groupE3: groupLab, groupLab: groupE3}[e.Group]
	return other != "" && w.listed[place{e.Person, other}]
}

// The method "way" returns the group by which the product took or gave a license in the event e. The judge reports a
// fault if the product gives a license by another group than the one by which it took the license. The result is ""
// while the product may have to use another group, and the judge then compares nothing.
func (w *World) way(e sandbox.Event) string {
	if _, again := w.out[e3Again]; again || w.closed(e3) {
		return ""
	}
	return e.Group
}

// The function "severalGroups" reports whether two groups give E3 in this company, and the person has an account in
// Entra ID.
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

// The function "unlab" deletes the second group of E3. The world then no longer expects that the group gives its
// license to new members.
func unlab(w *World) {
	relab(sandbox.GroupChange{Deleted: true})(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.waits, func(p place, _ bool) bool { return p.group == groupLab })
}

// The variable "turnsOfSeveral" has the changes that can happen to the second group of E3, such as another name.
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
