package page

import (
	"html/template"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page/chart"
)

// trendView is how one figure developed over the kept runs.
type trendView struct {
	*Words
	Line    *chart.Line
	Drawing template.HTML
}

// newTrend draws one chart for each figure, since their sizes differ. One run is no trend.
func newTrend(w *Words, points []report.Point) []trendView {
	if len(points) < 2 {
		return nil
	}
	figures := []struct {
		key string
		get func(*report.Point) int
	}{
		{"idle", func(p *report.Point) int { return p.Idle }},
		{"undecided", func(p *report.Point) int { return p.Undecided }},
		{"done", func(p *report.Point) int { return p.Done }},
		{"restored", func(p *report.Point) int { return p.Restored }},
	}
	var all []trendView
	for _, f := range figures {
		l := &chart.Line{
			ID: "trend-" + f.key, Title: w.T("trend." + f.key), Across: w.T("trend.across"), Up: w.T("trend.up." + f.key),
			Number: func(x float64) string { return w.F(x, 0) },
		}
		first, last := points[0].AsOf, points[len(points)-1].AsOf
		span := last.Sub(first).Seconds()
		for i := range points {
			p := &points[i]
			at := float64(i) / float64(len(points)-1)
			if span > 0 {
				at = p.AsOf.Sub(first).Seconds() / span
			}
			point := chart.Point{At: at, Label: w.Day(p.AsOf), Value: float64(f.get(p)), Class: string(p.Verdict)}
			if i == 0 || i == len(points)-1 {
				point.Tick = w.Day(p.AsOf)
			}
			l.Points = append(l.Points, point)
		}
		l.Description = w.T("trend.description", w.Day(first), f.get(&points[0]), w.Day(last), f.get(&points[len(points)-1]), len(points))
		all = append(all, trendView{w, l, l.SVG()})
	}
	return all
}
