// Package draft writes the first policy of a tenant: it reads which products, license groups and attributes the tenant
// has, and makes policy.yaml in mode audit, golden people and a note from them. What could not be read is unread in the
// note, and never empty. The package changes nothing in a directory.
package draft

import (
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// MostPeople is how many people of each directory are looked at. Entra ID allows a page of 500 people every two
// seconds, so they take about eight seconds.
const MostPeople = 2000

// mostDifferent bounds how many different values are counted, because directories may be hostile.
const mostDifferent = 1000

// Seen is what was read of a tenant. A text that ends in Unread says why something was not read; it is empty if it was
// read.
type Seen struct {
	Tenant string
	SKUs   []directory.SKU
	// Trials has the skuIds of the products that the tenant only tries.
	Trials       map[string]bool
	TrialsUnread string
	Groups       []directory.Group // those that give licenses
	GroupsUnread string
	People       People
	AD           AD
}

// People is what the first people of Entra ID have. The counts below Enabled are of enabled accounts of persons only.
type People struct {
	Unread string
	Total  int // in the tenant; 0 if it is unknown
	Read   int

	Guests, Disabled, Enabled int
	Synced, SignedIn          int
	Filled                    map[string]int // by field, as a policy names it
	EmployeeTypes             tally
	Domains                   tally // of user principal names
	ADDomains                 tally // of SIDs of synced accounts
	Holders                   tally // by skuId
	GroupIDs                  tally // of the groups that give them licenses
	Emergency                 []string
}

// AD is what the first people of Active Directory have.
type AD struct {
	Configured   bool
	Unread       string
	Read, LogOns int
	Hidden       int // people whose last logon the account may not read
	Domains      tally
	Citrix       []string // DNs of the groups whose name contains Citrix
	CitrixUnread string
}

// tally counts different texts.
type tally map[string]int

func (t tally) add(text string) {
	if _, known := t[text]; text != "" && (known || len(t) < mostDifferent) {
		t[text]++
	}
}

// descriptive are the texts of an account that describe a person, so that a rule may ask for them.
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

// add counts one account.
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

// emergency reports whether the account looks like one that is kept for an emergency. Nobody signs in with such an
// account, so every rule would match it.
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

// add counts one account.
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
