package sandbox

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/graphcontract"
)

// TestContract compares the requests that the sandbox answers, and the answers, with docs/graph.md.
func TestContract(t *testing.T) {
	t.Parallel()
	a := newAsker(t, Options{Users: 400})
	a.g = graphcontract.Read(t).Check(t, graphcontract.Simulation, a.g)
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
		a.get("/users/" + a.id(i) + "?$select=" + everything) // the last ten requests exceed the limit
	}
	a.get("/users/" + a.id(25) + "/manager?$select=mail,accountEnabled,userType")
	a.get("/users/" + a.id(25) + "/manager")
	a.get("/users/" + a.id(2) + "/manager")
	a.do("POST", sendMail, mailTo("a@x.example"))
	a.get("/organization")
	a.get("/organization?$select=id")
	a.get("/subscribedSkus")
	a.get("/directory/subscriptions")
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
	a.c.MakeAgent(5)
	a.people("/users?$top=150&$select=identityParentId," + everything)
	a.people("/groups/" + groups[groupE3].id + "/members?$select=id")
}

// TestPageHasWhatIsSimulated: the tables of docs/graph.md and the simulation have the same paths, options, properties
// and report columns.
func TestPageHasWhatIsSimulated(t *testing.T) {
	t.Parallel()
	c := graphcontract.Read(t)
	described, simulated := map[string]string{}, map[string]string{}
	for _, op := range c.Operations {
		described[op.Method+" "+op.Path] = sorted(op.Options)
	}
	for _, r := range routes {
		simulated[r.method+" "+r.template] = sorted(strings.Fields(r.options))
	}
	for _, r := range betaRoutes {
		simulated[r.method+" "+beta+r.template] = sorted(strings.Fields(r.options))
	}
	if diff := cmp.Diff(described, simulated); diff != "" {
		t.Errorf("operations of the page and of the simulation:\n%s", diff)
	}
	for typ, names := range map[string][2][]string{
		"user":         {propertyNames(userProperties), userDefaults},
		"group":        {propertyNames(groupProperties), groupDefaults},
		"organization": {propertyNames(organizationProperties), propertyNames(organizationProperties)},
	} {
		var all, defaults []string
		for _, p := range c.Types[typ] {
			all = append(all, p.Name)
			if p.Default {
				defaults = append(defaults, p.Name)
			}
		}
		if diff := cmp.Diff([]string{sorted(all), sorted(defaults)}, []string{sorted(names[0]), sorted(names[1])}); diff != "" {
			t.Errorf("properties of %s on the page and in the simulation:\n%s", typ, diff)
		}
	}
	var columns []string
	for _, column := range c.Columns {
		columns = append(columns, column.Name)
	}
	if diff := cmp.Diff(columns, strings.Split(strings.TrimPrefix(mailboxColumns, "\ufeff")+"Recipient Type,Report Period", ",")); diff != "" {
		t.Errorf("columns of the report:\n%s", diff)
	}
}

func sorted(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), " ") }

// TestPageHasEveryRefusal: each refusal of the simulation matches a line of docs/graph.md, and each line that is
// marked as simulated matches a refusal.
func TestPageHasEveryRefusal(t *testing.T) {
	t.Parallel()
	c := graphcontract.Read(t)
	missing := map[graphcontract.Refusal]bool{}
	for _, r := range c.Refusals {
		if r.Simulated {
			missing[r] = true
		}
	}
	ask := func(a *asker, method, target, body string, header ...string) {
		t.Helper()
		got := a.do(method, target, body, header...)
		r, faults := c.Refusal(got.status, []byte(got.text))
		if r == nil {
			t.Errorf("%s %s: %v", method, target, faults)
			return
		}
		if !r.Simulated {
			t.Errorf("%s %s: %d %s is simulated, and the page does not say so", method, target, r.Status, r.Words)
		}
		delete(missing, *r)
	}
	a := newAsker(t, Options{Users: 40})
	for _, all := range []map[string]refusal{a.refusedQueries(), a.refusedWrites()} {
		for _, r := range all {
			ask(a, r.method, r.target, r.body)
		}
	}
	assign := "/users/" + a.id(9) + "/assignLicense"
	ask(a, "POST", assign, assignBody(nil, nil), "Content-Encoding", "gzip")
	ask(a, "POST", assign, assignBody(nil, nil), "Content-Type", "text/plain")
	lagging := newAsker(t, Options{Lag: time.Minute})
	for range 20 { // half of the replicas answer with 400, the others with 404
		ask(lagging, "DELETE", "/groups/"+groups[groupE3].id+"/members/"+lagging.id(12)+"/$ref", "")
	}
	ask(newAsker(t, Options{SignInPage: 120}), "GET", "/users?$select=id,signInActivity&$top=500", "")
	ask(newAsker(t, Options{Seats: map[string]int{"EXCHANGESTANDARD": 0}}), "POST", "/users/"+a.id(12)+"/assignLicense", assignBody([]string{skuExchange}, []string{skuE3}))
	a.c.BreakMail(MailForbidden, MailThrottled, MailLost)
	for range 3 {
		ask(a, "POST", sendMail, mailTo("a@x.example"))
	}
	ask(a, "POST", sendMail, mailTo("nobody"))
	ask(a, "POST", "/users/foe@contoso.example/sendMail", mailTo("a@x.example"))
	older := newAsker(t, Options{})
	older.c.SetReports(Reports{Older: true})
	ask(older, "GET", "/copilot/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')", "")
	limited := newAsker(t, Options{ListLimit: 1})
	limited.get("/users?$select=id,signInActivity")
	ask(limited, "GET", "/users?$select=id,signInActivity", "")
	for r := range maps.Keys(missing) {
		t.Errorf("the page says that %d %s %q is simulated, and nothing was answered so", r.Status, r.Code, r.Words)
	}
}
