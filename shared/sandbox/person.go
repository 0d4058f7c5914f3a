package sandbox

import (
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

// Person has the data of one person in both directories, so that tests can check them without HTTP and LDAP.
type Person struct {
	Index    int
	Kind     Kind
	Activity Activity // how the person uses Entra ID
	Logon    Activity // how the person uses Active Directory

	Entra *directory.EntraUser // nil: no account in Entra ID
	AD    *directory.ADUser    // nil: no account in Active Directory
	// LastLogon is lastLogon on the domain controller of the last logon. It is at most 14 days after AD.LastLogonTimestamp.
	LastLogon time.Time

	Groups   []string // display names of the Entra groups that list the person
	ADGroups []string // DNs of the Active Directory groups that list the person
}

// Person returns the current data of person i. It panics if i is not in [0, Size()).
func (c *Company) Person(i int) Person {
	if i < 0 || i >= c.Size() {
		panic(fmt.Sprintf("sandbox: person %d of %d", i, c.Size()))
	}
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := c.profile(i)
	p := Person{Index: i, Kind: t.kind, Activity: t.activity, Logon: t.logon}
	if c.inEntra(i, t) {
		p.Entra = &c.entraUser(i, t).EntraUser
	}
	if c.inAD(i, t) {
		u := c.adUser(i, t)
		p.AD, p.LastLogon = &u.ADUser, u.lastLogon
	}
	p.Groups = c.entraGroupsOf(i, t)
	if p.AD != nil {
		p.ADGroups = c.adGroupsOf(i, t)
	}
	return p
}

// Groups returns the display names of the Entra groups that list person i. It costs less than a call of Person.
func (c *Company) Groups(i int) []string {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.entraGroupsOf(i, c.profile(i))
}

// InGroup reports whether a person is a direct member of a group. The argument "name" is the original name of the group.
// A group that is renamed or deleted keeps its members, and has them again when an administrator restores it (Microsoft
// Learn, "Recover from deletions in Microsoft Entra ID").
func (c *Company) InGroup(i int, name string) bool {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := c.profile(i)
	return c.inEntra(i, t) && c.isMember(groupNamed(name), i, t)
}

func (c *Company) entraGroupsOf(i int, t profile) (names []string) {
	if !c.inEntra(i, t) {
		return nil
	}
	for n := range groups {
		if g := c.entraGroup(n); g != nil && c.isMember(n, i, t) {
			names = append(names, g.name)
		}
	}
	return names
}

type entraUser struct {
	directory.EntraUser
	given, surname string
	dn             string
	assignments    []assignment
	linked         bool // whether the account has properties from Active Directory
	once           bool // whether the account is or was synced
}

type adUser struct {
	directory.ADUser
	given, surname string
	cn, parent     string
	lastLogon      time.Time
}

var departments = []string{"Sales", "Finance", "Engineering", "Operations", "Legal", "Support", "Marketing"}

// The constant "research" is the department in the rule of the dynamic group.
const research = "Research"

func (c *Company) departmentOf(i int, t profile) string {
	if ch := c.changes[i]; ch != nil && ch.department != "" {
		return ch.department
	}
	return departmentAtFirst(i, t)
}

func departmentAtFirst(i int, t profile) string {
	if t.hold == holdE3Dynamic {
		return research
	}
	return departments[i%len(departments)]
}

var employeeTypes = map[role]string{employee: "Employee", exempt: "Employee", disabled: "Employee", contractor: "Contractor"}

func (c *Company) employeeTypeOf(i int, t profile) string {
	if ch := c.changes[i]; ch != nil && ch.role != nil {
		return *ch.role
	}
	if t.kind == Guest || t.kind == SharedMailbox {
		return ""
	}
	return employeeTypes[t.role]
}

const guestType = "Guest"

func (c *Company) entraUser(i int, t profile) *entraUser {
	n, x := c.nameOf(i, t.kind), c.datesOf(i, t)
	u := &entraUser{given: n.given, surname: n.surname}
	u.EntraUser = directory.EntraUser{
		ID: c.userID(i), UserPrincipalName: n.local + "@" + upnDomain, DisplayName: n.display(),
		Mail: n.local + "@" + upnDomain, UserType: "Member", Department: c.departmentOf(i, t), EmployeeType: c.employeeTypeOf(i, t),
		EmployeeID: fmt.Sprintf("E%06d", i), JobTitle: "Specialist", CompanyName: "Contoso", OfficeLocation: offices[i%len(offices)],
		Country: "Norway", UsageLocation: "NO", PreferredLanguage: preferredLanguages[i%len(preferredLanguages)], Enabled: c.enabled(i, t),
		Created: c.entraCreated(i, t, x), LastInteractive: x.interactive, LastNonInteractive: x.nonInteractive, LastSuccessful: x.successful,
		Hired: x.created.Truncate(day), PasswordChanged: x.created.Add(time.Hour).Truncate(time.Second),
		Extension: extension(i, t),
	}
	switch t.kind {
	case Guest:
		u.Mail, u.EmployeeID = fmt.Sprintf("guest%d@fabrikam.example", i), ""
	case SharedMailbox:
		u.EmployeeID, u.JobTitle, u.UsageLocation = "", "", ""
	}
	if c.isGuest(i, t) {
		u.UserType = guestType
	}
	c.link(u, i, t, n)
	u.changed(c.changes[i])
	c.show(u, c.assignments(i, t))
	return u
}

func (c *Company) entraCreated(i int, t profile, x dates) time.Time {
	switch {
	case !x.madeAgain.IsZero():
		return x.madeAgain
	case t.synced() && !c.spare(i):
		return x.created.Add(30 * time.Minute) // at the next run of Entra Connect
	default:
		return x.created
	}
}

func (c *Company) isGuest(i int, t profile) bool {
	ch := c.changes[i]
	if ch != nil && ch.again > 0 {
		return ch.guest
	}
	return t.kind == Guest || ch != nil && ch.guest
}

// The method "link" adds to an Entra account the properties that Entra Connect copies from Active Directory.
func (c *Company) link(u *entraUser, i int, t profile, n name) {
	l := c.linkOf(i, t)
	u.once, u.linked = l.state != never, l.state == linked || l.state == ended
	if !u.linked {
		return
	}
	u.Synced, u.SAMAccount = l.state == linked, accountName(i)
	u.SID, u.ImmutableID = l.sid, l.anchor
	if l.sid == "" {
		u.SID, u.ImmutableID = sidText(firstRID+i), c.anchor(i, t).base64()
	}
	cn, parent := c.place(i, t, n)
	u.dn = "CN=" + ldap.EscapeDN(cn) + "," + parent
}

// The method "show" sets the assignments that Graph shows for a user, with times in whole seconds.
func (c *Company) show(u *entraUser, list []assignment) {
	u.assignments, u.Assignments = list, nil
	for _, a := range list {
		a.Updated = a.updated.Truncate(time.Second)
		u.Assignments = append(u.Assignments, a.Assignment)
	}
}

var offices = []string{"Oslo", "Bergen", "Tromsø"}

// The method "anchor" returns the GUID that Entra Connect uses as the source anchor of a person.
func (c *Company) anchor(i int, t profile) guid {
	switch {
	case t.kind == WrongAnchor:
		return c.guidOf(i, streamForeign)
	case t.anchored:
		return c.guidOf(i, streamConsistency)
	default:
		return c.guidOf(i, streamObjectGUID)
	}
}

func extension(i int, t profile) directory.ExtensionAttributes {
	e := directory.ExtensionAttributes{0: fmt.Sprintf("CC-%03d", i%200)}
	if t.activity == OnLeave {
		e[6] = "On Leave"
	}
	return e
}

// The method "place" returns the common name of a person's Active Directory account and the DN of its organizational
// unit.
func (c *Company) place(i int, t profile, n name) (cn, parent string) {
	cn = n.display()
	if ch := c.changes[i]; ch != nil && ch.commonName != "" {
		cn = ch.commonName
	}
	cn += " (" + accountName(i) + ")"
	if t.kind == ADOnly {
		return cn, "OU=Service Accounts," + BaseDN
	}
	return cn, "OU=" + departmentAtFirst(i, t) + ",OU=People," + BaseDN
}

func (c *Company) adUser(i int, t profile) *adUser {
	n, x := c.nameOf(i, t.kind), c.datesOf(i, t)
	u := &adUser{given: n.given, surname: n.surname, lastLogon: x.logon}
	u.cn, u.parent = c.place(i, t, n)
	u.ADUser = directory.ADUser{
		SID: sidText(c.rid(i)), GUID: c.objectGUID(i).base64(), DN: "CN=" + ldap.EscapeDN(u.cn) + "," + u.parent,
		SAMAccount: accountName(i), UserPrincipalName: n.local + "@" + upnDomain, DisplayName: n.display(), Mail: n.local + "@" + upnDomain,
		Department: c.departmentOf(i, t), EmployeeType: c.employeeTypeOf(i, t), EmployeeID: fmt.Sprintf("E%06d", i),
		Title: "Specialist", Company: "Contoso", Office: offices[i%len(offices)], Country: "Norway",
		Enabled: c.enabled(i, t), Created: x.created, LastLogonTimestamp: x.stamp, PasswordSet: x.created, Extension: extension(i, t),
	}
	if ch := c.changes[i]; ch != nil {
		u.RecipientType = ch.recipient
	}
	if !x.made.IsZero() {
		u.Created = x.made // without mS-DS-ConsistencyGuid, because Entra Connect has not read the new account yet
	} else if t.anchored {
		u.ConsistencyGUID = c.guidOf(i, streamConsistency).base64()
	}
	return u
}
