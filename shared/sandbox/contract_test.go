package sandbox

import (
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox/graphcontract"
)

// TestContract asks for everything the sandbox answers, and holds requests
// and answers against the description of Graph.
func TestContract(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 400})
	a.g = graphcontract.Check(t, a.g)
	a.people("/users?$top=150&$select=" + everything)
	a.people("/users")
	a.people("/groups")
	a.get("/groups?$filter=displayName eq 'Duplicate'&$select=id,displayName,groupTypes,onPremisesSyncEnabled,securityEnabled,mailEnabled,isAssignableToRole,assignedLicenses,membershipRule")
	for g := range groups {
		if groups[g].id != "" {
			a.get("/groups/" + groups[g].id)
			a.people("/groups/" + groups[g].id + "/members?$top=999&$select=id,onPremisesSecurityIdentifier")
			a.get("/groups/" + groups[g].id + "/members")
		}
	}
	for i := range 20 {
		a.get("/users/" + a.id(i))
		a.get("/users/" + a.id(i) + "/memberOf")
		a.get("/users/" + a.id(i) + "/transitiveMemberOf?$select=id,displayName")
		a.get("/users/" + a.id(i) + "/licenseDetails")
		a.get("/users/" + a.id(i) + "?$select=" + everything) // the last ten are too many
	}
	a.get("/organization")
	a.get("/organization?$select=id")
	a.get("/subscribedSkus")
	a.get("/users?$filter=id in ('" + a.id(1) + "','" + a.id(2) + "')&$select=" + everything)
	a.do("GET", "/users?$count=true", "", "ConsistencyLevel", "eventual")
	a.get("/users?$skip=3")
	a.member("POST", groupExchange, 2)
	a.member("DELETE", groupE3, 2)
	a.member("DELETE", groupE3, 2)
	a.do("POST", "/users/"+a.id(12)+"/assignLicense", assignBody([]string{skuExchange}, []string{skuE3}))
	a.do("POST", "/users/"+a.id(12)+"/reprocessLicenseAssignment", "")
	a.c.MakeGuest(9)
	a.c.MakeCloudOnly(2, false)
	a.c.ReplaceInBoth(3)
	a.c.ChangeGroup("LIC-M365-E3", GroupChange{Rule: `user.department -eq "Sales"`, More: []string{"AAD_PREMIUM_P2"}})
	a.people("/users?$top=150&$select=externalUserState," + everything)
	a.people("/groups")
}
