package entra

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// wireSKU is a product. The property accountId is not decoded, because it is a billing account and not the tenant
// (docs-contrib: api-reference/v1.0/api/subscribedsku-list.md).
type wireSKU struct {
	ID         string `json:"skuId"`
	PartNumber string `json:"skuPartNumber"`
	Status     string `json:"capabilityStatus"`
	Consumed   int    `json:"consumedUnits"`
	Prepaid    struct {
		Enabled int `json:"enabled"` // seats in the warning period before their end do not count
	} `json:"prepaidUnits"`
	Plans []struct {
		ID   string `json:"servicePlanId"`
		Name string `json:"servicePlanName"`
	} `json:"servicePlans"`
}

type wireOrganization struct {
	ID string `json:"id"`
}

const readTenant = "Organization.Read.All"

// Tenant returns the id of the tenant of the credentials, and the products to which the tenant subscribes, without
// duplicates.
func (c *Client) Tenant(ctx context.Context) (id string, skus []directory.SKU, err error) {
	if id, err = c.tenantID(ctx); err != nil {
		return "", nil, err
	}
	k := call{what: "read the tenant's subscriptions", needs: readTenant}
	info, err := c.skus().ToGetRequestInformation(ctx, nil) // without $select, because some Graphs reject $select for this list
	if err != nil {
		return "", nil, k.failed(err)
	}
	rows, err := all[wireSKU](ctx, c, k, info)
	if err != nil {
		return "", nil, err
	}
	for _, row := range rows {
		skus = addSKU(skus, &row)
	}
	return id, skus, nil
}

// tenantID reads the only object of the collection organization (docs-contrib:
// api-reference/v1.0/api/organization-list.md).
func (c *Client) tenantID(ctx context.Context) (string, error) {
	k := call{what: "read the tenant's id", needs: readTenant}
	found, err := all[wireOrganization](ctx, c, k, c.get("/organization?$select=id"))
	switch {
	case err != nil:
		return "", err
	case len(found) != 1:
		return "", k.failed(fmt.Errorf("%d organizations are listed, not one", len(found)))
	case !isID(found[0].ID):
		return "", k.failed(fmt.Errorf("the organization has the id %q, which is %w", found[0].ID, errNotID))
	}
	return strings.ToLower(found[0].ID), nil
}

// addSKU adds a row of subscribedSkus to "skus". A product with several billing accounts has several rows, whose seats
// addSKU adds up. It ignores a row without a skuId, because nobody can hold such a product.
func addSKU(skus []directory.SKU, row *wireSKU) []directory.SKU {
	sku := directory.SKU{ID: strings.ToLower(row.ID), PartNumber: row.PartNumber, Enabled: row.Prepaid.Enabled, Consumed: row.Consumed}
	for _, p := range row.Plans {
		sku.Plans = append(sku.Plans, directory.ServicePlan{ID: p.ID, Name: p.Name})
	}
	sku.PlansRead = len(row.Plans) > 0
	if row.Status != "" && row.Status != "Enabled" && row.Status != "Warning" {
		sku.Enabled = 0 // a product that is Suspended, LockedOut or Deleted gives no new seats
	}
	i := slices.IndexFunc(skus, func(s directory.SKU) bool { return s.ID == sku.ID })
	switch {
	case sku.ID == "":
		return skus
	case i >= 0:
		skus[i].Enabled += sku.Enabled
		skus[i].Consumed += sku.Consumed
		if !skus[i].PlansRead {
			skus[i].Plans, skus[i].PlansRead = sku.Plans, sku.PlansRead
		}
		return skus
	}
	return append(skus, sku)
}
