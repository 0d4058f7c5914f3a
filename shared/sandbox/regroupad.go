package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// ADGroupChange is a change of an Active Directory group.
type ADGroupChange struct {
	// DN is the new DN of a renamed or moved group, which keeps its objectGUID and members (MS-ADTS 3.1.1.5.4.1.1).
	// Empty means the original DN.
	DN string
	// Remade is how many times the group was deleted and created again. Each new group has its own objectGUID and SID,
	// and has no members.
	Remade  int
	Deleted bool // the group is in the recycle bin; a restore brings its members back
}

// ChangeADGroup changes an Active Directory group. The argument "name" is the original name of the group. In Entra ID,
// a synced group loses its members if the group is created again.
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

// noPrimary gives the default primary group to all people whose primary group is n, because Active Directory deletes
// only a group that is nobody's primary group (MS-SAMR 3.1.1.8.5).
func (c *Company) noPrimary(n int) {
	for i := range c.Size() {
		if c.primaryOf(i) == c.group(n).rid {
			c.changeOf(i).primary = 0
			c.move(i)
		}
	}
}

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

// rebuildEntries computes the entries of all groups, because group entries refer to each other.
func (c *Company) rebuildEntries() {
	list := slices.Clone(c.fixed)
	for at, e := range list {
		if e.group >= 0 {
			list[at] = groupEntry(*c.present.Load(), e.group)
			list[at].hidden = e.hidden
		}
	}
	c.fixed = list
	c.grouped++
	c.forgetEntries()
}

func (c *Company) adGroup(dn string) (int, bool) {
	n := slices.IndexFunc(*c.present.Load(), func(g group) bool { return g.inAD() && strings.EqualFold(g.dn, dn) })
	return n, n >= 0
}

func (g *group) inAD() bool { return g.dn != "" && !g.gone }
