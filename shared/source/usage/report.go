// Package usage reads the usage reports of Microsoft 365: who last used which workload,
// by day. A report is one CSV file about everybody in the tenant. It knows people by
// userPrincipalName, comes two to three days late and reaches 180 days back. Read makes
// it a small table that a run keeps, and the table tells accounts what it knows of them.
package usage

import (
	"context"
	"io"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Report is one report of Graph and the signals that come by it.
type Report struct {
	Name string
	// Paths are where the report is, the present place first. A tenant that does not
	// know a place yet answers 400 or 404.
	Paths   []string
	Columns []Column
}

// Column tells which columns of a report tell one signal. Assigned and Has are empty
// where the report does not tell.
type Column struct {
	Signal   directory.Signal
	Last     string // the day of the last activity
	Assigned string // the day on which the license of the workload was assigned
	Has      string // "True" for somebody who has a license of the workload
}

// Reports are all reports that are read.
//
// getOffice365ActiveUserDetail: learn.microsoft.com, "reportRoot:
// getOffice365ActiveUserDetail" and "office365ActiveUserDetail resource type".
// getMicrosoft365CopilotUsageUserDetail: "copilotReportRoot:
// getMicrosoft365CopilotUsageUserDetail"; before it was below /copilot it was in beta
// alone. It has the holders of a Copilot license, and no date of assignment. Version 1
// has the columns of all tenants.
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

// Of returns the reports by which some of the signals come.
func Of(signals []directory.Signal) (list []Report) {
	for _, r := range Reports {
		if slices.ContainsFunc(r.Columns, func(c Column) bool { return slices.Contains(signals, c.Signal) }) {
			list = append(list, r)
		}
	}
	return list
}

// Graph gives a report.
type Graph interface {
	// Report hands the CSV file of a report to read: that of the first path which the
	// tenant knows.
	Report(ctx context.Context, name string, paths []string, read func(io.Reader) error) error
}

// Reading is what a run keeps of a report, beside the table.
type Reading struct {
	Name string `json:"name"`
	// Key is where the table lies, and SHA256 its sum in hex; empty when the report could
	// not be read, which Failed then explains.
	Key    string `json:"key,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
	Failed string `json:"failed,omitempty"`
	// Signals are what the report gave, by name of the signal.
	Signals map[string]Facts `json:"signals,omitempty"`
}

// Facts is what a report tells of one signal as a whole.
type Facts struct {
	directory.Freshness
	Failed string `json:"failed,omitempty"`
}

// FactsOf returns what the readings give of a signal as a whole; false: no report of it was read.
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
