package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestRenewals: if a run cannot read the renewal dates of the products, its plan has a note that the savings are not
// proven. Its verdict does not change.
func TestRenewals(t *testing.T) {
	t.Parallel()
	july := time.Date(2027, 7, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		read     *snapshot.Subscriptions
		note     bool
		renews   time.Time
		notKnown string
	}{
		"not read":   {read: &snapshot.Subscriptions{Failed: "Graph refused (403)"}, note: true, notKnown: "Graph did not give the subscriptions"},
		"not needed": {notKnown: "the policy has no renews for it"},
		"read":       {read: &snapshot.Subscriptions{List: []directory.Subscription{{SKU: "sku-e3", Status: "Enabled", Seats: 5, Renews: july}}}, renews: july},
		"nothing":    {read: &snapshot.Subscriptions{}, notKnown: "Graph lists no paid subscription of it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			e.subscriptions = tc.read
			s := e.put(t)
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			noted := slices.ContainsFunc(p.Notes, func(n string) bool {
				return strings.HasPrefix(n, "when the products renew is not known, so what freed seats save is not proven: ")
			})
			if noted != tc.note || strings.Contains(strings.Join(p.Notes, "\n"), "Graph refused (403)") != tc.note || p.Verdict == plan.Hold {
				t.Errorf("verdict %s, notes %q", p.Verdict, p.Notes)
			}
			known, err := history.Prices(t.Context(), s, "", clock)
			if err != nil || len(known) != 3 {
				t.Fatalf("%+v, %v", known, err)
			}
			if e3 := known[0]; !e3.Renews.Equal(tc.renews) || e3.NotKnown != tc.notKnown {
				t.Errorf("E3 renews on %v, %q", e3.Renews, e3.NotKnown)
			}
		})
	}
}
