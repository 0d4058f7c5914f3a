package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/browser/sample"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page"
)

func written(t *testing.T, n *report.Night) string {
	t.Helper()
	var out bytes.Buffer
	if err := page.Write(&out, n); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func embedded(t *testing.T, html string) (data map[string]any, rest string) {
	t.Helper()
	before, after, ok := strings.Cut(html, `<script type="application/json" id="data">`)
	if !ok {
		t.Fatal("the page has no data")
	}
	text, after, _ := strings.Cut(after, "</script>")
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		t.Fatalf("the data of the page: %v", err)
	}
	return data, before + after
}

func TestSize(t *testing.T) {
	t.Parallel()
	html := written(t, sample.Night(1, 1_000_000, 20_000))
	t.Logf("%d bytes", len(html))
	if len(html) > 5_000_000 {
		t.Errorf("the page has %d bytes, more than 5 MB", len(html))
	}
}

// BenchmarkWrite writes a report about a million people with 20,000 changes.
func BenchmarkWrite(b *testing.B) {
	n := sample.Night(1, 1_000_000, 20_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := page.Write(io.Discard, n); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNothingIsLoaded(t *testing.T) {
	t.Parallel()
	html := written(t, sample.Night(1, 5000, 200))
	for _, found := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"|url\(|@import`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(found[1], "#") && !strings.HasPrefix(found[1], "data:") {
			t.Errorf("the page refers to %s", found[0])
		}
	}
	if regexp.MustCompile(`<[^>]* (?:style|on[a-z]+)=`).MatchString(html) {
		t.Error("the page has an inline style or handler, which its policy forbids")
	}
}

func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	n := sample.Night(1, 50, 20)
	hostile := []string{`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; alert(1)//`, "\u202egpj.exe", "<!--", "a\x00b\u2028c\xff", `{{.Run}}`, strings.Repeat("Ö", 300)}
	for i, text := range hostile {
		r := &n.Changes.Rows[i]
		r.User, r.DisplayName, r.Department, r.UserPrincipalName, r.Reason, r.Evidence = text, text, text, text, text, []string{text}
		n.Undecided.Rows = append(n.Undecided.Rows, *r)
		n.Reasons = append(n.Reasons, report.ReasonCount{Rule: text, Reason: text, Remedy: text, People: 1})
		n.HoldReasons, n.Notes = append(n.HoldReasons, text), append(n.Notes, text)
		n.Signals = append(n.Signals, report.Signal{Name: text, State: plan.FeedState(text), Reason: text})
		n.Rules = append(n.Rules, report.Rule{Name: text, License: text, To: text, Words: []string{text}, Holders: 9, Idled: []int{4, 5, 6}, Threshold: 1})
		n.Money.Lines = append(n.Money.Lines, money.Line{License: text, Department: text})
	}
	n.Run, n.Tenant, n.PlanHash, n.Money.Currency = hostile[0], hostile[1], hostile[2], hostile[0]
	html := written(t, n)
	_, rest := embedded(t, html)
	for _, markup := range []string{"<script>alert", "<img", "\u202e", "\u2028", "\x00"} {
		if strings.Contains(html, markup) {
			t.Errorf("the page has %q", markup)
		}
	}
	if got := strings.Count(rest, "<script"); got != 2 {
		t.Errorf("the page has %d scripts besides its data, want 2", got)
	}
}

func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	_, rest := embedded(t, written(t, sample.Night(1, 5000, 300)))
	main, _, _ := strings.Cut(rest, "<template")
	table := main[strings.Index(main, `data-table="changes"`):]
	table = table[:strings.Index(table, "</table>")]
	if rows := strings.Count(table, "<tr ") - 1; rows != 100 {
		t.Errorf("the plain page has %d changes, want 100", rows)
	}
	for _, want := range []string{"Seats that can be freed", `<svg class="chart"`, "The first 100 of 300 rows", "<title id="} {
		if !strings.Contains(main, want) {
			t.Errorf("the plain page lacks %q", want)
		}
	}
}

// TestEmptyNight: a run without data has a page.
func TestEmptyNight(t *testing.T) {
	t.Parallel()
	html := written(t, &report.Night{})
	if !strings.Contains(html, "Nobody.") {
		t.Error("the page does not say that its tables are empty")
	}
}

// TestALivePageMayAskItsSite: a page that updates itself (page.Live) may connect only to its own site. Its
// Content-Security-Policy has the hash of each of its scripts.
func TestALivePageMayAskItsSite(t *testing.T) {
	t.Parallel()
	for name, live := range map[string]*page.Live{"still": nil, "live": {From: "/runs/r/state", Version: "v1", Every: 3 * time.Second}} {
		d := page.Report(sample.Night(1, 50, 5))
		d.Live = live
		d.Menu = func(w *page.Words) []page.Link { return []page.Link{{Href: "/", Text: w.T("page.menu"), Here: true}} }
		var out bytes.Buffer
		if err := d.Write(&out); err != nil {
			t.Fatal(err)
		}
		html := out.String()
		scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(html, -1)
		for _, s := range scripts {
			if sum := sha256.Sum256([]byte(s[1])); !strings.Contains(d.Policy(), base64.StdEncoding.EncodeToString(sum[:])) {
				t.Errorf("%s: the policy does not name a script of %d bytes", name, len(s[1]))
			}
		}
		if want := live != nil; strings.Contains(d.Policy(), "connect-src 'self'") != want || strings.Contains(html, `<meta name="live" content="/runs/r/state" data-version="v1" data-every="3">`) != want || (len(scripts) == 3) != want {
			t.Errorf("%s: policy %q, %d scripts", name, d.Policy(), len(scripts))
		}
		if !strings.Contains(html, `<a href="/" aria-current="page">Pages</a>`) || !strings.Contains(html, `<a href="/" aria-current="page">Sidor</a>`) {
			t.Errorf("%s: the menu is not in both languages", name)
		}
	}
}

// TestReasonsInEachLanguage: the page shows a reason in its language. The filter by reason compares reasons as runs
// stored them.
func TestReasonsInEachLanguage(t *testing.T) {
	t.Parallel()
	const stored, swedish = "undecided: LastlogonTimestamp was not read", "LastlogonTimestamp har inte lästs"
	n := sample.Night(1, 50, 0)
	n.Undecided = report.List[report.Row]{Total: 1, Rows: []report.Row{{User: "a", Rule: n.Rules[0].Name, License: n.Rules[0].License, Reason: stored, Remedy: "source"}}}
	n.Reasons = []report.ReasonCount{{Rule: n.Rules[0].Name, Reason: stored, Remedy: "source", People: 1}}
	data, rest := embedded(t, written(t, n))
	said := data["reasons"].(map[string]any)
	if got := said["sv"].(map[string]any)[stored]; got != swedish {
		t.Errorf("the tables say %q", got)
	}
	if got := said["en"].(map[string]any)[stored]; got != strings.TrimPrefix(stored, "undecided: ") {
		t.Errorf("the English tables say %q", got)
	}
	if c := strings.Count(rest, swedish+"</"); c != 1 { // the list of reasons has the words once; the script makes the table
		t.Errorf("the Swedish page says it %d times", c)
	}
	if !strings.Contains(rest, "<bdi>LastlogonTimestamp was not read</bdi></td>") {
		t.Error("the English table does not say it")
	}
	if !strings.Contains(rest, `data-reason="`+stored+`"`) {
		t.Error("the button of the names lacks the stored reason")
	}
}

// TestLookback: the page shows the newest backtest for each rule, in both languages.
func TestLookback(t *testing.T) {
	t.Parallel()
	n := sample.Night(1, 5000, 20)
	_, rest := embedded(t, written(t, n))
	for _, want := range []string{
		`<section id="lookback"`, "What other numbers of days would have done", "Vad andra antal dagar hade gjort", `href="#lookback">Other numbers of days</a>`,
		`id="lookback-1-regret-title"`, `id="lookback-2-seats-desc"`, `<path class="band"`, "accepted: 2.0\u00a0%", `class="threshold-label"`, ">in force</text>", ">gäller nu</text>",
		"No hit can be followed for 30 days, so nothing", "Recommended: 90 days", "Came back within 30 days: ", "Idle on the last night: ", "The charts as a table",
	} {
		if !strings.Contains(rest, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(rest, "%!") || strings.Contains(rest, "%s") {
		t.Error("the page has a text that was not filled in")
	}
	n.Rules[0].Words, n.Rules[1].Words = []string{"", "another rule"}, nil
	if _, rest = embedded(t, written(t, n)); strings.Contains(rest, `id="lookback`) {
		t.Error("a backtest of other rules shows")
	}
	n.Backtest = nil
	if _, rest = embedded(t, written(t, n)); strings.Contains(rest, "lookback") {
		t.Error("a page without a backtest speaks of one")
	}
}
