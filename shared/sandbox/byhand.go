package sandbox

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// SetMember lists a person in a group of this name or takes it off, as an
// administrator does by hand. Licenses of the group follow.
func (c *Company) SetMember(i int, name string, in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := slices.IndexFunc(groups, func(g group) bool { return g.name == name })
	c.setMember(g, i, in)
}

// AssignDirectly gives a person a product without a group, as an administrator does
// by hand.
func (c *Company) AssignDirectly(i int, part string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := slices.IndexFunc(products, func(p product) bool { return p.part == part })
	list := slices.Clone(c.assignments(i, c.traits(i)))
	c.setAssignments(i, c.now(), append(list, assignment{directory.Assignment{SKU: products[n].id, State: stateActive}, c.now()}))
}

// SetInBin puts a person's account of Entra ID into the bin of deleted items, or back
// from there with all that it had (Microsoft Graph, "Restore deleted item": groups and
// licenses are restored with the user).
func (c *Company) SetInBin(i int, in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).deleted = in
}

// SetEnabled blocks the sign-in of a person or allows it, in both directories, as an
// administrator does by hand.
func (c *Company) SetEnabled(i int, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).enabled = directory.FlagOf(on)
	c.move(i)
}

// enabled tells whether a person may sign in.
func (c *Company) enabled(i int, t traits) directory.Flag {
	if ch := c.changes[i]; ch != nil && ch.enabled != directory.Unset {
		return ch.enabled
	}
	return directory.FlagOf(t.enabled())
}
