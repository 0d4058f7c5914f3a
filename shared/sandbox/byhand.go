package sandbox

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// byHand does what an administrator or somebody's tool does, apart from requests to the
// company. What was due before comes first.
func (c *Company) byHand(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanceTo(c.now())
	c.hand = true
	defer func() { c.hand = false }()
	do()
}

// SetMember lists a person in the group of this name at first or takes it off, as an
// administrator does by hand. Licenses of the group follow.
func (c *Company) SetMember(i int, name string, in bool) {
	c.byHand(func() {
		c.setMember(slices.IndexFunc(groups, func(g group) bool { return g.name == name }), i, in)
	})
}

// AssignDirectly returns a person a product without a group, as an administrator does
// by hand.
func (c *Company) AssignDirectly(i int, part string) {
	c.byHand(func() {
		added := assignment{directory.Assignment{SKU: skuOf(part), State: stateActive}, c.now()}
		c.setAssignments(i, c.now(), append(c.withoutDirect(i, part), added))
	})
}

// RemoveDirectly takes from a person what AssignDirectly gives. What a group gives stays.
func (c *Company) RemoveDirectly(i int, part string) {
	c.byHand(func() { c.setAssignments(i, c.now(), c.withoutDirect(i, part)) })
}

// withoutDirect returns a person's paths but the direct one to a product.
func (c *Company) withoutDirect(i int, part string) []assignment {
	return slices.DeleteFunc(slices.Clone(c.assignments(i, c.profile(i))), func(a assignment) bool {
		return a.Group == "" && a.SKU == skuOf(part)
	})
}

// skuOf returns the skuId of a part number that the company subscribes to.
func skuOf(part string) string {
	return products[slices.IndexFunc(products, func(p product) bool { return p.part == part })].id
}

// Reprocess tries again what groups could not give a person for want of seats, as the
// button of that name does: more seats alone change nothing (entra-docs:
// licensing-groups-resolve-problems, "Force group license processing").
func (c *Company) Reprocess(i int) { c.byHand(func() { c.reprocess(i) }) }

// SetEnabled blocks the sign-in of a person or allows it, in both directories, as an
// administrator does by hand.
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
