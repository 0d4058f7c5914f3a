package usage

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

var now = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// The headers come from recorded files, with the columns in the order of Microsoft's documentation.
const (
	activeHead = "\ufeffReport Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date," +
		"Has Exchange License,Has OneDrive License,Has SharePoint License,Has Skype For Business License,Has Yammer License,Has Teams License," +
		"Exchange Last Activity Date,OneDrive Last Activity Date,SharePoint Last Activity Date,Skype For Business Last Activity Date,Yammer Last Activity Date,Teams Last Activity Date," +
		"Exchange License Assign Date,OneDrive License Assign Date,SharePoint License Assign Date,Skype For Business License Assign Date,Yammer License Assign Date,Teams License Assign Date," +
		"Assigned Products,Report Period\r\n"
	copilotHead = "\ufeffReport Refresh Date,Report Period,User Principal Name,Display Name,Last Activity Date,Microsoft Teams Copilot Last Activity Date,Word Copilot Last Activity Date,Excel Copilot Last Activity Date,PowerPoint Copilot Last Activity Date,Outlook Copilot Last Activity Date,OneNote Copilot Last Activity Date,Loop Copilot Last Activity Date,Copilot Chat Last Activity Date\r\n"
)

func activeRow(name, deleted, has, exchange, teams, assigned string) string {
	return "2026-11-21," + name + ",\"Some, body\"," + deleted + ",," + has + ",False,False,False,False,True," +
		exchange + ",,,,," + teams + "," + assigned + ",,,,,2026-01-02,\"MICROSOFT 365 E3+AAD\",180\r\n"
}

func copilotRow(name, last string) string {
	return "2026-11-21,180," + name + ",Some body," + last + ",,,,,,,,\r\n"
}

// The type "file" is a Graph with one file, which it returns for every report.
type file string

func (f file) Report(_ context.Context, _ string, _ []string, read func(io.Reader) error) error {
	return read(strings.NewReader(string(f)))
}

func reportNamed(t *testing.T, name string) Report {
	t.Helper()
	for _, r := range Reports {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no report %q", name)
	return Report{}
}

func on(date string) directory.Value {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return directory.Value{State: directory.Known, Time: t.Add(24*time.Hour - time.Second)}
}

var (
	never  = directory.Value{State: directory.None}
	hidden = directory.Value{}
)

// TestRepeatedNames: if one name has several rows in a report, Read leaves the name out. If it counted all these rows,
// the next report, with one row for each name, would seem to lack people. If most names have several rows, Read fails.
func TestRepeatedNames(t *testing.T) {
	t.Parallel()
	anna := activeRow("anna@x.example", "False", "True", "2026-11-20", "", "")
	bo := activeRow("bo@x.example", "False", "True", "", "", "") // has a license, and has not used it
	cleo := activeRow("cleo@x.example", "False", "False", "2026-11-01", "", "")
	for name, tc := range map[string]struct {
		rows                  string
		sampled, withActivity int
		newest                string
		fails                 string
	}{
		"each once":          {rows: anna + bo + cleo, sampled: 2, withActivity: 2, newest: "2026-11-20"},
		"one twice":          {rows: bo + anna + cleo + strings.ToUpper(anna[:20]) + anna[20:], sampled: 1, withActivity: 1, newest: "2026-11-01"},
		"one three times":    {rows: bo + bo + anna + bo, sampled: 1, withActivity: 1, newest: "2026-11-20"},
		"two of three twice": {rows: bo + anna + cleo + bo + anna, fails: "it has 2 of its 3 names in several rows"},
		"everybody twice":    {rows: anna + bo + cleo + cleo + bo + anna, fails: "it has 3 of its 3 names in several rows"},
	} {
		_, facts, err := Read(t.Context(), file(activeHead+tc.rows), reportNamed(t, "m365"), now)
		if (err != nil) != (tc.fails != "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
			t.Errorf("%s: error %v, want %q", name, err, tc.fails)
		}
		if tc.fails != "" {
			continue
		}
		newest, err := time.Parse(time.DateOnly, tc.newest)
		if err != nil {
			t.Fatal(err)
		}
		want := Facts{Freshness: directory.Freshness{Sampled: tc.sampled, WithActivity: tc.withActivity, Newest: newest}}
		if diff := cmp.Diff(want, facts["m365.exchange"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestActiveUsers(t *testing.T) {
	t.Parallel()
	type told struct{ Exchange, ExchangeAssigned, Teams directory.Value }
	for name, tc := range map[string]struct {
		rows string
		want *told // nil if no report has the person
	}{
		"used both":                    {activeRow("anna@x.example", "False", "True", "2026-11-01", "2026-11-20", "2026-01-05"), &told{on("2026-11-01"), on("2026-01-05"), on("2026-11-20")}},
		"in another letter case":       {activeRow("ANNA@x.Example", "False", "True", "2026-11-01", "2026-11-20", "2026-01-05"), &told{on("2026-11-01"), on("2026-01-05"), on("2026-11-20")}},
		"none in the span":             {activeRow("anna@x.example", "False", "True", "", "", "2026-01-05"), &told{never, on("2026-01-05"), never}},
		"no license of Exchange":       {activeRow("anna@x.example", "False", "False", "", "2026-11-20", ""), &told{hidden, never, on("2026-11-20")}},
		"lost the license of Exchange": {activeRow("anna@x.example", "False", "False", "2026-11-01", "2026-11-20", ""), &told{on("2026-11-01"), never, on("2026-11-20")}},
		"not told since when":          {activeRow("anna@x.example", "False", "True", "2026-11-01", "2026-11-20", ""), &told{on("2026-11-01"), hidden, on("2026-11-20")}},
		"a day to come":                {activeRow("anna@x.example", "False", "True", "2026-11-22", "2026-11-21", "2026-01-05"), &told{hidden, on("2026-01-05"), on("2026-11-21")}},
		"two rows":                     {activeRow("anna@x.example", "False", "True", "", "", "") + activeRow("Anna@x.example", "False", "True", "2026-11-20", "", ""), &told{hidden, hidden, hidden}},
		"deleted":                      {activeRow("anna@x.example", "True", "True", "", "", ""), nil},
		"not in it":                    {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, _, err := Read(t.Context(), file(activeHead+activeRow("bo@x.example", "False", "True", "2026-11-20", "2026-11-20", "")+tc.rows), reportNamed(t, "m365"), now)
			if err != nil {
				t.Fatal(err)
			}
			text, err := table.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			kept, err := Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			anna := directory.EntraUser{UserPrincipalName: "Anna@x.example", Created: now.AddDate(-1, 0, 0)}
			Tables{kept}.Tell(&anna)
			if tc.want == nil {
				if len(anna.Uses) > 0 {
					t.Errorf("told %+v", anna.Uses)
				}
				return
			}
			of := map[directory.Signal]directory.Use{}
			for _, use := range anna.Uses {
				of[use.Signal] = use
			}
			got := told{of[directory.ExchangeUse].Last, of[directory.ExchangeUse].Assigned, of[directory.TeamsUse].Last}
			if diff := cmp.Diff(*tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if through := of[directory.TeamsUse].Through; !through.Equal(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)) {
				t.Errorf("through %s", through)
			}
		})
	}
}

// TestSuccessor: a report gives nothing for an account that is newer than the report, because another account may have
// had the name before.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	table, _, err := Read(t.Context(), file(copilotHead+copilotRow("anna@x.example", "")), reportNamed(t, "copilot"), now)
	if err != nil {
		t.Fatal(err)
	}
	for created, told := range map[string]int{"2026-11-20T23:59:59Z": 1, "2026-11-21T00:00:00Z": 0, "2026-11-22T10:00:00Z": 0} {
		at, err := time.Parse(time.RFC3339, created)
		if err != nil {
			t.Fatal(err)
		}
		u := directory.EntraUser{UserPrincipalName: "anna@x.example", Created: at, Uses: []directory.Use{{Signal: directory.TeamsUse}}}
		Tables{table}.Tell(&u)
		if len(u.Uses) != told {
			t.Errorf("created %s: told %+v", created, u.Uses)
		}
	}
}

func TestReportsThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	row := copilotRow("anna@x.example", "2026-11-20")
	old := func(date string) string { return strings.ReplaceAll(copilotHead+row, "2026-11-21", date) }
	for name, tc := range map[string]struct {
		csv, err string
	}{
		"as it should be":          {copilotHead + row, ""},
		"six days old":             {old("2026-11-17"), ""},
		"seven days old":           {old("2026-11-16"), "it is of 2026-11-16, 7 days old: the feed has stalled"},
		"of tomorrow":              {strings.ReplaceAll(copilotHead+copilotRow("anna@x.example", ""), "2026-11-21", "2026-11-25"), "it is of 2026-11-25, which is in the future"},
		"no date":                  {old(""), "its date is none"},
		"of another span":          {strings.ReplaceAll(copilotHead+row, ",180,", ",30,"), `it is of "30" days, and 180 were asked for`},
		"the span with its letter": {strings.ReplaceAll(copilotHead+row, ",180,", ",D180,"), ""},
		"concealed":                {copilotHead + copilotRow("F8A6B0C14E0B4E5D8E0F8A6B0C14E0B4", "2026-11-20"), "it conceals names, so that nobody can be found in it"},
		"some names are not known": {copilotHead + row + copilotRow("(Unknown)", ""), ""},
		"a header alone":           {copilotHead, "it is empty"},
		"nothing":                  {"", "it has no header"},
		"a page of a proxy":        {"<html>\n", `it has no column "Report Refresh Date"`},
		"without names":            {strings.Replace(copilotHead, "User Principal Name", "User", 1), `it has no column "User Principal Name"`},
		"cut off":                  {copilotHead + "2026-11-21,180,ann", "it has a row of 3 columns below a header of 13"},
		"a quote without an end":   {copilotHead + `2026-11-21,180,"` + strings.Repeat("x", 2<<20), "a row is longer than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Read(t.Context(), file(tc.csv), reportNamed(t, "copilot"), now)
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%v, want %q", err, tc.err)
			}
		})
	}
}

// TestOneSignalOfAReport: after a fault in one column, the other signals stay usable.
func TestOneSignalOfAReport(t *testing.T) {
	t.Parallel()
	good := activeHead + activeRow("anna@x.example", "False", "True", "2026-11-01", "2026-11-20", "2026-01-05") + activeRow("bo@x.example", "False", "True", "", "2026-11-02", "")
	for name, tc := range map[string]struct {
		csv             string
		exchange, teams Facts
	}{
		"both": {good, Facts{Freshness: directory.Freshness{Sampled: 2, WithActivity: 1, Newest: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}}, Facts{Freshness: directory.Freshness{Sampled: 2, WithActivity: 2, Newest: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}}},
		"a column is gone": {strings.Replace(good, "Exchange Last Activity Date", "Exchange Last Active", 1), Facts{Failed: `the usage report m365 has no column "Exchange Last Activity Date"`},
			Facts{Freshness: directory.Freshness{Sampled: 2, WithActivity: 2, Newest: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}}},
		"no day": {strings.Replace(good, ",2026-11-01,", ",11/01/2026,", 1), Facts{Failed: `the usage report m365 has "11/01/2026" in place of a day`, Freshness: directory.Freshness{Sampled: 1}},
			Facts{Freshness: directory.Freshness{Sampled: 2, WithActivity: 2, Newest: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, facts, err := Read(t.Context(), file(tc.csv), reportNamed(t, "m365"), now)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]Facts{"exchange": facts["m365.exchange"], "teams": facts["m365.teams"]}
			if diff := cmp.Diff(map[string]Facts{"exchange": tc.exchange, "teams": tc.teams}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFactsOf(t *testing.T) {
	t.Parallel()
	readings := []Reading{{Name: "m365", Signals: map[string]Facts{"m365.teams": {Failed: "broken"}}}, {Name: "copilot", Failed: "access refused"}}
	for s, want := range map[directory.Signal]string{directory.TeamsUse: "broken", directory.ExchangeUse: "", directory.CopilotUse: "access refused"} {
		if f, read := FactsOf(readings, s); !read || f.Failed != want {
			t.Errorf("%s: %+v, %v", s, f, read)
		}
	}
	if _, read := FactsOf(readings[1:], directory.TeamsUse); read {
		t.Error("a report that was not read counts as read")
	}
}

func TestDamagedTables(t *testing.T) {
	t.Parallel()
	table, _, err := Read(t.Context(), file(copilotHead+copilotRow("anna@x.example", "2026-11-20")), reportNamed(t, "copilot"), now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := table.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"nothing": "", "no head": "\n", "cut off": string(text[:len(text)-1]), "longer": string(text) + "x",
		"of a later version": strings.Replace(string(text), `"version":1`, `"version":2`, 1),
		"another signal":     strings.Replace(string(text), `"copilot"]`, `"cortana"]`, 1),
		"more rows":          strings.Replace(string(text), `"rows":1`, `"rows":-1`, 1),
	} {
		if _, err := Decode([]byte(damaged)); err == nil {
			t.Errorf("%s: read", name)
		}
	}
	if _, err := Decode(text); err != nil {
		t.Error(err)
	}
}

type down struct{ error }

func (d down) Report(context.Context, string, []string, func(io.Reader) error) error { return d.error }

func TestReportIsDown(t *testing.T) {
	t.Parallel()
	refused := errors.New("access refused")
	if _, _, err := Read(t.Context(), down{refused}, Reports[0], now); !errors.Is(err, refused) {
		t.Error(err)
	}
}

// TestReportsFit: a row of a table has room for every signal of its report.
func TestReportsFit(t *testing.T) {
	t.Parallel()
	for _, r := range Reports {
		if len(r.Columns) > mostSignals {
			t.Errorf("the report %s has %d signals; raise mostSignals, which is %d", r.Name, len(r.Columns), mostSignals)
		}
	}
}
