package sandbox

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

const everything = "id,userPrincipalName,accountEnabled,userType,createdDateTime,usageLocation,department,employeeType,displayName,mail," +
	"licenseAssignmentStates,onPremisesSyncEnabled,onPremisesImmutableId,onPremisesSecurityIdentifier,onPremisesSamAccountName," +
	"onPremisesExtensionAttributes,signInActivity"

// BenchmarkUserPage is one page of 500 users with all that collect asks for.
func BenchmarkUserPage(b *testing.B) {
	g := newGraph(NewCompany(Options{Users: 100_000}))
	target := version + "/users?$top=500&$select=" + url.QueryEscape(everything)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
		b.SetBytes(int64(w.Body.Len()))
	}
	b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "users/s")
}

// BenchmarkNewCompany counts the seats of a million people.
func BenchmarkNewCompany(b *testing.B) {
	for b.Loop() {
		NewCompany(Options{Users: 1_000_000})
	}
}
