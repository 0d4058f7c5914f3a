package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
)

// TestWayBackOfAnEntry: a ledger entry names the groups and products of a change. A restore uses one of them only if
// the policy and the tenant have it for the same license.
func TestWayBackOfAnEntry(t *testing.T) {
	t.Parallel()
	direct := ledger.Intent{License: "e3", To: "exo", Via: "direct", SKU: "sku-e3", TargetSKU: "sku-exo"}
	group := ledger.Intent{License: "e3", To: "exo", Via: "entra-group", Source: "g-e3", Target: "g-exo", SKU: "sku-e3", TargetSKU: "sku-exo", InTarget: true}
	ad := ledger.Intent{License: "citrix", To: "lite", Via: "ad-group", Source: citrixDN, Target: liteDN, SourceGUID: citrixGUID, TargetGUID: otherGUID}
	with := func(in ledger.Intent, change func(*ledger.Intent)) ledger.Intent { change(&in); return in }
	noTarget := func(in *ledger.Intent) { in.Target, in.TargetGUID, in.InTarget = "", "", false }
	for name, tc := range map[string]struct {
		in      ledger.Intent
		want    ledger.Intent
		note    string
		refusal string
	}{
		"direct":                    {direct, direct, "", ""},
		"by group":                  {group, group, "", ""},
		"by AD group":               {ad, ad, "", ""},
		"removed":                   {with(direct, func(in *ledger.Intent) { in.To, in.TargetSKU = "", "" }), with(direct, func(in *ledger.Intent) { in.To, in.TargetSKU = "", "" }), "", ""},
		"no such license":           {with(direct, func(in *ledger.Intent) { in.License = "e5" }), ledger.Intent{}, "", "the policy does not name the license e5 any more"},
		"another product":           {with(direct, func(in *ledger.Intent) { in.SKU = "sku-e5" }), ledger.Intent{}, "", `the ledger has the product "sku-e5" for e3, and the policy and the tenant have "sku-e3"; it is not given`},
		"a product for AD":          {with(ad, func(in *ledger.Intent) { in.SKU = "sku-e3" }), ledger.Intent{}, "", `the ledger has the product "sku-e3" for citrix`},
		"another successor":         {with(direct, func(in *ledger.Intent) { in.TargetSKU = "sku-f3" }), with(direct, func(in *ledger.Intent) { in.TargetSKU = "" }), `exo is not taken: the ledger has the product "sku-f3" for it, and the policy has "sku-exo"`, ""},
		"an unknown successor":      {with(direct, func(in *ledger.Intent) { in.To = "f3" }), with(direct, func(in *ledger.Intent) { in.To, in.TargetSKU = "f3", "" }), `f3 is not taken: the ledger has the product "sku-exo" for it, and the policy has ""`, ""},
		"no successor noted":        {with(direct, func(in *ledger.Intent) { in.TargetSKU = "" }), with(direct, func(in *ledger.Intent) { in.TargetSKU = "" }), "", ""},
		"a product that is no more": {with(direct, func(in *ledger.Intent) { in.License, in.SKU = "visio", "" }), ledger.Intent{}, "", `the ledger has the product "" for visio, and the policy and the tenant have ""`},
		"an unknown way":            {with(direct, func(in *ledger.Intent) { in.Via = "portal" }), ledger.Intent{}, "", `the ledger names an unknown way "portal"`},
		"a product by AD":           {with(direct, func(in *ledger.Intent) { in.Via = "ad-group" }), ledger.Intent{}, "", "the ledger says that e3 was held by the way ad-group, which the policy does not have for it"},
		"AD by a product's way":     {with(ad, func(in *ledger.Intent) { in.Via = "direct" }), ledger.Intent{}, "", "the ledger says that citrix was held by the way direct"},
		"another target":            {with(group, func(in *ledger.Intent) { in.Target = "g-admins" }), with(group, noTarget), "still in the group g-admins, which the policy does not name for exo: if it should be left, do that by hand", ""},
		"no target":                 {with(group, noTarget), with(group, noTarget), "", ""},
		"another target of AD":      {with(ad, func(in *ledger.Intent) { in.TargetGUID = newGUID }), with(ad, noTarget), "still in the group " + liteDN + ", which the policy does not name for lite: if it should be left, do that by hand", ""},
		"no target of AD":           {with(ad, noTarget), with(ad, noTarget), "", ""},
		"another source":            {with(group, func(in *ledger.Intent) { in.Source = "g-mfa" }), group, "restored by the group entra:LIC-E3, since g-mfa cannot: it is not one that the policy names for it", ""},
		"another source and target": {with(group, func(in *ledger.Intent) { in.Source, in.Target = "g-mfa", "g-admins" }), with(group, noTarget), "restored by the group entra:LIC-E3, since g-mfa cannot: it is not one that the policy names for it; still in the group g-admins, which", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, changeBo)
			b.ad.at(citrixDN, citrixGUID, 900)
			b.ad.at(liteDN, otherGUID, 900)
			j := b.jobOf(t)
			if name == "a product that is no more" {
				delete(j.run.Tenant.SKUIDs, "VISIO")
			}
			got, note, refused, err := j.wayBack(t.Context(), tc.in)
			if (tc.refusal == "") != (refused == "") || !strings.HasPrefix(refused, tc.refusal) || (tc.note == "") != (note == "") || !strings.HasPrefix(note, tc.note) || strings.HasSuffix(note, "; ") || err != nil {
				t.Errorf("note %q, refused %q, %v", note, refused, err)
			}
			if d := cmp.Diff(tc.want, got); tc.refusal == "" && d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for _, call := range b.ad.calls {
				b.ad.fail = map[string]error{call: errDown}
				if _, note, refused, err := b.jobOf(t).wayBack(t.Context(), tc.in); !errors.Is(err, errDown) || refused != "" {
					t.Errorf("%s fails: note %q, refused %q, %v", call, note, refused, err)
				}
			}
		})
	}
}
