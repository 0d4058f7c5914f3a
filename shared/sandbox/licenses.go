package sandbox

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The skuIds of the company's products.
const (
	skuE3       = "05e9a617-0261-4cee-bb44-138d3ef5d965"
	skuE5       = "06ebc4ee-1bb5-47dd-8120-11324bc54e06"
	skuExchange = "4b9405b0-7788-4568-add1-99614e613b69"
	skuP2       = "84a661c4-e949-4bd2-a560-ed7766fcaf2b"
	skuCopilot  = "639dec6b-bb19-468b-871c-c5c441c4b0cb"
)

// The type "product" is a SKU with one of its service plans. The field "mailbox" reports whether this service plan
// includes a mailbox.
type product struct {
	id, part         string
	planID, planName string
	mailbox          bool
}

var products = []product{
	{skuE3, "SPE_E3", "efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE", true},
	{skuE5, "SPE_E5", "efb87545-963c-4e0d-99df-69c6916d9eb0", "EXCHANGE_S_ENTERPRISE", true},
	{skuExchange, "EXCHANGESTANDARD", "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "EXCHANGE_S_STANDARD", true},
	{skuP2, "AAD_PREMIUM_P2", "eec0eb4f-6444-4f95-aba0-50c24d67f998", "AAD_PREMIUM_P2", false},
	// Nobody holds this product until it is assigned by hand.
	{skuCopilot, "Microsoft_365_Copilot", "3f30311c-6b1e-48a4-ab79-725b469da960", "M365_COPILOT_BUSINESS_CHAT", false},
}

const planYammer = "7547a3fe-08ee-4ccb-b430-5077c5041653"

func productOf(sku string) (product, bool) {
	n := slices.IndexFunc(products, func(p product) bool { return p.id == sku })
	if n < 0 {
		return product{}, false
	}
	return products[n], true
}

// The type "assignment" is a license assignment of a person. The field "updated" is when Entra ID last processed it.
type assignment struct {
	directory.Assignment
	updated time.Time
}

// The values that the sandbox uses for "state" and "error" in licenseAssignmentStates.
const (
	stateActive    = "Active"
	stateError     = "Error"
	countViolation = "CountViolation"
)

type seats struct{ enabled, consumed int }

func (c *Company) assignments(i int, t profile) []assignment {
	if ch := c.changes[i]; ch != nil && ch.licensed {
		return ch.assignments
	}
	return firstAssignments(t, c.given(i, t))
}

// The method "given" returns when the person got the first licenses. Changes of assignments do not change this date.
func (c *Company) given(i int, t profile) time.Time { return c.datesOf(i, t).created.Add(time.Hour) }

func firstAssignments(t profile, since time.Time) (list []assignment) {
	path := func(sku string, g int) {
		a := directory.Assignment{SKU: sku, State: stateActive}
		if g >= 0 {
			a.Group = groups[g].id
		}
		list = append(list, assignment{a, since})
	}
	const direct = -1
	switch t.hold {
	case holdE3:
		path(skuE3, groupE3)
	case holdE3Direct:
		path(skuE3, direct)
		list[0].DisabledPlans = []string{planYammer} // an administrator has disabled this service plan
	case holdE3Twice:
		path(skuE3, direct)
		path(skuE3, groupE3)
	case holdE3Dynamic:
		path(skuE3, groupDynamic)
	case holdE3Synced:
		path(skuE3, groupSynced)
	case holdSuite:
		path(skuE3, groupSuite)
		path(skuP2, groupSuite)
	case holdExchange:
		path(skuExchange, groupExchange)
	case holdExchangeDirect:
		path(skuExchange, direct)
	case holdE5:
		path(skuE5, direct)
	}
	return list
}

// firstSeats returns the seats at the start: the used seats and some free seats, or the number in Options.Seats.
func (c *Company) firstSeats() map[string]*seats {
	m := map[string]*seats{}
	for _, p := range products {
		m[p.id] = &seats{}
	}
	for i := range c.Size() {
		if t := c.profile(i); t.inEntra() && !c.spare(i) {
			for _, sku := range heldSKUs(firstAssignments(t, time.Time{})) {
				m[sku].consumed++
			}
		}
	}
	for _, p := range products {
		s := m[p.id]
		s.enabled = s.consumed + c.Size()/5 + 10
		if n, ok := c.options.Seats[p.part]; ok {
			s.enabled = n
		}
	}
	return m
}

// SetSeats changes the number of paid seats of the product with a part number.
func (c *Company) SetSeats(part string, enabled int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range products {
		if p.part == part {
			c.seats[p.id].enabled = enabled
		}
	}
}

// Seats returns the numbers of paid and used seats of the product with a part number.
func (c *Company) Seats(part string) (enabled, consumed int) {
	c.advance()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, p := range products {
		if p.part == part {
			return c.seats[p.id].enabled, c.seats[p.id].consumed
		}
	}
	return 0, 0
}

// heldSKUs returns the products of the active assignments in a list, without duplicates.
func heldSKUs(list []assignment) (skus []string) {
	for _, a := range list {
		if a.Active() && !slices.Contains(skus, a.SKU) {
			skus = append(skus, a.SKU)
		}
	}
	return skus
}

func hasMailbox(skus []string) bool {
	return slices.ContainsFunc(skus, func(sku string) bool {
		p, _ := productOf(sku)
		return p.mailbox
	})
}

func (c *Company) setAssignments(i int, at time.Time, list []assignment) {
	u := c.entraUser(i, c.profile(i))
	before := heldSKUs(u.assignments)
	after := heldSKUs(list)
	ch := c.changeOf(i)
	if c.options.Lag > 0 {
		ch.earlier = append(ch.earlier, past[[]assignment]{at, u.assignments})
	}
	ch.licensed, ch.assignments = true, list
	for _, sku := range after {
		if !slices.Contains(before, sku) {
			c.seats[sku].consumed++
			c.note(Event{At: at, What: LicenseGained, Person: i, SKU: sku})
		}
	}
	lost := hasMailbox(before) && !hasMailbox(after)
	for _, sku := range before {
		if !slices.Contains(after, sku) {
			c.seats[sku].consumed--
			c.note(Event{At: at, What: LicenseLost, Person: i, SKU: sku, LostMailbox: lost})
		}
	}
}
