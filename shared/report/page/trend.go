package page

import (
	"html/template"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page/chart"
)

// trendView has the figures of the runs whose data is kept. Each figure has its own chart, because the figures differ
// in size.
type trendView struct {
	Charts []Drawn
	Table  template.HTML
}

var trendFigures = []struct {
	key string
	get func(*report.Point) int
}{
	{"idle", func(p *report.Point) int { return p.Idle }},
	{"undecided", func(p *report.Point) int { return p.Undecided }},
	{"done", func(p *report.Point) int { return p.Done }},
	{"restored", func(p *report.Point) int { return p.Restored }},
}

// newTrend returns the view of the trend. It returns nil for fewer than two points, because one run shows no trend.
func newTrend(w *Words, points []report.Point) *trendView {
	if len(points) < 2 {
		return nil
	}
	v, heads, rows := &trendView{}, []string{w.T("trend.across")}, make([][]string, len(points))
	for i := range points {
		rows[i] = append(rows[i], w.Day(points[i].AsOf))
	}
	for _, f := range trendFigures {
		l := trendLine(w, f.key, points, f.get, rows)
		heads = append(heads, l.Title)
		v.Charts = append(v.Charts, Drawn{l, l.SVG()})
		for i := range points {
			rows[i] = append(rows[i], w.N(f.get(&points[i])))
		}
	}
	v.Table = chart.Table(heads, rows)
	return v
}

// trendLine returns the chart of one figure. The horizontal position of a point is the time of its run.
func trendLine(w *Words, key string, points []report.Point, get func(*report.Point) int, rows [][]string) *chart.Line {
	l := &chart.Line{
		ID: "trend-" + key, Title: w.T("trend." + key), Across: w.T("trend.across"), Up: w.T("trend.up." + key),
		Number: func(x float64) string { return w.F(x, 0) },
	}
	end := len(points) - 1
	first, last := &points[0], &points[end]
	span := last.AsOf.Sub(first.AsOf).Seconds()
	for i := range points {
		p := &points[i]
		at := float64(i) / float64(end)
		if span > 0 {
			at = p.AsOf.Sub(first.AsOf).Seconds() / span
		}
		point := chart.Point{At: at, Label: rows[i][0], Value: float64(get(p)), Class: string(p.Verdict)}
		if i == 0 || i == end {
			point.Tick = rows[i][0]
		}
		l.Points = append(l.Points, point)
	}
	l.Description = w.T("trend.description", rows[0][0], get(first), rows[end][0], get(last), len(points))
	return l
}
