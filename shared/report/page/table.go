package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
)

// Data has the tables of a page. The caller must first make the texts safe with the function Clean.
type Data struct {
	people  []Person
	index   map[string]int
	Tables  []*Table
	Command bool // whether the view of a person shows commands of idleseat
	// Link is the beginning of the address of a person's page, before the id of the person. If it is empty, the page
	// with the table also shows the person.
	Link string
	// Store is the value of --store in commands. It is empty if commands need no such option.
	Store string
}

// Person is a person in a table.
type Person struct{ ID, UserPrincipalName, Name, Department string }

// Kind is the kind of a column. It decides how cells look and how they sort.
type Kind string

const (
	Whom   Kind = "person"
	Text   Kind = "text"
	Word   Kind = "word" // the end of the key of a text; the beginning of the key is the name of the column
	Date   Kind = "date"
	Number Kind = "number"
	Amount Kind = "money"
	Pairs  Kind = "pairs"  // lines of the form "name = value"
	Reason Kind = "reason" // a reason as a run stored it; each language has its own words
)

// Column is a column of a table.
type Column struct {
	Name   string // the end of the key of the column's heading; the key begins with "col."
	Kind   Kind
	Filter bool    // the reader can choose the rows with a value of this column
	Minor  bool    // a narrow page leaves the column out
	Detail bool    // only the view of a person shows the column; search and filter also use its values
	Lang   Lang    // the language of the texts, if it is not the language of the page
	Then   *Column // the column with the new value, shown beside the value
	None   string  // the key of the text for a missing date; empty for a dash

	texts   []string
	numbers []float64 // by Kind: indexes of people, days since 1970, or numbers; NaN for a missing value
	lines   [][]string
}

// Table is a table. The page has only its first rows.
type Table struct {
	ID      string // the end of the key of the table's title; the key begins with "table."
	Total   int    // the number of all rows
	Rows    int    // the number of rows that the page has
	Columns []*Column
	data    *Data
}

// NewData returns Data without tables.
func NewData() *Data { return &Data{index: map[string]int{}} }

// Table adds a table without columns. The caller adds the columns one by one.
func (d *Data) Table(id string, total, rows int) *Table {
	t := &Table{ID: id, Total: max(total, rows), Rows: rows, data: d}
	d.Tables = append(d.Tables, t)
	return t
}

// HTML returns the table for the page without JavaScript.
func (t *Table) HTML(w *Words) (template.HTML, error) {
	return render("table", newTableView(w, t, true))
}

func (t *Table) column(name string, kind Kind) *Column {
	c := &Column{Name: name, Kind: kind}
	t.Columns = append(t.Columns, c)
	return c
}

// Whom adds a column of people.
func (t *Table) Whom(get func(i int) Person) *Column {
	c := t.column("person", Whom)
	for i := range t.Rows {
		c.numbers = append(c.numbers, float64(t.data.person(get(i))))
	}
	return c
}

// The method "person" returns the index of p in the list of people, and adds p if necessary. It adds a missing name or
// department to a person in the list.
func (d *Data) person(p Person) int {
	i, known := d.index[p.ID]
	if !known {
		i = len(d.people)
		d.index[p.ID] = i
		d.people = append(d.people, p)
		return i
	}
	if d.people[i].Name == "" {
		d.people[i].Name = p.Name
	}
	if d.people[i].Department == "" {
		d.people[i].Department = p.Department
	}
	return i
}

// Text adds a column of texts. The argument "kind" is Text, Word or Reason.
func (t *Table) Text(name string, kind Kind, get func(i int) string) *Column {
	c := t.column(name, kind)
	for i := range t.Rows {
		c.texts = append(c.texts, get(i))
	}
	return c
}

// Date adds a column of dates. A zero time means that the date is missing.
func (t *Table) Date(name string, get func(i int) time.Time) *Column {
	return t.number(name, Date, func(i int) float64 {
		if at := get(i); !at.IsZero() {
			return math.Floor(float64(at.Unix()) / (24 * 60 * 60))
		}
		return math.NaN()
	})
}

// Money adds a column of amounts. NaN means that the amount is missing.
func (t *Table) Money(name string, get func(i int) float64) *Column {
	return t.number(name, Amount, get)
}

// Number adds a column of numbers.
func (t *Table) Number(name string, get func(i int) float64) *Column {
	return t.number(name, Number, get)
}

func (t *Table) number(name string, kind Kind, get func(i int) float64) *Column {
	c := t.column(name, kind)
	for i := range t.Rows {
		c.numbers = append(c.numbers, get(i))
	}
	return c
}

// Pairs adds a column of lines of the form "name = value".
func (t *Table) Pairs(name string, get func(i int) []string) *Column {
	c := t.column(name, Pairs)
	for i := range t.Rows {
		c.lines = append(c.lines, get(i))
	}
	return c
}

// Empty reports whether no row has a value in the column. An amount of zero counts as no value.
func (c *Column) Empty() bool {
	for _, s := range c.texts {
		if s != "" {
			return false
		}
	}
	for _, x := range c.numbers {
		if !math.IsNaN(x) && !(c.Kind == Amount && x == 0) {
			return false
		}
	}
	for _, l := range c.lines {
		if len(l) > 0 {
			return false
		}
	}
	return true
}

// Shown returns the columns for the table and for the view of a person. It leaves out an empty column, unless the
// column has a text for a missing date.
func (t *Table) Shown() (shown []*Column) {
	for _, c := range t.Columns {
		if !c.Empty() || c.Kind == Date && c.None != "" {
			shown = append(shown, c)
		}
	}
	return shown
}

// Heads returns the columns that the table itself shows.
func (t *Table) Heads() []*Column {
	return slices.DeleteFunc(t.Shown(), func(c *Column) bool { return c.Detail })
}

// The method "encode" writes the tables and the texts for the script as JSON that is safe in a script element.
func (d *Data) encode(langs []Lang) ([]byte, error) {
	all := map[string]any{}
	words := map[Lang]map[string]string{}
	for _, lang := range langs {
		words[lang] = In(lang).forScript()
	}
	all["words"] = words
	if d != nil {
		all["reasons"] = d.reasons(langs)
		all["command"], all["link"] = d.Command, d.Link
		all["people"] = d.encodePeople()
		tables := []any{}
		for _, t := range d.Tables {
			tables = append(tables, t.encode())
		}
		all["tables"] = tables
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("tables of a page: %w", err)
	}
	return text, nil
}

// The method "reasons" returns the words for the stored reasons in each language. A reason whose words are the stored
// text is left out.
func (d *Data) reasons(langs []Lang) map[Lang]map[string]string {
	all := map[Lang]map[string]string{}
	for _, lang := range langs {
		all[lang] = map[string]string{}
		for _, t := range d.Tables {
			for _, c := range t.Columns {
				if c.Kind == Reason {
					In(lang).reword(c.texts, all[lang])
				}
			}
		}
	}
	return all
}

// The method "reword" translates stored reasons into the language of w. It adds each translated reason to the map
// "all", with the stored text as the key. A reason that stays the same gets no entry.
func (w *Words) reword(texts []string, all map[string]string) {
	asStored := map[string]bool{}
	for _, text := range texts {
		if _, known := all[text]; known || asStored[text] {
			continue
		}
		if said := w.Reason(text); said != text {
			all[text] = said
		} else {
			asStored[text] = true
		}
	}
}

func (d *Data) encodePeople() map[string]any {
	var ids, principals, names, departments []string
	for _, p := range d.people {
		ids, principals = append(ids, p.ID), append(principals, p.UserPrincipalName)
		names, departments = append(names, p.Name), append(departments, p.Department)
	}
	return map[string]any{"count": len(ids), "id": pack(ids), "upn": pack(principals), "name": pack(names), "department": pack(departments)}
}

func (t *Table) encode() map[string]any {
	columns := []any{}
	for _, c := range t.Shown() {
		column := map[string]any{"name": c.Name, "kind": c.Kind}
		if c.Filter {
			column["filter"] = true
		}
		if c.Minor {
			column["minor"] = true
		}
		if c.Detail {
			column["detail"] = true
		}
		if c.Lang != "" {
			column["lang"] = c.Lang
		}
		if c.Then != nil && !c.Then.Empty() {
			column["then"] = c.Then.Name
		}
		if c.None != "" {
			column["none"] = c.None
		}
		switch {
		case c.Kind == Pairs:
			column["pairs"] = packPairs(c.lines)
		case c.numbers != nil:
			column["values"] = packNumbers(c.numbers)
		default:
			column["values"] = pack(c.texts)
		}
		columns = append(columns, column)
	}
	return map[string]any{"id": t.ID, "total": t.Total, "rows": t.Rows, "columns": columns}
}

// pairsOf splits a line of the form "name = value". Without a name, the whole line is the value.
func pairsOf(line string) (name, value string) {
	name, value, ok := strings.Cut(line, " = ")
	if !ok {
		return "", name
	}
	return name, value
}
