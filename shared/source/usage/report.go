// Package usage reads the usage reports of Microsoft 365, which have the day on which each person last used each
// workload. A report is one CSV file about everybody in the tenant. It identifies people by userPrincipalName, is two
// to three days late, and reaches 180 days back. Read turns a report into a small table. Tell adds the data of a table
// to an account.
package usage

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Report is a report of Graph, with its signals.
type Report struct {
	Name string
	// Paths are the addresses of the report, the current one first. If a tenant does not yet have an address, Graph
	// answers with status 400 or 404.
	Paths   []string
	Columns []Column // at most mostSignals
}

// Column has the names of the columns of one signal in a report. Assigned is "" if the report has no such column. Has
// is "" if the report lists only people with a license. For such a person, an empty date proves that the person was not
// active. For a person without a license, it proves nothing.
type Column struct {
	Signal   directory.Signal
	Last     string // the day of the last activity
	Assigned string // the day on which the license of the workload was assigned
	Has      string // "True" for a person with a license of the workload
}

// Reports are all reports that this package reads.
//
// Sources: for getOffice365ActiveUserDetail, learn.microsoft.com, "reportRoot: getOffice365ActiveUserDetail" and
// "office365ActiveUserDetail resource type"; for getMicrosoft365CopilotUsageUserDetail, "copilotReportRoot:
// getMicrosoft365CopilotUsageUserDetail".
//
// The Copilot report lists the holders of a Copilot license, without the date of assignment. It existed only in beta
// before it moved to /copilot. Version 1 of the report has the columns that every tenant has.
var Reports = []Report{
	{
		Name:  "m365",
		Paths: []string{"/reports/getOffice365ActiveUserDetail(period='D180')"},
		Columns: []Column{
			workload(directory.ExchangeUse, "Exchange"),
			workload(directory.TeamsUse, "Teams"),
			workload(directory.SharePointUse, "SharePoint"),
			workload(directory.OneDriveUse, "OneDrive"),
		},
	},
	{
		Name: "copilot",
		Paths: []string{
			"/copilot/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')?$format=text/csv",
			"/../beta/reports/getMicrosoft365CopilotUsageUserDetail(period='D180')?$format=text/csv",
		},
		Columns: []Column{{Signal: directory.CopilotUse, Last: "Last Activity Date"}},
	},
}

func workload(s directory.Signal, name string) Column {
	return Column{s, name + " Last Activity Date", name + " License Assign Date", "Has " + name + " License"}
}

// Of returns the reports that have at least one of the signals.
func Of(signals []directory.Signal) (list []Report) {
	for _, r := range Reports {
		if slices.ContainsFunc(r.Columns, func(c Column) bool { return slices.Contains(signals, c.Signal) }) {
			list = append(list, r)
		}
	}
	return list
}

// Graph is the source of the reports.
type Graph interface {
	// Report calls "read" with the CSV file of a report, from the first path that the tenant has.
	Report(ctx context.Context, name string, paths []string, read func(io.Reader) error) error
}

// Reading is what a run stores about a report in addition to the table.
type Reading struct {
	Name string `json:"name"`
	// Key is the store key of the table, and SHA256 its hash in hex. Both are empty if the report could not be read.
	Key    string `json:"key,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	// Failed says why the run does not trust the report. The report may have a table even so. The next run compares
	// this table with the table of its own report.
	Failed string `json:"failed,omitempty"`
	// Doubted is when a run first read the report without the table that it must be compared with. Runs do not trust the
	// report until another night. It is zero for any other report.
	Doubted time.Time `json:"doubted,omitzero"`
	// Signals has the facts about each signal of the report, by name of the signal.
	Signals map[string]Facts `json:"signals,omitempty"`
}

// Facts summarizes one signal of a report over all people. Failed says why the signal cannot be trusted.
type Facts struct {
	directory.Freshness
	Failed string `json:"failed,omitempty"`
}

// FactsOf returns the facts about a signal from the report that has the signal. If the whole report cannot be trusted,
// the field Failed says why. The result "read" is false if no report with the signal was read.
func FactsOf(readings []Reading, s directory.Signal) (f Facts, read bool) {
	for _, r := range readings {
		for _, known := range Reports {
			if known.Name != r.Name || !slices.ContainsFunc(known.Columns, func(c Column) bool { return c.Signal == s }) {
				continue
			}
			f = r.Signals[s.String()]
			if r.Failed != "" {
				f.Failed = r.Failed
			}
			return f, true
		}
	}
	return f, false
}
