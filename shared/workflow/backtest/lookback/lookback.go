// Package lookback writes the answer of a backtest as one HTML file without outside requests, in every language of the
// reports.
package lookback

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/report/page"
	"github.com/idleseat/idleseat/shared/workflow/backtest"
)

//go:embed lookback.html
var body string

var templates = template.Must(template.New("lookback").Parse(body))

// Write writes the page of an answer.
func Write(w io.Writer, a *backtest.Answer) error {
	clean := page.Clean(*a)
	a = &clean
	data := page.NewData()
	departments := departmentsOf(data, a)
	d := &page.Document{
		Title: func(w *page.Words) string { return w.T("backtest.title") + " – idleseat" },
		Content: func(w *page.Words, _ bool) (template.HTML, error) {
			v := &view{Words: w, Answer: a, Limit: w.Share(a.Accepted)}
			for i := range a.Rules {
				v.Tried = append(v.Tried, newRuleView(w, a, i))
			}
			var err error
			if v.Table, err = departments.HTML(w); err != nil {
				return "", err
			}
			var out strings.Builder
			if err := templates.Execute(&out, v); err != nil {
				return "", fmt.Errorf("page of a backtest: %w", err)
			}
			return template.HTML(out.String()), nil
		},
		Data: data,
	}
	return d.Write(w)
}

type view struct {
	*page.Words
	*backtest.Answer
	Limit string // the accepted regret
	Tried []ruleView
	Table template.HTML
}

type ruleView struct {
	*page.Words
	backtest.Rule
	ID         string
	Currency   string
	Within     int
	Headline   string
	Why        string   // the reason, in English, if no number of days is recommended
	Halves     []string // the regret of each half of the nights, as a sentence
	Thresholds []thresholdView
	Charts     []page.Drawn
}

// The type "thresholdView" is a row of the table that compares numbers of days. The field Back has the share of hits
// after which the person came back. It is a dash if it is unknown for every hit whether the person came back.
type thresholdView struct {
	backtest.Threshold
	Back        string
	Recommended bool
}

func newRuleView(w *page.Words, a *backtest.Answer, i int) ruleView {
	r := &a.Rules[i]
	v := ruleView{Words: w, Rule: *r, ID: fmt.Sprintf("rule-%d", i+1), Currency: a.Currency, Within: a.Within, Headline: w.T("backtest.chooseNone")}
	if c := r.Choice; c.Days > 0 {
		v.Headline = w.Count("backtest.choose", c.Days)
	} else {
		first, size := utf8.DecodeRuneInString(c.Reason)
		v.Why = string(unicode.ToUpper(first)) + c.Reason[size:] + "."
	}
	for _, half := range []struct {
		key    string
		regret *backtest.Regret
	}{{"backtest.learned", r.Choice.Learned}, {"backtest.checked", r.Choice.Checked}} {
		switch g := half.regret; {
		case g == nil:
		case g.Known() == 0:
			v.Halves = append(v.Halves, w.T(half.key)+" "+w.T("backtest.unknown", g.Days))
		default:
			v.Halves = append(v.Halves, w.T(half.key)+" "+w.T("backtest.half", g.Returned, g.Known(), g.Days, w.Share(g.Rate), w.Share(g.Low), w.Share(g.High)))
		}
	}
	at := window(a)
	for _, t := range r.Thresholds {
		row := thresholdView{Threshold: t, Back: "–", Recommended: t.Days == r.Choice.Days}
		if g := t.Flow.Regret[at]; g.Known() > 0 {
			row.Back = w.T("backtest.rate", g.Returned, g.Known(), w.Share(g.Rate), w.Share(g.Low), w.Share(g.High))
		}
		v.Thresholds = append(v.Thresholds, row)
	}
	v.Charts = figures(w, a, i, v.ID)
	return v
}

func window(a *backtest.Answer) int { return slices.Index(backtest.Windows[:], a.Within) }

// The function "shown" returns the threshold for which the page shows the departments. This is the recommended
// threshold, or the one in force if none is recommended.
func shown(r *backtest.Rule) *backtest.Threshold {
	days := r.Choice.Days
	if days == 0 {
		days = r.Days
	}
	return &r.Thresholds[slices.IndexFunc(r.Thresholds, func(t backtest.Threshold) bool { return t.Days == days })]
}

func departmentsOf(data *page.Data, a *backtest.Answer) *page.Table {
	type row struct {
		rule string
		days int
		backtest.Department
		regret backtest.Regret
	}
	var rows []row
	for i := range a.Rules {
		t := shown(&a.Rules[i])
		for _, d := range t.Departments {
			rows = append(rows, row{a.Rules[i].Name, t.Days, d, d.Regret[window(a)]})
		}
	}
	table := data.Table("backtest", len(rows), len(rows))
	table.Text("department", page.Text, func(i int) string { return rows[i].Name })
	table.Text("rule", page.Text, func(i int) string { return rows[i].rule }).Filter = true
	table.Number("days", func(i int) float64 { return float64(rows[i].days) })
	table.Number("hits", func(i int) float64 { return float64(rows[i].Hits) })
	table.Number("followed", func(i int) float64 { return float64(rows[i].regret.Known()) })
	table.Number("back", func(i int) float64 { return float64(rows[i].regret.Returned) })
	table.Money("backShare", func(i int) float64 {
		if rows[i].regret.Known() == 0 {
			return math.NaN()
		}
		return 100 * rows[i].regret.Rate
	})
	return table
}
