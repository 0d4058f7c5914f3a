package entra

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

type wireSKU struct {
	Tenant     string `json:"accountId"`
	ID         string `json:"skuId"`
	PartNumber string `json:"skuPartNumber"`
	Consumed   int    `json:"consumedUnits"`
	Prepaid    struct {
		Enabled int `json:"enabled"` // seats in their warning period end soon and are not counted
	} `json:"prepaidUnits"`
}

// Tenant is the id of the tenant that the credentials lead to, and the
// products it subscribes to. Both come from the same answer, so a tenant that
// subscribes to nothing is an error.
func (c *Client) Tenant(ctx context.Context) (id string, skus []directory.SKU, err error) {
	k := call{what: "read the tenant's subscriptions", needs: "Organization.Read.All"}
	info, err := c.skus().ToGetRequestInformation(ctx, nil) // no $select: not every Graph allows it here
	if err != nil {
		return "", nil, k.failed(err)
	}
	rows, err := all[wireSKU](ctx, c, k, info)
	if err != nil {
		return "", nil, err
	}
	if len(rows) == 0 {
		return "", nil, k.failed(errors.New("the tenant subscribes to no product"))
	}
	for _, row := range rows {
		if err := row.check(rows[0].Tenant); err != nil {
			return "", nil, k.failed(err)
		}
		skus = append(skus, directory.SKU{
			ID: row.ID, PartNumber: row.PartNumber, Enabled: row.Prepaid.Enabled, Consumed: row.Consumed,
		})
	}
	return strings.ToLower(rows[0].Tenant), skus, nil
}

func (w *wireSKU) check(tenant string) error {
	switch {
	case !isID(w.Tenant):
		return fmt.Errorf("subscription %q has accountId %q, not a tenant id", w.PartNumber, w.Tenant)
	case w.Tenant != tenant:
		return fmt.Errorf("subscription %q belongs to tenant %s, others to %s", w.PartNumber, w.Tenant, tenant)
	case w.ID == "" || w.PartNumber == "":
		return fmt.Errorf("a subscription has skuId %q and skuPartNumber %q; neither may be empty", w.ID, w.PartNumber)
	default:
		return nil
	}
}
