package chart

import (
	"html"
	"html/template"
)

// Columns is a bar chart of numbers over a range, such as people by days of inactivity.
type Columns struct {
	ID          string // the id of the drawing in its page
	Title       string
	Description string // a sentence about the content of the chart
	Across, Up  string // titles of the axes, with their units
	Bars        []Bar
	// Mark is the number of bars to the left of a vertical line. Zero means no line. MarkLabel is the label of the
	// line.
	Mark      int
	MarkLabel string
	Number    Number
}

// Bar is one bar of a chart.
type Bar struct {
	Label string // the name of the bar in the table beside the chart
	Tick  string // the label below the bar; empty for most bars
	Value float64
	Class string // the class of the bar in the style sheet
	Apart bool   // a gap comes before the bar, because the bar does not continue the range of the bars before it
}

// The constant "gap" is the width of the gap before a bar whose field Apart is set, in widths of a bar.
const gap = 0.8

// SVG draws the chart. If a bar is much higher than the other bars, SVG cuts the bar and writes the number above it.
func (c *Columns) SVG() template.HTML {
	values := make([]float64, len(c.Bars))
	width := 0.0
	for i, b := range c.Bars {
		values[i] = b.Value
		width++
		if b.Apart {
			width += gap
		}
	}
	top, isCut := cut(values)
	marks := ticks(top)
	if isCut {
		top = marks[len(marks)-1] * 1.12
	} else {
		top = marks[len(marks)-1]
	}
	var s svg
	s.open(c.ID, c.Title, c.Description, above+plotHeight+below)
	s.axis(marks, top, c.Up, c.Number)
	s.add(`<svg y="%d" width="100%%" height="%d" overflow="visible">`, above, plotHeight)
	s.bars(c, width, top)
	s.add(`</svg><text class="axis-title" x="100%%" y="%d" text-anchor="end">%s</text></svg>`, above+plotHeight+below-4, text(c.Across))
	return template.HTML(s.String())
}

func (s *svg) bars(c *Columns, width, top float64) {
	at := 0.0
	for i, b := range c.Bars {
		if b.Apart {
			at += gap
		}
		if c.Mark > 0 && i == c.Mark {
			s.threshold(at/width, c.MarkLabel)
		}
		height := plotHeight * min(1, b.Value/top)
		if b.Value > 0 {
			height = max(height, 1.5)
		}
		s.add(`<g class="bar %s"><title>%s: %s</title><rect class="hit" x="%s" y="0" width="%s" height="%d"/><rect class="mark" x="%s" y="%.1f" width="%s" height="%.1f"/></g>`,
			text(b.Class), text(b.Label), text(c.Number(b.Value)), percent(at/width), percent(1/width), plotHeight,
			percent((at+0.1)/width), plotHeight-height, percent(0.8/width), height)
		if b.Value > top {
			s.add(`<svg x="%s" y="12" width="%s" height="10" viewBox="0 0 10 10" preserveAspectRatio="none"><path class="break" d="M0 8 L10 2"/></svg>`, percent(at/width), percent(1/width))
		}
		switch {
		case b.Value > top && i > 0 && c.Bars[i-1].Value > top: // the bar on the left is also cut, and its number already stands above it
			s.add(`<text class="value" x="%s" dx="3" y="10">%s</text>`, percent((at+1)/width), text(c.Number(b.Value)))
		case b.Value > top || b.Apart:
			s.add(`<text class="value" x="%s" y="%.1f" text-anchor="middle">%s</text>`, percent((at+0.5)/width), plotHeight-height-5, text(c.Number(b.Value)))
		}
		if b.Tick != "" {
			s.tick(at, width, b)
		}
		at++
	}
}

// The method "tick" writes the label below a bar, at the left edge, where the range of the bar begins. The label of a
// bar that stands apart stands in the middle.
func (s *svg) tick(at, width float64, b Bar) {
	if b.Apart {
		s.add(`<text class="tick" x="%s" y="%d" text-anchor="middle">%s</text>`, percent((at+0.5)/width), plotHeight+17, text(b.Tick))
		return
	}
	s.add(`<text class="tick" x="%s" y="%d" text-anchor="middle">%s</text>`, percent(at/width), plotHeight+17, text(b.Tick))
}

// The method "threshold" draws a vertical line with a label, on the side with more room. The argument "at" is the
// position as a share of the width.
func (s *svg) threshold(at float64, label string) {
	anchor, dx := "start", 6
	if at > 0.6 {
		anchor, dx = "end", -6
	}
	s.add(`<line class="threshold" x1="%s" x2="%s" y1="-12" y2="%d"/><text class="threshold-label" x="%s" dx="%d" y="-3" text-anchor="%s">%s</text>`,
		percent(at), percent(at), plotHeight, percent(at), dx, anchor, text(label))
}

func text(s string) string { return html.EscapeString(s) }
