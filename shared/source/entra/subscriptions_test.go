package entra

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	row := func(sku, rest string) string { return `{"skuId":"` + sku + `"` + rest + `}` }
	may := time.Date(2027, 5, 1, 13, 30, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		play  []answer
		want  []directory.Subscription
		fails string
	}{
		"two pages": {
			play: []answer{
				list("$base/directory/subscriptions?$skiptoken=1", row(strings.ToUpper(skuE3), `,"status":"Enabled","totalLicenses":25,"isTrial":false,"nextLifecycleDateTime":"2027-05-01T13:30:00Z","ownerType":"User"`)),
				list("", row(skuEXO, `,"status":"Suspended","totalLicenses":null,"isTrial":true,"nextLifecycleDateTime":null`)),
			},
			want: []directory.Subscription{{SKU: skuE3, Status: "Enabled", Seats: 25, Renews: may}, {SKU: skuEXO, Status: "Suspended", Trial: true}},
		},
		"absent properties":          {play: []answer{list("", row(skuE3, ""))}, want: []directory.Subscription{{SKU: skuE3}}},
		"another zone":               {play: []answer{list("", row(skuE3, `,"nextLifecycleDateTime":"2027-05-01T15:30:00+02:00"`))}, want: []directory.Subscription{{SKU: skuE3, Renews: may}}},
		"year 1 stands for no date":  {play: []answer{list("", row(skuE3, `,"nextLifecycleDateTime":"0001-01-01T00:00:00Z"`))}, want: []directory.Subscription{{SKU: skuE3}}},
		"no product":                 {play: []answer{list("", row("", `,"status":"Enabled"`))}, want: []directory.Subscription{}},
		"nothing":                    {play: []answer{list("")}, want: []directory.Subscription{}},
		"a date that is none":        {play: []answer{list("", row(skuE3, `,"nextLifecycleDateTime":"soon"`))}, fails: "entry 0"},
		"a list that is none":        {play: []answer{{body: `{"id":"x"}`}}, fails: "value"},
		"not permitted":              {play: []answer{forbidden}, fails: "Organization.Read.All"},
		"the second page is refused": {play: []answer{list("$base/directory/subscriptions?$skiptoken=1", row(skuE3, "")), forbidden}, fails: "Organization.Read.All"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newFake(t, tt.play...).Subscriptions(t.Context())
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || got != nil {
					t.Errorf("%v, error %v lacks %q", got, err, tt.fails)
				}
				return
			}
			if d := cmp.Diff(tt.want, got); d != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, d)
			}
		})
	}
}
