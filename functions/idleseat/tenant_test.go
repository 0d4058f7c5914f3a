package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// TestAccountsAreNotTheTenant: the rows of subscribedSkus are as in Microsoft's
// own example, of two billing accounts and of none, and some products have ended.
// The tenant is the organization.
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
