package page

import (
	"math"
	"time"
)

// The method "cell" returns the cell of column c in row i for the page without JavaScript. The script makes the same
// cells.
func (t *Table) cell(w *Words, c *Column, i int) cell {
	out := cell{Kind: c.Kind, Column: c.Name, Head: w.T("col." + c.Name), Minor: c.Minor, Lang: c.Lang}
	switch c.Kind {
	case Whom:
		p := t.data.people[int(c.numbers[i])]
		out.Name, out.Below = p.UserPrincipalName, p.ID
		if p.Name != "" {
			out.Name, out.Below = p.Name, p.UserPrincipalName
		}
		out.Beside = p.Department
		if out.Name == "" {
			out.Name, out.Below = p.ID, ""
		}
	case Word:
		if out.Text = c.texts[i]; out.Text != "" {
			out.Text = w.Or(c.Name, out.Text)
		}
	case Reason:
		out.Text = w.Reason(c.texts[i])
	case Date:
		if out.Text = w.T("js.none"); !math.IsNaN(c.numbers[i]) {
			out.Text = time.Unix(int64(c.numbers[i])*24*60*60, 0).UTC().Format(time.DateOnly)
		} else if c.None != "" {
			out.Text = w.T(c.None)
		}
	case Amount:
		if !math.IsNaN(c.numbers[i]) {
			out.Text = w.F(c.numbers[i], 2)
		}
	case Number:
		if !math.IsNaN(c.numbers[i]) {
			out.Text = w.F(c.numbers[i], 0)
		}
	case Pairs:
		for _, line := range c.lines[i] {
			name, value := pairsOf(line)
			if at, err := time.Parse(time.RFC3339, value); err == nil {
				value = at.UTC().Format("2006-01-02 15:04")
			}
			if name != "" {
				value = name + " = " + value
			}
			out.Lines = append(out.Lines, value)
		}
	default:
		out.Text = c.texts[i]
		if c.Then != nil {
			out.Beside = c.Then.texts[i]
		}
	}
	return out
}
