package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// GroupChange is a change of an Entra group. The members and licenses of the group change accordingly.
type GroupChange struct {
	// ID is the object id of a new group without members that replaces the group. The old group is deleted, and people
	// lose its licenses.
	ID   string
	Name string // new display name; empty: unchanged
	// Deleted deletes the group. People lose its licenses, because an administrator must remove the licenses of a group
	// before the deletion (entra-docs: licensing-groups-resolve-problems, "When a licensed group is deleted"). A
	// restore of the group restores its members and licenses.
	Deleted bool
	Emptied bool // removes all members, including nested groups
	// Rule makes the group dynamic: all members are removed, and then all people who match the rule are added
	// (entra-docs: groups-change-type). The only supported form is user.department -eq "…". Removing the rule keeps
	// the members.
	Rule string
	// More has the part numbers of additional products of the group. Instead has the part numbers of the products that
	// the group gives in place of its original ones.
	More, Instead []string
	// Hidden sets the visibility of the group to HiddenMembership. Unhidden means that the application has
	// Member.Read.Hidden. Without it, memberOf omits the group (docs-contrib: group-list-members; microsoft-graph-docs
	// #12285, #12552). Microsoft does not document the answer to a list of the members. In the sandbox it is empty or,
	// if Denied is set, fails with status 403.
	Hidden, Unhidden, Denied bool
}

func (g *group) unseen() bool { return g.hidden && !g.unhidden }

// The method "lists" reports whether Graph shows the members of the group to the application.
func (g *group) lists() bool { return !g.deleted && !g.unseen() }

// ChangeGroup changes an Entra group. The argument "name" is the original name of the group. An empty change reverts
// all earlier changes except for the removal of members.
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
		if !x.Deleted && (old.Deleted || !slices.Equal(x.More, old.More) || !slices.Equal(x.Instead, old.Instead)) {
			c.laterAll(n, in, true)
		}
		for i := range c.Size() {
			c.rule(n, i)
		}
	})
}

// The method "oust" removes all members from a group, also those whose account is in the recycle bin. The function
// "there" reports whether a person has an account now. "again" is true if a new group replaces a deleted one. The
// former memberships are then deleted, too, so that no late read shows them in the new group.
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
			c.touched(object{n, i})
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

// entraMembers returns the people in an Entra group, including hidden members.
func (c *Company) entraMembers(n int) (people []int) {
	for i := range c.Size() {
		if c.isEntraMember(n, i) {
			people = append(people, i)
		}
	}
	return people
}

// Nest adds the group "inner" to the group "outer", or removes it if "in" is false. Both are original names. The
// licenses of a group do not reach the members of nested groups (entra-docs: licensing-group-advanced, "nested
// groups"). The caller must not create a cycle.
func (c *Company) Nest(outer, inner string, in bool) {
	c.byHand(func() {
		n := groupNamed(outer)
		c.nesting[[2]int{n, groupNamed(inner)}] = in
		c.rebuild(n)
	})
}

// The method "rebuild" computes and stores the current state of a group, so that requests read it without a lock.
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
	if x.Instead != nil {
		g.grants = nil
	}
	for _, part := range slices.Concat(x.Instead, x.More) {
		g.grants = append(slices.Clip(g.grants), skuOf(part))
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

func (c *Company) group(n int) *group { return &(*c.present.Load())[n] }

// entraGroup returns the current state of a group, or nil if Entra ID does not have the group.
func (c *Company) entraGroup(n int) *group {
	if g := c.group(n); g.id != "" && !g.deleted {
		return g
	}
	return nil
}

func (c *Company) groupOf(id string) (int, *group, error) {
	if !isGUID(id) {
		return 0, nil, badRequest("Invalid object identifier '%s'.", id)
	}
	if n, g := c.groupByID(id); g != nil {
		return n, g, nil
	}
	return 0, nil, notFound(id)
}

func (c *Company) groupByID(id string) (int, *group) {
	for n := range groups {
		if g := c.entraGroup(n); g != nil && strings.EqualFold(g.id, id) {
			return n, g
		}
	}
	return 0, nil
}

// departmentAsked returns the department in a rule of a group. The result "known" is false for an unsupported form.
func departmentAsked(rule string) (department string, known bool) {
	_, err := fmt.Sscanf(rule, "user.department -eq %q", &department)
	return department, err == nil
}

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
