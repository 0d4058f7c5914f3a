package graphcontract

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The values of the column "for" in the table of operations. The column says who may send an operation.
const (
	Product    = "product"    // the product sends the operation
	Simulation = "simulation" // only tests send the operation, and only to the simulated company
	Never      = "never"      // nobody may send the operation
)

// Operation is a line of the table of operations: a method and a path, with the query options that a request may have.
type Operation struct {
	Method, Path string
	Options      []string
	Request      string // type of the body; empty: no body
	Answer       Answer
	For          string
}

// Answer is what the server must answer to an operation that succeeds.
type Answer struct {
	Status int
	Page   bool
	Types  []string // types of the object, or of the entries of a page
}

// Property is a line in the table of a type: a property that an object of this type can have.
type Property struct {
	Name, Type            string
	Null, Absent, Default bool // whether the value may be null, whether the property may be missing, and whether the answer has the property without $select
	Product               bool // whether the product reads or sends the property
}

// Refusal is a line of the table of refusals: an answer with a status of 400 or more.
type Refusal struct {
	Status                int
	Code, Words           string // Code must equal the code of the answer; the message must contain Words, which are in lower case
	Simulated, Recognized bool
}

// Column is a column of the mailbox usage report.
type Column struct {
	Name string
	Read bool // whether the product reads the column
}

type filter struct {
	path    string
	pattern *regexp.Regexp
}

// Contract is the content of docs/graph.md.
type Contract struct {
	Operations []Operation
	Types      map[string][]Property
	Refusals   []Refusal
	Columns    []Column
	parents    map[string]string // parent type of each derived type
	options    map[string]string // possible values of each query option, such as "number from 1 to 999"
	filters    []filter
}

// The function "parse" reads the text of the page. A malformed table, or an unknown type or option in a table, is an
// error.
func parse(text string) (*Contract, error) {
	c := &Contract{Types: map[string][]Property{}, parents: map[string]string{}, options: map[string]string{}}
	tables, headings, err := tablesOf(text)
	if err != nil {
		return nil, err
	}
	for _, r := range tables["Query options"] {
		c.options[first(coded(r["option"]))] = r["value"]
	}
	for _, r := range tables["Filters"] {
		c.filters = append(c.filters, filter{first(coded(r["path"])), patternOf(first(coded(r["filter"])))})
	}
	for _, h := range headings {
		name, isType := strings.CutPrefix(h, "Type ")
		if !isType {
			continue
		}
		name, parent, _ := strings.Cut(name, ", a ")
		c.Types[name] = propertiesOf(tables[h])
		if parent != "" {
			c.parents[name] = parent
		}
	}
	for _, r := range tables["Mailbox usage report"] {
		for _, name := range coded(r["column"]) {
			c.Columns = append(c.Columns, Column{name, r["the product"] == "reads"})
		}
	}
	if err := c.readOperations(tables["Operations"]); err != nil {
		return nil, err
	}
	if err := c.readRefusals(tables["Refusals"]); err != nil {
		return nil, err
	}
	return c, c.known()
}

func (c *Contract) readOperations(rows []row) error {
	if len(rows) == 0 {
		return fmt.Errorf("there is no table of operations")
	}
	for _, r := range rows {
		answer, err := answerOf(r["answer"])
		if err != nil {
			return fmt.Errorf("%s %s: %w", r["method"], r["path"], err)
		}
		c.Operations = append(c.Operations, Operation{r["method"], first(coded(r["path"])), coded(r["options"]), first(coded(r["request"])), answer, r["for"]})
	}
	return nil
}

func answerOf(cell string) (a Answer, err error) {
	a.Types = coded(cell)
	switch kind, _, _ := strings.Cut(cell, "`"); strings.TrimSpace(kind) {
	case "one":
		a.Status = 200
	case "page of":
		a.Status, a.Page = 200, true
	case "nothing":
		a.Status = 204
	case "accepted":
		a.Status = 202
	case "redirect":
		a.Status = 302
	default:
		return a, fmt.Errorf("the answer %q is of no kind", cell)
	}
	if (a.Status == 200) != (len(a.Types) > 0) {
		return a, fmt.Errorf("the answer %q has the wrong number of types", cell)
	}
	return a, nil
}

func (c *Contract) readRefusals(rows []row) error {
	for _, r := range rows {
		status, err := strconv.Atoi(r["status"])
		if err != nil {
			return fmt.Errorf("a refusal has the status %q", r["status"])
		}
		c.Refusals = append(c.Refusals, Refusal{status, first(coded(r["code"])), strings.ToLower(first(coded(r["words"]))), r["simulated"] == "yes", r["recognized"] == "yes"})
	}
	return nil
}

// propertiesOf reads the table of a type. A line with several names gives one property for each name, with the same
// other cells.
func propertiesOf(rows []row) (list []Property) {
	for _, r := range rows {
		without, selectable := r["without `$select`"]
		for _, name := range coded(r["property"]) {
			list = append(list, Property{Name: name, Type: r["type"], Null: strings.Contains(r["empty"], "null"), Absent: strings.Contains(r["empty"], "absent"),
				Default: !selectable || without == "yes", Product: r["the product"] != ""})
		}
	}
	return list
}

// The method "known" returns an error if a table refers to an unknown type or option.
func (c *Contract) known() error {
	missing := map[string]bool{}
	need := func(t string) {
		t = strings.TrimPrefix(t, "list of ")
		if _, found := c.Types[t]; !found && !slices.Contains(plainTypes, t) {
			missing["type "+t] = true
		}
	}
	for _, list := range c.Types {
		for _, p := range list {
			need(p.Type)
		}
	}
	for _, op := range c.Operations {
		for _, t := range append(op.Answer.Types, op.Request) {
			if t != "" {
				need(t)
			}
		}
		for _, o := range op.Options {
			if _, found := c.options[o]; !found {
				missing["option "+o] = true
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("no table for %s", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

// patternOf returns a pattern for a filter as docs/graph.md writes it. In the filter, TEXT stands for any string, and
// ID stands for one to 15 ids.
func patternOf(filter string) *regexp.Regexp {
	p := regexp.QuoteMeta(filter)
	p = strings.ReplaceAll(p, `'TEXT'`, `'(?:[^']|'')*'`)
	p = strings.ReplaceAll(p, `\(ID\)`, `\('[^']*'(?:,'[^']*'){0,14}\)`)
	return regexp.MustCompile("^" + p + "$") // the pattern is valid, because QuoteMeta has quoted all other characters
}
