package policy

import (
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "screen" evaluates conditions for all people of a crowd. A condition is a tree of tests. If the columns
// settle a test, its result is that of the Judge. Any other test is Unset. By three-valued logic, the condition then
// has a result only if the known results settle it.
type screen struct {
	*Judge
	*Crowd
	dates   map[*attribute][]int64
	through map[*attribute]time.Time // the end of the reports that have the dates
	spans   []time.Duration          // the spans of the condition
	since   map[*attribute]int64     // for the marks unusedDate and mixedDate: the start of the report's span, in microseconds since 1970
	never   map[*attribute]bool      // for the mark unusedDate: whether the person was never active; without an entry, it is unknown
	moment  []int64                  // the time of each pair (see screenturns.go); nil if everybody is evaluated as of now

	scopes map[string][]directory.Flag   // results of the conditions "for", by the text of the condition
	held   map[*License][]directory.Flag // results of the method "holders"

	graces map[string]*spared // results of the method "spared", by license and attributes
	narrow map[*Rule]*narrow  // by Rule.within
}

func newScreen(j *Judge, c *Crowd) *screen {
	return &screen{
		Judge: j, Crowd: c, dates: map[*attribute][]int64{}, through: map[*attribute]time.Time{}, since: map[*attribute]int64{},
		scopes: map[string][]directory.Flag{}, held: map[*License][]directory.Flag{}, graces: map[string]*spared{}, narrow: map[*Rule]*narrow{},
	}
}

func (s *screen) all(f directory.Flag) []directory.Flag {
	flags := make([]directory.Flag, s.People)
	for row := range flags {
		flags[row] = f
	}
	return flags
}

func (s *screen) condition(c *condition) []directory.Flag {
	reported := 0
	for _, a := range c.reads {
		if a.bounded() {
			reported++
		}
	}
	if reported > mostWorlds { // the Judge finds no result either
		return s.all(directory.Unset)
	}
	s.spans = c.spans
	flags := s.expr(c.checked.NativeRep().Expr())
	s.inCases(c, flags)
	return flags
}

// The method "expr" evaluates a part of a condition for each row. The result is Unset for a part that is not a bool. A
// valid condition may have such a part: CEL checks no types in a choice (a ? b : c) between an element of the list [1,
// true] and something else.
func (s *screen) expr(e ast.Expr) []directory.Flag {
	switch e.Kind() {
	case ast.LiteralKind:
		if b, is := e.AsLiteral().(types.Bool); is {
			return s.all(directory.FlagOf(bool(b)))
		}
	case ast.IdentKind:
		if a := s.policy.variable(e.AsIdent()); a != nil && a.kind == directory.Bool {
			return s.flag(a)
		}
	case ast.CallKind:
		return s.call(e.AsCall())
	}
	return s.all(directory.Unset)
}

func (s *screen) call(call ast.CallExpr) []directory.Flag {
	args := call.Args()
	if call.IsMemberFunction() {
		return s.test(call)
	}
	switch name := call.FunctionName(); name {
	case operators.LogicalNot:
		return combine(s.expr(args[0]), nil, func(a, _ directory.Flag) directory.Flag { return not(a) })
	case operators.LogicalAnd:
		return combine(s.expr(args[0]), s.expr(args[1]), and)
	case operators.LogicalOr:
		return combine(s.expr(args[0]), s.expr(args[1]), func(a, b directory.Flag) directory.Flag { return not(and(not(a), not(b))) })
	case operators.Conditional:
		is, yes, no := s.expr(args[0]), s.expr(args[1]), s.expr(args[2])
		for row, holds := range is {
			switch holds {
			case directory.Yes:
				is[row] = yes[row]
			case directory.No:
				is[row] = no[row]
			}
		}
		return is
	case operators.Equals, operators.NotEquals:
		return s.text(args[0], args[1], name == operators.Equals)
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return s.compare(name, args[0], args[1])
	}
	return s.all(directory.Unset)
}

func combine(a, b []directory.Flag, of func(a, b directory.Flag) directory.Flag) []directory.Flag {
	for row := range a {
		other := directory.Unset
		if b != nil {
			other = b[row]
		}
		a[row] = of(a[row], other)
	}
	return a
}

func not(f directory.Flag) directory.Flag {
	switch f {
	case directory.Yes:
		return directory.No
	case directory.No:
		return directory.Yes
	}
	return directory.Unset
}

func and(a, b directory.Flag) directory.Flag {
	switch {
	case a == directory.No || b == directory.No:
		return directory.No
	case a == directory.Yes && b == directory.Yes:
		return directory.Yes
	}
	return directory.Unset
}
