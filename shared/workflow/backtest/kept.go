package backtest

import (
	"slices"

	"github.com/idleseat/idleseat/shared/report"
)

// Kept returns the facts of the answer that later reports show.
func (a *Answer) Kept() *report.Backtest {
	b := &report.Backtest{
		Run: a.Last, From: a.From, To: a.To, Nights: a.Nights, People: a.People, Currency: a.Currency, Accepted: a.Accepted, Within: a.Within,
		Rules: []report.BacktestRule{},
	}
	at := slices.Index(Windows[:], a.Within)
	for _, r := range a.Rules {
		rule := report.BacktestRule{Rule: r.Name, License: r.License, Words: r.Words, Days: r.Days, Recommended: r.Choice.Days}
		for _, t := range r.Thresholds {
			g := t.Flow.Regret[at]
			rule.Thresholds = append(rule.Thresholds, report.BacktestThreshold{
				Days: t.Days, People: t.People, Seats: t.Seats, MonthlySaving: t.MonthlySaving,
				Returned: g.Returned, Known: g.Known(), Rate: g.Rate, Low: g.Low, High: g.High,
			})
		}
		b.Rules = append(b.Rules, rule)
	}
	return b
}
