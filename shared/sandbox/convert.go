package sandbox

// link is how an account in Entra ID is linked to Active Directory.
type link struct {
	state       linkState
	sid, anchor string // of the account that it is linked to, where that is another one
}

type linkState uint8

const (
	asAtFirst linkState = iota
	never               // the account was never synced
	ended               // it was synced, and is not any more
	cleared             // likewise, and nothing tells to which account
	linked              // it is, to the account that sid and anchor name
)

// linkOf returns the link of a person's account in Entra ID.
func (c *Company) linkOf(i int, t profile) (l link) {
	if ch := c.changes[i]; ch != nil {
		l = ch.link
	}
	switch {
	case l.state == asAtFirst && !t.synced():
		l.state = never
	case l.state == asAtFirst:
		l.state = linked
	}
	return l
}

// MakeGuest turns the account of a person in Entra ID into that of a guest, as an
// invitation of an internal user does: it keeps its object id, its name, its licenses and
// its groups (entra-docs: external-id/invite-internal-users).
func (c *Company) MakeGuest(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).guest = true
}

// MakeCloudOnly ends the synchronization of a person's account in Entra ID, which stays
// with all that it has: onPremisesSyncEnabled is false (docs-contrib: resources/user). The
// SID and the immutable id stay, too, until an administrator clears them. The account in
// Active Directory stays.
func (c *Company) MakeCloudOnly(i int, clear bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, l := c.changeOf(i), c.linkOf(i, c.profile(i))
	switch {
	case l.state == never:
	case clear:
		ch.link.state = cleared
	default:
		ch.link.state = ended
	}
}

// SetDepartment puts a person into another department in both directories. Dynamic groups
// follow it.
func (c *Company) SetDepartment(i int, name string) {
	c.byHand(func() {
		c.changeOf(i).department = name
		c.move(i)
		for n := range groups {
			c.rule(n, i)
		}
	})
}

// SetEmployeeType sets a person's employeeType in both directories; empty takes it away.
func (c *Company) SetEmployeeType(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).role = &value
	c.move(i)
}

// SetUsageLocation sets a person's usageLocation; empty takes it away.
func (c *Company) SetUsageLocation(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).location = &value
}
