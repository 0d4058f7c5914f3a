package chart

import (
	"html/template"
	"slices"
)

// Line shows how one figure develops, such as changes by run.
type Line struct {
	ID          string
	Title       string
	Description string
	Across, Up  string // titles of the axes, with their units
	Points      []Point
	Number      Number
	// Limit is a value at which a line across the plot has the label LimitLabel. Zero means that there is no line.
	Limit      float64
	LimitLabel string
}

// Point is one value of a line. At is its place on the horizontal axis, from 0 to 1.
type Point struct {
	At    float64
	Label string // in the table beside the chart
	Tick  string // below the axis; empty for most points
	Value float64
	Class string // how the style sheet shows the point
	Mark  string // the label of a line through the point; empty for most points
	// Low and High are the bounds within which the value may truly lie. Both are zero if it is exact.
	Low, High float64
}

// SVG draws the chart. The vertical axis begins at zero, so that a small difference does not look large.
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
	if c.Limit > 0 { // its label stands before the marks
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

// band fills the area between the bounds of the values. One value alone shows as a vertical line.
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

// curve draws the line and the area below it in a square that is stretched to the plot.
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

// side keeps the labels of the first and the last point inside the drawing.
func side(at float64) string {
	switch {
	case at < 0.05:
		return "start"
	case at > 0.95:
		return "end"
	}
	return "middle"
}

// Share draws a bar that fills a fraction of its place. It only repeats a number that stands beside it, so screen
// readers do not read it.
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
