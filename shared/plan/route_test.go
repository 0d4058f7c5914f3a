package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// The function "licensed" returns a policy with products. The service plans of the product "dark" are unknown. Only
// "e3" and "exo" have groups.
func licensed(t *testing.T) (*policy.Policy, []directory.SKU) {
	t.Helper()
	p, err := policy.Load("p", []byte(`
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  e3: {sku: SPE_E3, group: {entra: LIC-E3}}
  exo: {sku: EXO, group: {entra: LIC-EXO}, needs: [TEAMS1]}
  f3: {sku: F3, needs: [TEAMS1]}
  dark: {sku: DARK, needs: [TEAMS1]}
  citrix: {group: {ad: "CN=Citrix,DC=x"}}
  citrix-small: {group: {ad: "CN=Small,DC=x"}}
rules:
  - {name: exo, license: e3, when: "true", then: {changeTo: exo}}
  - {name: f3, license: e3, when: "true", then: {changeTo: f3, mailbox: lost}}
  - {name: dark, license: e3, when: "true", then: {changeTo: dark, mailbox: lost}}
  - {name: citrix, license: citrix, when: "true", then: remove}
  - {name: citrix-small, license: citrix, when: "true", then: {changeTo: citrix-small}}
`))
	if err != nil {
		t.Fatal(err)
	}
	plans := func(names ...string) (all []directory.ServicePlan) {
		for _, n := range names {
			all = append(all, directory.ServicePlan{ID: "id-" + n, Name: n})
		}
		return all
	}
	return p, []directory.SKU{
		{ID: "e3", PartNumber: "SPE_E3", PlansRead: true, Plans: plans("EXCHANGE_S_ENTERPRISE", "TEAMS1", "YAMMER")},
		{ID: "exo", PartNumber: "EXO", PlansRead: true, Plans: plans("EXCHANGE_S_STANDARD", "TEAMS1", "YAMMER")},
		{ID: "f3", PartNumber: "F3", PlansRead: true, Plans: plans("EXCHANGE_S_DESKLESS", "YAMMER")},
		{ID: "dark", PartNumber: "DARK"},
	}
}

func TestRouteLooksAtWhatIsLeft(t *testing.T) {
	t.Parallel()
	rules, skus := licensed(t)
	held := func(sku, group string, off ...string) directory.Assignment {
		return directory.Assignment{SKU: sku, Group: group, State: "Active", DisabledPlans: off}
	}
	source := directory.Group{Ref: directory.GroupRef{Name: "LIC-E3"}, ID: "g-e3", Grants: []string{"e3"}}
	target := func(change func(*directory.Group)) []directory.Group {
		g := directory.Group{Ref: directory.GroupRef{Name: "LIC-EXO"}, ID: "g-exo", Grants: []string{"exo"}}
		change(&g)
		return []directory.Group{source, g}
	}
	unseenSource := source
	unseenSource.Hidden, unseenSource.Unseen = true, true
	whole := target(func(*directory.Group) {})
	reduced := func(off ...string) []directory.Group {
		return target(func(g *directory.Group) { g.Reduced, g.Off = g.Grants, off })
	}
	direct, moved := Route{Via: Direct, SKU: "e3", TargetSKU: "exo"}, Route{Via: EntraGroup, Source: "g-e3", Target: "g-exo", SKU: "e3", TargetSKU: "exo"}
	to := func(sku string) Route { return Route{Via: Direct, SKU: "e3", TargetSKU: sku} }
	for name, tc := range map[string]struct {
		rule    string
		groups  []directory.Group
		holds   []directory.Assignment
		want    Route
		refusal string
	}{
		"has another license by a group":           {"exo", whole, []directory.Assignment{held("e3", ""), held("visio", "g-visio")}, direct, ""},
		"has another license directly":             {"exo", whole, []directory.Assignment{held("visio", ""), held("e3", "g-e3")}, moved, ""},
		"target without what the policy needs":     {"f3", whole, []directory.Assignment{held("e3", "")}, Route{}, "the product F3 has no service plan TEAMS1, which the policy says that f3 needs"},
		"target whose plans are not known":         {"dark", whole, []directory.Assignment{held("e3", "")}, to("dark"), ""},
		"held already, something else off":         {"exo", whole, []directory.Assignment{held("e3", ""), held("exo", "", "id-YAMMER")}, direct, ""},
		"held already, what is needed off":         {"exo", whole, []directory.Assignment{held("e3", ""), held("exo", "", "id-TEAMS1", "id-YAMMER")}, Route{}, "holds exo already, without the service plan TEAMS1"},
		"held already by a group, needed off":      {"exo", whole, []directory.Assignment{held("e3", ""), held("exo", "g-exo", "id-TEAMS1")}, direct, ""},
		"another held already, needed off":         {"exo", whole, []directory.Assignment{held("e3", ""), held("visio", "", "id-TEAMS1")}, direct, ""},
		"held already, nothing off, not known":     {"dark", whole, []directory.Assignment{held("e3", ""), held("dark", "")}, to("dark"), ""},
		"group gives without what is needed":       {"exo", reduced("id-TEAMS1"), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO gives exo without the service plan TEAMS1"},
		"group gives without something else":       {"exo", reduced("id-YAMMER"), []directory.Assignment{held("e3", "g-e3")}, moved, ""},
		"group gives without, which is not known":  {"exo", reduced(), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO gives exo with service plans switched off: what would be left cannot be told"},
		"group gives without the mailbox":          {"exo", reduced("id-EXCHANGE_S_STANDARD"), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO gives exo without the service plan EXCHANGE_S_STANDARD"},
		"group hides its members":                  {"exo", target(func(g *directory.Group) { g.Hidden = true }), []directory.Assignment{held("e3", "g-e3")}, moved, ""},
		"group hides its members from idleseat":    {"exo", target(func(g *directory.Group) { g.Hidden, g.Unseen = true, true }), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO hides its members from this application"},
		"hidden group that the policy names by id": {"exo", target(func(g *directory.Group) { g.Unseen, g.Name = true, "Post" }), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO (Post) hides its members"},
		"source hides its members from idleseat":   {"exo", []directory.Group{unseenSource, whole[1]}, []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-E3 hides its members from this application"},
		"hidden groups, and held directly":         {"exo", []directory.Group{unseenSource, whole[1]}, []directory.Assignment{held("e3", "")}, direct, ""},
		"group is restricted":                      {"exo", target(func(g *directory.Group) { g.Restricted = true }), []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO is in a restricted management administrative unit"},
		"group was not found":                      {"exo", []directory.Group{source}, []directory.Assignment{held("e3", "g-e3")}, Route{}, "the group entra:LIC-EXO was not found"},
		"target has no group":                      {"dark", whole, []directory.Assignment{held("e3", "g-e3")}, Route{}, "held through a group, but the policy names no group for dark"},
		"way not told, and another license's told": {"exo", whole, []directory.Assignment{held("visio", ""), {SKU: "e3"}}, Route{}, "Entra does not say by which way the license is assigned"},
		"another license's way is not told":        {"exo", whole, []directory.Assignment{{SKU: "visio"}, held("e3", "")}, direct, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{Assignments: tc.holds}}
			got, refusal := TenantOf(skus, tc.groups, nil).Route(p, rules.RuleNamed(tc.rule), nil)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (tc.refusal == "") != (refusal == "") || !strings.HasPrefix(refusal, tc.refusal) {
				t.Errorf("refusal %q, want %q", refusal, tc.refusal)
			}
		})
	}
}

func TestRouteInActiveDirectory(t *testing.T) {
	t.Parallel()
	rules, skus := licensed(t)
	group := rules.RuleNamed("citrix").License.Group
	for name, tc := range map[string]struct {
		rule    string
		in      []string
		want    Route
		refusal string
	}{
		"removed":            {"citrix", []string{group.Key(false)}, Route{Via: ADGroup, Source: "CN=Citrix,DC=x"}, ""},
		"changed":            {"citrix-small", nil, Route{Via: ADGroup, Source: "CN=Citrix,DC=x", Target: "CN=Small,DC=x"}, ""},
		"primary group":      {"citrix", []string{group.PrimaryKey()}, Route{}, "the group is the account's primary group"},
		"another is primary": {"citrix", []string{directory.GroupRef{Source: directory.AD, Name: "CN=Other,DC=x"}.PrimaryKey()}, Route{Via: ADGroup, Source: "CN=Citrix,DC=x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &directory.Person{Memberships: tc.in}
			got, refusal := TenantOf(skus, nil, nil).Route(p, rules.RuleNamed(tc.rule), nil)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (tc.refusal == "") != (refusal == "") || !strings.HasPrefix(refusal, tc.refusal) {
				t.Errorf("refusal %q, want %q", refusal, tc.refusal)
			}
		})
	}
}

func TestMattersTo(t *testing.T) {
	t.Parallel()
	p, _ := licensed(t)
	for servicePlan, want := range map[string]bool{
		"EXCHANGE_S_ENTERPRISE": true, "EXCHANGE_B_STANDARD": true, "EXCHANGE_L_STANDARD": true, "TEAMS1": true,
		"EXCHANGE_S_FOUNDATION": false, "EXCHANGE_S_ARCHIVE": false, "YAMMER": false, "": false,
	} {
		if got := MattersTo(p, servicePlan); got != want {
			t.Errorf("%s: %v", servicePlan, got)
		}
	}
}

// TestLosesMailbox: a license without a product gives no mailbox, and a person without an Entra account has none.
func TestLosesMailbox(t *testing.T) {
	t.Parallel()
	rules, skus := licensed(t)
	holds := &directory.EntraUser{Assignments: []directory.Assignment{{SKU: "e3", State: "Active"}}}
	gives := func(off ...string) []directory.Group {
		return []directory.Group{{Ref: directory.GroupRef{Name: "LIC-EXO"}, ID: "g-exo", Grants: []string{"exo"}, Reduced: []string{"exo"}, Off: off}}
	}
	for name, tc := range map[string]struct {
		person *directory.Person
		rule   string
		groups []directory.Group
		want   directory.Flag
	}{
		"no product":                  {&directory.Person{Entra: holds}, "citrix", nil, directory.No},
		"no account in Entra":         {&directory.Person{}, "dark", nil, directory.No},
		"not known":                   {&directory.Person{Entra: holds}, "dark", nil, directory.Unset},
		"not held":                    {&directory.Person{Entra: &directory.EntraUser{}}, "dark", nil, directory.No},
		"the group gives one":         {&directory.Person{Entra: holds}, "exo", gives("id-YAMMER"), directory.No},
		"the group's is switched off": {&directory.Person{Entra: holds}, "exo", gives("id-EXCHANGE_S_STANDARD"), directory.Yes},
	} {
		if got, _ := TenantOf(skus, tc.groups, nil).LosesMailbox(tc.person, rules.RuleNamed(tc.rule), nil); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
