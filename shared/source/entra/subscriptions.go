package entra

import (
	"context"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// wireSubscription is a purchase of seats. Next is when the status changes if nobody renews the subscription
// (docs-contrib: api-reference/v1.0/resources/companysubscription.md).
type wireSubscription struct {
	SKU    string     `json:"skuId"`
	Status string     `json:"status"`
	Seats  int        `json:"totalLicenses"`
	Trial  bool       `json:"isTrial"`
	Next   *time.Time `json:"nextLifecycleDateTime"`
}

// Subscriptions returns the subscriptions of the tenant, without rows that have no product. It needs the same
// permission as Tenant.
func (c *Client) Subscriptions(ctx context.Context) ([]directory.Subscription, error) {
	k := call{what: "read when the tenant's subscriptions renew", needs: readTenant}
	rows, err := all[wireSubscription](ctx, c, k, c.get("/directory/subscriptions"))
	if err != nil {
		return nil, err
	}
	list := []directory.Subscription{}
	for _, row := range rows {
		if row.SKU == "" {
			continue
		}
		s := directory.Subscription{SKU: strings.ToLower(row.SKU), Status: row.Status, Seats: row.Seats, Trial: row.Trial}
		if row.Next != nil {
			s.Renews = row.Next.UTC()
		}
		list = append(list, s)
	}
	return list, nil
}
