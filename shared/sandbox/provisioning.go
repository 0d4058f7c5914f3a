package sandbox

import "time"

// AppGroup is a group of Entra ID that gives no product. It is assigned to an application
// that takes its users from Entra ID by SCIM.
const AppGroup = "APP-Salesforce"

// provisioningCycle is how long the application lags behind the group: after the initial
// cycle, "incremental cycles" run about every 40 minutes. Whoever is no longer assigned,
// also for having left an assigned group, is disabled in the application by the next one
// (Microsoft Learn, "How Application Provisioning works in Microsoft Entra ID": Incremental
// cycle, Deprovisioning). Only those whom the group lists itself are read: "the
// application provisioning service can't read users in nested groups".
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
