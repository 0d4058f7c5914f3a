package world

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "groupKinds" says which of two optional groups a company has: a second group of E3, and a synced group of
// Entra ID P2.
type groupKinds struct {
	several bool   // whether two groups give E3
	synced  bool   // whether a synced group gives Entra ID P2
	kinds   []turn // the kinds of turns of this company
	ousted  []int  // people whom a turn removed from the group that is empty now
}

// The type "place" identifies a membership: the index of a person, and the original name of a group.
type place struct {
	person int
	group  string
}

// chooseGroups decides by the seed whether two groups give E3, and whether a synced group gives Entra ID P2. Functions
// without a relay do not write Active Directory, so their company has no synced group.
func (w *World) chooseGroups() {
	w.kinds = turns
	if w.several = w.options.Apps && throw(w.options.Seed, "several groups").chance(0.6); w.several {
		w.kinds = slices.Concat(w.kinds, turnsOfSeveral)
	}
	reads := !w.serverless || w.hasRelays()
	if w.synced = w.options.Apps && reads && throw(w.options.Seed, "synced group").chance(0.7); w.synced {
		w.kinds = slices.Concat(w.kinds, turnsOfSynced)
	}
}

// The method "enough" returns, for each product, more seats than the company can ever use.
func (w *World) enough() map[string]int {
	seats := map[string]int{"SPE_E3": w.seats(), "EXCHANGESTANDARD": w.seats()}
	if w.synced {
		seats[partP2] = w.seats()
	}
	return seats
}

// withGroups returns the text of a policy with two additions. The second group also gives E3, and there is a license
// and a rule for the synced group. Each addition is made only if the company has the group.
func (w *World) withGroups(text string) string {
	if w.several {
		text = strings.Replace(text, "group: {entra: "+groupE3+"}", "groups: [{entra: "+groupE3+"}, {entra: "+labName+"}]", 1)
	}
	if !w.synced {
		return text
	}
	license := "\n  " + premium + ": {sku: " + partP2 + `, group: {ad: "` + dnOnPrem + `"}, monthlyPrice: 9}`
	return strings.Replace(text, "\ngrace:", license+"\ngrace:", 1) + idleRule(premium)
}

// The method "regroups" puts people into the second group of E3 and into the synced group. Some people are then in both
// groups of E3, and some also hold Entra ID P2 directly.
func (w *World) regroups() {
	c := w.box.Company
	if w.several {
		c.ChangeGroup(groupLab, lab(sandbox.GroupChange{}))
	}
	if w.synced {
		c.ChangeGroup(groupOnPrem, sandbox.GroupChange{Instead: []string{partP2}})
	}
	for i := range c.Size() {
		d := throw(w.options.Seed, "which groups", i)
		if w.several && w.inGroup(i, groupE3) {
			x := d.Float64()
			w.listed[place{i, groupE3}], w.listed[place{i, groupLab}] = x >= 0.4, x < 0.5
			c.SetMember(i, groupLab, x < 0.5)
			c.SetMember(i, groupE3, x >= 0.4)
		}
		if w.synced && w.mayBeSynced(i, c.Truth(i)) && d.chance(0.4) {
			c.SetMember(i, groupOnPrem, true)
			if d.chance(0.05) {
				c.AssignDirectly(i, partP2)
			}
		}
	}
}

// inGroup reports whether Entra ID lists a person in a group. The argument "group" is the original name of the group.
// While a temporary change of the company gives the group another name, the result is false.
func (w *World) inGroup(i int, group string) bool {
	if group == groupLab {
		group = labName
	}
	return slices.Contains(w.box.Company.Groups(i), group)
}

// helpDeskGroups sometimes gives lost licenses back to a working person: E3 by the second group, and Entra ID P2 by the
// synced group.
func (w *World) helpDeskGroups(i int) {
	p, wanted := w.box.Company.Truth(i), w.people[i].wanted
	if w.several && wanted[e3] && len(p.E3) == 0 && w.happens("the help desk gives E3 by the second group", i, 0.1) {
		w.put(i, groupLab, true)
	}
	lacks := w.synced && wanted[premium] && w.mayBeSynced(i, p) && !w.holdsPremium(i, p)
	if lacks && w.happens("the help desk adds to the synced group", i, 0.2) {
		w.put(i, groupOnPrem, true)
	}
}

// The method "put" adds a person to a group, or removes the person if "in" is false, as an administrator does.
func (w *World) put(i int, group string, in bool) {
	w.box.Company.SetMember(i, group, in)
	w.observe(i)
}

// regroupedBeforeWrite sometimes changes the groups of a person in a plan before the apply.
func (w *World) regroupedBeforeWrite(i int) {
	if w.several && w.happens("put into the second group before the write", i, 0.05) {
		w.put(i, groupLab, true)
	}
	if w.synced && w.inGroup(i, groupOnPrem) && w.happens("taken off the synced group before the write", i, 0.03) {
		w.put(i, groupOnPrem, false)
	}
}

// regroupedWhilePending sometimes adds a person to a group of a license while a change of the license is pending.
func (w *World) regroupedWhilePending(i int, license string) {
	synced := w.synced && license == premium && w.mayBeSynced(i, w.box.Company.Truth(i))
	switch {
	case w.several && license == e3 && w.happens("put into a group of E3 while it is pending", i, 0.1):
		w.put(i, []string{groupE3, groupLab}[throw(w.options.Seed, "which group", w.night, i).IntN(2)], true)
	case synced && w.happens("put into the synced group while it is pending", i, 0.1):
		w.put(i, groupOnPrem, true)
	}
}

// The function "empties" returns the function that begins a turn: it removes all people from a group.
func empties(group string) func(*World) {
	return func(w *World) {
		for i := range w.people {
			if w.inGroup(i, group) {
				w.ousted = append(w.ousted, i)
				w.box.Company.SetMember(i, group, false)
			}
		}
	}
}

// The function "refills" returns the function that ends a turn begun by "empties": it adds the removed people to the
// group again.
func refills(group string) func(*World) {
	return func(w *World) {
		for _, i := range w.ousted {
			w.box.Company.SetMember(i, group, true)
		}
		w.ousted = nil
	}
}
