package sandbox

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "organization" returns the only object of /organization, whose id is the tenant's id (docs-contrib:
// api-reference/v1.0/api/organization-list.md).
func (g *graph) organization(q *query) (answer, error) {
	selected, err := properties(q, organizationProperties, []string{"id", "displayName", "tenantType"}, "organization")
	if err != nil {
		return answer{}, err
	}
	p := q.newPage("organization"+selection(q), 999)
	p.begin(-1)
	p.next()
	p.body = appendObject(p.body, &struct{}{}, selected, "")
	return p.end(-1), nil
}

var organizationProperties = []property[struct{}]{
	constant[struct{}]("id", `"`+TenantID+`"`),
	constant[struct{}]("displayName", `"Contoso"`),
	constant[struct{}]("tenantType", `"AAD"`),
}

// The variable "accounts" has the billing accounts in the rows of subscribedSkus. Their ids differ from the tenant's
// id. Older answers of Graph have no account (docs-contrib: api-reference/v1.0/api/subscribedsku-list.md).
var accounts = []string{
	`"accountId":"f97aeefc-af85-414d-8ae4-b457f90efc40","accountName":"Sample account One",`,
	`"accountId":"ee045480-0260-4c1e-b946-55842502229c","accountName":"Sample account Two",`,
	``,
}

// Subscription is an additional row of subscribedSkus, with prepaidUnits null. Its product is not in "products".
type Subscription struct {
	SKU, PartNumber   string
	Status, AppliesTo string // such as Suspended and Company
	Consumed          int
}

// Subscribe adds a row to subscribedSkus.
func (c *Company) Subscribe(s Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subscribed = append(c.subscribed, s)
}

func (g *graph) subscribedSkus(q *query) (answer, error) {
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	p := q.newPage("subscribedSkus", 999)
	p.begin(-1)
	for n, sku := range products {
		p.next()
		s := g.c.seats[sku.id]
		p.body = fmt.Appendf(p.body, `{"id":"%s_%s",%s"appliesTo":"User","capabilityStatus":"Enabled",`+
			`"consumedUnits":%d,"prepaidUnits":{"enabled":%d,"suspended":0,"warning":0,"lockedOut":0},"skuId":"%s","skuPartNumber":"%s",`+
			`"subscriptionIds":[],"servicePlans":[%s]}`, TenantID, sku.id, accounts[n%len(accounts)], s.consumed, s.enabled, sku.id, sku.part, servicePlan(sku))
	}
	for _, s := range g.c.subscribed {
		p.next()
		p.body = fmt.Appendf(p.body, `{"id":"%s_%s","accountId":null,"appliesTo":"%s","capabilityStatus":"%s","consumedUnits":%d,"prepaidUnits":null,`+
			`"skuId":"%s","skuPartNumber":"%s","subscriptionIds":[],"servicePlans":[]}`, TenantID, s.SKU, s.AppliesTo, s.Status, s.Consumed, s.SKU, s.PartNumber)
	}
	return p.end(-1), nil
}

func servicePlan(p product) string {
	return fmt.Sprintf(`{"servicePlanId":"%s","servicePlanName":"%s","provisioningStatus":"Success","appliesTo":"User"}`, p.planID, p.planName)
}

func (g *graph) licenseDetails(q *query) (answer, error) {
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	p := q.newPage("users('"+g.c.userID(i)+"')/licenseDetails", 999)
	p.begin(-1)
	for _, id := range heldSKUs(q.replica.user(i).assignments) {
		sku, _ := productOf(id) // assignments contain known products only
		p.next()
		p.body = fmt.Appendf(p.body, `{"id":"%s","skuId":"%s","skuPartNumber":"%s","servicePlans":[%s]}`,
			base64.RawURLEncoding.EncodeToString([]byte(id)), id, sku.part, servicePlan(sku))
	}
	return p.end(-1), nil
}

// licenseChange is the body of assignLicense. Both keys are required.
type licenseChange struct {
	Add *[]struct {
		SKU      string   `json:"skuId"`
		Disabled []string `json:"disabledPlans"`
	} `json:"addLicenses"`
	Remove *[]string `json:"removeLicenses"`
}

func (l *licenseChange) complete() error {
	var missing []string
	if l.Add == nil {
		missing = append(missing, "addLicenses")
	}
	if l.Remove == nil {
		missing = append(missing, "removeLicenses")
	}
	if missing != nil {
		return badRequest("One or more parameters of the operation 'assignLicense' are missing from the request payload. The missing parameters are: %s.",
			strings.Join(missing, ", "))
	}
	return nil
}

// assignLicense changes direct assignments. It makes all requested changes or none.
func (g *graph) assignLicense(q *query) (answer, error) {
	var body licenseChange
	if err := readBody(q.r, &body); err != nil {
		return answer{}, err
	}
	if err := body.complete(); err != nil {
		return answer{}, err
	}
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	list, err := g.c.changed(i, &body)
	if err != nil {
		return answer{}, err
	}
	now := g.c.now()
	g.c.note(Event{At: now, What: LicensesAssigned, Person: i})
	g.c.setAssignments(i, now, list)
	return userAnswer(q, g.c.entraUser(i, g.c.profile(i)), selectFrom(userProperties, append([]string{"assignedLicenses", "usageLocation"}, userDefaults...))), nil
}

func (c *Company) changed(i int, body *licenseChange) ([]assignment, error) {
	t := c.profile(i)
	list := slices.Clone(c.assignments(i, t))
	before := heldSKUs(list)
	for _, sku := range *body.Remove {
		n := slices.IndexFunc(list, func(a assignment) bool { return a.SKU == strings.ToLower(sku) && a.Group == "" })
		switch {
		case n >= 0:
			list = slices.Delete(list, n, n+1)
		case slices.Contains(before, strings.ToLower(sku)):
			return nil, badRequest("User license is inherited from a group membership and it cannot be removed directly from the user.")
		default:
			return nil, badRequest("User does not have a corresponding license.")
		}
	}
	for _, add := range *body.Add {
		sku := strings.ToLower(add.SKU)
		if err := c.assignable(i, sku, before); err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(a assignment) bool { return a.SKU == sku && a.Group == "" })
		list = append(list, assignment{directory.Assignment{SKU: sku, State: stateActive, DisabledPlans: add.Disabled}, c.now()})
	}
	return list, nil
}

func (c *Company) assignable(i int, sku string, held []string) error {
	s, subscribed := c.seats[sku]
	switch {
	case !subscribed:
		return badRequest("License %s does not correspond to a valid company License.", sku)
	case c.entraUser(i, c.profile(i)).UsageLocation == "":
		return badRequest("License assignment cannot be done for user with invalid usage location.")
	case s.consumed >= s.enabled && !slices.Contains(held, sku):
		return badRequest("Subscription with SKU %s does not have any available licenses.", sku)
	default:
		return nil
	}
}

func (g *graph) reprocessLicenses(q *query) (answer, error) {
	g.c.mu.Lock()
	defer g.c.mu.Unlock()
	i, err := g.c.user(q.ids[0])
	if err != nil {
		return answer{}, err
	}
	g.c.note(Event{At: g.c.now(), What: Reprocessed, Person: i})
	g.c.reprocess(i)
	return userAnswer(q, g.c.entraUser(i, g.c.profile(i)), selectFrom(userProperties, userDefaults)), nil
}
