package command

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestAccountsAreNotTheTenant: only the organization identifies the tenant. Subscriptions may have other billing
// accounts or may have expired.
func TestAccountsAreNotTheTenant(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 100})
	for i, status := range []string{"Suspended", "Warning", "LockedOut", "Deleted"} {
		s.company.Company.Subscribe(sandbox.Subscription{SKU: "00000000-0000-4000-8000-00000000000" + string(rune('1'+i)),
			PartNumber: "OLD_" + status, Status: status, AppliesTo: "Company", Consumed: 4})
	}
	if p := s.plan(exitDone); p.Tenant != sandbox.TenantID || len(p.Changes) == 0 {
		t.Errorf("tenant %s, %d changes", p.Tenant, len(p.Changes))
	}
	s.company.Intercept(edited("/organization", func(object map[string]any) {
		if object["id"] != nil {
			object["id"] = "00000000-0000-0000-0000-00000000000b"
		}
	}))
	if a := s.want(exitUsage, "plan"); !strings.Contains(a.err, "Graph answered for 00000000-0000-0000-0000-00000000000b") {
		t.Errorf("another tenant: %s", a.err)
	}
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/organization") {
				http.Error(w, `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges."}}`, http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if a := s.want(exitFailed, "plan"); !strings.Contains(a.err, "Organization.Read.All") {
		t.Errorf("without the permission: %s", a.err)
	}
	s.unwritten()
}

// TestTwoProductsOfOneName adds a second product with the part number of E3. A policy must name such a product by
// skuId. Microsoft, too, has two products with the part number MCOPSTN5, and two with Microsoft_Teams_Premium.
func TestTwoProductsOfOneName(t *testing.T) {
	t.Parallel()
	const e3, twin = "05e9a617-0261-4cee-bb44-138d3ef5d965", "0c266dff-15dd-4b49-8397-2bb16070ed52"
	s := newShell(t, sandbox.Options{Users: 300, Seed: 5})
	want := s.plan(exitDone)
	s.company.Company.Subscribe(sandbox.Subscription{SKU: twin, PartNumber: "SPE_E3", Status: "Enabled", AppliesTo: "User", Consumed: 7})
	a := s.want(exitUsage, "plan")
	for _, part := range []string{"license m365-e3", e3, twin, "skuId"} {
		if !strings.Contains(a.err, part) {
			t.Errorf("the refusal lacks %q: %s", part, a.err)
		}
	}
	text := string(s.company.Policy())
	s.write("policy.yaml", replace(t, "SPE_E3", strings.ToUpper(e3))(text))
	got := s.plan(exitDone)
	if diff := cmp.Diff(want.Changes, got.Changes); diff != "" || len(want.Changes) == 0 {
		t.Errorf("by skuId, other changes than by name: %s", diff)
	}
	s.write("policy.yaml", replace(t, "EXCHANGESTANDARD", e3)(replace(t, "SPE_E3", strings.ToUpper(e3))(text)))
	if a := s.want(exitUsage, "plan"); !strings.Contains(a.err, "same product") {
		t.Errorf("one product, two licenses: %s", a.err)
	}
	s.write("policy.yaml", replace(t, "SPE_E3", twin)(text))
	held := s.plan(exitHeld)
	if held.Overridable || !strings.Contains(strings.Join(held.HoldReasons, "\n"), "7 seats of SPE_E3 (skuId "+twin+") as taken, and nobody holds one") {
		t.Errorf("a product nobody holds: %q, overridable %v", held.HoldReasons, held.Overridable)
	}
	s.unwritten()
}
