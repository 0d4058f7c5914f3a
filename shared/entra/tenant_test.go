package entra

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/idleseat/idleseat/shared/directory"
)

func TestTenant(t *testing.T) {
	t.Parallel()
	sku := func(tenant, id, part, rest string) string {
		return `{"accountId":"` + tenant + `","skuId":"` + id + `","skuPartNumber":"` + part + `"` + rest + `}`
	}
	tests := map[string]struct {
		play  []answer
		want  []directory.SKU
		fails string
	}{
		"two pages": {
			play: []answer{
				list("$base/subscribedSkus?$skiptoken=1", sku(userA, skuE3, "SPE_E3", `,"consumedUnits":9,"prepaidUnits":{"enabled":10,"warning":3,"suspended":1}`)),
				list("", sku(userA, skuEXO, "EXCHANGESTANDARD", `,"consumedUnits":null,"prepaidUnits":null`)),
			},
			want: []directory.SKU{{ID: skuE3, PartNumber: "SPE_E3", Enabled: 10, Consumed: 9}, {ID: skuEXO, PartNumber: "EXCHANGESTANDARD"}},
		},
		"none":             {play: []answer{list("")}, fails: "no product"},
		"no tenant":        {play: []answer{list("", sku("", skuE3, "SPE_E3", ""))}, fails: "accountId"},
		"two tenants":      {play: []answer{list("", sku(userA, skuE3, "SPE_E3", ""), sku(userB, skuEXO, "EXO", ""))}, fails: "belongs to tenant " + userB},
		"no sku":           {play: []answer{list("", sku(userA, "", "SPE_E3", ""))}, fails: "skuId"},
		"no part number":   {play: []answer{list("", sku(userA, skuE3, "", ""))}, fails: "skuPartNumber"},
		"null among them":  {play: []answer{list("", "null")}, fails: "entry 0"},
		"wrong permission": {play: []answer{forbidden}, fails: "Organization.Read.All"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, tt.play...)
			id, got, err := f.Tenant(t.Context())
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || id != "" || got != nil {
					t.Errorf("%q, %v, error %v lacks %q", id, got, err, tt.fails)
				}
				return
			}
			if err != nil || id != userA {
				t.Fatalf("tenant %q, error %v", id, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
