package policy

import (
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

const (
	day = 24 * time.Hour
	// maxDays is the longest span in a condition. A longer span could overflow, and each date would then count as
	// earlier.
	maxDays = 3650
	// MaxCondition is the maximum length of a condition, in characters.
	MaxCondition = 10_000
	// maxDepth limits the nesting of parentheses, lists and loops. The types of nested lists need memory that grows
	// with the cube of the depth.
	maxDepth = 24
	// maxCost limits the work for one condition and one person with the longest values, in CEL's units. It is about a
	// tenth of a millisecond.
	maxCost = 50_000
	// maxText is the longest text that a directory stores in one attribute, in characters.
	maxText = 2048
)

var optionalDate = cel.OptionalType(cel.TimestampType)

// The function "language" returns CEL with the dates and spans of idleseat. It excludes CEL's functions for the parts
// of a date, which would make a verdict depend on the hour of the run, and dyn, which hides types.
var language = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(excluded()...))),
		cel.OptionalTypes(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(MaxCondition),
		cel.ParserRecursionLimit(maxDepth),
		cel.ExpressionNodeLimit(MaxCondition),
		cel.ASTValidators(literalSpans{}, cel.ValidateRegexLiterals()),
		cel.Variable("now", cel.TimestampType),
		cel.Function("days", cel.Overload("days_int", []*cel.Type{cel.IntType}, cel.DurationType,
			cel.UnaryBinding(func(n ref.Val) ref.Val {
				return types.Duration{Duration: time.Duration(n.(types.Int)) * day}
			}))),
		compareDate("earlierThan", time.Time.Before),
		compareDate("laterThan", time.Time.After),
		cel.Function("hasNoValue", cel.MemberOverload("date_has_no_value", []*cel.Type{optionalDate}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Bool(!v.(*types.Optional).HasValue()) }))),
	)
})

// compareDate declares a comparison of a date with a time, exact to the nanosecond. A date without a value gives false.
func compareDate(name string, holds func(a, b time.Time) bool) cel.EnvOption {
	return cel.Function(name, cel.MemberOverload("date_"+name, []*cel.Type{optionalDate, cel.TimestampType}, cel.BoolType,
		cel.BinaryBinding(func(v, t ref.Val) ref.Val {
			date := v.(*types.Optional)
			return types.Bool(date.HasValue() && holds(date.GetValue().(types.Timestamp).Time, t.(types.Timestamp).Time))
		})))
}

func excluded() []*env.Function {
	var list []*env.Function
	for _, name := range []string{
		overloads.TimeGetFullYear, overloads.TimeGetMonth, overloads.TimeGetDayOfYear, overloads.TimeGetDate,
		overloads.TimeGetDayOfMonth, overloads.TimeGetDayOfWeek, overloads.TimeGetHours, overloads.TimeGetMinutes,
		overloads.TimeGetSeconds, overloads.TimeGetMilliseconds,
		overloads.TypeConvertDyn, overloads.TypeConvertType,
	} {
		list = append(list, env.NewFunction(name))
	}
	return list
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// The variable "reserved" lists the keywords of CEL, and "now", the only variable that is not an attribute.
var reserved = []string{
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
	"namespace", "null", "optional", "package", "return", "true", "var", "void", "while", "now",
}

func nameFault(e *cel.Env, name string) string {
	isMacro := slices.ContainsFunc(e.Macros(), func(m cel.Macro) bool { return m.Function() == name })
	_, isType := e.CELTypeProvider().FindIdent(name)
	switch {
	case !identifier.MatchString(name):
		return "an attribute's name must be letters, digits and _, and not begin with a digit"
	case slices.Contains(reserved, name):
		return fmt.Sprintf("%q is a word of the language; choose another name", name)
	case e.HasFunction(name) || isMacro || isType:
		return fmt.Sprintf("%q is a function or type of the language; choose another name", name)
	}
	return ""
}

// literalSpans accepts spans and times only as literals within bounds. It also rejects a loop variable with the name of
// an attribute.
type literalSpans struct{}

// Name implements cel.ASTValidator.
func (literalSpans) Name() string { return "idleseat.literal_spans" }

// Validate implements cel.ASTValidator.
func (literalSpans) Validate(env *cel.Env, _ cel.ValidatorConfig, checked *ast.AST, issues *cel.Issues) {
	taken := map[string]bool{}
	for _, v := range env.Variables() {
		taken[v.Name()] = true
	}
	ast.PostOrderVisit(checked.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() == ast.ComprehensionKind {
			loop := e.AsComprehension()
			for _, name := range []string{loop.IterVar(), loop.IterVar2(), loop.AccuVar()} {
				if taken[name] {
					issues.ReportErrorAtID(e.ID(), "%q is an attribute; choose another name for the loop", name)
				}
			}
		}
		if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 1 {
			return
		}
		arg := e.AsCall().Args()[0]
		switch e.AsCall().FunctionName() {
		case "days":
			if _, ok := spanOf(e); !ok {
				issues.ReportErrorAtID(arg.ID(), "days takes a whole number from 1 to %d, such as days(60)", maxDays)
			}
		case overloads.TypeConvertDuration:
			if _, ok := spanOf(e); !ok {
				issues.ReportErrorAtID(arg.ID(), `duration takes a text like "36h" of at most %d days; or write days(n)`, maxDays)
			}
		case overloads.TypeConvertTimestamp:
			if _, ok := instantOf(e); !ok {
				issues.ReportErrorAtID(arg.ID(), "%s", instantFault(arg))
			}
		}
	}))
}

func instantFault(arg ast.Expr) string {
	const form = `timestamp takes a text like "2027-03-01T00:00:00Z"`
	if text, ok := textOf(arg); ok {
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			return fmt.Sprintf(`a day needs its hour, too: write timestamp("%s")`, day.Format(time.RFC3339))
		}
		return form
	}
	return form + "; or map a date field to an attribute"
}

func spanOf(e ast.Expr) (time.Duration, bool) {
	call, literal := callOfLiteral(e)
	switch v := literal.(type) {
	case types.Int:
		return time.Duration(v) * day, call == "days" && v >= 1 && v <= maxDays
	case types.String:
		d, err := time.ParseDuration(string(v))
		return d, call == overloads.TypeConvertDuration && err == nil && d.Abs() <= maxDays*day
	}
	return 0, false
}

func instantOf(e ast.Expr) (time.Time, bool) {
	call, literal := callOfLiteral(e)
	s, ok := literal.(types.String)
	if !ok || call != overloads.TypeConvertTimestamp {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, string(s))
	return t, err == nil
}

// callOfLiteral returns the function and the argument of a call with a single literal. For any other expression, the
// literal is nil.
func callOfLiteral(e ast.Expr) (function string, literal ref.Val) {
	if e.Kind() != ast.CallKind || len(e.AsCall().Args()) != 1 {
		return "", nil
	}
	arg := e.AsCall().Args()[0]
	if arg.Kind() != ast.LiteralKind {
		return "", nil
	}
	return e.AsCall().FunctionName(), arg.AsLiteral()
}

// worstCase limits the length of texts for CEL's cost estimate, and gives the costs of the functions of idleseat.
type worstCase struct{}

// EstimateSize implements cost.Estimator.
func (worstCase) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	if len(element.Path()) == 1 && element.Type().Kind() == types.StringKind {
		return &cost.SizeEstimate{Max: maxText}
	}
	return nil
}

// EstimateCallCost implements cost.Estimator.
func (worstCase) EstimateCallCost(function, _ string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	switch function {
	case "days", "earlierThan", "laterThan", "hasNoValue":
		return &cost.CallEstimate{CostEstimate: cost.Estimate{Min: 1, Max: 1}}
	}
	return nil
}
