package sandbox

import "time"

// SetADClock puts the clock of the domain controller ahead of the company's.
func (c *Company) SetADClock(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adAhead = ahead
}

// Rename returns a person's account in Active Directory another common name, in
// front of the account name, as an administrator may between a plan and its
// application. It stays the same account.
func (c *Company) Rename(i int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).commonName = name
	c.move(i)
}

// Replace deletes a person's account in Active Directory and makes another one
// of the same names: with a SID and a GUID of its own, in no group, and never
// used. Entra ID does not notice.
func (c *Company) Replace(i int) { c.byHand(func() { c.replaceInAD(i) }) }

func (c *Company) replaceInAD(i int) {
	for n := range groups {
		if groups[n].dn != "" && c.isMember(n, i, c.profile(i)) {
			c.setMember(n, i, false)
		}
	}
	ch := c.changeOf(i)
	ch.replaced++
	ch.made, ch.logOn, ch.lastUse = c.now().Truncate(time.Second), time.Time{}, time.Time{}
	ch.putBack, ch.primary, ch.hidden, ch.outOfAD = false, 0, nil, false
	c.move(i)
}

// replacedOf tells how many accounts a person had before the present one.
func (c *Company) replacedOf(i int) int {
	if ch := c.changes[i]; ch != nil {
		return ch.replaced
	}
	return 0
}
