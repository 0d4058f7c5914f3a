package policy

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "plan" compiles a condition into a program for one Judge. Its steps read the Judge's person and time
// directly, cache what depends only on the time, and compare dates and strings without CEL values. The program takes a
// fifth of the time of CEL's own program (BenchmarkCondition). The results are the same (FuzzCondition), because CEL's
// own steps evaluate whatever these steps do not handle.
func (j *Judge) plan(c *condition) (cel.Program, error) {
	return j.planPart(c, c.checked.NativeRep())
}

// planPart works like the method "plan", for a part of a condition that has the type bool.
func (j *Judge) planPart(c *condition, part *ast.AST) (cel.Program, error) {
	return c.env.PlanProgram(part, cel.EvalOptions(cel.OptOptimize), cel.CustomDecoratorV2(func(step interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
		return j.bind(c, step)
	}))
}

func (j *Judge) bind(c *condition, step interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	switch s := step.(type) {
	case interpreter.InterpretableAttribute:
		name := variable(s)
		if name == "now" {
			return &instant{step, j}, nil
		}
		if a := j.policy.variable(name); a != nil {
			return &reading{step, j, a}, nil
		}
	case interpreter.InterpretableCall:
		return j.bindCall(c, s), nil
	}
	return step, nil
}

func (j *Judge) bindCall(c *condition, call interpreter.InterpretableCall) interpreter.InterpretableV2 {
	args := call.Args()
	if len(args) == 0 {
		return call
	}
	if constant(args) {
		return &fixed{InterpretableV2: call, judge: j}
	}
	read, ok := args[0].(*reading)
	if !ok {
		return call
	}
	if holds := dateTests[call.Function()]; holds != nil {
		test := &dateTest{InterpretableV2: call, date: read, holds: holds, later: call.Function() == laterThan, spans: c.spans}
		if len(args) == 2 {
			test.at = args[1]
		}
		return test
	}
	if equal := call.Function() == operators.Equals; equal || call.Function() == operators.NotEquals {
		if want, ok := args[1].(interpreter.InterpretableConst); ok && read.of.kind == directory.Text {
			if text, ok := want.Value().(types.String); ok {
				return &textTest{InterpretableV2: call, text: read, want: string(text), equal: equal}
			}
		}
	}
	return call
}

// The function "variable" returns the name of the variable that a step of a compiled condition reads. It returns "" if
// the step also selects a field or an element of the variable.
func variable(s interpreter.InterpretableAttribute) string {
	attr, ok := s.Attr().(interpreter.NamespacedAttribute)
	if !ok || len(attr.Qualifiers()) > 0 || len(attr.CandidateVariableNames()) != 1 {
		return ""
	}
	return attr.CandidateVariableNames()[0]
}

// The function "constant" reports whether the arguments depend only on the time.
func constant(args []interpreter.InterpretableV2) bool {
	for _, a := range args {
		switch a.(type) {
		case *instant, *fixed, interpreter.InterpretableConst:
		default:
			return false
		}
	}
	return true
}

type instant struct {
	interpreter.InterpretableV2
	judge *Judge
}

// Exec implements interpreter.InterpretableV2.
func (s *instant) Exec(*interpreter.ExecutionFrame) ref.Val { return s.judge.nowValue }

// Eval implements interpreter.Interpretable.
func (s *instant) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, s.Exec)
}

type reading struct {
	interpreter.InterpretableV2
	judge *Judge
	of    *attribute
}

// Exec implements interpreter.InterpretableV2.
func (s *reading) Exec(*interpreter.ExecutionFrame) ref.Val { return s.of.celValue(s.judge.person) }

// Eval implements interpreter.Interpretable.
func (s *reading) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, s.Exec)
}

// The type "fixed" is a call whose value depends only on the time. It caches the value until this time changes.
type fixed struct {
	interpreter.InterpretableV2
	judge *Judge
	asOf  uint
	value ref.Val
}

// Exec implements interpreter.InterpretableV2.
func (s *fixed) Exec(f *interpreter.ExecutionFrame) ref.Val {
	if s.asOf != s.judge.turn {
		s.value, s.asOf = s.InterpretableV2.Exec(f), s.judge.turn
	}
	return s.value
}

// Eval implements interpreter.Interpretable.
func (s *fixed) Eval(a interpreter.Activation) ref.Val { return interpreter.EvalActivation(a, s.Exec) }

// dateTests has the tests of a date, by their names in CEL. The value v must be Known, None or NoneSince. The result is
// Unset if v does not settle the test.
var dateTests = map[string]func(v directory.Value, at time.Time) directory.Flag{
	"earlierThan": func(v directory.Value, at time.Time) directory.Flag {
		if v.State == directory.NoneSince && at.Before(v.Time) {
			return directory.Unset
		}
		return directory.FlagOf(v.State == directory.NoneSince || v.State == directory.Known && v.Time.Before(at))
	},
	laterThan: func(v directory.Value, at time.Time) directory.Flag {
		if v.State == directory.NoneSince && at.Before(v.Time) {
			return directory.Unset
		}
		return directory.FlagOf(v.State == directory.Known && v.Time.After(at))
	},
	"hasValue": func(v directory.Value, _ time.Time) directory.Flag {
		return directory.FlagOf(v.State != directory.None)
	},
	"hasNoValue": func(v directory.Value, _ time.Time) directory.Flag {
		return directory.FlagOf(v.State == directory.None)
	},
}

// The type "dateTest" is the step that tests a date. The field "at" is nil for hasValue and hasNoValue.
type dateTest struct {
	interpreter.InterpretableV2
	date  *reading
	at    interpreter.InterpretableV2
	holds func(directory.Value, time.Time) directory.Flag
	later bool            // whether the test is laterThan
	spans []time.Duration // the spans of the condition
}

// The constant laterThan is the name of a test in CEL. If the newest use in a report is exactly at the tested time,
// this test is still open, because a later use would make it true.
const laterThan = "laterThan"

// The method "asOf" returns the time up to which a usage report must reach, so that the report shows the result of the
// test. For hasValue and hasNoValue, this is the start of the condition's shortest span, such as now - days(60), or
// zero if there is no span.
func (s *dateTest) asOf(at time.Time) time.Time {
	if s.at == nil && len(s.spans) > 0 {
		return s.date.judge.now.Add(-slices.Min(s.spans))
	}
	return at
}

// Exec implements interpreter.InterpretableV2.
func (s *dateTest) Exec(f *interpreter.ExecutionFrame) ref.Val {
	v := s.date.of.of(s.date.judge.person)
	var at types.Timestamp
	plain := v.State != directory.Unknown
	if plain && s.at != nil {
		bound := s.at.Exec(f)
		if at, plain = bound.(types.Timestamp); !plain && !v.Through.IsZero() {
			return bound // CEL's own step would blame the date, because it does not read dates of reports
		}
	}
	if !plain {
		return s.InterpretableV2.Exec(f)
	}
	if v.State == directory.NoneSince {
		v = s.date.judge.assume(s.date.of, v)
	}
	holds := s.holds(v, at.Time)
	if !v.Through.IsZero() {
		asOf := s.asOf(at.Time)
		settled := v.State == directory.Known && (v.Time.After(asOf) || v.Time.Equal(asOf) && !s.later)
		if asOf.After(v.Through.Add(s.date.judge.lead)) && !settled {
			holds = directory.Unset // the report does not show what happened after its end
		}
	}
	if holds == directory.Unset {
		return s.date.of.unknown
	}
	return types.Bool(holds == directory.Yes)
}

// Eval implements interpreter.Interpretable.
func (s *dateTest) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, s.Exec)
}

// The type "textTest" is the step that compares a text attribute with a literal and ignores case.
type textTest struct {
	interpreter.InterpretableV2
	text  *reading
	want  string
	equal bool
}

// Exec implements interpreter.InterpretableV2.
func (s *textTest) Exec(*interpreter.ExecutionFrame) ref.Val {
	v := s.text.of.of(s.text.judge.person)
	if v.State == directory.Unknown {
		return s.text.of.unknown
	}
	return types.Bool(strings.EqualFold(v.Text, s.want) == s.equal)
}

// Eval implements interpreter.Interpretable.
func (s *textTest) Eval(a interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(a, s.Exec)
}
