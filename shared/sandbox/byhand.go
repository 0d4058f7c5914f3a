package sandbox

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// byHand makes a change as an administrator or another tool makes it, and not idleseat. The events of the change have
// the field ByHand set. License changes that are already due follow from earlier writes, so byHand applies them first.
func (c *Company) byHand(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanceTo(c.now())
	c.hand = true
	defer func() { c.hand = false }()
	do()
}

// SetMember adds a person to a group or removes the person, as an administrator does by hand. The argument "name" is
// the original name of the group. The licenses change after Options.LicenseDelay. For a synced group, the delay of
// Entra Connect comes in addition.
func (c *Company) SetMember(i int, name string, in bool) {
	c.byHand(func() { c.setMember(groupNamed(name), i, in) })
}

// AssignDirectly assigns a product to a person directly, as an administrator does by hand.
func (c *Company) AssignDirectly(i int, part string) {
	c.byHand(func() {
		added := assignment{directory.Assignment{SKU: skuOf(part), State: stateActive}, c.now()}
		c.setAssignments(i, c.now(), append(c.withoutDirect(i, part), added))
	})
}

// RemoveDirectly removes the direct assignment of a product. Assignments through groups stay.
func (c *Company) RemoveDirectly(i int, part string) {
	c.byHand(func() { c.setAssignments(i, c.now(), c.withoutDirect(i, part)) })
}

// withoutDirect returns a person's assignments except the direct assignment of the product with a part number.
func (c *Company) withoutDirect(i int, part string) []assignment {
	return slices.DeleteFunc(slices.Clone(c.assignments(i, c.profile(i))), func(a assignment) bool {
		return a.Group == "" && a.SKU == skuOf(part)
	})
}

// skuOf returns the skuId of the product with a part number. It panics if the company does not have the product.
func skuOf(part string) string {
	return products[slices.IndexFunc(products, func(p product) bool { return p.part == part })].id
}

// Reprocess repeats the group assignments that failed because no seat was free, as a button of Entra ID does. Without
// this, a person does not get the license when a seat becomes free (entra-docs: licensing-groups-resolve-problems,
// "Force group license processing").
func (c *Company) Reprocess(i int) { c.byHand(func() { c.reprocess(i) }) }

// SetEnabled allows or blocks a person's sign-in in both directories, as an administrator does by hand.
func (c *Company) SetEnabled(i int, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).enabled = directory.FlagOf(on)
	c.move(i)
}

func (c *Company) enabled(i int, t profile) directory.Flag {
	if ch := c.changes[i]; ch != nil && ch.enabled != directory.Unset {
		return ch.enabled
	}
	return directory.FlagOf(t.enabled())
}
