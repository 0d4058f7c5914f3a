package world

import (
	"strings"

	"github.com/idleseat/idleseat/infra/nights/judge"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// One of reportsEvery companies has a rule for E3 that reads sign-ins and the usage reports of Microsoft 365.
const reportsEvery = 7

// The function "reported" returns the text of a policy in which the rule for E3 also reads the usage reports.
func reported(text string) string {
	return strings.Replace(text, "AzureAdSistaLogon: entra.lastActivity",
		"AzureAdSistaLogon: newest(m365.exchange, m365.teams, m365.sharepoint, m365.onedrive, entra.lastActivity)", 1)
}

// reportShows is the maximum time until a usable report shows a use. A usable report is at most a week old, and its
// dates are whole days.
const reportShows = 8 * day

// usesTeams makes a person use Teams without a sign-in, so that only a usage report shows the use. A person who signs
// in uses every workload.
func (w *World) usesTeams(i int) {
	now := w.clock.Now()
	w.people[i].teams = true
	w.box.Company.Use(i, directory.TeamsUse, now)
	for _, license := range w.licenses() {
		if license == e3 || license == salesforce || license == premium || license == exchange { // the rules for these licenses read the use of Teams
			w.used(judge.Event{At: now, Shown: now.Add(reportShows), Person: w.people[i].id, License: license})
		}
	}
}

// mayUseTeams reports whether a person can use Teams and the company has a rule that reads the use of Teams.
func mayUseTeams(w *World, _ int, p sandbox.Truth) bool {
	return w.reports && p.EntraID != "" && p.Enabled && len(p.E3) > 0
}

// badReports contains the faults of usage reports. The comments of sandbox.Reports have the sources.
var badReports = []struct {
	kind   string
	chance float64
	bad    sandbox.Reports
}{
	{"the reports conceal names", 0.005, sandbox.Reports{Concealed: true}},
	{"the reports are five days old", 0.02, sandbox.Reports{Late: 3 * day}},
	{"the reports are nine days old", 0.005, sandbox.Reports{Late: 7 * day}},
	{"the reports are empty", 0.005, sandbox.Reports{Empty: true}},
	{"the reports lack a column", 0.005, sandbox.Reports{Without: "Teams Last Activity Date"}},
	{"the reports have an empty column", 0.005, sandbox.Reports{Blank: "Exchange Last Activity Date"}},
	{"the reports lack half of the people", 0.005, sandbox.Reports{Short: 2}},
	{"the reports lack some names", 0.01, sandbox.Reports{Unnamed: 5}},
	{"the reports have everybody twice", 0.005, sandbox.Reports{Twice: true}},
}

// tonightsReports decides by chance whether the usage reports of a night have a fault, and which one.
func (w *World) tonightsReports() {
	if !w.reports && !w.options.Apps {
		return
	}
	tonight := sandbox.Reports{}
	for _, r := range badReports {
		if w.happens(r.kind, -1, r.chance) {
			tonight = r.bad
		}
	}
	w.box.Company.SetReports(tonight)
}
