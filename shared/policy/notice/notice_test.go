package notice

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden file")

func day(month time.Month, n int) time.Time { return time.Date(2026, month, n, 23, 30, 0, 0, time.UTC) }

// TestBuiltInTexts compares the mails with testdata/notices.txt, which the flag -update writes.
func TestBuiltInTexts(t *testing.T) {
	t.Parallel()
	all := map[string]Facts{
		"changed":          {Name: "Anna Berg", License: "Microsoft 365 E3", To: "Exchange Online", Days: 14, Due: day(12, 13), LastUse: day(5, 2)},
		"taken back":       {Name: "Anna Berg", License: "Citrix", Days: 7, Due: day(3, 1), LastUse: day(10, 31)},
		"no use is known":  {Name: "Åse Ødegård", License: "Visio", Days: 1, Due: day(2, 28)},
		"a name of a foe":  {Name: "Bo\n\nBcc: x@evil.example\u202e{{.License}}<b>", License: "Visio", Days: 1, Due: day(8, 9)},
		"a very long name": {Name: "Bo", License: strings.Repeat("æ", 300), Days: 1, Due: day(7, 9)},
	}
	var b strings.Builder
	for _, tag := range BuiltIn() {
		for _, what := range []string{"changed", "taken back", "no use is known", "a name of a foe", "a very long name"} {
			texts := Texts{Language: Default}
			m, err := texts.Write(tag, all[what])
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "=== %s, %s\nSubject: %s\n\n%s\n", tag, what, m.Subject, m.Body)
		}
	}
	const golden = "testdata/notices.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-golden +got):\n%s", d)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	fields := "; the fields are .Day, .Days, .LastUse, .License, .Name, .To"
	for source, want := range map[string]struct {
		line int
		text string
	}{
		"a\n{{.Nmae}}":                        {2, ".Nmae is no field of a notice" + fields},
		"{{.Name.First}}":                     {1, ".Name.First is no field of a notice" + fields},
		"{{Name}}":                            {1, `function "Name" not defined`},
		"a\nb\n{{.Name":                       {3, "unclosed action"},
		"{{if .To}}a":                         {1, "unexpected EOF"},
		"{{if .To}}\n{{else}}\n{{.X}}{{end}}": {3, ".X is no field of a notice" + fields},
		"{{if .To}}\n{{.X}}{{end}}":           {2, ".X is no field of a notice" + fields},
		"\n{{if eq .To \"x\"}}a{{end}}":       {2, `eq .To "x" is no field of a notice` + fields},
		"{{.Name | html}}":                    {1, ".Name | html is no field of a notice" + fields},
		"{{$x := .Name}}":                     {1, "$x := .Name is no field of a notice" + fields},
		"{{.}}":                               {1, ". is no field of a notice" + fields},
		"{{define \"x\"}}a{{end}}b":           {1, "a text may not define other texts"},
		"{{range .Name}}a{{end}}":             {1, "{{range .Name}}a{{end}}: a notice may have only fields, like {{.Name}}, and conditions, like {{if .To}}…{{else}}…{{end}}"},
		"{{with .To}}a{{end}}":                {1, "{{with .To}}a{{end}}: a notice may have only fields, like {{.Name}}, and conditions, like {{if .To}}…{{else}}…{{end}}"},
		"{{template \"x\"}}":                  {1, "{{template \"x\"}}: a notice may have only fields, like {{.Name}}, and conditions, like {{if .To}}…{{else}}…{{end}}"},
	} {
		_, got := Compile(source)
		if got == nil || got.Line != want.line || got.Text != want.text {
			t.Errorf("%q: %+v, want line %d: %s", source, got, want.line, want.text)
		}
	}
	for _, right := range []string{"{{.Name}}", "{{if .To}}a{{else if .LastUse}}b{{else}}c{{end}}", "no field", "{{/* a comment */}}x", "{{- .Days -}}"} {
		if _, wrong := Compile(right); wrong != nil {
			t.Errorf("%q: %v", right, wrong)
		}
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	own := func(text string) Text { return must(text, "{{.Day}}") }
	texts := Texts{Own: map[string]Text{"de": own("de"), "pt-br": own("br"), "sv": own("own sv")}, Language: "de"}
	for preferred, want := range map[string]string{
		"sv-SE": "own sv", "SV": "own sv", "pt-BR": "br", "pt-PT": "de", "": "de", " nb-NO ": "Lisensen", "no": "Lisensen", "nn-NO": "Lisensen", "en-GB": "Your", "fr": "de", "x\x00": "de",
	} {
		m, err := texts.Write(preferred, Facts{Due: day(4, 5)})
		if err != nil || !strings.HasPrefix(m.Subject, want) {
			t.Errorf("%q: %q, %v, want %q", preferred, m.Subject, err, want)
		}
		if want == "de" && m.Body != "2026-04-05\n" || want == "own sv" && m.Body != "5 april 2026\n" {
			t.Errorf("%q: the day is %q", preferred, m.Body)
		}
	}
}
