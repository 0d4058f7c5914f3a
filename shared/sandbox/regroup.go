package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// GroupChange is a change of a group of Entra ID. A changed field has its effects on members and licenses.
type GroupChange struct {
	// ID is the object id of a group that was deleted and created again. The new group has no members. Licenses from
	// the old group are lost.
	ID   string
	Name string // new display name; empty: its first one
	// Deleted deletes the group. Its licenses are lost, because they must be removed before the group can be deleted
	// (entra-docs: licensing-groups-resolve-problems, "When a licensed group is deleted"). Members and licenses return
	// when the group is restored.
	Deleted bool
	Emptied bool // everybody was removed, nested groups too
	// Rule makes the group dynamic: everybody is removed, and then everybody who matches the rule is added (entra-docs:
	// groups-change-type). The sandbox knows only user.department -eq "…". Members stay when the rule is removed.
	Rule string
	// More are part numbers of products that the group gives in addition.
	More []string
	// Hidden sets visibility to HiddenMembership. The application lacks Member.Read.Hidden unless Unhidden is set.
	// Microsoft does not document what the list of members then is. Here it is empty, or the answer is 403 with Denied.
	// memberOf leaves the group out (docs-contrib: group-list-members; microsoft-graph-docs #12285, #12552).
	Hidden, Unhidden, Denied bool
}

// unseen reports whether the group hides its members from the application.
func (g *group) unseen() bool { return g.hidden && !g.unhidden }

// lists reports whether Graph shows the group's members to the application.
func (g *group) lists() bool { return !g.deleted && !g.unseen() }

// ChangeGroup changes the first Entra group with this first name. An empty change reverts everything, but removed
// members do not return.
func (c *Company) ChangeGroup(name string, x GroupChange) {
	n := slices.IndexFunc(groups, func(g group) bool { return g.id != "" && g.name == name })
	if n < 0 {
		panic(fmt.Sprintf("sandbox: no group %q in Entra ID", name))
	}
	if _, known := departmentAsked(x.Rule); x.Rule != "" && !known {
		panic(fmt.Sprintf("sandbox: the rule %q is not simulated", x.Rule))
	}
	c.byHand(func() {
		old, in := c.regrouped[n], c.entraMembers(n)
		again, ruled := x.ID != old.ID, x.Rule != "" && x.Rule != old.Rule
		if again || ruled || x.Emptied && !old.Emptied {
			c.oust(n, c.inEntra, again)
			in = nil
		} else if x.Deleted && !old.Deleted {
			c.laterAll(n, in, false)
		}
		c.regrouped[n] = x
		c.rebuild(n)
		if !x.Deleted && (old.Deleted || !slices.Equal(x.More, old.More)) {
			c.laterAll(n, in, true)
		}
		for i := range c.Size() {
			c.rule(n, i)
		}
	})
}

// oust removes everybody from a group, also accounts in a bin. With again, the group was created again: old states of
// replicas then show no member of the new group.
func (c *Company) oust(n int, there func(int, profile) bool, again bool) {
	for i := range c.Size() {
		t := c.profile(i)
		switch {
		case c.absent(i) || !c.isMember(n, i, t):
		case there(i, t):
			c.setMember(n, i, false)
		default:
			c.joined[membership{n, i}] = false
			c.changeOf(i)
		}
		if again {
			delete(c.earlier, membership{n, i})
		}
	}
	maps.DeleteFunc(c.nesting, func(pair [2]int, _ bool) bool { return pair[0] == n })
}

func (c *Company) laterAll(n int, people []int, in bool) {
	for _, i := range people {
		c.later(n, i, in)
	}
	c.advanceTo(c.now())
}

// entraMembers returns the people in a group of Entra ID, even when the group hides them.
func (c *Company) entraMembers(n int) (people []int) {
	for i := range c.Size() {
		if c.isEntraMember(n, i) {
			people = append(people, i)
		}
	}
	return people
}

// Nest adds a group to another one, or removes it. Both go by their first names. The licenses of a group do not reach
// the members of its nested groups (entra-docs: licensing-group-advanced, "nested groups"). The caller must not make a
// circle.
func (c *Company) Nest(outer, inner string, in bool) {
	index := func(name string) int {
		return slices.IndexFunc(groups, func(g group) bool { return g.name == name })
	}
	c.byHand(func() {
		n := index(outer)
		c.nesting[[2]int{n, index(inner)}] = in
		c.rebuild(n)
	})
}

// rebuild computes the current state of a group, for requests that do not lock the company.
func (c *Company) rebuild(n int) {
	g, x := groups[n], c.regrouped[n]
	g.deleted, g.hidden, g.unhidden, g.denied = x.Deleted, x.Hidden, x.Unhidden, x.Denied
	if x.ID != "" {
		g.id = x.ID
	}
	if x.Name != "" {
		g.name = x.Name
	}
	if x.Rule != "" {
		g.dynamic, g.rule = true, x.Rule
	}
	for _, part := range x.More {
		at := slices.IndexFunc(products, func(p product) bool { return p.part == part })
		g.grants = append(slices.Clip(g.grants), products[at].id)
	}
	c.rebuildAD(n, &g)
	if x.ID != "" || x.Emptied || c.adGroups[n].Remade > 0 {
		g.nested = nil
	}
	g.nested = slices.Clone(g.nested)
	for inner := range groups {
		switch in, changed := c.nesting[[2]int{n, inner}]; {
		case changed && !in:
			g.nested = slices.DeleteFunc(g.nested, func(m int) bool { return m == inner })
		case changed && !slices.Contains(g.nested, inner):
			g.nested = append(g.nested, inner)
		}
	}
	list := slices.Clone(*c.present.Load())
	list[n] = g
	c.present.Store(&list)
	c.rebuildEntries()
}

// group returns the current state of a group.
func (c *Company) group(n int) *group { return &(*c.present.Load())[n] }

// entraGroup returns the current state of a group. It returns nil when Entra ID does not have it.
func (c *Company) entraGroup(n int) *group {
	if g := c.group(n); g.id != "" && !g.deleted {
		return g
	}
	return nil
}

// groupOf returns the Entra group that a path names.
func (c *Company) groupOf(id string) (int, *group, error) {
	if !isGUID(id) {
		return 0, nil, badRequest("Invalid object identifier '%s'.", id)
	}
	if n, g := c.groupByID(id); g != nil {
		return n, g, nil
	}
	return 0, nil, notFound(id)
}

// groupByID returns the Entra group with an id. It returns nil when there is none.
func (c *Company) groupByID(id string) (int, *group) {
	for n := range groups {
		if g := c.entraGroup(n); g != nil && strings.EqualFold(g.id, id) {
			return n, g
		}
	}
	return 0, nil
}

// departmentAsked returns the department in a rule.
func departmentAsked(rule string) (department string, known bool) {
	_, err := fmt.Sscanf(rule, "user.department -eq %q", &department)
	return department, err == nil
}

// rule adds a person to a dynamic group or removes them, by its rule.
func (c *Company) rule(n, i int) {
	g := c.entraGroup(n)
	if g == nil || !g.dynamic {
		return
	}
	t := c.profile(i)
	asked, _ := departmentAsked(g.rule)
	if want := c.inEntra(i, t) && c.departmentOf(i, t) == asked; want != c.isMember(n, i, t) && c.inEntra(i, t) {
		c.setMember(n, i, want)
	}
}
