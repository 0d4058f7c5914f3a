package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestRouteOfAMembership: a license that is membership in an Entra group is changed in the group, which must be
// writable and must not assign any product.
func TestRouteOfAMembership(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("p", []byte(`
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  e3: {sku: SPE_E3}
  salesforce: {group: {entra: APP-Salesforce}}
  lite: {group: {entra: APP-Lite}}
rules:
  - {name: free, license: salesforce, when: "true", then: remove}
  - {name: lite, license: salesforce, when: "true", then: {changeTo: lite}}
`))
	if err != nil {
		t.Fatal(err)
	}
	group := func(name string, change func(*directory.Group)) directory.Group {
		g := directory.Group{Ref: directory.GroupRef{Name: name}, ID: "g-" + name}
		if change != nil {
			change(&g)
		}
		return g
	}
	for name, tc := range map[string]struct {
		rule           string
		source, target func(*directory.Group)
		want           Route
		refusal        string
	}{
		"removed":            {"free", nil, nil, Route{Via: EntraGroup, Source: "g-APP-Salesforce"}, ""},
		"changed":            {"lite", nil, nil, Route{Via: EntraGroup, Source: "g-APP-Salesforce", Target: "g-APP-Lite"}, ""},
		"dynamic":            {"free", func(g *directory.Group) { g.Dynamic = true }, nil, Route{}, "is dynamic"},
		"synced":             {"free", func(g *directory.Group) { g.Synced = true }, nil, Route{}, "is synced from Active Directory"},
		"gives a product":    {"free", func(g *directory.Group) { g.Grants = []string{"e3"} }, nil, Route{}, "grants a product of Microsoft 365 besides: name it as sku of salesforce"},
		"hidden":             {"free", func(g *directory.Group) { g.Hidden = true }, nil, Route{}, "hides its members, so that no read shows whether somebody has left it"},
		"unreadable":         {"free", func(g *directory.Group) { g.Unreadable = "gone" }, nil, Route{}, "cannot be read: gone"},
		"unfit target":       {"lite", nil, func(g *directory.Group) { g.RoleAssignable = true }, Route{}, "is role-assignable"},
		"target not removed": {"free", nil, func(g *directory.Group) { g.RoleAssignable = true }, Route{Via: EntraGroup, Source: "g-APP-Salesforce"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := TenantOf([]directory.SKU{{ID: "e3", PartNumber: "SPE_E3"}}, []directory.Group{group("APP-Salesforce", tc.source), group("APP-Lite", tc.target)}, nil)
			route, refusal := tenant.Route(&directory.Person{Entra: &directory.EntraUser{ID: "a"}, EntraState: directory.Present}, p.RuleNamed(tc.rule), nil)
			if d := cmp.Diff(tc.want, route); d != "" || !strings.Contains(refusal, tc.refusal) || (refusal == "") != (tc.refusal == "") {
				t.Errorf("refused %q, want %q (-want +got):\n%s", refusal, tc.refusal, d)
			}
		})
	}
	if _, refusal := TenantOf(nil, nil, nil).Route(&directory.Person{}, p.RuleNamed("free"), nil); !strings.Contains(refusal, "was not found") {
		t.Errorf("without the group: refused %q", refusal)
	}
}
