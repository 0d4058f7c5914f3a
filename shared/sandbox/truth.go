package sandbox

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Truth is what is so of one person at an instant, whatever the directories show of it
// late or not at all. It costs less than Person.
type Truth struct {
	Exists  bool // in either directory
	Enabled bool // may sign in

	EntraID   string // object id; empty without an account in Entra ID
	SID, GUID string // of the account in Active Directory; empty without one
	Guest     bool
	Role      string    // employeeType
	Made      time.Time // the youngest of the accounts

	LastSignIn, LastLogon time.Time // of the accounts that there are; zero: never

	// By which ways the person holds Microsoft 365 E3, Exchange Online and Citrix.
	E3, Exchange, Citrix []Way
}

// Way is a way to hold a license: by the group that has this name at first, or without
// one.
type Way struct {
	Group   string
	Primary bool // the group is the primary group of the account
}

// Truth returns the truth about person i, who must be in [0, Size()).
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

// ways returns those by which a person is in a group of Active Directory, nested ones
// included.
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

// firstName returns the name at first of the group of Entra ID that has an object id; empty
// for none.
func (c *Company) firstName(id string) string {
	for n := range groups {
		if id != "" && c.group(n).id == id {
			return groups[n].name
		}
	}
	return ""
}
