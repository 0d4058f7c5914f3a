package lookback_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/browser/sample"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
	"github.com/idleseat/idleseat/shared/workflow/backtest/lookback"
)

func written(t *testing.T, a *backtest.Answer) string {
	t.Helper()
	var out bytes.Buffer
	if err := lookback.Write(&out, a); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestPage(t *testing.T) {
	t.Parallel()
	a := sample.Backtest(5000)
	html := written(t, a)
	c := a.Rules[0].Choice
	for _, want := range []string{
		"Recommended: 90 days", "Rekommendation: 90 dagar", "No number of days is recommended", "Inget antal dagar rekommenderas",
		fmt.Sprintf("Older half of the nights: %d of %d hits came back within 30 days", c.Learned.Returned, c.Learned.Known()),
		fmt.Sprintf("Nyare hälften, som inte påverkade valet: %d av %d träffar", c.Checked.Returned, c.Checked.Known()),
		"The newer half confirms the choice.", "no hit can be followed for 30 days", "In the older half of the nights, no hit can be followed for 30 days; keep more nights.", "accepted: 2.0\u00a0%", "godtagbart: 2,0\u00a0%",
		`<path class="band"`, `<line class="limit"`, "At most 2.0\u00a0% may come back within 30 days.", `class="point chosen"`, `class="point force"`,
		"Rules that were not tried", "the feed has stalled", "20260601T020000Z-00000001",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// The page has no chart about the second rule that shows after which hits people came back: none of its hits is
	// followed by 30 days of data.
	if got := strings.Count(html, `<svg class="chart"`); got != 2*5 {
		t.Errorf("%d charts in two languages, want 10", got)
	}
	for _, r := range a.Rules {
		for _, th := range r.Thresholds {
			if row := fmt.Sprintf(`<th scope="row">%d`, th.Days); strings.Count(html, row) != 4 {
				t.Errorf("%d days: %d rows in two languages of two rules, want 4", th.Days, strings.Count(html, row))
			}
		}
	}
	for _, found := range regexp.MustCompile(`(?:src|href|action)="([^"]*)"|url\(|@import`).FindAllStringSubmatch(html, -1) {
		if !strings.HasPrefix(found[1], "#") && !strings.HasPrefix(found[1], "data:") {
			t.Errorf("the page refers to %s", found[0])
		}
	}
	if strings.Contains(html, "NaN") || strings.Contains(html, "%!") {
		t.Error("the page has a number or a text that was not formatted")
	}
}

// TestHostileDepartments: the names of rules and departments are text and not markup.
func TestHostileDepartments(t *testing.T) {
	t.Parallel()
	a := sample.Backtest(5000)
	const hostile = "</script><script>alert(1)</script>\u202e"
	a.Rules[0].Name, a.Rules[0].License, a.Currency, a.NotTried[0].Rule = hostile, hostile, hostile, hostile
	for i := range a.Rules[0].Thresholds {
		a.Rules[0].Thresholds[i].Departments[0].Name = hostile
	}
	html := written(t, a)
	if strings.Contains(html, "<script>alert") || strings.Contains(html, "\u202e") {
		t.Error("a name became markup, or kept a mark of direction")
	}
}

func TestNothingTried(t *testing.T) {
	t.Parallel()
	a := sample.Backtest(5000)
	a.Rules = nil
	if html := written(t, a); !strings.Contains(html, "Rules that were not tried") {
		t.Error("the page does not say what was not tried")
	}
}
