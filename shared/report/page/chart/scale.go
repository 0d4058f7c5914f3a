// Package chart draws charts as SVG. A chart has a title and a description for screen readers. Its marks have classes
// and no colors, so the style sheet of the page decides the colors. Horizontal positions are percentages, so a chart
// fills any width and its text keeps its size.
package chart

import (
	"fmt"
	"math"
	"strings"
)

// Number formats a value of an axis in the language of the page.
type Number func(float64) string

// Sizes in CSS pixels.
const (
	plotHeight = 168
	above      = 30 // room for the axis title and for the numbers on bars
	below      = 40 // room for the labels and the title of the horizontal axis
	beside     = 52 // room for the numbers of the vertical axis; the style sheet leaves this room free on the left
)

// The function "ticks" returns up to five round integers for an axis. The first one is 0, and the last one is at least
// the argument "most". An axis needs no fractions, because charts show people, money and percentages.
func ticks(most float64) []float64 {
	step := 1.0
	for power := 1.0; 4*step < most; power *= 10 {
		for _, nice := range []float64{1, 2, 5} {
			if step = nice * power; 4*step >= most {
				break
			}
		}
	}
	all := []float64{0, step}
	for all[len(all)-1] < most {
		all = append(all, all[len(all)-1]+step)
	}
	return all
}

// The function "cut" returns the value at the top of the vertical axis. If one or two bars are more than four times as
// high as the others, the axis ends below their tops, so that a reader can compare the others.
func cut(values []float64) (top float64, isCut bool) {
	var first, second, third float64
	for _, v := range values {
		switch {
		case v > first:
			first, second, third = v, first, second
		case v > second:
			second, third = v, second
		case v > third:
			third = v
		}
	}
	switch {
	case third > 0 && second > 4*third:
		return third * 1.2, true
	case second > 0 && first > 4*second:
		return second * 1.2, true
	}
	return math.Max(first, 1), false
}

type svg struct{ strings.Builder }

func (s *svg) add(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// The function "percent" writes a fraction as a percentage with up to two decimals. If the drawing is 1,000 pixels
// wide, the last decimal is a tenth of a pixel.
func percent(fraction float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", 100*fraction), "0"), ".") + "%"
}

func (s *svg) open(id, title, description string, height int) {
	s.add(`<svg class="chart" role="img" aria-labelledby="%s-title %s-desc" width="100%%" height="%d">`, id, id, height)
	s.add(`<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, id, text(title), id, text(description))
}

// The method "axis" draws the horizontal lines with their numbers, and the title of the vertical axis. The argument
// "top" is the value at the top of the plot.
func (s *svg) axis(marks []float64, top float64, title string, number Number) {
	s.add(`<text class="axis-title" x="-%d" y="11">%s</text>`, beside, text(title))
	for _, v := range marks {
		y := above + plotHeight*(1-v/top)
		s.add(`<line class="grid" x1="-4" x2="100%%" y1="%.1f" y2="%.1f"/><text class="tick" x="-10" y="%.1f" text-anchor="end">%s</text>`,
			y, y, y+4, text(number(v)))
	}
}
