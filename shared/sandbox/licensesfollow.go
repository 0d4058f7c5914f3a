package sandbox

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "transition" is a change of membership. The licenses change at the time "due".
type transition struct {
	due           time.Time
	group, person int
	id            string // object id of the group
	in            bool
	byHand        bool
}

// The method "advance" applies the license changes that are due after changes of membership.
func (c *Company) advance() {
	now := c.now()
	if first := c.due.Load(); first == 0 || first > now.UnixNano() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.advanceTo(now)
}

func (c *Company) later(g, i int, in bool) {
	if one := c.group(g); len(one.grants) > 0 {
		delay := c.options.LicenseDelay
		if one.synced() {
			delay += c.syncs
		}
		due := c.now().Add(delay)
		at := len(c.pending)
		for at > 0 && c.pending[at-1].due.After(due) {
			at--
		}
		c.pending = slices.Insert(c.pending, at, transition{due, g, i, one.id, in, c.hand})
		c.tellDue()
	}
}

// SetSyncDelay changes the delay of Entra Connect for later changes of synced groups. A long delay acts like a stalled
// sync.
func (c *Company) SetSyncDelay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.syncs = d
}

// tellDue sets c.due, which the method "advance" reads without a lock, to the time of the next license change.
func (c *Company) tellDue() {
	if len(c.pending) == 0 {
		c.due.Store(0)
		return
	}
	c.due.Store(max(c.pending[0].due.UnixNano(), 1))
}

func (c *Company) advanceTo(now time.Time) {
	for len(c.pending) > 0 && !c.pending[0].due.After(now) {
		next := c.pending[0]
		c.pending = c.pending[1:]
		hand := c.hand
		c.hand = next.byHand
		c.follow(next)
		c.hand = hand
	}
	c.tellDue()
}

// The method "follow" changes a person's licenses after a change of membership. A group gives all of its products or
// none. Entra Connect copies the membership that it finds, so it does not notice a member who left and joined again.
func (c *Company) follow(x transition) {
	t := c.profile(x.person)
	if !c.inEntra(x.person, t) {
		return
	}
	if c.group(x.group).synced() {
		x.in = c.isMember(x.group, x.person, t)
	}
	before := c.assignments(x.person, t)
	list := slices.DeleteFunc(slices.Clone(before), func(a assignment) bool { return a.Group == x.id })
	if g := c.entraGroup(x.group); x.in && g != nil && g.id == x.id {
		list = append(list, unchanged(c.inherit(x.group, heldSKUs(before), x.due), before)...)
	}
	c.setAssignments(x.person, x.due, list)
}

// The function "unchanged" returns the assignments in "paths", which a group is about to give. It replaces each one
// with the active assignment of the same product through the same group in "before", if there is one. So a person keeps
// a product of the group even if another product of the group has no free seat, which gives all new assignments an
// error.
func unchanged(paths, before []assignment) []assignment {
	for n, p := range paths {
		same := func(a assignment) bool { return a.SKU == p.SKU && a.Group == p.Group && a.Active() }
		if at := slices.IndexFunc(before, same); at >= 0 {
			paths[n] = before[at]
		}
	}
	return paths
}

// The method "inherit" returns the assignments that group g gives to a person. The products in "held" need no free
// seat.
func (c *Company) inherit(g int, held []string, at time.Time) (list []assignment) {
	state, problem := stateActive, ""
	one := c.group(g)
	for _, sku := range one.grants {
		if s := c.seats[sku]; !slices.Contains(held, sku) && s.consumed >= s.enabled {
			state, problem = stateError, countViolation
		}
	}
	for _, sku := range one.grants {
		list = append(list, assignment{directory.Assignment{SKU: sku, Group: one.id, State: state, Error: problem}, at})
	}
	return list
}

func (c *Company) reprocess(i int) {
	now := c.now()
	for g := range groups {
		failed := func(a assignment) bool { return a.State == stateError && a.Group != "" && a.Group == c.group(g).id }
		list := slices.Clone(c.assignments(i, c.profile(i)))
		if slices.ContainsFunc(list, failed) {
			list = slices.DeleteFunc(list, failed)
			c.setAssignments(i, now, append(list, c.inherit(g, heldSKUs(list), now)...))
		}
	}
}
