package sandbox

import (
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/idleseat/idleseat/shared/directory"
)

// Person is the truth about one person, for checks that do not go through
// either protocol.
type Person struct {
	Index    int
	Kind     Kind
	Activity Activity // in Entra ID
	Logon    Activity // in Active Directory

	Entra *directory.EntraUser // nil without an account in Entra ID
	AD    *directory.ADUser    // nil without an account in Active Directory
	// LastLogon is the date of the only domain controller, at most 14 days
	// after AD.LastLogonTimestamp.
	LastLogon time.Time

	Groups   []string // display names of the Entra groups the person is listed in
	ADGroups []string // DNs of the AD groups the person is listed in
}

// Person is the truth about person i now. It panics when i is not in
// [0, Size()).
func (c *Company) Person(i int) Person {
	if i < 0 || i >= c.Size() {
		panic(fmt.Sprintf("sandbox: person %d of %d", i, c.Size()))
	}
	c.settle()
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := c.traits(i)
	p := Person{Index: i, Kind: t.kind, Activity: t.activity, Logon: t.logon}
	if c.inEntra(i, t) {
		p.Entra = &c.entraUser(i, t).EntraUser
	}
	if t.inAD() {
		u := c.adUser(i, t)
		p.AD, p.LastLogon = &u.ADUser, u.lastLogon
	}
	for g := range groups {
		if groups[g].id != "" && p.Entra != nil && c.isMember(g, i, t) {
			p.Groups = append(p.Groups, groups[g].name)
		}
		if groups[g].dn != "" && p.AD != nil && c.isMember(g, i, t) {
			p.ADGroups = append(p.ADGroups, groups[g].dn)
		}
	}
	return p
}

// entraUser is an account of Entra ID with what Graph tells besides.
type entraUser struct {
	directory.EntraUser
	given, surname string
	dn             string
	assignments    []assignment
}

// adUser is a user of Active Directory with what LDAP tells besides.
type adUser struct {
	directory.ADUser
	given, surname string
	cn, parent     string
	lastLogon      time.Time
}

var departments = []string{"Sales", "Finance", "Engineering", "Operations", "Legal", "Support", "Marketing"}

// research is the department that the rule of the dynamic group asks for.
const research = "Research"

func departmentOf(i int, t traits) string {
	if t.hold == holdE3Dynamic {
		return research
	}
	return departments[i%len(departments)]
}

var employeeTypes = map[role]string{employee: "Employee", exempt: "Employee", disabled: "Employee", contractor: "Contractor"}

func (c *Company) entraUser(i int, t traits) *entraUser {
	n, x := c.nameOf(i, t.kind), c.datesOf(i, t)
	u := &entraUser{given: n.given, surname: n.surname}
	u.EntraUser = directory.EntraUser{
		ID: c.guidOf(i, streamUserID).String(), UserPrincipalName: n.local + "@" + upnDomain, DisplayName: n.display(),
		Mail: n.local + "@" + upnDomain, UserType: "Member", Department: departmentOf(i, t), EmployeeType: employeeTypes[t.role],
		EmployeeID: fmt.Sprintf("E%06d", i), JobTitle: "Specialist", CompanyName: "Contoso", OfficeLocation: offices[i%len(offices)],
		Country: "Norway", UsageLocation: "NO", Enabled: c.enabled(i, t),
		Created: x.created, LastInteractive: x.interactive, LastNonInteractive: x.nonInteractive, LastSuccessful: x.successful,
		Extension: extension(i, t),
	}
	switch t.kind {
	case Guest:
		u.UserType, u.Mail, u.EmployeeType, u.EmployeeID = "Guest", fmt.Sprintf("guest%d@fabrikam.example", i), "", ""
	case SharedMailbox:
		u.EmployeeType, u.EmployeeID, u.JobTitle, u.UsageLocation = "", "", "", ""
	}
	if t.synced() {
		u.Created = x.created.Add(30 * time.Minute) // the next synchronization
		u.Synced, u.SID, u.SAMAccount = true, sidText(firstRID+i), accountName(i)
		u.ImmutableID = c.anchor(i, t).base64()
		cn, parent := c.place(i, t, n)
		u.dn = "CN=" + ldap.EscapeDN(cn) + "," + parent
	}
	u.changed(c.changes[i])
	c.show(u, c.assignments(i, t))
	return u
}

// show lets an account hold its products by these paths.
func (c *Company) show(u *entraUser, list []assignment) {
	u.assignments, u.Assignments = list, nil
	for _, a := range list {
		a.Updated = a.updated.Truncate(time.Second)
		u.Assignments = append(u.Assignments, a.Assignment)
	}
}

var offices = []string{"Oslo", "Bergen", "Tromsø"}

// anchor is what Entra Connect took as the source anchor.
func (c *Company) anchor(i int, t traits) guid {
	switch {
	case t.kind == WrongAnchor:
		return c.guidOf(i, streamForeign)
	case t.anchored:
		return c.guidOf(i, streamConsistency)
	default:
		return c.guidOf(i, streamObjectGUID)
	}
}

func extension(i int, t traits) directory.ExtensionAttributes {
	e := directory.ExtensionAttributes{0: fmt.Sprintf("CC-%03d", i%200)}
	if t.activity == OnLeave {
		e[6] = "On Leave"
	}
	return e
}

// place is the common name of an AD account and the organizational unit it is in.
func (c *Company) place(i int, t traits, n name) (cn, parent string) {
	cn = n.display()
	if ch := c.changes[i]; ch != nil && ch.commonName != "" {
		cn = ch.commonName
	}
	cn += " (" + accountName(i) + ")"
	if t.kind == ADOnly {
		return cn, "OU=Service Accounts," + BaseDN
	}
	return cn, "OU=" + departmentOf(i, t) + ",OU=People," + BaseDN
}

func (c *Company) adUser(i int, t traits) *adUser {
	n, x := c.nameOf(i, t.kind), c.datesOf(i, t)
	u := &adUser{given: n.given, surname: n.surname, lastLogon: x.logon}
	u.cn, u.parent = c.place(i, t, n)
	u.ADUser = directory.ADUser{
		SID: sidText(c.rid(i)), GUID: c.objectGUID(i).base64(), DN: "CN=" + ldap.EscapeDN(u.cn) + "," + u.parent,
		SAMAccount: accountName(i), UserPrincipalName: n.local + "@" + upnDomain, DisplayName: n.display(), Mail: n.local + "@" + upnDomain,
		Department: departmentOf(i, t), EmployeeType: employeeTypes[t.role], EmployeeID: fmt.Sprintf("E%06d", i),
		Title: "Specialist", Company: "Contoso", Office: offices[i%len(offices)], Country: "Norway",
		Enabled: c.enabled(i, t), Created: x.created, LastLogonTimestamp: x.stamp, Extension: extension(i, t),
	}
	if ch := c.changes[i]; ch != nil {
		u.RecipientType = ch.recipient
	}
	if !x.made.IsZero() {
		u.Created = x.made // and Entra Connect has not seen it
	} else if t.anchored {
		u.ConsistencyGUID = c.guidOf(i, streamConsistency).base64()
	}
	return u
}
