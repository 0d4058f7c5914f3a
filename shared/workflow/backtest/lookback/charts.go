package lookback

import (
	"html/template"

	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/report/page/chart"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

// figure is a chart with the same values as a table.
type figure struct {
	*chart.Line
	Drawing template.HTML
}

// figures draws regret, hits and money by number of days. The regret is left out if no hit is known to have come back
// or stayed away.
func figures(w *page.Words, a *backtest.Answer, r *backtest.Rule, id string) (all []figure) {
	at := window(a)
	regret := &chart.Line{
		ID: id + "-regret", Title: w.T("backtest.regret", a.Within), Across: w.T("backtest.across"), Up: w.T("backtest.percent"),
		Limit: 100 * a.Accepted, LimitLabel: w.T("backtest.limit", share(w, a.Accepted)), Number: func(x float64) string { return w.F(x, 1) },
	}
	hits := &chart.Line{ID: id + "-hits", Title: w.T("backtest.hits"), Across: w.T("backtest.across"), Up: w.T("backtest.people"), Number: func(x float64) string { return w.F(x, 0) }}
	money := &chart.Line{ID: id + "-money", Title: w.T("backtest.money"), Across: w.T("backtest.across"), Up: w.T("backtest.month", a.Currency), Number: func(x float64) string { return w.F(x, 0) }}
	places := placesOf(w, r)
	for i, t := range r.Thresholds {
		p := places[i]
		if g := t.Flow.Regret[at]; g.Known() > 0 {
			p.Value, p.Low, p.High = 100*g.Rate, 100*g.Low, 100*g.High
			regret.Points = append(regret.Points, p)
		}
		p.Low, p.High, p.Value = 0, 0, float64(t.People)
		hits.Points = append(hits.Points, p)
		p.Value = t.MonthlySaving
		money.Points = append(money.Points, p)
	}
	for _, l := range []*chart.Line{regret, hits, money} {
		if len(l.Points) == 0 {
			continue
		}
		first, last := l.Points[0], l.Points[len(l.Points)-1]
		l.Description = w.T("backtest.chart", l.Title, l.Number(first.Value), first.Label, l.Number(last.Value), last.Label)
		all = append(all, figure{l, l.SVG()})
	}
	return all
}

// closest is how near two labels of the horizontal axis may be, as a share of its length.
const closest = 0.1

// placesOf returns a point without a value for each threshold, at its place on the axis of days.
func placesOf(w *page.Words, r *backtest.Rule) []chart.Point {
	least, most := r.Thresholds[0].Days, r.Thresholds[len(r.Thresholds)-1].Days
	all, labelled := make([]chart.Point, len(r.Thresholds)), -1.0
	for i, t := range r.Thresholds {
		p := &all[i]
		p.Label = w.Count("idled.day", t.Days)
		if most > least {
			p.At = float64(t.Days-least) / float64(most-least)
		}
		if last := i == len(all)-1; last || p.At-labelled >= closest && 1-p.At >= closest {
			p.Tick, labelled = w.N(t.Days), p.At
		}
		switch {
		case t.Days == r.Choice.Days:
			p.Class = "chosen"
		case t.InForce:
			p.Class = "force"
		}
	}
	return all
}
