package sandbox

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// byHand makes a change that comes from an administrator or a tool, and not from a request to the company. Changes that
// are due come first.
func (c *Company) byHand(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanceTo(c.now())
	c.hand = true
	defer func() { c.hand = false }()
	do()
}

// SetMember adds a person to the group with this first name or removes them, as an administrator does by hand. The
// licenses of the group follow.
func (c *Company) SetMember(i int, name string, in bool) {
	c.byHand(func() {
		c.setMember(slices.IndexFunc(groups, func(g group) bool { return g.name == name }), i, in)
	})
}

// AssignDirectly assigns a product to a person without a group, as an administrator does by hand.
func (c *Company) AssignDirectly(i int, part string) {
	c.byHand(func() {
		added := assignment{directory.Assignment{SKU: skuOf(part), State: stateActive}, c.now()}
		c.setAssignments(i, c.now(), append(c.withoutDirect(i, part), added))
	})
}

// RemoveDirectly removes a direct assignment. Assignments by groups stay.
func (c *Company) RemoveDirectly(i int, part string) {
	c.byHand(func() { c.setAssignments(i, c.now(), c.withoutDirect(i, part)) })
}

// withoutDirect returns a person's paths except the direct one to a product.
func (c *Company) withoutDirect(i int, part string) []assignment {
	return slices.DeleteFunc(slices.Clone(c.assignments(i, c.profile(i))), func(a assignment) bool {
		return a.Group == "" && a.SKU == skuOf(part)
	})
}

// skuOf returns the skuId of one of the company's products by its part number.
func skuOf(part string) string {
	return products[slices.IndexFunc(products, func(p product) bool { return p.part == part })].id
}

// Reprocess tries again to give a person the licenses of their groups for which no seat was free. Entra ID has a button
// of the same name. More seats alone change nothing (entra-docs: licensing-groups-resolve-problems, "Force group
// license processing").
func (c *Company) Reprocess(i int) { c.byHand(func() { c.reprocess(i) }) }

// SetEnabled blocks or allows the sign-in of a person in both directories, as an administrator does by hand.
func (c *Company) SetEnabled(i int, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).enabled = directory.FlagOf(on)
	c.move(i)
}

// enabled reports whether a person may sign in.
func (c *Company) enabled(i int, t profile) directory.Flag {
	if ch := c.changes[i]; ch != nil && ch.enabled != directory.Unset {
		return ch.enabled
	}
	return directory.FlagOf(t.enabled())
}
