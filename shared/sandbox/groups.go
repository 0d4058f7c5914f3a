package sandbox

import (
	"fmt"
	"slices"
	"sync"
)

// The type "group" is a group of Entra ID, of Active Directory, or of both if it is synced.
type group struct {
	name        string
	description string
	id          string // Entra object id; empty: not in Entra ID
	dn          string // empty: not in Active Directory
	rid         int    // last part of the SID; 0: not in Active Directory

	dynamic, roleAssignable, mailEnabled bool
	hidden                               bool // whether the application needs Member.Read.Hidden to read the members
	unhidden, denied                     bool // unhidden: whether the application has Member.Read.Hidden; denied: whether a list of hidden members fails with status 403
	deleted                              bool // whether the group is deleted in Entra ID
	gone                                 bool // whether the group is deleted in Active Directory
	again                                int  // how often the Active Directory group was created again

	rule   string   // membershipRule of a dynamic group
	grants []string // skuIds of the products that direct members get
	nested []int    // indices of the groups that are direct members
	first  func(profile) bool
}

func (g *group) synced() bool { return g.id != "" && g.dn != "" }

// The indices of groups. Every company has these groups.
const (
	groupE3 = iota
	groupExchange
	groupExempt
	groupLeave
	groupDynamic
	groupSynced
	groupAdmins
	groupMail
	groupSuite
	groupDuplicate
	groupDuplicateToo
	groupCitrix
	groupContractors
	groupApp
)

var groups = []group{
	groupE3: {name: "LIC-M365-E3", id: groupID(groupE3), description: "Microsoft 365 E3", grants: []string{skuE3},
		first: func(t profile) bool { return t.hold == holdE3 || t.hold == holdE3Twice }},
	groupExchange: {name: "LIC-EXO-P1", id: groupID(groupExchange), description: "Exchange Online only", grants: []string{skuExchange},
		first: func(t profile) bool { return t.hold == holdExchange }},
	groupExempt: {name: "LIC-Exempt", id: groupID(groupExempt), description: "Licenses are never taken", nested: []int{groupLeave},
		first: func(t profile) bool { return t.role == exempt && t.inEntra() }},
	groupLeave: {name: "LIC-Exempt-Leave", id: groupID(groupLeave), description: "On leave",
		first: func(t profile) bool { return t.activity == OnLeave && t.inEntra() }},
	groupDynamic: {name: "LIC-E3-Research", id: groupID(groupDynamic), description: "E3 for a department", dynamic: true,
		rule: fmt.Sprintf("user.department -eq %q", research), grants: []string{skuE3},
		first: func(t profile) bool { return t.hold == holdE3Dynamic && t.inEntra() }},
	groupSynced: {name: "LIC-E3-OnPrem", id: groupID(groupSynced), dn: "CN=LIC-E3-OnPrem,OU=Licenses," + BaseDN, rid: 1103,
		description: "E3, mastered on premises", grants: []string{skuE3},
		first: func(t profile) bool { return t.hold == holdE3Synced }},
	groupAdmins: {name: "Helpdesk Admins", id: groupID(groupAdmins), description: "Holds an Entra role", roleAssignable: true,
		first: func(t profile) bool { return t.role == exempt && t.kind == CloudOnly }},
	groupMail: {name: "All Sales", id: groupID(groupMail), description: "Mail-enabled security group", mailEnabled: true,
		first: func(t profile) bool { return t.hold == holdE5 }},
	groupSuite: {name: "LIC-E3-Plus", id: groupID(groupSuite), description: "Grants two products", grants: []string{skuE3, skuP2},
		first: func(t profile) bool { return t.hold == holdSuite }},
	groupDuplicate:    {name: "Duplicate", id: groupID(groupDuplicate), first: nobody},
	groupDuplicateToo: {name: "Duplicate", id: groupID(groupDuplicateToo), first: nobody},
	groupCitrix: {name: "Citrix Users", dn: CitrixGroup, rid: 1101, description: "Restricts the delivery group", nested: []int{groupContractors},
		first: func(t profile) bool { return t.citrix }},
	groupContractors: {name: "Citrix Contractors", dn: "CN=Citrix Contractors,OU=Licenses," + BaseDN, rid: 1102,
		first: func(t profile) bool { return t.nested }},
	groupApp: {name: AppGroup, id: groupID(groupApp), description: "Provisioned to Salesforce",
		first: func(t profile) bool {
			return (t.kind == Synced || t.kind == CloudOnly) && t.hold != holdE3 && t.hold != holdE3Synced
		}},
}

func nobody(profile) bool { return false }

func groupID(n int) string { return fmt.Sprintf("60000000-0000-4000-8000-%012x", n+1) }

type membership struct{ group, person int }

func (c *Company) isMember(g, i int, t profile) bool {
	if len(c.joined) > 0 {
		if in, changed := c.joined[membership{g, i}]; changed {
			return in
		}
	}
	return groups[g].first(t)
}

// groupNamed returns the index of the group with an original name, or -1.
func groupNamed(name string) int {
	return slices.IndexFunc(groups, func(g group) bool { return g.name == name })
}

// isTransitiveMember reports whether the person is in the Active Directory group, directly or through nested groups.
func (c *Company) isTransitiveMember(g, i int, t profile) bool {
	if c.isMember(g, i, t) {
		return true
	}
	return slices.ContainsFunc(c.group(g).nested, func(n int) bool { return c.group(n).inAD() && c.isTransitiveMember(n, i, t) })
}

// setMember adds a person to the group or removes the person, and schedules the change of licenses.
func (c *Company) setMember(g, i int, in bool) {
	now, before := c.now(), c.isMember(g, i, c.profile(i))
	if m := (membership{g, i}); c.options.Lag > 0 {
		c.earlier[m] = append(c.earlier[m], past[bool]{now, before})
	}
	c.joined[membership{g, i}] = in
	c.changeOf(i)
	c.touched(object{g, i})
	c.members.forget(g)
	e := Event{At: now, What: MemberRemoved, Person: i, Group: groups[g].name}
	if in {
		e.What = MemberAdded
	}
	if in != before { // a write without an effect is no event, because no directory shows the write
		c.note(e)
	}
	c.later(g, i, in)
	c.advanceTo(now)
}

// memberLists caches the people in each Active Directory group, because a ranged read of a large group needs the list
// many times.
type memberLists struct {
	mu    sync.Mutex
	lists map[int][]int32
}

func (m *memberLists) forget(g int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.lists, g)
}

func (m *memberLists) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.lists)
}

func (c *Company) adMembers(g int) []int32 {
	c.members.mu.Lock()
	defer c.members.mu.Unlock()
	list, ok := c.members.lists[g]
	if !ok {
		for i := range c.Size() {
			if t := c.profile(i); c.inAD(i, t) && c.isMember(g, i, t) {
				list = append(list, int32(i))
			}
		}
		c.members.lists[g] = list
	}
	return list
}
