package collect

import (
	"context"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// mostWait is the maximum time for reading the subscriptions. If it is not enough, the run goes on without the
// subscriptions.
const mostWait = time.Minute

// The method "subscriptions" reads the subscriptions of the policy's products, with their renewal dates. It does so
// only in a run for everybody, and only if a product has a price and no key "renews". If they cannot be read, the
// renewals are unknown, and the run goes on.
func (c *Collector) subscriptions(ctx context.Context, in Start, b *snapshot.Begin) (*snapshot.Subscriptions, error) {
	asks := func(l *policy.License) bool { return l.SKU != "" && l.MonthlyPrice > 0 && l.Renews == nil }
	if in.User != "" || !slices.ContainsFunc(in.Policy.Licenses, asks) {
		return nil, nil
	}
	soon, stop := context.WithTimeout(ctx, mostWait)
	defer stop()
	list, err := c.Entra.Subscriptions(soon)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		return &snapshot.Subscriptions{Failed: err.Error()}, nil
	}
	ids := b.SKUIDs()
	named := func(id string) bool {
		return slices.ContainsFunc(in.Policy.Licenses, func(l *policy.License) bool { return l.SKU != "" && ids[l.SKU] == id })
	}
	return &snapshot.Subscriptions{List: slices.DeleteFunc(list, func(s directory.Subscription) bool { return !named(s.SKU) })}, nil
}
