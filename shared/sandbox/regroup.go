package sandbox

import (
	"fmt"
	"maps"
	"strings"
)

// GroupChange is what somebody has made of a group of Entra ID.
type GroupChange struct {
	ID      string // another object id: it was deleted and made again, and nobody is in it
	Name    string // another display name; empty: its own
	Deleted bool
	Emptied bool
	// Hidden sets visibility to HiddenMembership. The application lacks
	// Member.Read.Hidden unless Unhidden. The documentation does not say what the list
	// of members is then. It is empty, or with Denied the answer is 403. memberOf
	// leaves the group out (docs-contrib: group-list-members; microsoft-graph-docs
	// #12285, #12552).
	Hidden, Unhidden, Denied bool
}

// unseen tells that the application may not see who is in the group.
func (x GroupChange) unseen() bool { return x.Hidden && !x.Unhidden }

// ChangeGroup changes the first group of Entra ID with a name that it has by
// itself. An empty change takes everything back.
func (c *Company) ChangeGroup(name string, x GroupChange) {
	for n := range groups {
		if groups[n].id != "" && groups[n].name == name {
			changed := maps.Clone(*c.regrouped.Load())
			changed[n] = x
			c.regrouped.Store(&changed)
			return
		}
	}
	panic(fmt.Sprintf("sandbox: no group %q in Entra ID", name))
}

func (c *Company) groupChange(n int) GroupChange { return (*c.regrouped.Load())[n] }

// entraGroup is a group as it is now; nil when Entra ID has none of that number.
func (c *Company) entraGroup(n int) *group {
	x := c.groupChange(n)
	if groups[n].id == "" || x.Deleted {
		return nil
	}
	g := groups[n]
	g.hidden = x.Hidden
	if x.ID != "" {
		g.id, g.nested = x.ID, nil
	}
	if x.Emptied {
		g.nested = nil
	}
	if x.Name != "" {
		g.name = x.Name
	}
	return &g
}

// lists tells whether Graph shows a person in a group: who is in it, as far as the
// application may see.
func (x GroupChange) lists() bool { return x.ID == "" && !x.Emptied && !x.Deleted && !x.unseen() }

// groupOf finds the group of Entra ID that a path names.
func (c *Company) groupOf(id string) (int, *group, error) {
	if !isGUID(id) {
		return 0, nil, badRequest("Invalid object identifier '%s'.", id)
	}
	for n := range groups {
		if g := c.entraGroup(n); g != nil && strings.EqualFold(g.id, id) {
			return n, g, nil
		}
	}
	return 0, nil, notFound(id)
}
