package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/idleseat/idleseat/shared/directory"
)

// readAs says how a condition reads an attribute that has no value.
type readAs uint8

const (
	plainly readAs = iota
	// With "filled", a text attribute without a value is unknown.
	filled
	// orNone gives no value to people who certainly lack the account of an attribute. An unknown value could leave an
	// exemption undecided forever.
	orNone
)

// The variable "prefixes" has the prefixes of the names in Policy.readOtherwise. No author can write such a name,
// because it contains @ and a space.
var prefixes = map[readAs]string{filled: "@filled ", orNone: "@orNone "}

// The method "variable" returns the attribute for a name in CEL, or nil.
func (p *Policy) variable(name string) *attribute {
	if a := p.attributes[name]; a != nil {
		return a
	}
	return p.readOtherwise[name]
}

// attributeOf returns the attribute that an expression names, or nil.
func (p *Policy) attributeOf(e ast.Expr) *attribute {
	if e.Kind() != ast.IdentKind {
		return nil
	}
	return p.variable(e.AsIdent())
}

// readsOtherwise returns the name of a variable that reads the attribute in the given way. It defines the variable if
// necessary.
func (c *compiler) readsOtherwise(a *attribute, as readAs) string {
	name := prefixes[as] + a.name
	if c.policy.readOtherwise[name] == nil {
		other := *a
		other.as = as
		if c.policy.readOtherwise == nil {
			c.policy.readOtherwise = map[string]*attribute{}
		}
		c.policy.readOtherwise[name] = &other
	}
	return name
}

func (a *attribute) asRead(p *directory.Person, v directory.Value) directory.Value {
	switch {
	case a.as == filled && v.State == directory.Known && v.Text == "":
		return directory.Value{}
	case a.as == orNone && v.State == directory.Unknown && a.kind != directory.Bool && a.noAccount(p):
		return directory.Value{State: map[bool]directory.Knowledge{true: directory.Known, false: directory.None}[a.kind == directory.Text]}
	}
	return v
}

func (a *attribute) noAccount(p *directory.Person) bool {
	for _, f := range a.fields {
		if !absent(p, f.Source) {
			return false
		}
	}
	return len(a.fields) > 0
}

// The method "exemption" makes the condition exempt.when read an attribute as "no value" if the person certainly lacks
// the account of the attribute (orNone). So the condition has a result for such a person, too.
func (c *compiler) exemption(checked *cel.Ast) {
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if a := c.policy.attributeOf(e); a != nil && a.group == nil {
			c.replace(checked, e, a, orNone)
		}
	}))
}

func (c *compiler) replace(checked *cel.Ast, e ast.Expr, a *attribute, as readAs) {
	name := c.readsOtherwise(a, as)
	e.SetKindCase(ast.NewExprFactory().NewIdent(e.ID(), name))
	checked.NativeRep().SetReference(e.ID(), ast.NewIdentReference(name, nil))
}

// The method "differences" finds comparisons such as `employeeType != "Contractor"`, which would be true for people
// without an employeeType. It makes the result unknown for these people (filled). It does not change a comparison with
// "", whose author has such people in mind.
func (c *compiler) differences(checked *cel.Ast, e ast.Expr, negated bool) {
	switch e.Kind() {
	case ast.ComprehensionKind:
		loop := e.AsComprehension()
		for _, part := range []ast.Expr{loop.AccuInit(), loop.LoopCondition(), loop.LoopStep(), loop.Result()} {
			c.differences(checked, part, negated)
		}
	case ast.CallKind:
		c.differencesOf(checked, e.AsCall(), negated)
	}
}

func (c *compiler) differencesOf(checked *cel.Ast, call ast.CallExpr, negated bool) {
	operands := call.Args()
	if call.IsMemberFunction() {
		operands = append([]ast.Expr{call.Target()}, operands...)
	}
	inner := negated
	switch name := call.FunctionName(); name {
	case operators.LogicalNot:
		inner = !negated
	case operators.Conditional:
		c.differences(checked, operands[0], false) // a negated ternary negates its results, but not its condition
		operands = operands[1:]
	case operators.Equals, operators.NotEquals:
		if (name == operators.NotEquals) != negated {
			c.fill(checked, operands)
		}
		inner = true // (a == b) == false also negates a == b
	case operators.In, overloads.StartsWith, overloads.EndsWith, overloads.Contains, overloads.Matches:
		if negated {
			c.fill(checked, operands)
		}
	}
	for _, o := range operands {
		c.differences(checked, o, inner)
	}
}

// The method "fill" is for a comparison of texts. It makes the comparison read each attribute as "filled", so that an
// attribute without a value is unknown. If an operand is "", it changes nothing.
func (c *compiler) fill(checked *cel.Ast, operands []ast.Expr) {
	var texts []ast.Expr
	for _, o := range operands {
		all := []ast.Expr{o}
		if o.Kind() == ast.ListKind {
			all = o.AsList().Elements()
		}
		for _, e := range all {
			if text, written := textOf(e); written && text == "" {
				return
			}
			if a := c.policy.attributeOf(e); a != nil && a.kind == directory.Text {
				texts = append(texts, e)
			}
		}
	}
	for _, e := range texts {
		c.replace(checked, e, c.policy.attributeOf(e), filled)
	}
}

// foldTexts applies the function "fold" to the texts in a condition. celValue does the same with the values of
// attributes. So comparisons ignore case.
func foldTexts(root ast.Expr) {
	keep := map[int64]bool{} // ids of times, spans and patterns, which are not folded
	visit := func(each func(ast.Expr)) { ast.PostOrderVisit(root, ast.NewExprVisitor(each)) }
	visit(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		switch call.FunctionName() {
		case overloads.TypeConvertDuration, overloads.TypeConvertTimestamp:
			keep[call.Args()[0].ID()] = true
		case overloads.Matches:
			pattern := call.Args()[len(call.Args())-1]
			if text, written := textOf(pattern); written {
				keep[pattern.ID()] = true
				pattern.SetKindCase(ast.NewExprFactory().NewLiteral(pattern.ID(), types.String("(?i)"+text)))
			}
		}
	})
	visit(func(e ast.Expr) {
		if text, written := textOf(e); written && !keep[e.ID()] {
			e.SetKindCase(ast.NewExprFactory().NewLiteral(e.ID(), types.String(fold(text))))
		}
	})
}

// The function "fold" returns the same string for all strings that are equal for strings.EqualFold.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToUpper(s)
}

// foldRune returns the smallest rune that differs from r only in case.
func foldRune(r rune) rune {
	smallest := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		smallest = min(smallest, o)
	}
	return smallest
}
