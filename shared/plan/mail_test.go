package plan

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestMail: a change that leaves a person's mailbox without a license is refused unless the policy accepts the loss.
func TestMail(t *testing.T) {
	t.Parallel()
	product := func(id, part, plan string) directory.SKU {
		s := directory.SKU{ID: id, PartNumber: part, PlansRead: plan != ""}
		if plan != "" {
			s.Plans = []directory.ServicePlan{{ID: "plan-" + id, Name: plan}}
		}
		return s
	}
	skus := []directory.SKU{
		product("e3", "SPE_E3", "EXCHANGE_S_ENTERPRISE"), product("exo", "EXO", "EXCHANGE_S_STANDARD"), product("desk", "DESK", "EXCHANGE_S_DESKLESS"),
		product("p2", "P2", "AAD_PREMIUM_P2"), product("base", "BASE", "EXCHANGE_S_FOUNDATION"), product("dark", "DARK", ""),
	}
	rules, err := policy.Load("p", []byte(`
tenant: 11111111-2222-3333-4444-555555555555
licenses: {e3: {sku: SPE_E3}, exo: {sku: EXO}, desk: {sku: DESK}, p2: {sku: P2}, base: {sku: BASE}, dark: {sku: DARK}}
rules:
  - {name: exo, license: e3, when: "true", then: {changeTo: exo}}
  - {name: desk, license: e3, when: "true", then: {changeTo: desk}}
  - {name: p2, license: e3, when: "true", then: {changeTo: p2}}
  - {name: base, license: e3, when: "true", then: {changeTo: base}}
  - {name: dark, license: e3, when: "true", then: {changeTo: dark}}
  - {name: none, license: e3, when: "true", then: remove}
  - {name: p2 in words, license: e3, when: "true", then: {changeTo: p2, mailbox: lost}}
  - {name: dark in words, license: e3, when: "true", then: {changeTo: dark, mailbox: lost}}
  - {name: none in words, license: e3, when: "true", then: {remove: true, mailbox: lost}}
  - {name: from p2, license: p2, when: "true", then: remove}
  - {name: from dark, license: dark, when: "true", then: remove}
`))
	if err != nil {
		t.Fatal(err)
	}
	held := func(skus ...string) (list []directory.Assignment) {
		for _, s := range skus {
			list = append(list, directory.Assignment{SKU: s, State: "Active"})
		}
		return list
	}
	off := func(list []directory.Assignment, i int, state string, plans ...string) []directory.Assignment {
		list[i].DisabledPlans, list[i].State = plans, state
		return list
	}
	const lost, unknown = "the mailbox would be left without a license", "whether dark gives a mailbox is not known"
	for name, tc := range map[string]struct {
		rule  string
		holds []directory.Assignment
		want  string
	}{
		"to a smaller mailbox":                 {"exo", held("e3"), ""},
		"to the smallest":                      {"desk", held("e3"), ""},
		"to none":                              {"p2", held("e3"), lost},
		"to a foundation, which is none":       {"base", held("e3"), lost},
		"to one whose plans are not known":     {"dark", held("e3"), unknown},
		"removed":                              {"none", held("e3"), lost},
		"to none, in words":                    {"p2 in words", held("e3"), ""},
		"to an unknown one, in words":          {"dark in words", held("e3"), ""},
		"removed, in words":                    {"none in words", held("e3"), ""},
		"with another mailbox":                 {"none", held("e3", "exo"), ""},
		"another, but its mailbox is off":      {"none", off(held("e3", "exo"), 1, "Active", "plan-exo"), lost},
		"another, but in error":                {"none", off(held("e3", "exo"), 1, "Error"), lost},
		"its own mailbox is off":               {"none", off(held("e3"), 0, "Active", "plan-e3"), ""},
		"something else of it is off":          {"none", off(held("e3"), 0, "Active", "plan-yammer"), lost},
		"from a product without one":           {"from p2", held("p2"), ""},
		"from one whose plans are not known":   {"from dark", held("dark"), ""},
		"to one held already, mailbox on":      {"exo", off(held("e3", "exo"), 1, "Active", "plan-yammer"), ""},
		"to one held already, mailbox off":     {"exo", off(held("e3", "exo"), 1, "Active", "plan-exo"), "holds exo already, without the service plan EXCHANGE_S_STANDARD"},
		"to an unknown one held with some off": {"dark in words", off(held("e3", "dark"), 1, "Active", "x"), "holds dark already, with service plans switched off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{Assignments: tc.holds}}
			_, refused := TenantOf(skus, nil, nil).Route(p, rules.RuleNamed(tc.rule), nil)
			if (tc.want == "") != (refused == "") || !strings.HasPrefix(refused, tc.want) {
				t.Errorf("refused %q, want %q", refused, tc.want)
			}
		})
	}
}

// TestMailboxOfTwoLicenses: a person has two licenses with a mailbox. If one is taken, the other keeps the mailbox,
// unless another change takes that license and gives no mailbox in exchange.
func TestMailboxOfTwoLicenses(t *testing.T) {
	t.Parallel()
	rules, skus := licensed(t)
	var holds []directory.Assignment
	for _, sku := range []string{"e3", "exo"} {
		holds = append(holds, directory.Assignment{SKU: sku, State: "Active"})
	}
	p := &directory.Person{EntraState: directory.Present, Entra: &directory.EntraUser{Assignments: holds}}
	const lost = "the mailbox would be left without a license, since exo is taken, too, and Exchange Online deletes it"
	for name, tc := range map[string]struct {
		rule   string
		others []Swap
		want   string
	}{
		"alone":                                {"none", nil, ""},
		"the other is taken":                   {"none", []Swap{{"exo", "exo", ""}}, lost},
		"the other becomes a mailbox":          {"none", []Swap{{"exo", "exo", "f3"}}, ""},
		"the other becomes an unknown one":     {"none", []Swap{{"exo", "exo", "dark"}}, lost},
		"something else is taken":              {"none", []Swap{{"citrix", "", ""}, {"visio", "visio", ""}}, ""},
		"both are taken, this one for another": {"f3", []Swap{{"exo", "exo", ""}}, ""},
		"taken for an unknown one":             {"dark", []Swap{{"exo", "exo", ""}}, "whether dark gives a mailbox is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := *rules.RuleNamed("exo")
			if rule.ChangeTo = nil; tc.rule != "none" {
				rule.ChangeTo = rules.LicenseNamed(tc.rule)
			}
			if refused := TenantOf(skus, nil, nil).mailRefusal(p, &rule, tc.others); (tc.want == "") != (refused == "") || !strings.HasPrefix(refused, tc.want) {
				t.Errorf("refused %q, want %q", refused, tc.want)
			}
		})
	}
}
