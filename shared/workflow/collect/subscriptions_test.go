package collect

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestSubscriptionsOfARun: a run reads subscriptions only if a product has a price and no key "renews". If the reading
// fails, the run records that and goes on.
func TestSubscriptionsOfARun(t *testing.T) {
	t.Parallel()
	const e3 = "sku: SPE_E3, "
	list := []directory.Subscription{
		{SKU: "sku-e3", Status: "Enabled", Seats: 10, Renews: time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)},
		{SKU: "sku-exo", Status: "Enabled", Seats: 5}, {SKU: "sku-of-others", Status: "Enabled"},
	}
	for name, tc := range map[string]struct {
		license string // what the policy says of E3 besides the product
		user    string
		fail    error
		want    *snapshot.Subscriptions
	}{
		"priced":               {license: "monthlyPrice: 39, ", want: &snapshot.Subscriptions{List: list[:2]}},
		"no price":             {},
		"the policy knows":     {license: "monthlyPrice: 39, renews: 07-01, "},
		"a run for one person": {license: "monthlyPrice: 39, ", user: anna.UserPrincipalName},
		"not permitted":        {license: "monthlyPrice: 39, ", fail: errDown, want: &snapshot.Subscriptions{Failed: errDown.Error()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.entra.subscriptions, b.entra.fail = list, fails{"Subscriptions": tc.fail}
			in := start(t, tc.user)
			in.Text = strings.Replace(text, e3, e3+tc.license, 1)
			if tc.license != "" && in.Text == text {
				t.Fatal("the policy of the tests has no such license")
			}
			in.Policy = load(t, in.Text)
			got, err := b.Begin(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got.Subscriptions); d != "" {
				t.Errorf("subscriptions (-want +got):\n%s", d)
			}
			if asked := slices.Contains(b.entra.calls, "Subscriptions"); asked != (tc.want != nil) {
				t.Errorf("asked: %t", asked)
			}
		})
	}
}

// TestInterruptedSubscriptions: if the run is interrupted while it reads subscriptions, the call fails. It must not
// record that Graph failed.
func TestInterruptedSubscriptions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	b.entra.fail = fails{"Subscriptions": ctx.Err()}
	in := start(t, "")
	in.Text = strings.Replace(text, "sku: SPE_E3, ", "sku: SPE_E3, monthlyPrice: 39, ", 1)
	in.Policy = load(t, in.Text)
	if got, err := b.Collector.subscriptions(ctx, in, &snapshot.Begin{}); err == nil {
		t.Errorf("%+v is an answer", got)
	}
}
