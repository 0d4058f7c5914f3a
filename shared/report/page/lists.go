package page

import (
	"time"

	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/report"
)

func tablesOf(n *report.Night) *Data {
	d := NewData()
	d.Command = true
	d.rows("changes", n.Changes).why(n.Changes.Rows)
	d.rows("notices", n.Notices).why(n.Notices.Rows)
	d.rows("undecided", n.Undecided).reasons(n.Undecided.Rows)
	d.rows("refused", n.Refused).reasons(n.Refused.Rows)
	d.rows("returned", n.Returned).reasons(n.Returned.Rows)
	d.rows("pending", n.Pending).reasons(n.Pending.Rows)
	d.turning(n.Turning)
	d.earlier(n.Earlier)
	d.money(n.Money.Lines)
	return d
}

func (d *Data) rows(id string, list report.List[report.Row]) *Table {
	r := list.Rows
	t := d.Table(id, list.Total, len(r))
	t.Whom(func(i int) Person {
		return Person{r[i].User, r[i].UserPrincipalName, r[i].DisplayName, r[i].Department}
	})
	department := t.Text("department", Text, func(i int) string { return r[i].Department })
	department.Filter, department.Detail = true, true
	t.Text("rule", Text, func(i int) string { return r[i].Rule }).Filter = true
	t.license(func(i int) string { return r[i].License }, func(i int) string { return r[i].To })
	via := t.Text("via", Word, func(i int) string { return string(r[i].Via) })
	via.Filter, via.Minor, via.Detail = true, true, id != "changes" && id != "notices"
	since := t.Date("idleSince", func(i int) time.Time {
		if r[i].IdleSince == nil {
			return time.Time{}
		}
		return *r[i].IdleSince
	})
	if id == "changes" || id == "notices" {
		since.None = "js.never"
	}
	t.Date("created", func(i int) time.Time { return r[i].Created }).Detail = true
	t.Money("monthlySaving", func(i int) float64 { return r[i].MonthlySaving })
	t.Text("status", Word, func(i int) string { return string(r[i].Status) }).Filter = true
	t.Pairs("evidence", func(i int) []string { return r[i].Evidence }).Minor = true
	nothing := t.Text("savesNothing", Text, func(i int) string { return r[i].SavesNothing })
	nothing.Lang, nothing.Detail = English, true
	t.Text("note", Text, func(i int) string { return r[i].Note }).Lang = English
	return t
}

// The method "license" adds a column with the license, and a column with the license that the person gets in exchange.
// The table shows both in one cell.
func (t *Table) license(from, to func(i int) string) {
	license := t.Text("license", Text, from)
	license.Filter = true
	license.Then = t.Text("to", Text, to)
	license.Then.Detail = true
}

// The method "why" adds a column with the reason why a license is taken. The table itself does not show the column,
// because the evidence repeats the reason in figures. The view of a person shows it.
func (t *Table) why(r []report.Row) {
	reason := t.Text("reason", Text, func(i int) string { return r[i].Reason })
	reason.Lang, reason.Detail = English, true
}

// The method "reasons" adds a column with the reason why nothing is changed, and a column with its remedy.
func (t *Table) reasons(r []report.Row) {
	t.Text("reason", Reason, func(i int) string { return r[i].Reason }).Filter = true
	t.Text("remedy", Word, func(i int) string { return r[i].Remedy }).Minor = true
}

func (d *Data) turning(list report.List[report.Turn]) {
	r := list.Rows
	t := d.Table("turning", list.Total, len(r))
	t.Whom(func(i int) Person { return Person{ID: r[i].User, UserPrincipalName: r[i].UserPrincipalName} })
	t.Text("rule", Text, func(i int) string { return r[i].Rule }).Filter = true
	t.Text("license", Text, func(i int) string { return r[i].License }).Filter = true
	t.Date("turnsOn", func(i int) time.Time { return r[i].On })
}

func (d *Data) earlier(list report.List[report.Past]) {
	r := list.Rows
	t := d.Table("earlier", list.Total, len(r))
	t.Whom(func(i int) Person { return Person{ID: r[i].User, UserPrincipalName: r[i].UserPrincipalName} })
	t.Text("rule", Text, func(i int) string { return r[i].Rule }).Filter = true
	t.license(func(i int) string { return r[i].License }, func(i int) string { return r[i].To })
	t.Text("run", Text, func(i int) string { return r[i].Run }).Minor = true
	t.Date("takenOn", func(i int) time.Time { return r[i].At })
	t.Date("returnedOn", func(i int) time.Time { return r[i].Returned })
	t.Text("how", Word, func(i int) string { return r[i].How }).Filter = true
}

func (d *Data) money(lines []money.Line) {
	t := d.Table("money", len(lines), len(lines))
	t.Text("license", Text, func(i int) string { return lines[i].License }).Filter = true
	t.Text("department", Text, func(i int) string { return lines[i].Department }).Filter = true
	t.Text("costCenter", Text, func(i int) string { return lines[i].CostCenter }).Filter = true
	t.Money("couldFree", func(i int) float64 { return lines[i].CouldFree.Float() })
	t.Money("freed", func(i int) float64 { return lines[i].Freed.Float() })
	t.Money("freedNet", func(i int) float64 { return lines[i].FreedNet.Float() })
	t.Money("saved", func(i int) float64 { return lines[i].Saved.Float() })
	t.Money("waiting", func(i int) float64 { return lines[i].Waiting.Float() })
	t.Money("unproven", func(i int) float64 { return lines[i].Unproven.Float() })
	t.Date("renews", func(i int) time.Time { return lines[i].Renews })
}
