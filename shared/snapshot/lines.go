package snapshot

import (
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// membership is the line of one member of a named group.
type membership struct {
	Member string `json:"member"` // Entra id or SID
	Group  string `json:"group"`  // directory.GroupRef.Key
}

const membershipStart = `{"member":`

func isMembership(text string) bool { return strings.HasPrefix(text, membershipStart) }

func decodeMembership(text string, m *membership) error {
	l := line{rest: text, ok: true}
	*m = membership{}
	l.fields(func(key string) {
		switch key {
		case "member":
			m.Member = l.text()
		case "group":
			m.Group = l.text()
		default:
			l.ok = false
		}
	})
	if l.ok && l.rest == "" {
		return nil
	}
	*m = membership{}
	return general(text, m)
}

// decodeEntra reads one Entra account, keeping no more memory than its line.
func decodeEntra(text string, u *directory.EntraUser) error {
	l := line{rest: text, ok: true}
	*u = directory.EntraUser{}
	l.fields(func(key string) { l.entraField(key, u) })
	if l.ok && l.rest == "" {
		return nil
	}
	*u = directory.EntraUser{}
	return general(text, u)
}

func (l *line) entraField(key string, u *directory.EntraUser) {
	switch key {
	case "id":
		u.ID = l.text()
	case "upn":
		u.UserPrincipalName = l.text()
	case "name":
		u.DisplayName = l.text()
	case "mail":
		u.Mail = l.text()
	case "userType":
		u.UserType = l.text()
	case "department":
		u.Department = l.text()
	case "employeeType":
		u.EmployeeType = l.text()
	case "employeeId":
		u.EmployeeID = l.text()
	case "jobTitle":
		u.JobTitle = l.text()
	case "companyName":
		u.CompanyName = l.text()
	case "officeLocation":
		u.OfficeLocation = l.text()
	case "country":
		u.Country = l.text()
	case "usageLocation":
		u.UsageLocation = l.text()
	case "enabled":
		u.Enabled = l.flag()
	case "created":
		u.Created = l.time()
	case "lastInteractive":
		u.LastInteractive = l.time()
	case "lastNonInteractive":
		u.LastNonInteractive = l.time()
	case "lastSuccessful":
		u.LastSuccessful = l.time()
	case "synced":
		u.Synced = l.bool()
	case "sid":
		u.SID = l.text()
	case "immutableId":
		u.ImmutableID = l.text()
	case "sam":
		u.SAMAccount = l.text()
	case "ext":
		l.extension(&u.Extension)
	case "licenses":
		u.Assignments = l.assignments()
	default:
		l.ok = false
	}
}

// decodeAD reads one AD account, keeping no more memory than its line.
func decodeAD(text string, u *directory.ADUser) error {
	l := line{rest: text, ok: true}
	*u = directory.ADUser{}
	l.fields(func(key string) { l.adField(key, u) })
	if l.ok && l.rest == "" {
		return nil
	}
	*u = directory.ADUser{}
	return general(text, u)
}

func (l *line) adField(key string, u *directory.ADUser) {
	switch key {
	case "sid":
		u.SID = l.text()
	case "guid":
		u.GUID = l.text()
	case "anchor":
		u.ConsistencyGUID = l.text()
	case "dn":
		u.DN = l.text()
	case "sam":
		u.SAMAccount = l.text()
	case "upn":
		u.UserPrincipalName = l.text()
	case "name":
		u.DisplayName = l.text()
	case "mail":
		u.Mail = l.text()
	case "department":
		u.Department = l.text()
	case "employeeType":
		u.EmployeeType = l.text()
	case "employeeId":
		u.EmployeeID = l.text()
	case "title":
		u.Title = l.text()
	case "company":
		u.Company = l.text()
	case "office":
		u.Office = l.text()
	case "country":
		u.Country = l.text()
	case "enabled":
		u.Enabled = l.flag()
	case "created":
		u.Created = l.time()
	case "lastLogonTimestamp":
		u.LastLogonTimestamp = l.time()
	case "ext":
		l.extension(&u.Extension)
	default:
		l.ok = false
	}
}
