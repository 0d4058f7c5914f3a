package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
)

// A condition may read up to six dates that a report leaves open. The number of cases doubles with each date.
func TestOpenDatesOfACondition(t *testing.T) {
	t.Parallel()
	signals := []directory.Signal{directory.ExchangeUse, directory.TeamsUse, directory.SharePointUse, directory.OneDriveUse, directory.CopilotUse}
	for n, want := range map[int]Outcome{1: Reclaim, 5: Reclaim, mostWorlds: Reclaim, mostWorlds + 1: Undecided} {
		var names, tests []string
		for i := range n {
			field := signals[i%len(signals)].String()
			if field == "copilot" {
				field = "copilot.lastActivity"
			}
			names = append(names, fmt.Sprintf("use%d: %s", i, field))
			tests = append(tests, fmt.Sprintf("(use%d.earlierThan(now - days(45)) || use%[1]d.hasNoValue())", i))
		}
		p := load(t, `
attributes: {`+strings.Join(names, ", ")+`}
licenses: {e3: {sku: SPE_E3}}
rules: [{name: r, license: e3, when: '`+strings.Join(tests, " && ")+`', then: remove}]
`)
		var uses []directory.Use
		for _, s := range signals {
			uses = append(uses, notUsed(s))
		}
		who := copilotHolder(uses...)
		who.Entra.Assignments[0].SKU = "e3"
		if v := judge(t, p, noon).Ask(p.Rules[0], who); v.Outcome != want {
			t.Errorf("%d dates: %s, want %s: %s", n, v.Outcome, want, v.Reason)
		}
	}
}

// TestWhichUnknownIsNamed: a usage report without activity leaves open whether there is an older date, and another
// attribute is unknown, too. The Judge first assumes an older date. If the result then depends on the other attribute,
// the reason names this attribute. Otherwise the reason names the date from the report.
func TestWhichUnknownIsNamed(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`teams.hasNoValue() && systemRole != "Contractor"`: "teams is none since",
		`teams.hasValue() && systemRole != "Contractor"`:   "systemRole has no value",
	} {
		v, reason := askUsage(t, when, copilotHolder(notUsed(directory.TeamsUse)))
		if v.Outcome != Undecided || !strings.HasPrefix(reason, want) {
			t.Errorf("%s: %s, %s, want %s", when, v.Outcome, reason, want)
		}
	}
}
