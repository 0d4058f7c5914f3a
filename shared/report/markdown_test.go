package report

import (
	"bytes"
	"flag"
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

var update = flag.Bool("update", false, "write testdata/plan.md")

// The variable "hostile" has texts that Markdown or GitHub shows differently unless they are escaped.
var hostile = []string{
	"@everyone", "#123", "org/repo#4", "GH-5", "gh-77", "https://evil.example/x", "ftp://evil.example", "www.evil.example", "WWW.evil.example", "a@b.example", "[x](https://evil.example)", "![x](y)",
	"<img src=x onerror=y>", "<!-- ", "</details>", "`code`", "``", "**bold**", "_it_", "~~no~~", "a | b", `\|`, `a\`, "&lt;", "&#64;x", "$x$", "$`x`$", ":tada:", "line\nbreak", "# title", "- [x] done", "1. one", "\u202eabc",
	"åäö漢😀", "| --- |", "mailto:a@b.example", "<https://evil.example>", "x^2^ ==y==", " ", "",
}

func markdown(t *testing.T, p *plan.Plan) string {
	t.Helper()
	var out strings.Builder
	if err := WriteMarkdown(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func aPlan(texts []string, n int) *plan.Plan {
	p := &plan.Plan{
		Run: "20261129T020000Z-1a2b3c4d", Tenant: "11111111-2222-3333-4444-555555555555", Mode: policy.Review, Verdict: plan.Hold, PlanHash: strings.Repeat("ab", 32), PolicyHash: strings.Repeat("cd", 32),
		AsOf: idle, Expires: idle.Add(72 * time.Hour), Currency: "SEK", MonthlySaving: 350, Deferred: 2, HoldReasons: []string{"rule r matches 40 of 100 holders (40.0 %)"}, Notes: []string{"see " + texts[0]},
		Rules: []plan.Tally{{Rule: "r", Holders: 100, Reclaim: 40, Undecided: 1, Exempt: 2}}, Counts: plan.Counts{Users: 120, Keep: 57, Reclaim: 40, Undecided: 1, Exempt: 2},
		Sources: map[string]plan.Feed{"entra": {State: plan.Healthy}, "ad": {State: plan.Unhealthy, Reason: "the relay brought nothing"}},
	}
	for i := range n {
		text := texts[i%len(texts)]
		p.Changes = append(p.Changes, plan.Change{User: fmt.Sprint(i), UserPrincipalName: text, Rule: text, License: "e3", To: "exo", Reason: text, MonthlySaving: 35})
	}
	return p
}

// TestMarkdownGolden compares a comment about a plan with hostile texts with testdata/plan.md.
func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	const path = "testdata/plan.md"
	got := markdown(t, aPlan(hostile, len(hostile)))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The variable "alive" matches unescaped markup, and text that GitHub links.
var alive = regexp.MustCompile("(?i)(?:^|[^\\\\])[*_\\[\\]~]|<[^s/]|`|@\\w|(?:^|[^&])#\\w|:[^ \u2060]|gh-\\d|www\\.")

// TestProseIsPlain: a text from a directory stays in its cell of the table, and GitHub shows it as plain text. Without
// the escapes, it is the original text.
func TestProseIsPlain(t *testing.T) {
	t.Parallel()
	undo := regexp.MustCompile(`\\(.)`)
	for _, text := range append(hostile, strings.Repeat("x", 5000)) {
		got := prose(text)
		if found := alive.FindString(got); found != "" || strings.ContainsAny(got, "|\n") {
			t.Errorf("%q is written as %q: %q", text, got, found)
		}
		want := strings.TrimSpace(plain.OneLine(text))
		if runes := []rune(want); len(runes) > mostReason {
			want = string(runes[:mostReason]) + "…"
		}
		back := undo.ReplaceAllString(strings.NewReplacer(joiner, "", "<span>$</span>", "$").Replace(got), "$1")
		if back = html.UnescapeString(strings.ReplaceAll(back, "\\", "")); want != "" && back != want {
			t.Errorf("%q is written as %q, which says %q", text, got, back)
		}
	}
	for _, upn := range []string{"anna.berg@contoso.example", "o'brien_x@contoso.example", "#EXT#@contoso.example", `CORP\anna`} {
		if got := code(upn); got != "`"+upn+"`" {
			t.Errorf("%q cannot be copied from %q", upn, got)
		}
	}
}

// TestMarkdownFits: the comment about a plan has at most MostMarkdown characters, even for a very long plan. It says
// how many changes it leaves out.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	wide := strings.Repeat("漢@😀", 3000)
	longNotes := aPlan([]string{"a"}, 3)
	for range 10_000 {
		longNotes.Notes = append(longNotes.Notes, wide)
		longNotes.HoldReasons = append(longNotes.HoldReasons, wide)
		longNotes.Rules = append(longNotes.Rules, plan.Tally{Rule: wide})
	}
	real := []string{"anna.berg@contoso.example", "signed in last on 2026-05-11, 141 days before 2026-09-29 (entra, interactive)"}
	for name, tc := range map[string]struct {
		plan *plan.Plan
		rows [2]int // minimum and maximum
		want string
	}{
		"10,000 changes":       {aPlan(real, 10_000), [2]int{300, 1500}, " more are not shown here; `changes.csv` of the run has them all."},
		"long texts":           {aPlan([]string{wide}, 10_000), [2]int{1, 60}, " more are not shown here"},
		"one row too long":     {aPlan([]string{strings.Repeat("x", 70_000)}, 1), [2]int{0, 0}, "1 more is not shown here"},
		"notes that are long":  {longNotes, [2]int{0, 3}, "more lines like these are in `plan.json`"},
		"as many as there are": {aPlan([]string{"a"}, 20), [2]int{20, 20}, "<summary>20 changes</summary>"},
		"one":                  {aPlan([]string{"a"}, 1), [2]int{1, 1}, "**1 change**, which would save 350.00 SEK a month."},
		"nothing":              {&plan.Plan{Verdict: plan.Nothing}, [2]int{0, 0}, "nothing to change"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := markdown(t, tc.plan)
			if n := utf8.RuneCountInString(got); n > MostMarkdown || units(got) > MostMarkdown || !utf8.ValidString(got) || !strings.Contains(got, tc.want) || !strings.Contains(got, "\nPlan hash ") {
				t.Errorf("%d characters, %d units, valid %v: %.300s … %s", n, units(got), utf8.ValidString(got), got, got[max(0, len(got)-300):])
			}
			if rows := strings.Count(got, " | e3 → exo | "); rows < tc.rows[0] || rows > tc.rows[1] {
				t.Errorf("%d rows, want %v", rows, tc.rows)
			}
			if strings.Count(got, "<details>") != strings.Count(got, "</details>") {
				t.Error("the list of changes does not end")
			}
			t.Logf("%d characters", units(got))
		})
	}
}

// TestMarkdownInGitHubsParser renders plans with GitHub's own parser. Each cell must show the text of the directory and
// nothing else. The only elements in a cell are the code and span elements that the report itself writes.
func TestMarkdownInGitHubsParser(t *testing.T) {
	t.Parallel()
	parser, err := exec.LookPath("cmark-gfm")
	if err != nil {
		t.Skip("SKIPPED: cmark-gfm is not installed")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	texts := hostile
	const signs = "\\\\||``**__<>&;#@:$[]()!~^=-+.w/ aA1\n"
	for range 400 {
		text := make([]byte, 1+random.IntN(12))
		for i := range text {
			text[i] = signs[random.IntN(len(signs))]
		}
		texts = append(texts, string(text))
	}
	cmd := exec.Command(parser, "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tagfilter", "-e", "tasklist")
	cmd.Stdin = strings.NewReader(markdown(t, aPlan(texts, len(texts))))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := bytes.Cut(out, []byte("</summary>"))
	rows := regexp.MustCompile(`(?s)<tr>\n(.*?)</tr>`).FindAllSubmatch(table, -1)
	if !found || len(rows) != 1+len(texts) {
		t.Fatalf("%d rows, want %d: %s", len(rows), 1+len(texts), out)
	}
	cell, element := regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>\n`), regexp.MustCompile(`</?(?:code|span)>`)
	for i, row := range rows[1:] {
		cells := cell.FindAllSubmatch(row[1], -1)
		if len(cells) != 5 {
			t.Errorf("%q has %d cells: %s", texts[i], len(cells), row[1])
			continue
		}
		for _, at := range []int{0, 1, 4} {
			shown := element.ReplaceAllString(string(cells[at][1]), "")
			want := strings.Join(strings.Fields(strings.TrimSpace(plain.OneLine(texts[i]))), " ")
			got := strings.ReplaceAll(html.UnescapeString(shown), joiner, "")
			switch {
			case strings.Contains(shown, "<"):
				t.Errorf("%q has an element in cell %d: %s", texts[i], at, cells[at][1])
			case want != "" && strings.Join(strings.Fields(got), " ") != want:
				t.Errorf("%q is shown as %q in cell %d: %s", want, got, at, cells[at][1])
			}
		}
	}
}
