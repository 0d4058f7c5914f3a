package sandbox

import "time"

// AppGroup is an Entra group that gives no product. It is assigned to an application that gets its users from Entra ID
// through SCIM.
const AppGroup = "APP-Salesforce"

// provisioningCycle is how long the application takes to notice a change of the group. Microsoft says that
// "incremental cycles" run about every 40 minutes, that the next cycle disables a person who has left an assigned
// group, and that "the application provisioning service can't read users in nested groups" (Microsoft Learn, "How
// Application Provisioning works in Microsoft Entra ID": Incremental cycle, Deprovisioning).
const provisioningCycle = 40 * time.Minute

// HasSeat reports whether the person is an active user of the application now.
func (c *Company) HasSeat(i int) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	seen := c.now().Add(-provisioningCycle)
	has := groups[groupApp].first(c.profile(i))
	for _, e := range c.history {
		if e.Person == i && e.Group == AppGroup && !e.At.After(seen) {
			has = e.What == MemberAdded
		}
	}
	return has
}
