package command

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/sandbox"
)

func changesOf(p printed) (reasons, refused []string) {
	for _, c := range p.Changes {
		if c.License == "m365-e3" {
			reasons = append(reasons, c.Reason)
		}
	}
	for _, r := range p.Refused {
		if r.License == "m365-e3" {
			refused = append(refused, r.Reason)
		}
	}
	return reasons, refused
}

// TestMailboxIsNotLost: the plan refuses a change that would leave a mailbox without a license, unless the policy has
// "mailbox: lost".
func TestMailboxIsNotLost(t *testing.T) {
	t.Parallel()
	const lost = "the mailbox would be left without a license, and Exchange Online deletes its content for good 30 days later"
	const then, product = "then: {changeTo: exchange-online}", "  exchange-online: {"
	p2 := func(text string) string {
		return strings.Replace(text, product, "  p2: {sku: AAD_PREMIUM_P2, monthlyPrice: 9}\n"+product, 1)
	}
	for name, tc := range map[string]struct {
		then    string
		changed bool
	}{
		"to one without a mailbox":           {"then: {changeTo: p2}", false},
		"to one without a mailbox, in words": {"then: {changeTo: p2, mailbox: lost}", true},
		"removed":                            {"then: remove", false},
		"removed, in words":                  {"then: {remove: true, mailbox: lost}", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, p2, replace(t, then, tc.then))
			p := s.plan(exitDone)
			changes, refused := changesOf(p)
			told := slices.ContainsFunc(refused, func(r string) bool { return strings.HasPrefix(r, lost) && strings.Contains(r, "mailbox: lost") })
			if (len(changes) > 0) != tc.changed || told == tc.changed {
				t.Errorf("%d changes, refused %q", len(changes), refused)
			}
			for _, c := range changes {
				if !strings.HasSuffix(c, "; the mailbox is left without a license, and Exchange Online deletes its content for good 30 days later") {
					t.Errorf("the line does not say it: %q", c)
				}
			}
			if tc.changed && strings.Contains(tc.then, "remove") {
				if a := s.want(exitDone, "plan"); !strings.Contains(string(a.out), "the mailbox is left without a license") {
					t.Errorf("the text does not say it:\n%s", a.out)
				}
			}
		})
	}
}

// TestServicePlansThatMatter: the group that gives Exchange Online switches off one service plan of this product. A
// change to Exchange Online is refused if this plan provides the mailbox, or if the policy lists the plan under the key
// "needs". Any other service plan does not matter.
func TestServicePlansThatMatter(t *testing.T) {
	t.Parallel()
	const exo, mailbox, other = "4b9405b0-7788-4568-add1-99614e613b69", "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "113feb6c-3fe4-4440-bddc-54d774bf0318"
	off := func(plan string) func(map[string]any) {
		return func(group map[string]any) {
			list, _ := group["assignedLicenses"].([]any)
			for _, l := range list {
				if license, ok := l.(map[string]any); ok && license["skuId"] == exo {
					license["disabledPlans"] = []any{plan}
				}
			}
		}
	}
	foundation := edited("/subscribedSkus", func(sku map[string]any) {
		if plans, ok := sku["servicePlans"].([]any); ok && sku["skuId"] == exo {
			sku["servicePlans"] = append(plans, map[string]any{"servicePlanId": other, "servicePlanName": "EXCHANGE_S_FOUNDATION", "provisioningStatus": "Success", "appliesTo": "Company"})
		}
	})
	for name, tc := range map[string]struct {
		off, needs, refused string
	}{
		"one that does not matter": {other, "", ""},
		"the mailbox":              {mailbox, "", "gives exchange-online without the service plan EXCHANGE_S_STANDARD"},
		"one that is needed":       {other, "needs: [EXCHANGE_S_FOUNDATION], ", "gives exchange-online without the service plan EXCHANGE_S_FOUNDATION"},
		"one that is not in it":    {other, "needs: [TEAMS1], ", "the product EXCHANGESTANDARD has no service plan TEAMS1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sandbox.Options{Users: 500, Seed: 4}, replace(t, "{sku: EXCHANGESTANDARD, ", "{sku: EXCHANGESTANDARD, "+tc.needs))
			groups := edited("/groups", off(tc.off))
			s.company.Intercept(func(next http.Handler) http.Handler { return groups(foundation(next)) })
			p := s.plan(exitDone)
			byGroup := slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.Via == plan.EntraGroup && c.License == "m365-e3" })
			_, refused := changesOf(p)
			told := slices.ContainsFunc(refused, func(r string) bool { return tc.refused != "" && strings.Contains(r, tc.refused) })
			if byGroup != (tc.refused == "") || told == byGroup {
				t.Errorf("by group %v, refused %q", byGroup, refused)
			}
			if byGroup {
				s.finish(p.Run)
			}
		})
	}
}
