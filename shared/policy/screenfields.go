package policy

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "field" returns the column of an attribute. The result "ok" is false for a group, and for an attribute
// that needs more than one column.
func (s *screen) field(a *attribute) (c Column, source directory.Source, ok bool) {
	if len(a.fields) != 1 {
		return Column{}, 0, false
	}
	c, ok = s.Field(a.fields[0].Name)
	return c, a.fields[0].Source, ok
}

// The method "readable" reports whether columns have the values of an attribute, which must not be a group.
func (s *screen) readable(a *attribute) bool {
	return !slices.ContainsFunc(a.fields, func(f *directory.Field) bool {
		if _, reported := s.used(f); reported {
			return false
		}
		return len(s.columnsOf(f)) == 0
	})
}

func (s *screen) flag(a *attribute) []directory.Flag {
	flags := s.all(directory.Unset)
	c, source, ok := s.field(a)
	if !ok {
		return flags
	}
	for row, half := range s.Accounts[source] {
		if v := c.Rows[row]; half == Here && v != None {
			flags[row] = directory.FlagOf(v == 1)
		}
	}
	return flags
}

func (s *screen) text(attr, literal ast.Expr, equal bool) []directory.Flag {
	flags := s.all(directory.Unset)
	want, written := textOf(literal)
	a := s.policy.attributeOf(attr)
	if a == nil || !written { // CEL compares only a text with a text
		return flags
	}
	c, source, ok := s.field(a)
	if !ok {
		return flags
	}
	compared := func(text string) directory.Flag {
		if a.as == filled && text == "" {
			return directory.Unset
		}
		return directory.FlagOf(strings.EqualFold(text, want) == equal)
	}
	byWord := make([]directory.Flag, len(c.Words))
	few := len(c.Words) <= s.People // usually true, because Words has each text only once
	if few {
		for word, text := range c.Words {
			byWord[word] = compared(text)
		}
	}
	none := compared("")
	for row, half := range s.Accounts[source] {
		switch word := c.Rows[row]; {
		case half == Here && word == None, half == Nowhere && a.as == orNone:
			flags[row] = none
		case half == Here && few:
			flags[row] = byWord[word]
		case half == Here:
			flags[row] = compared(c.Words[word])
		}
	}
	return flags
}

// lastActivity is the field whose value is the newest date of three other fields.
const lastActivity = "entra.lastActivity"

// columnsOf returns the columns whose newest date is the value of a field, or nil if a column is missing.
func (s *screen) columnsOf(f *directory.Field) (columns []Column) {
	names := []string{f.Name}
	if f.Name == lastActivity {
		names = []string{"entra.lastInteractiveSignIn", "entra.lastNonInteractiveSignIn", "entra.lastSuccessfulSignIn"}
	}
	for _, name := range names {
		c, ok := s.Field(name)
		if !ok {
			return nil
		}
		columns = append(columns, c)
	}
	return columns
}

// Marks in place of a date. All dates are greater than the marks.
const (
	unknownDate = None + 1 // the date is unknown
	unusedDate  = None + 2 // not after the start of the report's span, if there is a date at all (directory.NoneSince)
	mixedDate   = None + 3 // like unusedDate, but another field of the attribute has or may have an earlier date
)

func isDate(date int64) bool { return date > mixedDate }

// The method "date" returns the value of an attribute for each person: a date in microseconds since 1970, None, or one
// of the marks unknownDate, unusedDate and mixedDate.
func (s *screen) date(a *attribute) []int64 {
	if dates, done := s.dates[a]; done {
		return dates
	}
	dates := make([]int64, s.People)
	known, open, never := make([]bool, s.People), make([]bool, s.People), make([]bool, s.People)
	for row := range dates {
		dates[row] = None
	}
	begin := int64(None) // the latest start of a report's span
	for _, f := range a.fields {
		used, reported := s.used(f)
		if !reported {
			s.newest(f, dates, known, open)
			continue
		}
		s.newestUse(used, dates, known, open, never)
		begin = max(begin, used.Through.Add(-used.Span).UnixMicro()+1)
		if s.through[a].IsZero() || used.Through.Before(s.through[a]) {
			s.through[a] = used.Through
		}
	}
	var unused func(row int, date int64) int64
	if begin > None { // otherwise nobody is marked, and the attribute must get no start (see bounds)
		unused = s.unused(a, begin-1)
	}
	readable := s.readable(a)
	for row := range dates {
		switch {
		case !readable || open[row] || !known[row] && a.as != orNone:
			dates[row] = unknownDate
		case never[row] && dates[row] < begin:
			dates[row] = unused(row, dates[row])
		}
	}
	s.dates[a] = dates
	return dates
}

// The method "unused" returns a function for the people whom the usage report shows without a use. The report begins at
// "since", so an older use is possible, and the function returns unusedDate or mixedDate. But an account that was
// created after "since" was never used (EntraUser.lastUse in package directory). The function then returns its argument
// "date", the newest of the person's other dates.
func (s *screen) unused(a *attribute, since int64) func(row int, date int64) int64 {
	s.since[a] = since
	created, ok := s.Field("entra.created")
	return func(row int, date int64) int64 {
		switch {
		case ok && created.Rows[row] >= since:
			return date
		case ok && len(a.fields) == 1:
			return unusedDate
		}
		return mixedDate
	}
}

// The method "newest" reads one field of an attribute. It raises each person's date in "dates" to the date of this
// field if that is later. It sets known[row] for an account that was read. It sets open[row] for an account that may
// exist but was not read, because that account may have a later date.
func (s *screen) newest(f *directory.Field, dates []int64, known, open []bool) {
	columns := s.columnsOf(f)
	for row, half := range s.Accounts[f.Source] {
		switch {
		case half == Here:
			known[row] = true
			for _, c := range columns {
				dates[row] = max(dates[row], c.Rows[row])
			}
		case half != Nowhere:
			open[row] = true
		}
	}
}

func (s *screen) test(call ast.CallExpr) []directory.Flag {
	flags := s.all(directory.Unset)
	a := s.policy.attributeOf(call.Target())
	holds := dateTests[call.FunctionName()] // only dates have these methods
	if a == nil || holds == nil {
		return flags
	}
	var at time.Time
	moves := true
	if len(call.Args()) == 1 {
		var ok bool
		if at, moves, ok = s.instant(call.Args()[0]); !ok {
			return flags
		}
	}
	dates := s.moved(s.date(a), moves)
	late := s.late(a, call.FunctionName(), at, moves)
	of := func(v directory.Value) directory.Flag { return holds(v, at) }
	none := of(directory.Value{State: directory.None})
	known := stepAt(at, func(t time.Time) directory.Flag { return of(directory.Value{State: directory.Known, Time: t}) })
	for row, date := range dates {
		switch {
		case date == unknownDate, date == mixedDate, date < late:
		case date == None:
			flags[row] = none
		case date == unusedDate:
			flags[row] = s.assumed(a, row, of)
		default:
			flags[row] = known.of(date)
		}
	}
	return flags
}

// The method "compare" evaluates a comparison of a date's value with a time, such as created.value() < now - days(90).
// A person for whom the columns show no such date gets Unset.
func (s *screen) compare(operator string, value, bound ast.Expr) []directory.Flag {
	flags := s.all(directory.Unset)
	at, moves, ok := s.instant(bound)
	if !ok || value.Kind() != ast.CallKind || value.AsCall().FunctionName() != "value" {
		return flags
	}
	a := s.policy.attributeOf(value.AsCall().Target()) // a date, because only a date has the method value
	if a == nil {
		return flags
	}
	holds, dates := orders[operator], s.moved(s.date(a), moves)
	if !s.through[a].IsZero() {
		return flags // a second barrier behind compiler.misread, which refuses to compare the value of a date from a report
	}
	known := stepAt(at, func(t time.Time) directory.Flag { return directory.FlagOf(holds(t.Compare(at))) })
	for row, date := range dates {
		if isDate(date) {
			flags[row] = known.of(date)
		}
	}
	return flags
}

var orders = map[string]func(order int) bool{
	operators.Less: func(order int) bool { return order < 0 }, operators.LessEquals: func(order int) bool { return order <= 0 },
	operators.Greater: func(order int) bool { return order > 0 }, operators.GreaterEquals: func(order int) bool { return order >= 0 },
}

// The method "instant" evaluates an expression of now, literal times and spans. The result "moves" reports whether it
// contains now. The result "ok" is false for any other expression.
func (s *screen) instant(e ast.Expr) (at time.Time, moves, ok bool) {
	if e.Kind() == ast.IdentKind && e.AsIdent() == "now" {
		return s.origin(), true, true
	}
	if t, ok := instantOf(e); ok {
		return t, false, true
	}
	if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 2 {
		return time.Time{}, false, false
	}
	call := e.AsCall()
	from, moves, ok := s.instant(call.Args()[0])
	span, isSpan := spanOf(call.Args()[1])
	switch {
	case !ok || !isSpan:
	case call.FunctionName() == operators.Subtract:
		return from.Add(-span), moves, true
	case call.FunctionName() == operators.Add: // a second barrier: today's CEL has no other function of a time and a span
		return from.Add(span), moves, true
	}
	return time.Time{}, false, false
}

func (s *screen) empty(a *attribute) []bool {
	empty := make([]bool, s.People)
	if a.kind == directory.Date {
		for row, date := range s.date(a) {
			empty[row] = date == None
		}
		return empty
	}
	c, source, _ := s.field(a)
	for row, half := range s.Accounts[source] {
		empty[row] = half == Here && (c.Rows[row] == None || c.Words[c.Rows[row]] == "")
	}
	return empty
}
