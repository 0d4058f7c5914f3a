package entra

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func TestTenant(t *testing.T) {
	t.Parallel()
	organization := list("", `{"id":"`+strings.ToUpper(userA)+`","displayName":null}`)
	sku := func(id, part, rest string) string {
		return `{"skuId":"` + id + `","skuPartNumber":"` + part + `"` + rest + `}`
	}
	tests := map[string]struct {
		play  []answer
		want  []directory.SKU
		fails string
	}{
		"two pages": {
			play: []answer{
				organization,
				list("$base/subscribedSkus?$skiptoken=1", sku(skuE3, "SPE_E3", `,"accountId":null,"consumedUnits":9,"prepaidUnits":{"enabled":10,"warning":3,"suspended":1}`)),
				list("", sku(skuEXO, "EXCHANGESTANDARD", `,"consumedUnits":null,"prepaidUnits":null`)),
			},
			want: []directory.SKU{{ID: skuE3, PartNumber: "SPE_E3", Enabled: 10, Consumed: 9}, {ID: skuEXO, PartNumber: "EXCHANGESTANDARD"}},
		},
		"accounts of others": {
			play: []answer{organization, list("", sku(skuE3, "SPE_E3", `,"accountId":"`+userB+`"`), sku(skuEXO, "EXO", `,"accountId":"`+plan+`"`))},
			want: []directory.SKU{{ID: skuE3, PartNumber: "SPE_E3"}, {ID: skuEXO, PartNumber: "EXO"}},
		},
		"one product, two accounts": {
			play: []answer{organization, list("", sku(skuE3, "SPE_E3", `,"accountId":"`+userB+`","consumedUnits":3,"prepaidUnits":{"enabled":5}`),
				sku(skuE3, "SPE_E3", `,"accountId":"`+plan+`","consumedUnits":1,"prepaidUnits":{"enabled":2}`))},
			want: []directory.SKU{{ID: skuE3, PartNumber: "SPE_E3", Enabled: 7, Consumed: 4}},
		},
		"a suspended one gives no seats": {
			play: []answer{organization, list("", sku(skuE3, "SPE_E3", `,"capabilityStatus":"Suspended","consumedUnits":3,"prepaidUnits":{"enabled":5}`),
				sku(skuEXO, "EXO", `,"capabilityStatus":"Warning","prepaidUnits":{"enabled":2}`))},
			want: []directory.SKU{{ID: skuE3, PartNumber: "SPE_E3", Consumed: 3}, {ID: skuEXO, PartNumber: "EXO", Enabled: 2}},
		},
		"no product":                    {play: []answer{organization, list("")}},
		"no sku":                        {play: []answer{organization, list("", sku("", "SPE_E3", ""), sku(skuEXO, "", ""))}, want: []directory.SKU{{ID: skuEXO}}},
		"null among them":               {play: []answer{organization, list("", "null")}, fails: "entry 0"},
		"no organization":               {play: []answer{list("")}, fails: "0 organizations"},
		"two of them":                   {play: []answer{list("", `{"id":"`+userA+`"}`, `{"id":"`+userB+`"}`)}, fails: "2 organizations"},
		"no id":                         {play: []answer{list("", `{"id":null}`)}, fails: "not an object id"},
		"wrong permission":              {play: []answer{forbidden}, fails: "Organization.Read.All"},
		"wrong permission for products": {play: []answer{organization, forbidden}, fails: "Organization.Read.All"},
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
