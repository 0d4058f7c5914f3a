package sandbox

// The type "link" is the link of an Entra account to an Active Directory account.
type link struct {
	state       linkState
	sid, anchor string // SID and anchor of the linked account; empty: SID and anchor of the person's own account
}

type linkState uint8

const (
	asAtFirst linkState = iota
	never               // the account was never synced
	ended               // the account was synced in the past
	cleared             // the account was synced in the past, and its properties from Active Directory were cleared
	linked              // the account is linked to the Active Directory account that sid and anchor identify
)

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

// MakeGuest turns a person's Entra account into a guest account, as an invitation of an internal user does. The
// account keeps its object id, name, licenses and groups (entra-docs: external-id/invite-internal-users).
func (c *Company) MakeGuest(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).guest = true
}

// MakeCloudOnly ends the synchronization of a person's Entra account: onPremisesSyncEnabled becomes false
// (docs-contrib: resources/user). If "clear" is set, the SID, the immutable id and the other properties from Active
// Directory are also cleared. An account that was never synced does not change.
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

// SetDepartment changes a person's department in both directories, and the memberships of dynamic groups.
func (c *Company) SetDepartment(i int, name string) {
	c.byHand(func() {
		c.changeOf(i).department = name
		c.move(i)
		for n := range groups {
			c.rule(n, i)
		}
	})
}

// SetEmployeeType sets a person's employeeType in both directories. An empty value removes it.
func (c *Company) SetEmployeeType(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).role = &value
	c.move(i)
}

// SetUsageLocation sets a person's usageLocation. An empty value removes it.
func (c *Company) SetUsageLocation(i int, value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).location = &value
}
