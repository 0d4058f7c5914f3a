package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// ADGroupChange is what somebody has made of a group of Active Directory.
type ADGroupChange struct {
	// DN is another one: the group was renamed or moved. It keeps its objectGUID and its
	// members (MS-ADTS 3.1.1.5.4.1.1). Empty: its own.
	DN string
	// Again counts how often the group was deleted and made anew: each has an objectGUID
	// and a SID of its own, and nobody in it.
	Remade  int
	Deleted bool // to the recycle bin, from which it is back with its members
}

// ChangeADGroup changes the group of Active Directory that has a name at first. Entra ID
// does not notice.
func (c *Company) ChangeADGroup(name string, x ADGroupChange) {
	n := slices.IndexFunc(groups, func(g group) bool { return g.dn != "" && g.name == name })
	if n < 0 {
		panic(fmt.Sprintf("sandbox: no group %q in Active Directory", name))
	}
	if _, err := ldap.ParseDN(x.DN); err != nil {
		panic(fmt.Sprintf("sandbox: no DN %q", x.DN))
	}
	c.byHand(func() {
		if x.Remade != c.adGroups[n].Remade {
			c.noPrimary(n)
			c.oust(n, c.inAD, false)
		}
		c.adGroups[n] = x
		c.rebuild(n)
		c.members.forget(n)
	})
}

// noPrimary returns those whose primary group it is their usual one, since Active Directory
// deletes no group that is somebody's primary group (MS-SAMR 3.1.1.8.5).
func (c *Company) noPrimary(n int) {
	for i := range c.Size() {
		if c.primaryOf(i) == c.group(n).rid {
			c.changeOf(i).primary = 0
			c.move(i)
		}
	}
}

// rebuildAD works out what Active Directory has of a group.
func (c *Company) rebuildAD(n int, g *group) {
	x := c.adGroups[n]
	if x.DN != "" {
		g.dn = x.DN
	}
	g.gone, g.again = x.Deleted, x.Remade
	if x.Remade > 0 {
		g.rid += 100 * x.Remade
	}
}

// rebuildEntries works out the entries of all groups, which name each other.
func (c *Company) rebuildEntries() {
	list := slices.Clone(c.fixed)
	for at, e := range list {
		if e.group >= 0 {
			list[at] = groupEntry(*c.present.Load(), e.group)
			list[at].hidden = e.hidden
		}
	}
	c.fixed = list
	c.forgetEntries()
}

// adGroup finds the group of Active Directory that has a DN.
func (c *Company) adGroup(dn string) (int, bool) {
	n := slices.IndexFunc(*c.present.Load(), func(g group) bool { return g.inAD() && strings.EqualFold(g.dn, dn) })
	return n, n >= 0
}

// inAD reports whether Active Directory has the group.
func (g *group) inAD() bool { return g.dn != "" && !g.gone }
