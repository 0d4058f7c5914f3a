package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Price is the price and the renewal of a license, in force until a later run records another one. A plan for everybody
// repeats the prices of earlier runs, so the newest plan has the price of each day, even after the objects of those
// runs were deleted.
type Price struct {
	License string `json:"license"`
	SKU     string `json:"sku,omitempty"` // the name of the product in the policy
	// SKUID is empty for a license that is membership in a group.
	SKUID        string    `json:"skuId,omitempty"`
	Run          string    `json:"run"`
	From         time.Time `json:"from"`         // when the run began
	MonthlyPrice float64   `json:"monthlyPrice"` // of one seat
	Currency     string    `json:"currency"`
	// Renews is the first time after From at which the contract lets the company pay for fewer seats. If it is unknown,
	// it is zero, and NotKnown says why.
	Renews   time.Time `json:"renews,omitzero"`
	NotKnown string    `json:"notKnown,omitempty"`
}

// Prices returns the prices in the newest plan for everybody up to the given run. If "run" is empty, it looks at the
// plans of all runs. It skips runs whose name has a time after now, damaged objects, and objects of older versions,
// which have no prices.
func Prices(ctx context.Context, s store.Store, run string, now time.Time) ([]Price, error) {
	names, err := runs(ctx, s, layout.Plans)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(names) {
		if run != "" && name > run || snapshot.Ahead(name, now) {
			continue
		}
		p, err := GetPlanned(ctx, s, name)
		switch {
		case errors.Is(err, store.ErrDamaged):
			continue
		case err != nil:
			return nil, fmt.Errorf("look for prices: %w", err)
		case p.Prices != nil:
			return p.Prices, nil
		}
	}
	return nil, nil
}

// Same reports whether the contents are equal, except Run and From.
func (p *Price) Same(o *Price) bool {
	a, b := *p, *o
	a.Run, a.From, a.Renews = b.Run, b.From, b.Renews
	return a == b && p.Renews.Equal(o.Renews)
}
