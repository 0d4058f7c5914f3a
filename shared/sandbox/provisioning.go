package sandbox

import "time"

// AppGroup is a group of Entra ID that gives no product. It is assigned to an application
// that takes its users from Entra ID by SCIM.
const AppGroup = "APP-Salesforce"

// provisioningCycle is how long the application lags behind the group. After the initial cycle, "incremental cycles"
// run about every 40 minutes. The next cycle disables a person who is no longer assigned. Leaving an assigned group has
// the same effect (Microsoft Learn, "How Application Provisioning works in Microsoft Entra ID": Incremental cycle,
// Deprovisioning). A cycle reads only the members that the group itself lists: "the application provisioning service
// can't read users in nested groups".
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
