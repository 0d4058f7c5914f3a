package command

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The method "sheet" returns the rows of a spreadsheet that the command prints. A key of a row is the title of a
// column.
func (s *shell) sheet(run, what, separator string, more ...string) (rows []map[string]string) {
	s.t.Helper()
	all := sheetOf(s.t, s.want(exitDone, append([]string{"show", run, "--csv", what, "--csv-separator", separator}, more...)...).out, separator)
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, title := range all[0] {
			row[title] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// sheetOf returns the rows of a CSV file. The file must have a byte order mark.
func sheetOf(t *testing.T, file []byte, separator string) [][]string {
	t.Helper()
	text, marked := bytes.CutPrefix(file, []byte("\ufeff"))
	if !marked {
		t.Errorf("a spreadsheet would not read it as UTF-8: %.40q", text)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma = rune(separator[0])
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestSheets compares the two spreadsheets of a run with its plan. The first has each change. The second has each
// verdict that is neither keep nor a change, with a remedy.
func TestSheets(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6}, func(text string) string {
		return regexp.MustCompile(`perRun: \d+`).ReplaceAllString(text, "perRun: 5")
	})
	p := s.plan(exitDone)
	if p.Deferred == 0 || len(p.Undecided) == 0 || p.Counts.Exempt == 0 || len(p.Refused) == 0 {
		t.Fatalf("deferred %d, undecided %d, exempt %d, refused %d", p.Deferred, len(p.Undecided), p.Counts.Exempt, len(p.Refused))
	}
	changes := s.sheet(p.Run, "changes", ";")
	for i, row := range changes {
		c := p.Changes[i]
		if row["user"] != c.User || row["displayName"] == "" || !strings.Contains(row["monthlySaving"], ",") || c.IdleSince != nil && row["idleSinceDate"] != c.IdleSince.UTC().Format("2006-01-02") {
			t.Errorf("change %+v is in the spreadsheet as %v", c, row)
		}
	}
	count := map[string]int{}
	for _, row := range s.sheet(p.Run, "left-out", ",") {
		if count[row["why"]]++; row["reason"] == "" || row["remedy"] == "" || row["displayName"] == "" && row["userPrincipalName"] != "" {
			t.Errorf("left out without all that helps: %v", row)
		}
		if slices.ContainsFunc(changes, func(c map[string]string) bool { return c["user"] == row["user"] && c["license"] == row["license"] }) {
			t.Errorf("changed and left out: %v", row)
		}
	}
	for why, want := range map[string]int{"deferred": p.Deferred, "undecided": len(p.Undecided), "refused": len(p.Refused), "exempt": p.Counts.Exempt} {
		if count[why] != want {
			t.Errorf("%d are %s, want %d", count[why], why, want)
		}
	}
	if len(changes) != len(p.Changes) {
		t.Errorf("%d changes, want %d", len(changes), len(p.Changes))
	}
	if a := s.want(exitUsage, "show", p.Run, "--csv", "changes", "--csv-separator", "|"); !strings.Contains(a.err, "neither a comma nor a semicolon") {
		t.Errorf("stderr: %s", a.err)
	}
}

// TestManagers: the manager of a person is unknown if Graph has no manager for the person, if the person is not in
// Entra ID, or if the manager cannot be read. If no manager can be read, the command fails.
func TestManagers(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6})
	s.company.Company.SetDisplayName(3, "=Åsa; +1")
	p := s.plan(exitDone)
	want := map[string][2]string{}
	for i := range s.company.Company.Size() {
		if account := s.company.Company.Person(i).Entra; account != nil {
			want[account.ID] = [2]string{"unknown", "unknown"}
			if boss := s.company.Company.Person(i / 10).Entra; i >= 10 && boss != nil {
				want[account.ID] = [2]string{plain.Line(boss.DisplayName), boss.Mail}
				if strings.HasPrefix(boss.DisplayName, "=") {
					want[account.ID] = [2]string{"'" + boss.DisplayName, boss.Mail}
				}
			}
		}
	}
	want[s.company.Company.Person(35).Entra.ID] = [2]string{"'=Åsa; '+1", s.company.Company.Person(3).Entra.Mail}
	count := map[bool]int{}
	for _, what := range []string{"changes", "left-out"} {
		for _, row := range s.sheet(p.Run, what, ";", "--managers") {
			w, inEntra := want[row["user"]]
			if !inEntra {
				w = [2]string{"unknown", "unknown"}
			}
			if count[w[0] != "unknown"]++; row["manager"] != w[0] || row["managerMail"] != w[1] {
				t.Errorf("%s: %s has the manager %q <%s>, want %q", what, row["user"], row["manager"], row["managerMail"], w)
			}
		}
		for _, row := range s.sheet(p.Run, what, ";") {
			if _, has := row["manager"]; has {
				t.Fatalf("%s has managers, and nobody asked: %v", what, row)
			}
		}
	}
	if count[true] == 0 || count[false] == 0 {
		t.Errorf("rows with and without a manager: %v", count)
	}

	refused := p.Changes[len(p.Changes)-1].User
	s.company.Intercept(failing(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, refused+"/manager") }))
	a := s.want(exitDone, "show", p.Run, "--csv", "changes", "--managers")
	if !strings.Contains(a.err, "1 manager could not be read") || !strings.Contains(a.err, refused) || !strings.Contains(string(a.out), "unknown,unknown") {
		t.Errorf("one manager is refused: %s\n%s", a.err, a.out)
	}
	s.company.Intercept(failing(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/manager") }))
	if a := s.want(exitFailed, "show", p.Run, "--csv", "changes", "--managers"); !strings.Contains(a.err, "User.Read.All") || len(a.out) > 0 {
		t.Errorf("all managers are refused: %s\n%s", a.err, a.out)
	}
	if a := s.want(exitUsage, "show", p.Run, "--managers"); !strings.Contains(a.err, "--csv changes") {
		t.Errorf("stderr: %s", a.err)
	}
}
