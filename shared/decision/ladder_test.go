package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// A person had E5. One run exchanged E5 for E3, a later run exchanged E3 for Exchange Online, and a later run took
// Exchange Online. A license that was given in place of another one is not restored if the person has that other
// license again.
func TestLadder(t *testing.T) {
	t.Parallel()
	item := func(license, rule, to string, days int) *history.Item {
		return &history.Item{User: "id-p", License: license, State: history.Taken, Run: "r" + license, Rule: rule, To: to, Via: plan.EntraGroup, Began: daysAgo(days), At: daysAgo(days)}
	}
	as := func(i *history.Item, state history.State, days int) *history.Item {
		if i.State, i.TakenAt, i.At = state, i.At, daysAgo(days); state == history.Open {
			i.Rule, i.Began, i.TakenAt = plan.RestoreRule, daysAgo(days), time.Time{}
		}
		return i
	}
	top, middle, low := item("e5", "top", "e3", 300), item("e3", "middle", "exo", 200), item("exo", "low", "", 100)
	const not = "not restored: it was given in place of "
	for name, tc := range map[string]struct {
		past []any
		held string // a product that the person holds
		rule string
		want string
	}{
		"nothing above":                   {[]any{low}, "", "low", ""},
		"above is to be restored":         {[]any{low, middle}, "", "low", ""},
		"above is restored":               {[]any{low, as(item("e3", "middle", "exo", 200), history.Restored, 1)}, "", "low", not + "e3, which the person has again"},
		"above was restored before":       {[]any{low, as(item("e3", "middle", "exo", 200), history.Restored, 150)}, "", "low", ""},
		"above was taken after":           {[]any{low, item("e3", "middle", "exo", 50)}, "", "low", ""},
		"above was taken and restored":    {[]any{low, as(item("e3", "middle", "exo", 50), history.Restored, 1)}, "", "low", ""},
		"above is being restored":         {[]any{low, as(item("e3", "middle", "exo", 200), history.Open, 0)}, "", "low", not + "e3"},
		"above is held again":             {[]any{low, middle}, "sku-e3", "low", not + "e3"},
		"above was taken after, and held": {[]any{low, item("e3", "middle", "exo", 50)}, "sku-e3", "low", ""},
		"above gave something else":       {[]any{low, as(item("e3", "middle", "visio", 200), history.Restored, 1)}, "", "low", ""},
		"above is announced":              {[]any{low, as(item("e3", "middle", "exo", 200), history.Announced, 1)}, "", "low", ""},
		"the top is restored":             {[]any{low, middle, as(item("e5", "top", "e3", 300), history.Restored, 1)}, "", "low", not + "e5"},
		"the top is restored, the middle": {[]any{low, middle, as(item("e5", "top", "e3", 300), history.Restored, 1)}, "", "middle", not + "e5"},
		"the top was restored too early":  {[]any{low, middle, as(item("e5", "top", "e3", 300), history.Restored, 250)}, "", "low", ""},
		"the top is held again":           {[]any{low, middle, top}, "sku-e5", "low", not + "e5"},
		"the top itself":                  {[]any{low, middle, top}, "", "top", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := accountOf("p", 5)
			if tc.held != "" {
				u.Assignments = []directory.Assignment{{SKU: tc.held, State: "Active"}}
			}
			w := world{entra: []directory.EntraUser{u, accountOf("busy", 1)}, past: tc.past, policy: `
tenant: 11111111-2222-3333-4444-555555555555
licenses: {e5: {sku: SPE_E5}, e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD}}
rules:
  - {name: top, license: e5, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: e3, onReturn: restore}}
  - {name: middle, license: e3, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo: exo, onReturn: restore}}
  - {name: low, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(90)), then: {remove: true, mailbox: lost, onReturn: restore}}
`}
			w.begin = func(b *snapshot.Begin) { b.SKUs = append(b.SKUs, directory.SKU{ID: "sku-e5", PartNumber: "SPE_E5"}) }
			got := w.seal(t).asked(t, tc.rule)
			if got.Outcome != policy.NotHolder || got.Refused != "" || got.Planned() != (tc.want == "") || !strings.HasPrefix(got.Reason, tc.want) {
				t.Errorf("%s: %q, refused %q, want %q", got.Outcome, got.Reason, got.Refused, tc.want)
			}
		})
	}
}
