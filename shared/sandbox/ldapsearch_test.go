package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func TestPagedSearchFindsEverybody(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{Users: 2600})
	var want []string
	for u := range s.Company.ADUsers() {
		want = append(want, u.DN)
	}
	for _, size := range []uint32{250, 1000, 5000} {
		s.ResetRequests()
		got, err := conn.SearchWithPaging(request(s.Base, ldap.ScopeWholeSubtree, peopleFilter, "sAMAccountName"), size)
		if err != nil {
			t.Fatal(err)
		}
		var dns []string
		for _, e := range got.Entries {
			dns = append(dns, e.DN)
		}
		if diff := cmp.Diff(want, dns); diff != "" {
			t.Errorf("pages of %d:\n%s", size, diff)
		}
		per := min(int(size), 1000)
		if n := s.Count("SEARCH", s.Base); n != (len(want)+per-1)/per {
			t.Errorf("pages of %d: %d requests for %d people", size, n, len(want))
		}
	}
}

func TestUnpagedSearchStopsAt1000(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{Users: 1500})
	got, err := conn.Search(request(s.Base, ldap.ScopeWholeSubtree, peopleFilter, "cn"))
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || got == nil || len(got.Entries) != 1000 {
		t.Errorf("unpaged search: %v", err)
	}
	limited := request(s.Base, ldap.ScopeWholeSubtree, peopleFilter, "cn")
	limited.SizeLimit = 2
	if got, err = conn.Search(limited); !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || len(got.Entries) != 2 {
		t.Errorf("search of size limit 2: %v", err)
	}
}

func TestBadPaging(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	for name, control := range map[string]ldap.Control{
		"foreign cookie": &ldap.ControlPaging{PagingSize: 5, Cookie: []byte("abc")},
		"negative":       &ldap.ControlPaging{PagingSize: 5, Cookie: []byte("-5 0")},
		"page of none":   &ldap.ControlPaging{},
	} {
		r := request(s.Base, ldap.ScopeWholeSubtree, peopleFilter)
		r.Controls = []ldap.Control{control}
		if _, err := conn.Search(r); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := request(s.Base, ldap.ScopeWholeSubtree, peopleFilter)
	r.Controls = []ldap.Control{ldap.NewControlString("1.2.3.4", true, "")}
	if _, err := conn.Search(r); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnavailableCriticalExtension) {
		t.Errorf("unknown critical control: %v", err)
	}
}

func escaped(raw string) string {
	var b strings.Builder
	for i := range len(raw) {
		fmt.Fprintf(&b, `\%02x`, raw[i])
	}
	return b.String()
}

func TestFiltersFindWhomTheyShould(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{Users: 120})
	c := s.Company
	c.SetUPN(5, "married.name@contoso.example")
	all := everybody(c)
	where := func(keep func(Person) bool) (accounts []string) {
		for _, p := range all {
			if p.AD != nil && keep(p) {
				accounts = append(accounts, p.AD.SAMAccount)
			}
		}
		return accounts
	}
	one := func(i int) []string { return []string{accountName(i)} }
	direct := func(p Person) bool { return slices.Contains(p.ADGroups, CitrixGroup) }
	tests := map[string]struct {
		filter string
		want   []string
	}{
		"account":       {"(sAMAccountName=U0000003)", one(3)},
		"UPN":           {"(userPrincipalName=ANNA@CONTOSO.example)", one(1)},
		"UPN in AD":     {"(userPrincipalName=" + all[5].AD.UserPrincipalName + ")", one(5)},
		"UPN in Entra":  {"(userPrincipalName=" + all[5].Entra.UserPrincipalName + ")", nil},
		"SID bytes":     {"(objectSid=" + escaped(sidBytes(firstRID+12)) + ")", one(12)},
		"SID text":      {"(objectSid=" + sidText(firstRID+12) + ")", one(12)},
		"GUID":          {"(objectGUID=" + escaped(c.guidOf(12, streamObjectGUID).raw()) + ")", one(12)},
		"anchor":        {"(mS-DS-ConsistencyGuid=" + escaped(c.guidOf(12, streamConsistency).raw()) + ")", one(12)},
		"no anchor":     {"(mS-DS-ConsistencyGuid=" + escaped(c.guidOf(2, streamConsistency).raw()) + ")", nil},
		"either":        {"(|(sAMAccountName=u0000005)(sAMAccountName=u0000003)(cn=x))", []string{accountName(3), accountName(5)}},
		"disabled":      {"(&" + peopleFilter + "(userAccountControl:1.2.840.113556.1.4.803:=2))", where(func(p Person) bool { return p.AD.Enabled == 1 })},
		"not disabled":  {"(&" + peopleFilter + "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", where(func(p Person) bool { return p.AD.Enabled == 2 })},
		"member":        {"(&(objectClass=user)(memberOf=" + strings.ToLower(CitrixGroup) + "))", where(direct)},
		"in chain":      {"(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=" + CitrixGroup + "))", where(usesCitrix)},
		"not member":    {"(&" + peopleFilter + "(!(memberOf=" + CitrixGroup + ")))", where(func(p Person) bool { return !direct(p) })},
		"absent group":  {"(memberOf=CN=None," + BaseDN + ")", nil},
		"never":         {"(&" + peopleFilter + "(!(lastLogonTimestamp=*)))", where(func(p Person) bool { return p.AD.LastLogonTimestamp.IsZero() })},
		"group":         {"(&(objectCategory=group)(cn=citrix users))", []string{"Citrix Users"}},
		"part of name":  {"(&(objectCategory=group)(cn=*TRIX c*ct*))", []string{"Citrix Contractors"}},
		"parts swapped": {"(&(objectCategory=group)(cn=*ct*trix*))", nil},
		"groups of one": {"(&(objectClass=group)(member=" + ldap.EscapeFilter(all[15].AD.DN) + "))", groupNames(all[15])},
		"controllers":   {"(&(objectCategory=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))", []string{"DC1$"}},
		"NetBIOS name":  {"(nETBIOSName=CORP)", nil}, // in another naming context
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, accountsBy(t, conn, test.filter)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func accountsBy(t *testing.T, conn *ldap.Conn, filter string) (accounts []string) {
	t.Helper()
	got, err := conn.Search(request(BaseDN, ldap.ScopeWholeSubtree, filter, "sAMAccountName"))
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	for _, e := range got.Entries {
		accounts = append(accounts, e.GetAttributeValue("sAMAccountName"))
	}
	return accounts
}

func groupNames(p Person) (names []string) {
	for _, dn := range p.ADGroups {
		names = append(names, strings.TrimPrefix(strings.Split(dn, ",")[0], "CN="))
	}
	return names
}

func TestFiltersThatAreRefused(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	for _, filter := range []string{"(cn=a*)", "(logonCount>=5)", "(cn~=x)", "(cn:1.2.3:=x)", strings.Repeat("(!", 60) + "(cn=x)" + strings.Repeat(")", 60)} {
		if _, err := conn.Search(request(s.Base, ldap.ScopeWholeSubtree, filter)); !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
			t.Errorf("%.40s: %v", filter, err)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s, conn := bound(t, Options{})
	awkwardDN := s.Company.Person(15).AD.DN
	tests := map[string]struct {
		base  string
		scope int
		want  int // -1: no such object
	}{
		"domain":             {s.Base, ldap.ScopeBaseObject, 1},
		"one level":          {"OU=Licenses," + s.Base, ldap.ScopeSingleLevel, 3},
		"one level of all":   {s.Base, ldap.ScopeSingleLevel, 5},
		"configuration":      {configDN, ldap.ScopeWholeSubtree, 8},
		"awkward name":       {awkwardDN, ldap.ScopeBaseObject, 1},
		"in other case":      {strings.ToLower(awkwardDN), ldap.ScopeBaseObject, 1},
		"with spaces":        {strings.ReplaceAll("OU=Licenses,"+s.Base, ",", ", "), ldap.ScopeBaseObject, 1},
		"nothing there":      {"OU=None," + s.Base, ldap.ScopeBaseObject, -1},
		"name of another":    {strings.Replace(awkwardDN, "u0000015", "u0000016", 1), ldap.ScopeBaseObject, -1},
		"person in no place": {"CN=x (u0000003)," + s.Base, ldap.ScopeBaseObject, -1},
		"no DN":              {"nonsense", ldap.ScopeBaseObject, -1},
	}
	for name, test := range tests {
		got, err := conn.Search(request(test.base, test.scope, "(objectClass=*)", "cn"))
		if test.want < 0 {
			if !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
				t.Errorf("%s: %v", name, err)
			}
		} else if err != nil || len(got.Entries) != test.want {
			t.Errorf("%s: %v, want %d entries", name, err, test.want)
		}
	}
}
