package terminal

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var rows = [][]string{
	{"USER", "RULE", "CHANGE", "STATUS", "SAVES", "REASON"},
	{"anna.berg@contoso.example", "m365-idle-60", "m365-e3 → exchange-online", "done", "35.00 USD", "no sign-in since 2026-01-01 (332 days)"},
	{"山田太郎.営業部@contoso.example", "m365-idle-60", "m365-e3 → exchange-online", "failed", "35.00 USD", "サインインがありません since 2026-01-01"},
	{"משה כהן", "citrix-idle-90", "citrix removed", "pending", "18.00 USD", "12 days"},
	{"أحمد", "citrix-idle-90", "حذف", "refused", "18.00 USD", ""},
	{"zoë👩‍👩‍👧@contoso.example", "citrix-idle-90", "citrix removed", "done", "18.00 USD", "no logon since 2024-07-11 (870 days), and a reason that is so long that it takes several lines of any screen there is"},
}

const lines = `Run 20261129T083334Z-68d8c245, tenant 11111111-2222-3333-4444-555555555555, as of 2026-11-29T08:33:34Z
  held: m365-e3: 31 of 242 holders are idle, more than 10 %; the plan is applied only with --override-limits and its hash
       3  license citrix is not known: synced from Active Directory, but no account with its SID was found there (out of scope or deleted)
  why     no sign-in of משה כהן 12 since 2026-01-01, which is longer than the 60 days of the rule m365-idle-60
  山田太郎さんは二千二十六年一月一日からサインインしていませんので、ライセンスはこの規則によって解除されます。
apply it:  idleseat apply 20261129T083334Z-68d8c245 --store '/srv/idle seat/a store with a long name'
  to carry out the plan of the run, which has this change: idleseat apply 20261129T083334Z-68d8c245
idleseat: run 20261129T083334Z-68d8c245 is waiting for approval
`

func screens() map[string]Screen {
	return map[string]Screen{"pipe": {}, "80": {Width: 80}, "80-color": {Width: 80, Color: true}, "200": {Width: 200}, "200-color": {Width: 200, Color: true}, "50": {Width: 50}}
}

// TestScreens compares a table and lines with golden files, and checks the width of each line. The flag -update writes
// the files.
func TestScreens(t *testing.T) {
	t.Parallel()
	for name, s := range screens() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			o := NewOut(&b, s, false, nil)
			if err := o.Table(rows); err != nil {
				t.Fatal(err)
			}
			if err := o.Print(lines); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), b.String()); d != "" {
				t.Errorf("%s (-want +got):\n%s", file, d)
			}
			for line := range strings.SplitSeq(uncolored(b.String()), "\n") {
				if s.Width > 0 && Width(line) > s.Width && !command.MatchString(line) {
					t.Errorf("%d columns: %q", Width(line), line)
				}
			}
			if !s.Color && strings.Contains(b.String(), "\x1b") || s.Width == 0 && strings.Contains(b.String(), leftToRight) {
				t.Error("escape sequences or marks that were not wished")
			}
		})
	}
}

func uncolored(text string) string {
	for _, sequence := range []string{bold, red, green, yellow, plainAgain} {
		text = strings.ReplaceAll(text, sequence, "")
	}
	return text
}

// TestNothingIsLost: fitting changes only blanks, line ends, direction marks and colors.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	bare := func(text string) string {
		return strings.Join(strings.Fields(strings.ReplaceAll(uncolored(text), leftToRight, "")), "")
	}
	for width := narrowest; width <= 220; width++ {
		s := Screen{Width: width, Color: width%2 == 0}
		if d := cmp.Diff(bare(lines), bare(s.Paint(s.Wrap(lines)))); d != "" {
			t.Fatalf("%d columns (-want +got):\n%s", width, d)
		}
		table := s.Table(rows)
		for _, row := range rows[1:] {
			if !strings.Contains(bare(table), bare(row[0])) {
				t.Fatalf("%d columns: %s is missing in\n%s", width, row[0], table)
			}
		}
	}
}

// TestColumnsAlign: a column begins at the same place in every row, whatever the script of the other cells.
func TestColumnsAlign(t *testing.T) {
	t.Parallel()
	at := -1
	for line := range strings.SplitSeq(strings.TrimSpace(Screen{Width: 300}.Table(rows)), "\n") {
		for _, rule := range []string{"RULE", "m365-idle-60", "citrix-idle-90"} {
			before, _, found := strings.Cut("  "+strings.TrimLeft(line, " "), rule)
			if found && at >= 0 && Width(before) != at {
				t.Errorf("%s begins at column %d, want %d: %s", rule, Width(before), at, line)
			}
			if found {
				at = Width(before)
			}
		}
	}
}

func TestOrdered(t *testing.T) {
	t.Parallel()
	tests := map[string][2]string{
		"latin stays":                {"anna 12", "anna 12"},
		"at the end":                 {"משה", "משה" + leftToRight},
		"two words stay together":    {"משה כהן", "משה כהן" + leftToRight},
		"a number after it":          {"משה  12 days", "משה" + leftToRight + "  12 days"},
		"Arabic and a number":        {"أحمد 12", "أحمد" + leftToRight + " 12"},
		"latin after it":             {"משה is", "משה is"},
		"a number within":            {"א12ב x", "א12ב x"},
		"vowel points belong to it":  {"מֹ", "מֹ" + leftToRight},
		"twice does not add another": {"משה" + leftToRight, "משה" + leftToRight},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tc[1], ordered(tc[0])); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if Width(leftToRight) != 0 {
		t.Error("a mark takes columns")
	}
}

// TestHostileText: directory text cannot color the screen, move the cursor, or look like a line of another kind.
func TestHostileText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := NewOut(&b, Screen{Width: 80}, true, nil)
	if err := o.Table([][]string{{"USER", "NOTE"}, {"x\x1b[2J\n", "\u202eevil"}}); err != nil {
		t.Fatal(err)
	}
	if err := o.Print("\x1b[31mred\u200e\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Write([]byte("\x1b[2J\n")); err != nil {
		t.Fatal(err)
	}
	want := "  USER    NOTE\n  x�[2J   �evil\n�[31mred�\n�[2J\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestLineIsClearedBeforeOutput(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := Screen{Width: 40}
	l := NewLine(&b, s)
	o := NewOut(&b, s, false, l)
	l.Begin(func() string { return "reading 山田太郎 and very many more people than fit" })
	if err := o.Print("held"); err != nil {
		t.Fatal(err)
	}
	if err := o.Print(" back\n"); err != nil {
		t.Fatal(err)
	}
	l.Show()
	l.End()
	l.End()
	l.Show()
	shown := "\r\x1b[Kreading 山田太郎 and very many more pe…"
	if d := cmp.Diff(shown+"\r\x1b[Kheld back\n"+shown+"\r\x1b[K", b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var none *Line
	none.Begin(nil)
	none.Show()
	none.Erase()
	none.End()
	if NewLine(&b, Screen{}) != nil {
		t.Error("a line for a pipe")
	}
}

// TestNoScreen: a stream that is no terminal has the zero Screen.
func TestNoScreen(t *testing.T) {
	t.Parallel()
	if d := cmp.Diff(Screen{}, Of(&bytes.Buffer{}, os.LookupEnv)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if d := cmp.Diff(Screen{}, Of(file, os.LookupEnv)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestQuestion: the blank at the end of a question stays when the question takes two lines.
func TestQuestion(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if _, err := NewOut(&b, Screen{Width: 40}, true, nil).Write([]byte("Apply 30 changes of the run to this tenant? [yes/no] ")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("Apply 30 changes of the run to this\n  tenant? [yes/no] ", b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
