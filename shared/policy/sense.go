package policy

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/idleseat/idleseat/shared/directory"
)

// maxPattern is the maximum length of a regular expression, in bytes.
const maxPattern = 256

// The type "senseless" finds parts of a condition that are well typed but make no sense.
type senseless struct {
	policy *Policy
	faults []sense
}

type sense struct {
	id   int64
	text string
}

func (s *senseless) fault(id int64, format string, args ...any) {
	s.faults = append(s.faults, sense{id, fmt.Sprintf(format, args...)})
}

func (s *senseless) find(root ast.Expr) []sense {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		operands := call.Args()
		if call.IsMemberFunction() {
			operands = append([]ast.Expr{call.Target()}, operands...)
		}
		if len(operands) != 2 {
			return
		}
		switch call.FunctionName() {
		case operators.Equals, operators.NotEquals:
			if slices.ContainsFunc(operands, isNull) {
				s.fault(e.ID(), "%s", s.notNull(call.FunctionName(), operands))
			}
		case overloads.Matches:
			s.pattern(operands[1])
		}
		s.settled(e.ID(), call.FunctionName(), operands)
	}))
	return s.faults
}

func (s *senseless) notNull(operator string, operands []ast.Expr) string {
	for _, o := range operands {
		if m := s.momentOf(o); m.date != nil && m.known {
			if operator == operators.NotEquals {
				return fmt.Sprintf("nothing is ever null; to test for a date that is there, write %s.hasValue()", m.date.name)
			}
			return fmt.Sprintf("nothing is ever null; to test for a missing date, write %s.hasNoValue()", m.date.name)
		}
	}
	return neverNull
}

func isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral().Type() == types.NullType
}

// The method "pattern" rejects a regular expression that is no literal, is too long, or is not anchored at both ends.
func (s *senseless) pattern(e ast.Expr) {
	text, written := textOf(e)
	if !written {
		s.fault(e.ID(), `matches takes a regular expression that is written out, like "^Sales( EMEA)?$"`)
		return
	}
	if len(text) > maxPattern {
		s.fault(e.ID(), "the regular expression has %d bytes, and %d are allowed; write X in [\"…\", \"…\"], or use a group", len(text), maxPattern)
		return
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return // CEL has reported the error
	}
	if !bounded(re, syntax.OpBeginText, 0) || !bounded(re, syntax.OpEndText, -1) {
		s.fault(e.ID(), `matches looks for the pattern anywhere in the text, so that "IT" fits "Recruiting IT" and "Facilities", too; begin the pattern with ^ and end it with $, each alternative of it, and write .* where anything may stand`)
	}
}

// The function "bounded" reports whether the pattern is anchored at the beginning (at = 0) or the end (at = -1). An
// explicit ".*" there counts as anchored.
func bounded(re *syntax.Regexp, edge syntax.Op, at int) bool {
	switch re.Op {
	case edge:
		return true
	case syntax.OpStar:
		return re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL
	case syntax.OpCapture:
		return bounded(re.Sub[0], edge, at)
	case syntax.OpConcat:
		if at < 0 {
			at += len(re.Sub)
		}
		return bounded(re.Sub[at], edge, map[bool]int{true: 0, false: -1}[edge == syntax.OpBeginText])
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !bounded(sub, edge, at) })
	}
	return false
}

func textOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}

type moment struct {
	date  *attribute // nil means now
	plus  time.Duration
	known bool
}

// momentOf returns the point in time of an expression such as now - days(60), X or X.value() + days(1), where X is a
// date attribute. For any other expression, "known" is false.
func (s *senseless) momentOf(e ast.Expr) moment {
	switch e.Kind() {
	case ast.IdentKind:
		if e.AsIdent() == "now" {
			return moment{known: true}
		}
		a := s.policy.attributes[e.AsIdent()]
		return moment{date: a, known: a != nil && a.kind == directory.Date}
	case ast.CallKind:
		call := e.AsCall()
		switch name := call.FunctionName(); {
		case name == "value": // always a method
			return s.momentOf(call.Target())
		case name == operators.Add || name == operators.Subtract:
			m := s.momentOf(call.Args()[0])
			span, ok := spanOf(call.Args()[1])
			if name == operators.Subtract {
				span = -span
			}
			m.plus, m.known = m.plus+span, m.known && ok
			return m
		}
	}
	return moment{}
}

// The method "settled" finds a comparison whose result is the same for everybody who has the date: it compares a date
// in the past with now or a later time. Dates of use and of creation are in the past. Others, such as hire and expiry
// dates, may be in the future.
func (s *senseless) settled(id int64, function string, operands []ast.Expr) {
	earlier, compares := comparisons[function]
	if !compares {
		return
	}
	left, right := s.momentOf(operands[0]), s.momentOf(operands[1])
	if !left.known || !right.known {
		return
	}
	if left.date == nil {
		left, right, earlier = right, left, !earlier
	}
	ahead := right.plus - left.plus
	switch {
	case right.date != nil || left.date != nil && !left.date.past():
	case left.date == nil:
		s.fault(id, "both sides are now and a span of time, so that this holds always or never; compare a date of the person with now, as in X.earlierThan(now - days(90))")
	case ahead >= 0 && earlier:
		s.fault(id, "%s is never later than now, so that this holds for everybody who has it; for longer ago than 90 days write %s.earlierThan(now - days(90)), for any date at all %s.hasValue()", left.date.name, left.date.name, left.date.name)
	case ahead >= 0:
		s.fault(id, "%s is never later than now, so that this never holds; for less than 90 days ago write %s.laterThan(now - days(90))", left.date.name, left.date.name)
	}
}

// The variable "comparisons" maps each comparison to its result if the left operand is earlier.
var comparisons = map[string]bool{
	"earlierThan": true, operators.Less: true, operators.LessEquals: true,
	"laterThan": false, operators.Greater: false, operators.GreaterEquals: false,
}

// The method "past" reports whether the dates of the attribute always lie in the past, because they are dates of use or
// of creation.
func (a *attribute) past() bool {
	return a.group == nil && !slices.ContainsFunc(a.fields, func(f *directory.Field) bool { return f.Meaning == directory.Plain })
}
