package browser_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/browser"
	"github.com/idleseat/idleseat/infra/browser/sample"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page"
)

func stored(t testing.TB, n *report.Night) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Write(f, n); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// The constant "names" is a script that returns the names of people in the visible rows of the table of changes.
const names = `[...document.querySelectorAll('[data-table="changes"] tbody .name')].map((e) => e.textContent)`

const status = `document.querySelector('[data-table="changes"] [role=status]').textContent`

func TestReportShows(t *testing.T) {
	b := browser.Start(t)
	for _, c := range []struct {
		people, changes int
		view            browser.View
		name            string
	}{
		{50, 6, browser.Wide, "wide"}, {5000, 400, browser.Wide, "wide"}, {5000, 400, browser.Tablet, "tablet"}, {5000, 400, browser.Narrow, "narrow"},
		{5000, 400, browser.View{Width: 1440, Height: 1000, Dark: true}, "dark"}, {5000, 400, browser.View{Width: 380, Height: 800, Dark: true, Lang: "sv-SE"}, "narrow-dark-swedish"},
		{100_000, 2000, browser.Wide, "wide"},
	} {
		t.Run(fmt.Sprintf("%d people, %s", c.people, c.name), func(t *testing.T) {
			address := stored(t, sample.Night(1, c.people, c.changes))
			tab := b.Open(t, address, c.view)
			tab.Shot(fmt.Sprintf("report-%d-%s", c.people, c.name))
			rows := 25
			if c.view.Width <= 560 {
				rows = 10
			}
			if got := len(browser.Eval[[]string](tab, names)); got != min(rows, c.changes) {
				t.Errorf("the table has %d rows, want %d", got, min(rows, c.changes))
			}
			if wide := browser.Eval[int64](tab, `document.documentElement.scrollWidth`); wide > c.view.Width {
				t.Errorf("the page is %d pixels wide in a window of %d", wide, c.view.Width)
			}
			tab.Accessible(t)
			tab.Quiet(address)
		})
	}
}

func TestReportOnPaper(t *testing.T) {
	b := browser.Start(t)
	tab := b.Open(t, stored(t, sample.Night(1, 5000, 400)), browser.Wide)
	if paper := tab.Paper("report-print"); !strings.HasPrefix(string(paper), "%PDF-") {
		t.Errorf("the page printed as %.20q", paper)
	}
}

func TestReportWithoutScript(t *testing.T) {
	b := browser.Start(t)
	address := stored(t, sample.Night(1, 5000, 400))
	tab := b.Open(t, address, browser.View{Width: 1440, Height: 1000, NoScript: true})
	rows := browser.Eval[[]string](tab, names)
	text := browser.Eval[string](tab, `document.querySelector("main").innerText`)
	if len(rows) != 100 || !strings.Contains(text, "On hold") || !strings.Contains(text, "The first 100 of 400 rows") {
		t.Errorf("without JavaScript the page has %d changes, and says %.300s", len(rows), text)
	}
	tab.Shot("report-noscript")
	tab.Quiet(address)
}

func TestSortFilterSearch(t *testing.T) {
	b := browser.Start(t)
	n := sample.Night(2, 50_000, 20_000)
	n.Changes.Rows[19_999].DisplayName = "Örjan Last"
	address := stored(t, n)
	tab := b.Open(t, address, browser.Wide)
	if got := browser.Eval[string](tab, status); got != "1 to 25 of 20,000" {
		t.Errorf("the table says %q", got)
	}
	search := `[data-table="changes"] input`
	tab.Do(chromedp.SendKeys(chromedp.CSS(search), "örjan LAST"))
	if d := cmp.Diff([]string{"Örjan Last"}, browser.Eval[[]string](tab, names)); d != "" {
		t.Errorf("found (-want +got):\n%s", d)
	}
	tab.Click(`[data-table="changes"] .reset`)
	tab.Do(chromedp.Click(`[data-table="changes"] thead th:nth-child(5) button`)) // the column "Idle since"
	dates := `[...document.querySelectorAll('[data-table="changes"] tbody .date')].map((e) => e.textContent)`
	if got := browser.Eval[[]string](tab, dates); got[0] != "never" {
		t.Errorf("sorted by date, the first is %s, want never", got[0])
	}
	tab.Do(chromedp.Click(`[data-table="changes"] thead th:nth-child(5) button`))
	newest := ""
	for _, r := range n.Changes.Rows {
		if r.IdleSince != nil {
			newest = max(newest, r.IdleSince.UTC().Format("2006-01-02"))
		}
	}
	if got := browser.Eval[[]string](tab, dates); got[0] != newest {
		t.Errorf("sorted by date downwards, the first is %s, want %s", got[0], newest)
	}
	browser.Eval[bool](tab, `(() => {
		const select = document.querySelector('[data-table="changes"] select[data-column="via"]');
		select.value = "1";
		return select.dispatchEvent(new Event("change"));
	})()`)
	if got, want := browser.Eval[string](tab, status), "1 to 25 of 13,333 found, of 20,000"; got != want {
		t.Errorf("filtered, the table says %q, want %q", got, want)
	}
	tab.Quiet(address)
}

func TestNamesOfAReason(t *testing.T) {
	b := browser.Start(t)
	n := sample.Night(3, 5000, 50)
	for i := range n.Reasons { // a run merges reasons that differ in one word, and writes an ellipsis in place of this word
		n.Reasons[i].Reason = strings.Replace(n.Reasons[i].Reason, "cannot be trusted:", "cannot be …", 1)
	}
	tab := b.Open(t, stored(t, n), browser.Wide)
	tab.Click(`#left-out [data-show="undecided"]`)
	first := n.Reasons[0]
	for _, r := range n.Reasons {
		if r.Outcome.String() == "undecided" {
			first = r
			break
		}
	}
	got := browser.Eval[string](tab, `document.querySelector('[data-table="undecided"] [role=status]').textContent`)
	if want := fmt.Sprintf("1 to %d of %d found, of %d", min(10, first.People), first.People, n.Undecided.Total); got != want {
		t.Errorf("the table says %q, want %q", got, want)
	}
}

func TestKeyboard(t *testing.T) {
	b := browser.Start(t)
	address := stored(t, sample.Night(4, 5000, 400))
	tab := b.Open(t, address, browser.Wide)
	focused := `document.activeElement.className + "|" + document.activeElement.tagName + "|" + document.activeElement.textContent.slice(0, 40)`
	tab.Press(kb.Tab)
	if got := browser.Eval[string](tab, focused); !strings.HasPrefix(got, "skip|A|") {
		t.Errorf("the first key leads to %s, want the skip link", got)
	}
	tab.Press(kb.Enter)
	until := func(what, condition string) {
		t.Helper()
		for range 60 {
			tab.Press(kb.Tab)
			if browser.Eval[bool](tab, condition) {
				return
			}
		}
		t.Fatalf("60 tabs do not lead to %s; the focus is on %s", what, browser.Eval[string](tab, focused))
	}
	until("the search", `document.activeElement.matches('[data-table="changes"] input')`)
	tab.Press("w", "e", "i")
	if got := browser.Eval[bool](tab, names+`.every((n) => n.startsWith("Wei"))`); !got {
		t.Errorf("a search for wei finds %v", browser.Eval[[]string](tab, names))
	}
	until("the heading of the first column", `document.activeElement.matches('[data-table="changes"] .sort')`)
	tab.Press(kb.Enter)
	if got := browser.Eval[string](tab, `document.activeElement.closest("th").getAttribute("aria-sort")`); got != "ascending" {
		t.Errorf("the column is sorted %s, want ascending", got)
	}
	until("a person", `document.activeElement.matches('a.name')`)
	name := browser.Eval[string](tab, `document.activeElement.textContent`)
	tab.Press(kb.Enter)
	tab.Wait(`document.querySelector("dialog[open]")`)
	if got := browser.Eval[string](tab, `document.querySelector("dialog[open] h2").textContent`); got != name {
		t.Errorf("the view shows %s, want %s", got, name)
	}
	tab.Shot("report-person")
	tab.Accessible(t)
	tab.Press(kb.Escape)
	tab.Wait(`location.hash === "#main"`)
	if got := browser.Eval[string](tab, `document.querySelector("dialog[open]") ? "open" : document.activeElement.textContent.slice(0, 80) + location.hash`); got != name+"#main" {
		t.Errorf("after Escape the focus is on %s, want %s with the address from before", got, name+"#main")
	}
	tab.Quiet(address)
}

func TestHostileNames(t *testing.T) {
	b := browser.Start(t)
	n := sample.Night(5, 50, 12)
	hostile := []string{`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"'><svg onload=alert(1)>`, "\u202egpj.exe", "javascript:alert(1)", strings.Repeat("Ö", 300), `{{constructor}}`, `__proto__`}
	want := []string{}
	for i, text := range hostile {
		r := &n.Changes.Rows[i]
		r.User, r.UserPrincipalName, r.DisplayName, r.Department, r.Evidence = fmt.Sprint(text, i), text, text, text, []string{text + " = " + text}
		want = append(want, plain.Line(text))
	}
	address := stored(t, n)
	tab := b.Open(t, address, browser.Narrow)
	if d := cmp.Diff(want, browser.Eval[[]string](tab, names)[:len(want)]); d != "" {
		t.Errorf("names (-want +got):\n%s", d)
	}
	for i := range hostile {
		browser.Eval[bool](tab, fmt.Sprintf(`new Promise((done) => {
			addEventListener("hashchange", () => setTimeout(() => done(true)), { once: true });
			document.querySelectorAll('[data-table="changes"] a.name')[%d].click();
		})`, i))
		if got := browser.Eval[string](tab, `document.querySelector("dialog h2").textContent`); got != want[i] {
			t.Errorf("the view shows %q, want %q", got, want[i])
		}
		browser.Eval[bool](tab, `new Promise((done) => {
			const dialog = document.querySelector("dialog");
			dialog.addEventListener("close", () => done(true), { once: true });
			dialog.close();
		})`)
	}
	if wide := browser.Eval[int64](tab, `document.documentElement.scrollWidth`); wide > browser.Narrow.Width {
		t.Errorf("a long name makes the page %d pixels wide", wide)
	}
	tab.Shot("report-hostile")
	tab.Accessible(t)
	tab.Quiet(address)
}

func TestLanguageAndColours(t *testing.T) {
	b := browser.Start(t)
	address := stored(t, sample.Night(6, 50, 6))
	tab := b.Open(t, address, browser.Wide)
	heading := `document.documentElement.lang + ": " + document.querySelector("h1").textContent`
	if got := browser.Eval[string](tab, heading); got != "en: On hold" {
		t.Errorf("the page says %q", got)
	}
	tab.Click(`.controls [data-to="sv"]`)
	if got := browser.Eval[string](tab, heading); got != "sv: Väntar på beslut" {
		t.Errorf("in Swedish the page says %q", got)
	}
	paper := `getComputedStyle(document.body).backgroundColor`
	before := browser.Eval[string](tab, paper)
	tab.Click(`[data-theme-to="dark"]`)
	if after := browser.Eval[string](tab, paper); after == before {
		t.Errorf("the page stays %s", after)
	}
	tab.Accessible(t)
	tab = b.Open(t, address+"?lang=en", browser.View{Width: 1440, Height: 900, Lang: "sv"})
	if got := browser.Eval[string](tab, heading); got != "en: On hold" {
		t.Errorf("asked for English, the page says %q", got)
	}
}

// TestOpens: the browser opens a report with 20,000 changes within two seconds of processor time. The test does not
// limit the time until the page is loaded, because it depends on other processes.
func TestOpens(t *testing.T) {
	b := browser.Start(t)
	n := sample.Night(7, 1_000_000, 20_000)
	tab := b.Open(t, "about:blank", browser.Wide)
	browser.Call(tab, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
	tab.Do(chromedp.Navigate(stored(t, n)))
	spent := 0.0
	for _, m := range browser.Call(tab, performance.GetMetrics, cdp.Empty{}).Metrics {
		if m.Name == "TaskDuration" {
			spent = m.Value
		}
	}
	wall := browser.Eval[float64](tab, `performance.getEntriesByType("navigation")[0].loadEventEnd`)
	t.Logf("20,000 changes: %.2f s of processor time, %.2f s until loaded", spent, wall/1000)
	if spent == 0 || spent > 2 {
		t.Errorf("the page takes %.2f s to open, want at most 2", spent)
	}
}
