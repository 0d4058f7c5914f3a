package report_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/store"
)

func backtest(run string) *report.Backtest {
	return &report.Backtest{
		Version: 1, Run: run, From: time.Date(2026, 6, 1, 2, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 28, 2, 0, 0, 0, time.UTC), Nights: 180, People: 100, Currency: "EUR", Accepted: 0.02, Within: 30,
		Rules: []report.BacktestRule{{Rule: "m365", License: "e3", Days: 60, Recommended: 90, Words: []string{"", "AzureAdSistaLogon.hasNoValue()"}, Thresholds: []report.BacktestThreshold{
			{Days: 60, People: 30, Seats: 20, MonthlySaving: 700, Returned: 2, Known: 40, Rate: 0.05, Low: 0.01, High: 0.17},
			{Days: 90, People: 20, Seats: 15, MonthlySaving: 525, High: 1},
		}}},
	}
}

func backtestNight(t *testing.T, s store.Store) {
	t.Helper()
	night{run: thisRun, summary: decision.Summary{People: 1, Tallies: []plan.Tally{{Rule: "m365"}, {Rule: "citrix"}}}}.put(t, s)
}

// TestKeptBacktest: a report shows the newest kept backtest that uses no night after the run of the report.
func TestKeptBacktest(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	backtestNight(t, s)
	if got := gathered(t, s, thisRun); got.Backtest != nil {
		t.Errorf("a store without a backtest has %+v", got.Backtest)
	}
	const before, later = "20261001T020000Z-00000000", "20991001T020000Z-00000000"
	for _, run := range []string{before, later, thisRun} {
		if run == thisRun {
			if got := gathered(t, s, thisRun); got.Backtest == nil || got.Backtest.Run != before {
				t.Errorf("the report shows %+v", got.Backtest)
			}
		}
		if err := report.PutBacktest(t.Context(), s, backtest(run)); err != nil {
			t.Fatal(err)
		}
	}
	got := gathered(t, s, thisRun)
	if d := cmp.Diff(backtest(thisRun), got.Backtest); d != "" {
		t.Errorf("(-kept +shown):\n%s", d)
	}
	if raw := s.Objects()[layout.Noted(layout.Backtests, thisRun)]; len(raw) > 2000 {
		t.Errorf("a rule with two thresholds takes %d bytes", len(raw))
	}
}

// TestBacktestIsChecked: if a kept backtest is altered or inconsistent, the report lacks it and a note gives the
// reason.
func TestBacktestIsChecked(t *testing.T) {
	t.Parallel()
	key := layout.Noted(layout.Backtests, thisRun)
	for name, spoil := range map[string]func(b *report.Backtest){
		"version":           func(b *report.Backtest) { b.Version = 2 },
		"another run":       func(b *report.Backtest) { b.Run = "20261001T020000Z-00000000" },
		"no nights":         func(b *report.Backtest) { b.Nights = 0 },
		"no window":         func(b *report.Backtest) { b.Within = 0 },
		"time backwards":    func(b *report.Backtest) { b.To = b.From.Add(-1) },
		"accepted":          func(b *report.Backtest) { b.Accepted = 1.5 },
		"no thresholds":     func(b *report.Backtest) { b.Rules[0].Thresholds = nil },
		"many thresholds":   func(b *report.Backtest) { b.Rules[0].Thresholds = make([]report.BacktestThreshold, 41) },
		"order":             func(b *report.Backtest) { b.Rules[0].Thresholds[1].Days = 60 },
		"more than known":   func(b *report.Backtest) { b.Rules[0].Thresholds[0].Returned = 41 },
		"another rate":      func(b *report.Backtest) { b.Rules[0].Thresholds[0].Rate = 0.06 },
		"outside":           func(b *report.Backtest) { b.Rules[0].Thresholds[0].High = 0.04 },
		"fewer than nobody": func(b *report.Backtest) { b.Rules[0].Thresholds[1].Seats = -1 },
	} {
		s := &store.Memory{}
		backtestNight(t, s)
		b := backtest(thisRun)
		spoil(b)
		if err := store.PutJSON(t.Context(), s, key, b); err != nil {
			t.Fatal(err)
		}
		got := gathered(t, s, thisRun)
		if got.Backtest != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "the backtest of run "+thisRun+" is not shown: ") {
			t.Errorf("%s: %+v, notes %q", name, got.Backtest, got.Notes)
		}
		if name != "version" && name != "another run" {
			if err := report.PutBacktest(t.Context(), s, b); err == nil {
				t.Errorf("%s: it was kept", name)
			}
		}
	}
	s := &store.Memory{}
	backtestNight(t, s)
	raw, err := json.Marshal(backtest(thisRun))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"edited": string(raw[:len(raw)-1]) + `,"sha256":"00"}`, "cut": string(raw[:50]), "empty": "", "no JSON": "<html>"} {
		if err := store.PutBytes(t.Context(), s, key, []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := gathered(t, s, thisRun); got.Backtest != nil || len(got.Notes) != 1 {
			t.Errorf("%s: %+v, notes %q", name, got.Backtest, got.Notes)
		}
	}
	odd := backtest(thisRun)
	odd.Rules[0].Thresholds[0].MonthlySaving = math.Inf(1)
	if err := report.PutBacktest(t.Context(), s, odd); err == nil {
		t.Error("an endless saving was kept")
	}
}

// TestAbout: a backtest of a rule stays valid if only the numbers of days in the rule have changed since. About returns
// false after any other change of the rule.
func TestAbout(t *testing.T) {
	t.Parallel()
	r := report.BacktestRule{Rule: "m365", License: "e3", Words: []string{"enabled", "a.earlierThan(now - days(60))"}}
	for name, c := range map[string]struct {
		now  report.Rule
		want bool
	}{
		"same":            {report.Rule{Name: "m365", License: "e3", Words: []string{"enabled", "a.earlierThan(now - days(60))"}}, true},
		"other days":      {report.Rule{Name: "m365", License: "e3", Words: []string{"enabled", "a.earlierThan(now - days( 7 ))"}}, true},
		"other attribute": {report.Rule{Name: "m365", License: "e3", Words: []string{"enabled", "b.earlierThan(now - days(60))"}}, false},
		"other scope":     {report.Rule{Name: "m365", License: "e3", Words: []string{"", "a.earlierThan(now - days(60))"}}, false},
		"other license":   {report.Rule{Name: "m365", License: "e5", Words: []string{"enabled", "a.earlierThan(now - days(60))"}}, false},
		"other name":      {report.Rule{Name: "m364", License: "e3", Words: []string{"enabled", "a.earlierThan(now - days(60))"}}, false},
		"no words":        {report.Rule{Name: "m365", License: "e3"}, false},
	} {
		if got := r.About(&c.now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
