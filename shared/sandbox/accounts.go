package sandbox

import "time"

// SetADClock sets how far the domain controller's clock is ahead of the company's clock.
func (c *Company) SetADClock(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.adAhead = ahead
}

// ADClock returns how far the domain controller's clock is ahead of the company's clock.
func (c *Company) ADClock() time.Duration {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.adAhead
}

// Rename changes the common name of a person's account in Active Directory. The account keeps its GUID and SID. The DN
// then starts with "CN=NEW NAME (ACCOUNT NAME),".
func (c *Company) Rename(i int, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changeOf(i).commonName = name
	c.move(i)
}

// Replace deletes a person's account in Active Directory and creates an unused account with the same names, another
// SID and GUID, and no groups. In Entra ID, the person only leaves the synced groups.
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
	ch.fromBackup, ch.primary, ch.hidden, ch.outOfAD = false, 0, nil, false
	if c.stamps != nil {
		c.stamps[i] = time.Time{}
	}
	c.move(i)
}

func (c *Company) replacedOf(i int) int {
	if ch := c.changes[i]; ch != nil {
		return ch.replaced
	}
	return 0
}
