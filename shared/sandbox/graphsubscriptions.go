package sandbox

import (
	"fmt"
	"time"
)

// directorySubscriptions lists the purchases of seats with their renewal dates (docs-contrib:
// api-reference/v1.0/resources/companysubscription.md). The purchase of E3 renews on the first of July. The other
// purchases renew each month, as most real purchases do (tracker: KelvinTegelaar/CIPP#5073). E3 also has a trial and a
// deleted purchase without a date.
func (g *graph) directorySubscriptions(q *query) (answer, error) {
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	now := g.c.now().UTC()
	month := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	year := time.Date(now.Year(), time.July, 1, 0, 0, 0, 0, time.UTC)
	if !year.After(now) {
		year = year.AddDate(1, 0, 0)
	}
	p := q.newPage("directory/subscriptions", 999)
	p.begin(-1)
	row := func(n int, sku product, status string, trial bool, seats int, next string) {
		p.next()
		id := fmt.Sprintf("%s-%04d", sku.id[:len(sku.id)-5], n)
		p.body = fmt.Appendf(p.body, `{"id":"%[1]s","commerceSubscriptionId":"%[1]s","createdDateTime":"2023-07-01T00:00:00Z","isTrial":%[2]t,`+
			`"nextLifecycleDateTime":%[3]s,"ownerId":null,"ownerTenantId":null,"ownerType":null,"serviceStatus":[],"skuId":"%[4]s",`+
			`"skuPartNumber":"%[5]s","status":"%[6]s","totalLicenses":%[7]d}`, id, trial, next, sku.id, sku.part, status, seats)
	}
	stamp := func(t time.Time) string { return `"` + t.Format(time.RFC3339) + `"` }
	for n, sku := range products {
		seats := g.c.seats[sku.id].enabled
		if sku.id != skuE3 {
			row(n, sku, "Enabled", false, seats, stamp(month))
			continue
		}
		row(n, sku, "Enabled", false, seats, stamp(year))
		row(len(products), sku, "Enabled", true, 25, stamp(now.AddDate(0, 0, 20)))
		row(len(products)+1, sku, "Deleted", false, 40, "null")
	}
	return p.end(-1), nil
}
