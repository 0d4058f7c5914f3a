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

// E3 and Exchange Online give one mailbox, so two rules may not take both at once.
func TestMailboxOfTwoLicenses(t *testing.T) {
	t.Parallel()
	item := func(license, to string, state history.State, age time.Duration) *history.Item {
		return &history.Item{User: "id-p", License: license, To: to, State: state, Run: "r0", Rule: "x", Via: plan.EntraGroup, Began: asOf.Add(-age), At: asOf.Add(-age)}
	}
	restoring := item("visio", "e3", history.Open, time.Hour)
	restoring.Rule = plan.RestoreRule
	restored := item("e3", "visio", history.Open, time.Hour)
	restored.Rule = plan.RestoreRule
	announcing := item("e3", "", history.Open, time.Hour)
	announcing.Via = plan.Notice
	const lost = "the mailbox would be left without a license, since e3 is taken, too"
	for name, tc := range map[string]struct {
		first *plan.Decision // of an earlier rule
		past  *history.Item
		want  string
	}{
		"alone":                            {nil, nil, ""},
		"planned":                          {&plan.Decision{Outcome: policy.Reclaim, License: "e3"}, nil, lost},
		"planned, for a mailbox":           {&plan.Decision{Outcome: policy.Reclaim, License: "e3", To: "f3"}, nil, ""},
		"planned, for something else":      {&plan.Decision{Outcome: policy.Reclaim, License: "e3", To: "visio"}, nil, lost},
		"refused":                          {&plan.Decision{Outcome: policy.Reclaim, License: "e3", Refused: "two groups"}, nil, ""},
		"to be announced":                  {&plan.Decision{Outcome: policy.Reclaim, License: "e3", Notice: true}, nil, ""},
		"undecided":                        {&plan.Decision{Outcome: policy.Undecided, License: "e3"}, nil, ""},
		"to be restored":                   {&plan.Decision{RestoreOf: "r0", License: "e3", To: "visio"}, nil, ""},
		"to go when another is restored":   {&plan.Decision{RestoreOf: "r0", License: "visio", To: "e3"}, nil, lost},
		"a license without a product":      {&plan.Decision{Outcome: policy.Reclaim, License: "citrix"}, nil, ""},
		"pending":                          {nil, item("e3", "", history.Open, time.Hour), lost},
		"pending, for a mailbox":           {nil, item("e3", "f3", history.Open, time.Hour), ""},
		"being announced":                  {nil, announcing, ""},
		"being restored":                   {nil, restored, ""},
		"leaving when another is restored": {nil, restoring, lost},
		"taken a moment ago":               {nil, item("e3", "", history.Taken, 2*time.Minute), lost},
		"taken before, and held again":     {nil, item("e3", "", history.Taken, time.Hour), ""},
		"announced":                        {nil, item("e3", "", history.Announced, 2*time.Minute), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exo := directory.Assignment{SKU: "sku-exo", State: "Active"}
			w := world{entra: []directory.EntraUser{accountOf("p", 100, e3Direct, exo), accountOf("busy", 1)}}
			if tc.past != nil {
				w.past = []any{tc.past}
			}
			w.policy = `
tenant: 11111111-2222-3333-4444-555555555555
licenses: {e3: {sku: SPE_E3}, exo: {sku: EXCHANGESTANDARD}, f3: {sku: F3}, visio: {sku: VISIO}, citrix: {group: {ad: "CN=C,DC=x"}}}
rules: [{name: mail, license: exo, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}]
`
			w.begin = func(b *snapshot.Begin) {
				product := func(id, part, plan string) directory.SKU {
					return directory.SKU{ID: id, PartNumber: part, PlansRead: true, Plans: []directory.ServicePlan{{ID: plan, Name: plan}}}
				}
				b.SKUs = []directory.SKU{
					product("sku-e3", "SPE_E3", "EXCHANGE_S_ENTERPRISE"), product("sku-exo", "EXCHANGESTANDARD", "EXCHANGE_S_STANDARD"),
					product("sku-f3", "F3", "EXCHANGE_S_DESKLESS"), product("sku-visio", "VISIO", "VISIO_CLIENT"),
				}
			}
			var taken Conflicts
			if tc.first != nil {
				taken.Add(tc.first)
			}
			got := w.seal(t).asked(t, "mail", taken...)
			if got.Outcome != policy.Reclaim || (tc.want == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.want) {
				t.Errorf("%s, refused %q, want %q", got.Outcome, got.Refused, tc.want)
			}
		})
	}
}
