package draft_test

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// The type "tenant" is a tenant in memory. If an error is set, the corresponding call fails.
type tenant struct {
	id     string
	skus   []directory.SKU
	bought []directory.Subscription
	groups []directory.Group
	people []directory.EntraUser
	ad     []directory.ADUser
	citrix []string
	// The field "unlisted" has groups that Graph finds by id and does not list.
	unlisted []directory.Group

	noTenant, noSubscriptions, noGroups, noGroup, noCount, noPeople, noAD, noCitrix error
}

func (t *tenant) Tenant(context.Context) (string, []directory.SKU, error) {
	return t.id, t.skus, t.noTenant
}

func (t *tenant) Subscriptions(context.Context) ([]directory.Subscription, error) {
	return t.bought, t.noSubscriptions
}

func (t *tenant) LicenseGroups(context.Context) ([]directory.Group, error) {
	return t.groups, t.noGroups
}

func (t *tenant) FindGroup(_ context.Context, id string) (directory.Group, error) {
	for _, g := range t.unlisted {
		if g.ID == id {
			return g, t.noGroup
		}
	}
	if t.noGroup != nil {
		return directory.Group{}, t.noGroup
	}
	return directory.Group{}, fmt.Errorf("%w: %s", directory.ErrNoGroup, id)
}

func (t *tenant) CountPeople(context.Context) (int, error) { return len(t.people), t.noCount }

func (t *tenant) ListPeople(_ context.Context, _ string, page func([]directory.EntraUser, string) error) error {
	const size = 500
	for from := 0; from < len(t.people); from += size {
		if err := page(t.people[from:min(from+size, len(t.people))], "more"); err != nil {
			return err
		}
	}
	return t.noPeople
}

func (t *tenant) ListFull(_ context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	for _, u := range t.ad {
		if err := each(u); err != nil {
			return nil, err
		}
	}
	return nil, t.noAD
}

func (t *tenant) GroupsWith(context.Context, string, int) ([]string, error) {
	return t.citrix, t.noCitrix
}

func guid(n int) string { return fmt.Sprintf("70000000-0000-4000-8000-%012x", n) }

func sku(n int, part string, consumed int, plans ...string) directory.SKU {
	s := directory.SKU{ID: guid(n), PartNumber: part, Enabled: consumed + 10, Consumed: consumed, PlansRead: true}
	for _, p := range plans {
		s.Plans = append(s.Plans, directory.ServicePlan{ID: guid(1000 + n), Name: p})
	}
	return s
}

func group(n int, name string, grants ...string) directory.Group {
	return directory.Group{ID: guid(2000 + n), Name: name, Grants: grants}
}

// The function "staff" returns enabled people of a domain. The argument "typed" is the number of people in every
// hundred who have the employeeType "kind".
func staff(from, count int, domain, kind string, typed int) (people []directory.EntraUser) {
	for i := range count {
		u := directory.EntraUser{
			ID: guid(10_000 + from + i), UserPrincipalName: fmt.Sprintf("person.%d@%s", from+i, domain), UserType: "Member",
			Enabled: directory.Yes, Created: now.AddDate(-3, 0, 0), LastSuccessful: now.AddDate(0, 0, -i%90), Department: "Sales",
		}
		if i%100 < typed {
			u.EmployeeType = kind
		}
		people = append(people, u)
	}
	return people
}

func usual() *tenant {
	e3, exchange := sku(1, "SPE_E3", 300, "EXCHANGE_S_ENTERPRISE"), sku(2, "EXCHANGESTANDARD", 20, "EXCHANGE_S_STANDARD")
	t := &tenant{
		id: "11111111-2222-3333-4444-555555555555", skus: []directory.SKU{sku(3, "FLOW_FREE", 9000), e3, exchange},
		groups: []directory.Group{group(1, "LIC-M365-E3", e3.ID), group(2, "LIC-EXO", exchange.ID)},
		people: staff(0, 200, "contoso.example", "Employee", 96), citrix: []string{`CN=Citrix Users,OU=Licenses,DC=corp,DC=example`},
	}
	for i := range 50 {
		t.ad = append(t.ad, directory.ADUser{SID: fmt.Sprintf("S-1-5-21-1-2-3-%d", i), LastLogonTimestamp: now})
	}
	return t
}
