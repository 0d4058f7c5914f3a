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

// Price records the price and the renewal of a license, as a run knew them. The price is in force until a later run
// records another price or renewal. Each plan for everybody repeats the prices of all earlier runs. The newest plan
// therefore has the price of each day, long after the earlier runs have expired.
type Price struct {
	License string `json:"license"`
	SKU     string `json:"sku,omitempty"` // the name of the product in the policy
	// SKUID is the skuId of the product. It is empty for a license that is membership in a group.
	SKUID        string    `json:"skuId,omitempty"`
	Run          string    `json:"run"`
	From         time.Time `json:"from"`         // when the run began
	MonthlyPrice float64   `json:"monthlyPrice"` // of one seat
	Currency     string    `json:"currency"`
	// Renews is the first time after From at which the contract lets the company pay for fewer seats. It is zero if the
	// time is unknown. In that case, NotKnown says why.
	Renews   time.Time `json:"renews,omitzero"`
	NotKnown string    `json:"notKnown,omitempty"`
}

// Prices returns the prices in the newest plan for everybody that is not newer than the given run. If the argument
// "run" is empty, Prices uses the newest plan of all. Plans of runs whose name has a time later than now do not count.
// Prices skips damaged objects, and objects of older versions, which have no prices.
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

// Same reports whether p and o have the same content, except Run and From.
func (p *Price) Same(o *Price) bool {
	a, b := *p, *o
	a.Run, a.From, a.Renews = b.Run, b.From, b.Renews
	return a == b && p.Renews.Equal(o.Renews)
}
