package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

type condition struct {
	source   string
	env      *cel.Env
	checked  *cel.Ast
	index    int              // index into Policy.conditions
	reads    []*attribute     // attributes in order of first appearance
	activity []*attribute     // the attributes in reads whose dates are signs of use
	spans    []time.Duration  // the spans of every days(n) and duration("…")
	instants []time.Time      // the times of every timestamp("…")
	valueOf  map[int64]string // names of the attributes whose value() is read, by the id of the call
}

func (c *condition) text() string {
	if c == nil {
		return ""
	}
	return c.source
}

func (c *condition) moves() bool {
	return c != nil && (len(c.instants) > 0 || slices.ContainsFunc(c.reads, func(a *attribute) bool { return a.kind == directory.Date }))
}

func addNew(list []*attribute, more ...*attribute) []*attribute {
	for _, a := range more {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

const exemptWhen = "exempt.when"

// The type "compiler" turns the expressions of one policy into conditions.
type compiler struct {
	*reader
	policy *Policy
	env    *cel.Env
	// The field "kept" means that a run stored the policy. A condition that makes no sense is then accepted, because
	// apply must finish or roll back the changes that the run began.
	kept   bool
	listed bool // whether a message has listed the attributes
}

func newCompiler(r *reader, p *Policy) (*compiler, error) {
	base, err := language()
	if err != nil {
		return nil, fmt.Errorf("set up CEL: %w", err)
	}
	var variables []cel.EnvOption
	for i, name := range slices.Sorted(maps.Keys(p.attributes)) {
		a := p.attributes[name]
		a.unknown = types.NewUnknown(int64(i), types.NewAttributeTrail(name))
		variables = append(variables, cel.Variable(name, a.celType()))
	}
	env, err := base.Extend(variables...)
	if err != nil {
		return nil, fmt.Errorf("declare the policy's attributes to CEL: %w", err)
	}
	return &compiler{reader: r, policy: p, env: env}, nil
}

func (c *compiler) compile(n *yaml.Node, what string) *condition {
	if n == nil {
		return nil
	}
	if n.ShortTag() == "!!bool" {
		n.Tag = "!!str" // a bare true is an expression too
	}
	source, ok := c.text(n, what)
	if !ok {
		return nil
	}
	checked, issues := c.env.Compile(source)
	if issues.Err() != nil {
		for i, e := range issues.Errors() {
			if i == 0 || !samePlace(e, issues.Errors()[i-1]) { // further faults at one place follow from the first
				c.faultCEL(n, source, e)
			}
			if strings.HasPrefix(e.Message, "Syntax error") || strings.HasPrefix(e.Message, "reserved identifier") || i+1 == mostFindings {
				break // later faults follow from this one
			}
		}
		return nil
	}
	if !c.kept {
		if faults := (&senseless{policy: c.policy}).find(checked.NativeRep().Expr()); len(faults) > 0 {
			for _, f := range faults {
				c.faultSense(n, source, checked, f)
			}
			return nil
		}
	}
	if fault := c.unfit(checked, what); fault != "" {
		line, column := c.place(n, 1, 1)
		c.faultAt(line, column, fault)
		return nil
	}
	cond := &condition{source: strings.TrimSpace(source), env: c.env, checked: checked,
		index: len(c.policy.conditions), valueOf: map[int64]string{}}
	root := checked.NativeRep().Expr()
	c.survey(root, cond)
	if what == exemptWhen {
		c.exemption(checked)
	} else {
		c.differences(checked, root, false)
	}
	foldTexts(root)
	if _, err := c.env.Program(checked); err != nil {
		c.fault(n, "%s cannot be planned: %v", what, err)
		return nil
	}
	c.policy.conditions = append(c.policy.conditions, cond)
	return cond
}

// The method "unfit" returns why a well-typed expression cannot be a condition. It returns "" if it can.
//
// The cost is limited only here. Loops run over literals and texts, whose length is limited, so the worst case is
// certain in advance. cel.CostLimit would count the steps again for each person (BenchmarkAsk: 50% slower).
func (c *compiler) unfit(checked *cel.Ast, what string) string {
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) {
		switch {
		case t.IsExactType(optionalDate):
			return fmt.Sprintf("%s must be true or false, but this is a date: %s", what, dates)
		case t.IsExactType(cel.StringType):
			return fmt.Sprintf(`%s must be true or false, but this is a text: compare it, as in systemRole == "Employee"`, what)
		}
		return fmt.Sprintf("%s must be true or false, but this is of type %s", what, t)
	}
	if a := c.misread(checked.NativeRep().Expr()); a != nil {
		return fmt.Sprintf("%s comes by a usage report, which is days late and reaches back to a horizon: it is only asked as %s.earlierThan(…), laterThan(…), hasValue() or hasNoValue(), and not computed with", a.name, a.name)
	}
	if a := c.read(checked.NativeRep().Expr(), (*attribute).ofLicense); a != nil && what == exemptWhen {
		return fmt.Sprintf("%s is about the license of a rule, and an exemption is about people, whatever they hold", a.name)
	}
	estimate, err := c.env.EstimateCost(checked, worstCase{})
	if err != nil {
		return fmt.Sprintf("the cost of %s cannot be estimated: %v", what, err)
	}
	if estimate.Max > maxCost {
		return fmt.Sprintf("%s may cost %d steps for one person, and %d are allowed; simplify it", what, estimate.Max, maxCost)
	}
	return ""
}

// The method "misread" returns an attribute from a usage report that the expression uses outside a test such as
// earlierThan, or nil.
func (c *compiler) misread(root ast.Expr) (found *attribute) {
	tested := map[int64]bool{}
	visit := func(each func(ast.Expr)) { ast.PostOrderVisit(root, ast.NewExprVisitor(each)) }
	visit(func(e ast.Expr) {
		if e.Kind() == ast.CallKind && dateTests[e.AsCall().FunctionName()] != nil {
			tested[e.AsCall().Target().ID()] = true
		}
	})
	visit(func(e ast.Expr) {
		if a := c.policy.attributeOf(e); a != nil && a.bounded() && !tested[e.ID()] {
			found = a
		}
	})
	return found
}

// The method "read" searches the expression for an attribute for which the function "of" returns true. It returns this
// attribute, or nil.
func (c *compiler) read(root ast.Expr, of func(*attribute) bool) (found *attribute) {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		if a := c.policy.attributeOf(e); a != nil && of(a) {
			found = a
		}
	}))
	return found
}

func (c *compiler) survey(root ast.Expr, cond *condition) {
	ast.PostOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			if a := c.policy.attributes[e.AsIdent()]; a != nil {
				cond.reads = addNew(cond.reads, a)
				if a.activity() {
					cond.activity = addNew(cond.activity, a)
				}
			}
		case ast.CallKind:
			if span, ok := spanOf(e); ok {
				cond.spans = append(cond.spans, span)
			} else if t, ok := instantOf(e); ok {
				cond.instants = append(cond.instants, t)
			} else if call := e.AsCall(); call.FunctionName() == "value" && call.Target().Kind() == ast.IdentKind {
				cond.valueOf[e.ID()] = call.Target().AsIdent()
			}
		}
	}))
}

func (c *compiler) faultSense(n *yaml.Node, source string, checked *cel.Ast, f sense) {
	at := checked.NativeRep().SourceInfo().GetStartLocation(f.id)
	c.faultCEL(n, source, &common.Error{Location: at, Message: f.text})
}

const mostFindings = 10

func samePlace(a, b *common.Error) bool {
	return a.Location.Line() == b.Location.Line() && a.Location.Column() == b.Location.Column()
}

// faultCEL reports a finding of CEL at its place in the file, and appends CEL's pointer to the place. It prefers the
// words of inWords, which are for authors of policies.
func (c *compiler) faultCEL(n *yaml.Node, source string, e *common.Error) {
	text := guess.ReplaceAllString(e.Message, "")
	if words := c.inWords(e, source); words != "" {
		text = words
	}
	display := e.ToDisplayString(common.NewTextSource(source))
	if _, pointer, ok := strings.Cut(display, "\n | "); ok {
		text += "\n | " + pointer
	}
	line, column := c.place(n, e.Location.Line(), e.Location.Column()+1)
	c.faultAt(line, column, text)
}
