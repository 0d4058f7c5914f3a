// Package draft writes the first policy of a tenant from its products, license groups and attributes. The result is
// policy.yaml in mode audit, golden people and a note. The package changes nothing in a directory.
package draft

import (
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// MostPeople is the largest number of people that Read reads from each directory. Entra ID allows a page of 500 people
// every two seconds, so 2,000 people take about eight seconds.
const MostPeople = 2000

// mostDifferent is the largest number of different values in a tally. It bounds the memory, because a directory may be
// hostile.
const mostDifferent = 1000

// Seen has the facts that Read found about a tenant. A field whose name ends in Unread has the reason why a reading
// failed, or "".
type Seen struct {
	Tenant string
	SKUs   []directory.SKU
	// Trials has the skuIds of the products of which the tenant has only a trial.
	Trials       map[string]bool
	TrialsUnread string
	Groups       []directory.Group // groups that give licenses
	GroupsUnread string
	People       People
	AD           AD
}

// People has counts of the first people of Entra ID. The counts from Synced to ADDomains are about enabled accounts of
// persons.
type People struct {
	Unread string
	Total  int // number of people in the tenant; 0 if unknown
	Read   int

	Guests, Disabled, Enabled int
	Synced, SignedIn          int
	Filled                    map[string]int // number of people with a value, by the policy's name of the field
	EmployeeTypes             tally
	Domains                   tally // of user principal names
	ADDomains                 tally // of SIDs of synced accounts
	Holders                   tally // by skuId
	GroupIDs                  tally // groups that give people a license
	Emergency                 []string
}

// AD has counts of the first people of Active Directory.
type AD struct {
	Configured   bool
	Unread       string
	Read, LogOns int
	Hidden       int // people with a last logon that the account of idleseat may not read
	Domains      tally
	Citrix       []string // DNs of the groups whose name contains Citrix
	CitrixUnread string
}

type tally map[string]int

func (t tally) add(text string) {
	if _, known := t[text]; text != "" && (known || len(t) < mostDifferent) {
		t[text]++
	}
}

// The variable "descriptive" has the text properties of an Entra account that describe the person, such as the
// department. The note says how many people have each of them.
var descriptive = func() (fields []directory.Property[directory.EntraUser]) {
	for _, p := range directory.EntraProperties {
		switch p.Name {
		case "", "id", "userPrincipalName", "displayName", "mail", "userType", "identityParentId":
		default:
			if p.Kind == directory.Text {
				fields = append(fields, p)
			}
		}
	}
	return fields
}()

func newPeople() People {
	return People{Filled: map[string]int{}, EmployeeTypes: tally{}, Domains: tally{}, ADDomains: tally{}, Holders: tally{}, GroupIDs: tally{}}
}

func (s *People) add(u *directory.EntraUser) {
	s.Read++
	for _, a := range u.Assignments {
		s.Holders.add(a.SKU)
		s.GroupIDs.add(a.Group)
	}
	kind, _ := (&directory.Person{Entra: u, EntraState: directory.Present}).Kind()
	switch {
	case kind == directory.KindGuest:
		s.Guests++
		return
	case kind != directory.KindPerson:
		return
	case emergency(u) && len(s.Emergency) < 10:
		s.Emergency = append(s.Emergency, u.UserPrincipalName)
	}
	if u.Enabled != directory.Yes {
		s.Disabled++
		return
	}
	s.Enabled++
	if u.Synced {
		s.Synced++
		s.ADDomains.add(domainOf(u.SID))
	}
	if !u.LastActivity().IsZero() {
		s.SignedIn++
	}
	_, domain, _ := strings.Cut(strings.ToLower(u.UserPrincipalName), "@")
	s.Domains.add(domain)
	s.EmployeeTypes.add(strings.TrimSpace(u.EmployeeType))
	for _, p := range descriptive {
		if text := p.At(u).(*string); strings.TrimSpace(*text) != "" {
			s.Filled[p.Name]++
		}
	}
}

// The function "emergency" reports whether the name of an account has the text "breakglass" or "emergency". It ignores
// letter case and the characters "-", "_" and ".". Such an account is seldom used, so a rule about idle people may
// match it.
func emergency(u *directory.EntraUser) bool {
	account, _, _ := strings.Cut(strings.ToLower(u.UserPrincipalName), "@")
	account = strings.NewReplacer("-", "", "_", "", ".", "").Replace(account)
	return strings.Contains(account, "breakglass") || strings.Contains(account, "emergency")
}

// domainOf returns the SID of the domain that issued a SID, or "".
func domainOf(sid string) string {
	i := strings.LastIndexByte(sid, '-')
	if i < 0 || !strings.HasPrefix(sid, "S-1-5-21-") {
		return ""
	}
	return sid[:i]
}

func (s *AD) add(u *directory.ADUser) {
	s.Read++
	switch {
	case u.Hides("lastLogonTimestamp"):
		s.Hidden++
	case !u.LastLogonTimestamp.IsZero():
		s.LogOns++
	}
	s.Domains.add(domainOf(u.SID))
}
