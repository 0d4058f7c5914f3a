package chart

import (
	"html/template"
	"slices"
)

// Line is a line chart of one figure, such as changes by run.
type Line struct {
	ID          string
	Title       string
	Description string
	Across, Up  string // titles of the axes, with their units
	Points      []Point
	Number      Number
	// Limit is the value at which a horizontal line stands. Zero means no line. LimitLabel is the label of the line.
	Limit      float64
	LimitLabel string
}

// Point is one value of a line. The field At is the position on the horizontal axis, from 0 to 1.
type Point struct {
	At    float64
	Label string // the name of the point in the table beside the chart
	Tick  string // the label below the axis; empty for most points
	Value float64
	Class string // the class of the point in the style sheet
	Mark  string // the label of a vertical line through the point; empty for most points
	// Low and High are the bounds of an uncertain value. Both are zero if the value is exact.
	Low, High float64
}

// SVG draws the chart. The vertical axis begins at zero, because a small difference must not look large.
func (c *Line) SVG() template.HTML {
	most := max(1, c.Limit)
	for _, p := range c.Points {
		most = max(most, p.Value, p.High)
	}
	marks := ticks(most)
	top := marks[len(marks)-1]
	var s svg
	s.open(c.ID, c.Title, c.Description, above+plotHeight+below)
	s.axis(marks, top, c.Up, c.Number)
	s.add(`<svg y="%d" width="100%%" height="%d" overflow="visible">`, above, plotHeight)
	s.band(c.Points, top)
	s.curve(c.Points, top)
	for _, p := range c.Points {
		if p.Mark != "" {
			s.threshold(p.At, p.Mark)
		}
	}
	if c.Limit > 0 { // the limit is drawn before the points, so its label does not cover them
		y := plotHeight * (1 - c.Limit/top)
		s.add(`<line class="limit" x1="0" x2="100%%" y1="%.1f" y2="%.1f"/><text class="limit-label" x="0" dx="8" y="%.1f">%s</text>`, y, y, y-5, text(c.LimitLabel))
	}
	for i, p := range c.Points {
		y := plotHeight * (1 - p.Value/top)
		s.add(`<g class="point %s"><title>%s: %s</title><circle cx="%s" cy="%.1f" r="3.5"/></g>`, text(p.Class), text(p.Label), text(c.Number(p.Value)), percent(p.At), y)
		if i == len(c.Points)-1 {
			s.add(`<text class="value" x="%s" y="%.1f" text-anchor="end">%s</text>`, percent(p.At), y-9, text(c.Number(p.Value)))
		}
		if p.Tick != "" {
			s.add(`<text class="tick" x="%s" y="%d" text-anchor="%s">%s</text>`, percent(p.At), plotHeight+17, side(p.At), text(p.Tick))
		}
	}
	s.add(`</svg><text class="axis-title" x="100%%" y="%d" text-anchor="end">%s</text></svg>`, above+plotHeight+below-4, text(c.Across))
	return template.HTML(s.String())
}

// The method "band" fills the area between the lower and the upper bounds of the values.
func (s *svg) band(points []Point, top float64) {
	if !slices.ContainsFunc(points, func(p Point) bool { return p.High > p.Low }) {
		return
	}
	s.add(`<svg x="0" y="0" width="100%%" height="%d" viewBox="0 0 1000 1000" preserveAspectRatio="none" overflow="visible"><path class="band" d="`, plotHeight)
	letter := "M"
	for _, p := range points {
		s.add(`%s%.1f %.1f `, letter, 1000*p.At, 1000*(1-p.High/top))
		letter = "L"
	}
	for _, p := range slices.Backward(points) {
		s.add(`L%.1f %.1f `, 1000*p.At, 1000*(1-p.Low/top))
	}
	s.add(`Z"/></svg>`)
}

// The method "curve" draws the line and the area below it into a square, which the SVG stretches to the size of the
// plot.
func (s *svg) curve(points []Point, top float64) {
	if len(points) < 2 {
		return
	}
	s.add(`<svg x="0" y="0" width="100%%" height="%d" viewBox="0 0 1000 1000" preserveAspectRatio="none">`, plotHeight)
	s.add(`<path class="area" d="M%.1f 1000`, 1000*points[0].At)
	for _, p := range points {
		s.add(` L%.1f %.1f`, 1000*p.At, 1000*(1-p.Value/top))
	}
	s.add(` L%.1f 1000 Z"/><path class="line" d="`, 1000*points[len(points)-1].At)
	for i, p := range points {
		letter := "L"
		if i == 0 {
			letter = "M"
		}
		s.add(`%s%.1f %.1f `, letter, 1000*p.At, 1000*(1-p.Value/top))
	}
	s.add(`"/></svg>`)
}

// The function "side" returns the alignment of a label at a position from 0 to 1. It keeps the labels of the first and
// the last point inside the drawing.
func side(at float64) string {
	switch {
	case at < 0.05:
		return "start"
	case at > 0.95:
		return "end"
	}
	return "middle"
}

// Share draws a bar that fills a fraction of its width. The page writes the number beside the bar, so screen readers
// skip the bar.
func Share(fraction float64, class string) template.HTML {
	var s svg
	width := max(0, min(1, fraction))
	s.add(`<svg class="share" aria-hidden="true" focusable="false" width="100%%" height="22"><rect class="rail" width="100%%" height="100%%" rx="3"/>`)
	if fraction > 0 {
		s.add(`<rect class="%s" width="%s" height="100%%" rx="3"/>`, text(class), percent(max(width, 0.004)))
	}
	s.add(`</svg>`)
	return template.HTML(s.String())
}
