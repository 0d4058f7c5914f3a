package page

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page/chart"
)

// lookbackView is the newest backtest in one language: what the rules would do with other numbers of days.
type lookbackView struct {
	*Words
	*report.Backtest
	Limit string // the largest accepted share of people who come back after the rule took the license
	Tried []triedView
}

type triedView struct {
	*Words
	report.BacktestRule
	ID       string
	Currency string
	Within   int
	InForce  int // the number of days that the policy of the run has; 0 if the rule has no number or several numbers
	Charts   []Drawn
	NoRegret string // why there is no chart of the hits after which the person came back
	Rows     []triedRow
}

type triedRow struct {
	report.BacktestThreshold
	Back                 string
	InForce, Recommended bool
}

// newLookback returns the view of the backtest. It returns nil if there is no backtest, or if the backtest tried no
// rule of the run with its present conditions.
func newLookback(w *Words, n *report.Night) *lookbackView {
	b := n.Backtest
	if b == nil {
		return nil
	}
	v := &lookbackView{Words: w, Backtest: b, Limit: w.Share(b.Accepted)}
	for i := range b.Rules {
		r := b.Rules[i]
		at := slices.IndexFunc(n.Rules, func(now report.Rule) bool { return r.About(&now) })
		if at < 0 {
			continue
		}
		r.Days = n.Rules[at].Threshold // the policy may have changed since the backtest
		t := triedView{Words: w, BacktestRule: r, ID: fmt.Sprintf("lookback-%d", i+1), Currency: b.Currency, Within: b.Within, InForce: r.Days}
		c := Tried(w, b, &r, t.ID)
		for _, l := range []*Drawn{c.Regret, c.Seats} {
			if l != nil {
				t.Charts = append(t.Charts, *l)
			}
		}
		if c.Regret == nil {
			t.NoRegret = w.T("lookback.unknown", b.Within)
		}
		for _, x := range r.Thresholds {
			row := triedRow{BacktestThreshold: x, Back: "–", InForce: x.Days == r.Days, Recommended: x.Days == r.Recommended}
			if x.Known > 0 {
				row.Back = w.T("backtest.rate", x.Returned, x.Known, w.Share(x.Rate), w.Share(x.Low), w.Share(x.High))
			}
			t.Rows = append(t.Rows, row)
		}
		v.Tried = append(v.Tried, t)
	}
	if len(v.Tried) == 0 {
		return nil
	}
	return v
}

// Over returns a sentence with the number of nights, the first and the last night, and the number of people.
func (v *lookbackView) Over() string {
	return v.T("backtest.over", v.Nights, v.Day(v.From), v.Day(v.To), v.People)
}

// Share writes a share as a percentage with one decimal.
func (w *Words) Share(x float64) string { return w.F(100*x, 1) + "\u00a0%" }

// Drawn is a line chart, with the SVG that shows it.
type Drawn struct {
	*chart.Line
	Drawing template.HTML
}

// Charts are the charts of one rule of a backtest, over the number of days. Regret shows how often people came back
// after a hit, which is a night on which the rule would have taken the license. It is nil if this is not known for any
// hit. A chart without a point is also nil.
type Charts struct{ Regret, Hits, Seats, Money *Drawn }

// Tried draws the charts of a rule of a backtest. A vertical line marks the number of days that is in force.
func Tried(w *Words, b *report.Backtest, r *report.BacktestRule, id string) Charts {
	line := func(name, title, up string, decimals int) *chart.Line {
		return &chart.Line{ID: id + "-" + name, Title: title, Across: w.T("backtest.across"), Up: up, Number: func(x float64) string { return w.F(x, decimals) }}
	}
	regret := line("regret", w.T("backtest.regret", b.Within), w.T("backtest.percent"), 1)
	regret.Limit, regret.LimitLabel = 100*b.Accepted, w.T("backtest.limit", w.Share(b.Accepted))
	hits := line("hits", w.T("backtest.hits"), w.T("backtest.people"), 0)
	seats := line("seats", w.T("backtest.idle"), w.T("backtest.people"), 0)
	money := line("money", w.T("backtest.money"), w.T("backtest.month", b.Currency), 0)
	places := placesOf(w, r)
	for i, t := range r.Thresholds {
		p := places[i]
		if t.Known > 0 {
			p.Value, p.Low, p.High = 100*t.Rate, 100*t.Low, 100*t.High
			regret.Points = append(regret.Points, p)
		}
		p.Low, p.High = 0, 0
		for l, value := range map[*chart.Line]float64{hits: float64(t.People), seats: float64(t.Seats), money: t.MonthlySaving} {
			p.Value = value
			l.Points = append(l.Points, p)
		}
	}
	return Charts{drawn(w, regret), drawn(w, hits), drawn(w, seats), drawn(w, money)}
}

func drawn(w *Words, l *chart.Line) *Drawn {
	if len(l.Points) == 0 {
		return nil
	}
	first, last := l.Points[0], l.Points[len(l.Points)-1]
	l.Description = w.T("backtest.chart", l.Title, l.Number(first.Value), first.Label, l.Number(last.Value), last.Label)
	return &Drawn{l, l.SVG()}
}

// The constant "closest" is the smallest distance between two labels on the horizontal axis, as a share of its length.
const closest = 0.1

// placesOf returns a point for each threshold, at its position on the axis of days. The points have no values yet.
func placesOf(w *Words, r *report.BacktestRule) []chart.Point {
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
		if t.Days == r.Days {
			p.Class, p.Mark = "force", w.T("backtest.inForce")
		}
		if t.Days == r.Recommended {
			p.Class = "chosen"
		}
	}
	return all
}
