package directory

import "time"

// Subscription is a purchase of seats of a product (companySubscription of Graph).
type Subscription struct {
	SKU    string `json:"sku"`             // skuId
	Status string `json:"status"`          // Enabled, Warning, Suspended, LockedOut or Deleted
	Seats  int    `json:"seats"`           // 0 if Graph does not say
	Trial  bool   `json:"trial,omitempty"` // free of charge
	// Renews is when the subscription ends if it is not renewed, or zero if Graph does not say.
	Renews time.Time `json:"renews,omitzero"`
}
