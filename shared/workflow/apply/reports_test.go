package apply

import (
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestReportsAreReadAgain: apply reads the usage reports again and evaluates the rules with them. If a report is
// unhealthy now, only the rules that read it become undecided.
func TestReportsAreReadAgain(t *testing.T) {
	t.Parallel()
	const (
		rules = `
tenant: ` + tenant + `
mode: enforce
attributes: {copilotUse: copilot.lastActivity}
licenses: {e3: {sku: SPE_E3}, visio: {sku: VISIO, group: {entra: LIC-VISIO}}}
exempt: {groups: [{entra: LIC-Exempt}]}
rules:
  - {name: copilot, license: e3, when: copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue(), then: remove}
  - {name: visio, license: visio, when: AzureAdSistaLogon.earlierThan(now - days(60)), then: remove}
`
		head  = "\ufeffReport Refresh Date,Report Period,User Principal Name,Display Name,Last Activity Date\r\n"
		other = "2026-11-21,180,busy@x.example,Busy,2026-11-20\r\n"
	)
	unused := plan.Change{User: "id-bo", Rule: "copilot", License: "e3", Via: plan.Direct}
	for name, tc := range map[string]struct {
		change plan.Change
		report string
		want   runs.Status
		note   string
		wrote  []string
	}{
		"as planned":            {unused, head + other + "2026-11-21,180,bo@x.example,Bo,\r\n", runs.Done, "", []string{"ChangeLicenses id-bo -sku-e3"}},
		"used meanwhile":        {unused, head + other + "2026-11-21,180,BO@x.example,Bo,2026-11-20\r\n", runs.Kept, "used Copilot 2 days ago", nil},
		"not in it any more":    {unused, head + other, runs.Kept, "undecided: copilotUse is not known: the usage report does not have the person", nil},
		"refused":               {unused, "", runs.Kept, "undecided: copilotUse cannot be trusted: the usage report copilot: access refused", nil},
		"stalled":               {unused, head + "2026-11-01,180,bo@x.example,Bo,\r\n", runs.Kept, "undecided: copilotUse cannot be trusted: the usage report copilot: it is of 2026-11-01, 22 days old", nil},
		"without any date":      {unused, head + "2026-11-21,180,bo@x.example,Bo,\r\n", runs.Kept, "the report has no Copilot activity date of any of 1 people", nil},
		"refused, another rule": {freeAnna, "", runs.Pending, "left the source group", []string{"RemoveMember g-visio id-anna"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBenchOf(t, rules, tc.change)
			b.entra.users["id-bo"].UserPrincipalName, b.entra.users["id-bo"].Created = "bo@x.example", daysAgo(1000)
			b.entra.usage = map[string]string{"copilot": tc.report}
			b.apply(t, tc.want, tc.note)
			b.wrote(t, tc.wrote...)
		})
	}
}
