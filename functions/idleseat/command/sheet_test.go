package command

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// sheet prints a spreadsheet of a run and returns its rows by title.
func (s *shell) sheet(run, what, separator string) (rows []map[string]string) {
	s.t.Helper()
	all := sheetOf(s.t, s.want(exitDone, "show", run, "--csv", what, "--csv-separator", separator).out, separator)
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, title := range all[0] {
			row[title] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// sheetOf returns the rows of a CSV file. It fails the test if the file has no mark.
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

// TestSheets compares the spreadsheets of a run with its plan: each change, and each verdict that is neither a change
// nor kept, is in one of them, with a name and with what resolves it.
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
