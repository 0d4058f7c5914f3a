package sandbox

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Truth is the true state of a person at an instant, which the directories may show late or never. It is cheaper to
// compute than a Person.
type Truth struct {
	Exists  bool // whether the person has an account in any directory
	Enabled bool // whether the person may sign in

	EntraID   string // object id; empty: no account in Entra ID
	SID, GUID string // of the account in Active Directory; empty: no account
	Guest     bool
	Role      string    // employeeType
	Made      time.Time // creation of the newest account

	LastSignIn, LastLogon time.Time // of the current accounts; zero: never

	// E3, Exchange, Copilot, P2 and Citrix are the ways in which the person holds Microsoft 365 E3, Exchange Online,
	// Microsoft 365 Copilot, Entra ID P2 and Citrix.
	E3, Exchange, Copilot, P2, Citrix []Way
}

// Way is a way to hold a license. Group is the original name of the group that gives it, or "" for a direct
// assignment.
type Way struct {
	Group   string
	Primary bool // whether the group is the account's primary group
}

// Truth returns the true state of person i, which must be in [0, Size()).
func (c *Company) Truth(i int) Truth {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := c.profile(i)
	entra, ad := c.inEntra(i, t), c.inAD(i, t)
	if !entra && !ad {
		return Truth{}
	}
	x := c.datesOf(i, t)
	p := Truth{Exists: true, Enabled: c.enabled(i, t) == directory.Yes, Role: c.employeeTypeOf(i, t)}
	if entra {
		p.EntraID, p.Guest, p.LastSignIn, p.Made = c.userID(i), c.isGuest(i, t), x.lastSignIn, c.entraCreated(i, t, x)
		for _, a := range c.assignments(i, t) {
			way := Way{Group: c.firstName(a.Group)}
			switch {
			case a.Active() && a.SKU == skuE3:
				p.E3 = append(p.E3, way)
			case a.Active() && a.SKU == skuExchange:
				p.Exchange = append(p.Exchange, way)
			case a.Active() && a.SKU == skuCopilot:
				p.Copilot = append(p.Copilot, way)
			case a.Active() && a.SKU == skuP2:
				p.P2 = append(p.P2, way)
			}
		}
	}
	if ad {
		p.SID, p.GUID, p.LastLogon, p.Made = sidText(c.rid(i)), c.objectGUID(i).base64(), x.logon, newest(p.Made, x.created, x.made)
		if ch := c.changes[i]; ch != nil {
			p.LastLogon = newest(p.LastLogon, ch.lastUse)
		}
		p.Citrix = c.ways(groupCitrix, i, t)
	}
	return p
}

// The method "ways" returns the memberships through which a person is in an Active Directory group: direct, primary or
// nested.
func (c *Company) ways(n, i int, t profile) (list []Way) {
	g := c.group(n)
	if !g.inAD() {
		return nil
	}
	if c.isMember(n, i, t) {
		list = append(list, Way{Group: groups[n].name})
	}
	if c.primaryOf(i) == g.rid {
		list = append(list, Way{groups[n].name, true})
	}
	for _, inner := range g.nested {
		list = append(list, c.ways(inner, i, t)...)
	}
	return list
}

// firstName returns the original name of the Entra group with an object id, or "".
func (c *Company) firstName(id string) string {
	for n := range groups {
		if id != "" && c.group(n).id == id {
			return groups[n].name
		}
	}
	return ""
}
