package page

import (
	"fmt"
	"html/template"
	"slices"

	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/report/page/chart"
)

// ruleView is a rule with its stages, from the holders of the license to the changes.
type ruleView struct {
	*Words
	report.Rule
	ID        string
	Steps     []step
	Undecided string        // the number of all undecided holders, in words
	Drawing   template.HTML // a chart of the idle days; empty if no holder has a date
	Table     template.HTML // the figures of Drawing as a table
	Currency  string
	// Conditions has the same conditions as Rule.Words. A template cannot use the name Rule.Words, because it finds the
	// embedded type Words in its place.
	Conditions []string
}

// The type "step" is one stage of a rule. The field Left says why people of this stage do not reach the next stage.
type step struct {
	Name  string
	Count int
	Told  string  // Count, or that it was not read
	Share float64 // the share of the holders, from 0 to 1
	Class string
	Left  []left
}

type left struct {
	Name  string
	Count int
}

func newRuleView(w *Words, n *report.Night, r *report.Rule, i int) ruleView {
	v := ruleView{Words: w, Rule: *r, ID: fmt.Sprintf("rule-%d", i+1), Currency: n.Money.Currency, Conditions: r.Words}
	changed := w.T("funnel.planned")
	if n.Settled != nil {
		changed = w.T("funnel.changed")
	}
	rest := "other"
	if n.Settled != nil {
		rest = "notDone"
	}
	before, after := "notAsked", "active"
	unclear := r.UndecidedHolders - r.UndecidedAsked // holders for whom the condition "for" is undecided
	if r.Undecided > 0 {
		v.Undecided = w.Count("funnel.undecided", r.Undecided)
		if r.UndecidedHolders == 0 { // a plan of an older version lacks the numbers of undecided holders
			before, after = "notAskedOrUndecided", "activeOrUndecided"
		}
	}
	v.Steps = []step{
		{Name: w.T("funnel.holders"), Count: r.Holders, Class: "stage", Left: lefts(w, "exempt", r.Exempt, before, r.Holders-r.Exempt-r.Asked-unclear, "unclear", unclear)},
		{Name: w.T("funnel.asked"), Count: r.Asked, Class: "stage", Left: lefts(w, after, r.Asked-r.Idle-r.UndecidedAsked, "undecided", r.UndecidedAsked)},
		{Name: w.T("funnel.idle"), Count: r.Idle, Class: "stage", Left: lefts(w, "refused", r.Refused, "deferred", r.Deferred, "announced", r.Announced, rest, r.Idle-r.Refused-r.Deferred-r.Announced-r.Changed)},
		{Name: changed, Count: r.Changed, Class: "final"},
	}
	for i := range v.Steps {
		if v.Steps[i].Told = w.N(v.Steps[i].Count); r.Unread() && i < 2 {
			v.Steps[i].Told = w.T("funnel.notRead")
		}
		v.Steps[i].Share = float64(v.Steps[i].Count) / float64(max(1, r.Holders))
	}
	if h := histogram(w, r, v.ID); h != nil {
		v.Drawing, v.Table = h.SVG(), chart.Table([]string{h.Across, h.Up}, barRows(w, h.Bars))
	}
	return v
}

func barRows(w *Words, bars []chart.Bar) (rows [][]string) {
	for _, b := range bars {
		if b.Value > 0 {
			rows = append(rows, []string{b.Label, w.F(b.Value, 0)})
		}
	}
	return rows
}

// The function "lefts" returns the reasons why people do not reach the next stage. The arguments alternate between a
// reason and a number of people. A number of zero is left out.
func lefts(w *Words, pairs ...any) (all []left) {
	for i := 0; i < len(pairs); i += 2 {
		if count := pairs[i+1].(int); count > 0 {
			all = append(all, left{w.T("left." + pairs[i].(string)), count})
		}
	}
	return all
}

// mostBars is the maximum number of bars in a histogram, so that a bar is some pixels wide on a narrow page.
const mostBars = 40

// The function "histogram" returns a chart of the holders by days of inactivity. It returns nil if no holder has a
// date.
func histogram(w *Words, r *report.Rule, id string) *chart.Columns {
	last := len(r.Idled) - 1 // the last element counts all longer times
	if last < 1 || !slices.ContainsFunc(r.Idled, func(n int) bool { return n > 0 }) {
		return nil
	}
	until := r.Threshold * 3 / 2
	for d := range last {
		if r.Idled[d] > 0 {
			until = max(until, d+1)
		}
	}
	until = min(max(until, 14), last)
	width := barWidth(until, r.Threshold)
	c := &chart.Columns{
		ID: id + "-days", Title: w.T("idled.title", r.Name), Across: w.T("idled.across"), Up: w.T("idled.up"),
		Number: func(x float64) string { return w.F(x, 0) },
	}
	every := tickEvery(until, width)
	over := 0
	for from := 0; from < until; from += width {
		to := min(from+width, last)
		b := chart.Bar{Label: w.T("idled.range", from, to-1), Class: "under"}
		if width == 1 {
			b.Label = w.Count("idled.day", from)
		}
		for _, count := range r.Idled[from:to] {
			b.Value += float64(count)
		}
		if r.Threshold > 0 && from >= r.Threshold {
			b.Class = "over"
			over += int(b.Value)
		}
		// The last bar stands apart from the others. A bar close to it gets no label, so that the label of the last bar
		// has room.
		if from%every == 0 && (r.Idled[last] == 0 || until-from > every/2) {
			b.Tick = w.N(from)
		}
		c.Bars = append(c.Bars, b)
	}
	if r.Idled[last] > 0 {
		c.Bars = append(c.Bars, chart.Bar{Label: w.T("idled.longer", last), Tick: w.N(last) + "+", Value: float64(r.Idled[last]), Class: "over", Apart: true})
		over += r.Idled[last]
	}
	c.Description = w.T("idled.none", r.Name)
	if r.Threshold > 0 {
		c.Mark, c.MarkLabel = r.Threshold/width, w.Count("idled.mark", r.Threshold)
		c.Description = w.T("idled.description", r.Name, r.Threshold, over)
	}
	return c
}

// barWidth returns the number of days of one bar. The threshold is a multiple of the width, so no bar is on both sides
// of it.
func barWidth(until, threshold int) int {
	for _, width := range []int{1, 2, 3, 5, 7, 10, 14, 15, 30, 60, 90, 180} {
		if threshold%width == 0 && until <= mostBars*width {
			return width
		}
	}
	return max(1, threshold)
}

// tickEvery returns the distance between labels, in days, so that they fit on a narrow page.
func tickEvery(until, width int) int {
	for _, days := range []int{7, 10, 14, 30, 60, 90, 180, 360} {
		if days%width == 0 && until <= 8*days {
			return days
		}
	}
	return width * max(1, until/width/4)
}
