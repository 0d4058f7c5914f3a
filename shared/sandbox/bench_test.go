package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

const everything = "id,userPrincipalName,accountEnabled,userType,createdDateTime,usageLocation,department,employeeType,displayName,mail," +
	"licenseAssignmentStates,onPremisesSyncEnabled,onPremisesImmutableId,onPremisesSecurityIdentifier,onPremisesSamAccountName," +
	"onPremisesExtensionAttributes,signInActivity"

func BenchmarkUserPage(b *testing.B) {
	g := newGraph(NewCompany(Options{Users: 100_000}))
	benchmarkGet(b, g, "/users?$top=500&$select="+url.QueryEscape(everything))
	b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}

func benchmarkGet(b *testing.B, g http.Handler, path string) {
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, version+path, nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
		b.SetBytes(int64(w.Body.Len()))
	}
}

func BenchmarkNewCompany(b *testing.B) {
	for b.Loop() {
		NewCompany(Options{Users: 1_000_000})
	}
}

// The function "lived" returns a company of 300 people. A third of them have signed in and changed groups, so the
// company must combine these effects with its generated data.
func lived() *Company {
	c := NewCompany(Options{Users: 300, Seed: 5})
	for i := range 100 {
		c.SignIn(3 * i)
		c.LogOn(3 * i)
		c.SetMember(3*i, "LIC-M365-E3", i%2 == 0)
		c.SetMember(3*i, "LIC-EXO-P1", i%2 == 1)
	}
	return c
}

// BenchmarkNight measures each kind of Graph read of a night, and the method Truth for all 300 people, without a
// network.
func BenchmarkNight(b *testing.B) {
	c := lived()
	g := newGraph(c)
	id := c.Person(2).Entra.ID
	for name, path := range map[string]string{
		"users": "/users?$top=500&$select=" + url.QueryEscape(everything), "user": "/users/" + id + "?$select=id,licenseAssignmentStates",
		"members": "/groups/" + groups[groupE3].id + "/members?$top=999&$select=id", "memberOf": "/users/" + id + "/memberOf?$select=id",
		"skus": "/subscribedSkus",
	} {
		b.Run(name, func(b *testing.B) { benchmarkGet(b, g, path) })
	}
	b.Run("truth", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range c.Size() {
				c.Truth(i)
			}
		}
	})
}

func BenchmarkLDAP(b *testing.B) {
	s, conn := bound(b, Options{Users: 300, Seed: 5})
	attributes := []string{"objectSid", "objectGUID", "mS-DS-ConsistencyGuid", "userAccountControl", "whenCreated", "lastLogonTimestamp", "lastLogon",
		"primaryGroupID", "memberOf", "sAMAccountName", "userPrincipalName", "displayName", "mail", "department", "employeeType", "employeeID"}
	p := s.Company.Person(2)
	for name, r := range map[string]*ldap.SearchRequest{
		"people": request(BaseDN, ldap.ScopeWholeSubtree, "(&(objectCategory=person)(objectClass=user))", attributes...),
		"person": request(BaseDN, ldap.ScopeWholeSubtree, fmt.Sprintf("(objectSid=%s)", ldap.EscapeFilter(sidValue(p.AD.SID))), attributes...),
		"base":   request(p.AD.DN, ldap.ScopeBaseObject, "(objectClass=*)", attributes...),
		"group":  request(CitrixGroup, ldap.ScopeBaseObject, "(objectClass=group)", "member"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := conn.SearchWithPaging(r, 1000)
				if err != nil || len(got.Entries) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("dial", func(b *testing.B) {
		for b.Loop() {
			dial(b, s)
		}
	})
	if !slices.Contains(p.ADGroups, CitrixGroup) {
		b.Error("not in the group")
	}
}
