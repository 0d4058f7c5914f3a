package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The paths of the files of the usage reports. The real files are at reports.office.com, outside Graph (Graph
// documentation, "reportRoot: getOffice365ActiveUserDetail", example 1).
const (
	activeUsersFile = "/downloads/Office365ActiveUserDetail.csv"
	copilotFile     = "/downloads/CopilotUsageUserDetail.csv"
)

// The variable "workloads" has the workloads of the report of active users, in the order of the columns.
var workloads = []struct {
	name   string
	signal directory.Signal // the signal that idleseat reads; zero: none
}{
	{"Exchange", directory.ExchangeUse}, {"OneDrive", directory.OneDriveUse}, {"SharePoint", directory.SharePointUse},
	{"Skype For Business", 0}, {"Yammer", 0}, {"Teams", directory.TeamsUse},
}

// Reports has the faults of the usage reports. The zero value means faultless reports that are two days old.
type Reports struct {
	Late    time.Duration // lag in addition to the two days; Teams reports were seven to nine days late (MicrosoftDocs/OfficeDocs-SkypeForBusiness#3529)
	Empty   bool          // the file has a header but no rows (microsoftgraph/microsoft-graph-docs#3853)
	Older   bool          // the tenant has the Copilot report in the beta version only
	Without string        // name of a column that is missing
	Blank   string        // name of a column that is empty
	Unnamed int           // every Unnamed-th row has the name "(Unknown)" (microsoft-graph-docs#15148); 0: no row
	Short   int           // every Short-th person is missing; 0: nobody
	Twice   bool          // every person has two rows
	// Concealed makes the usage reports show hashes instead of names. ConcealNames does so for all reports.
	Concealed bool
}

// SetReports changes the properties of the usage reports.
func (c *Company) SetReports(r Reports) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports = r
}

// Use sets the last day on which a person used a workload. The zero time means no use in the report's 180 days.
// Without a call of Use, the last use is the last sign-in.
func (c *Company) Use(i int, s directory.Signal, last time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uses == nil {
		c.uses = map[use]time.Time{}
	}
	c.uses[use{i, s}] = last
}

type use struct {
	person int
	signal directory.Signal
}

func (g *graph) activeUsers(q *query) (answer, error) {
	return answer{status: http.StatusFound, location: "http://" + q.r.Host + activeUsersFile}, nil
}

// copilotUsage answers a request for the Copilot report. If Reports.Older is set, version 1.0 refuses the segment
// "copilot" of the path.
func (g *graph) copilotUsage(q *query) (answer, error) {
	g.c.mu.RLock()
	defer g.c.mu.RUnlock()
	if g.c.reports.Older && strings.HasPrefix(q.r.URL.Path, version) {
		return answer{}, &graphError{status: http.StatusBadRequest, code: "BadRequest", message: "Resource not found for the segment 'copilot'."}
	}
	return answer{status: http.StatusFound, location: "http://" + q.r.Host + copilotFile}, nil
}

type usageFile struct {
	path    string
	columns []string
	// The field "lists" reports whether the report has a row for a person who holds the given products.
	lists func(skus []string) bool
	// The field "signal" is the signal in the column "Last Activity Date", or 0 without this column.
	signal directory.Signal
}

var usageFiles = []usageFile{
	{path: activeUsersFile, columns: activeUserColumns(), lists: func(skus []string) bool { return len(skus) > 0 }},
	{path: copilotFile, columns: copilotColumns, lists: func(skus []string) bool { return slices.Contains(skus, skuCopilot) }, signal: directory.CopilotUse},
}

func usageFileAt(path string) *usageFile {
	if i := slices.IndexFunc(usageFiles, func(f usageFile) bool { return f.path == path }); i >= 0 {
		return &usageFiles[i]
	}
	return nil
}

func (c *Company) usageReport(w io.Writer, path string) {
	f := usageFileAt(path)
	columns := f.columns
	c.writeRow(w, "\ufeff", columns, func(column string) string { return column })
	if c.reports.Empty {
		return
	}
	refreshed := c.now().Add(-2*day - c.reports.Late).Truncate(day)
	for i := range c.Size() {
		t := c.profile(i)
		held := heldSKUs(c.assignments(i, t))
		if !c.inEntra(i, t) || !f.lists(held) || c.reports.Short > 0 && i%c.reports.Short == 0 {
			continue
		}
		for range 1 + map[bool]int{true: 1}[c.reports.Twice] {
			c.writeRow(w, "", columns, func(column string) string { return c.usageCell(i, t, f, column, held, refreshed) })
		}
	}
	// A deleted person stays in the report until the 180 days of the report are over.
	name := "left." + c.userID(0) + "@contoso.example"
	if c.concealed || c.reports.Concealed {
		name = strings.ToUpper(strings.ReplaceAll(c.userID(0), "-", ""))
	}
	c.writeRow(w, "", columns, func(column string) string {
		return map[string]string{columnRefreshed: refreshed.Format(time.DateOnly), "User Principal Name": name, "Is Deleted": "True",
			"Deleted Date": refreshed.Format(time.DateOnly), columnPeriod: "180"}[column]
	})
}

const (
	columnRefreshed = "Report Refresh Date"
	columnPeriod    = "Report Period"
)

// activeUserColumns returns the columns of getOffice365ActiveUserDetail (Graph documentation, version 1.0, CSV).
func activeUserColumns() (columns []string) {
	columns = []string{columnRefreshed, "User Principal Name", "Display Name", "Is Deleted", "Deleted Date"}
	for _, form := range []string{"Has %s License", "%s Last Activity Date", "%s License Assign Date"} {
		for _, x := range workloads {
			columns = append(columns, fmt.Sprintf(form, x.name))
		}
	}
	return append(columns, "Assigned Products", columnPeriod)
}

// copilotColumns are the columns of getMicrosoft365CopilotUsageUserDetail (Microsoft 365 Copilot documentation,
// "copilotReportRoot", version 1 of the report).
var copilotColumns = []string{columnRefreshed, columnPeriod, "User Principal Name", "Display Name", "Last Activity Date",
	"Microsoft Teams Copilot Last Activity Date", "Word Copilot Last Activity Date", "Excel Copilot Last Activity Date", "PowerPoint Copilot Last Activity Date",
	"Outlook Copilot Last Activity Date", "OneNote Copilot Last Activity Date", "Loop Copilot Last Activity Date", "Copilot Chat Last Activity Date"}

func (c *Company) writeRow(w io.Writer, mark string, columns []string, cell func(string) string) {
	var cells []string
	for _, column := range columns {
		if column == c.reports.Without {
			continue
		}
		text := cell(column)
		if strings.ContainsAny(text, "\",\n") {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		cells = append(cells, text)
	}
	fmt.Fprint(w, mark, strings.Join(cells, ","), "\r\n")
}

func (c *Company) usageCell(i int, t profile, f *usageFile, column string, held []string, refreshed time.Time) string {
	switch {
	case column == c.reports.Blank:
		return ""
	case column == columnRefreshed:
		return refreshed.Format(time.DateOnly)
	case column == columnPeriod:
		return "180"
	case column == "User Principal Name":
		return c.nameInReport(i, t)
	case column == "Is Deleted":
		return "False"
	case column == "Assigned Products":
		return "MICROSOFT 365 E3, AND \"OTHERS\""
	case column == "Last Activity Date":
		return c.lastUse(i, t, f.signal, refreshed)
	}
	for _, x := range workloads {
		licensed := x.name != "Exchange" && len(held) > 0 || hasMailbox(held)
		switch column {
		case "Has " + x.name + " License":
			return map[bool]string{true: "True", false: "False"}[licensed]
		case x.name + " Last Activity Date":
			if x.signal != 0 && licensed {
				return c.lastUse(i, t, x.signal, refreshed)
			}
		case x.name + " License Assign Date":
			if licensed {
				return c.given(i, t).Format(time.DateOnly)
			}
		}
	}
	return ""
}

// nameInReport returns the name in a person's row: a hash, "(Unknown)", or the userPrincipalName, which is in upper
// case for every second person.
func (c *Company) nameInReport(i int, t profile) string {
	switch {
	case c.concealed || c.reports.Concealed:
		return strings.ToUpper(strings.ReplaceAll(c.userID(i), "-", ""))
	case c.reports.Unnamed > 0 && i%c.reports.Unnamed == 0:
		return "(Unknown)"
	case i%2 == 1:
		return strings.ToUpper(c.entraUser(i, t).UserPrincipalName)
	}
	return c.entraUser(i, t).UserPrincipalName
}

// lastUse returns the day of a person's last use of a workload, or "" if the report's 180 days have no use.
func (c *Company) lastUse(i int, t profile, s directory.Signal, refreshed time.Time) string {
	last, set := c.uses[use{i, s}]
	if !set {
		last = c.datesOf(i, t).lastSignIn
	}
	if last = last.UTC().Truncate(day); last.IsZero() || last.Before(refreshed.Add(-180*day)) {
		return ""
	}
	if last.After(refreshed) {
		last = refreshed // a report shows no day after its refresh date
	}
	return last.Format(time.DateOnly)
}
