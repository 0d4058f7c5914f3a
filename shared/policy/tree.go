package policy

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// Says is the result of a part of a rule for a person.
type Says string

// The three values.
const (
	True    Says = "true"
	False   Says = "false"
	Unknown Says = "unknown"
)

func saysOf(f directory.Flag) Says {
	switch f {
	case directory.Yes:
		return True
	case directory.No:
		return False
	}
	return Unknown
}

func (s Says) not() Says {
	switch s {
	case True:
		return False
	case False:
		return True
	}
	return s
}

// The words for how the parts of a Node are joined.
const (
	And = "and"
	Or  = "or"
	Not = "not"
	If  = "if" // three parts: a condition, the part for true, and the part for false
)

// Node is a rule, a condition or a part of one, with its result for one person.
type Node struct {
	// Name is holder, exempt, for, when or grace. It is empty for the other parts.
	Name string `json:"name,omitempty"`
	// Text is the part as the policy writes it, or a short sentence for a part without a condition, such as holder.
	Text string `json:"text"`
	// Words is the part in words. Tree leaves it empty, because package policy cannot import package words.
	Words string `json:"words,omitempty"`
	// Denial says in words that the part is false. It is empty if the part is not false. It is also empty if an
	// attribute of the part has no known value, because the words could then be wrong.
	Denial string `json:"denial,omitempty"`
	Says   Says   `json:"says"`
	// Join says how the parts are joined, such as "and". It is empty without parts.
	Join string `json:"join,omitempty"`
	// Decisive means that the node contributes to the result of the rule.
	Decisive bool `json:"decisive,omitempty"`
	// Values are the attributes that a part without further parts reads.
	Values []Evidence `json:"values,omitempty"`
	// Why says why the result of the part is unknown. For a part without a condition, such as grace, it says why the
	// part has its result.
	Why   string  `json:"why,omitempty"`
	Parts []*Node `json:"parts,omitempty"`

	condition *condition // nil for a part without a condition in the policy
}

// Tree returns the result of each part of a rule for a person. The root is true exactly if the verdict is Reclaim, and
// unknown exactly if it is Undecided. Its parts are the license, the exemption, "for", "when" and grace. Tree evaluates
// each part on its own. CEL's own record of an evaluation would not suffice: it has no result for parts that did not
// matter, has only the last case (type worlds), and lacks the steps that Judge.plan replaces.
func (j *Judge) Tree(r *Rule, p *directory.Person) (*Node, error) {
	j.about(r, p)
	d := decision{holder: j.holds(r.License, p), exempt: j.exemption(p), grace: j.inGrace(r, p)}
	root := &Node{Text: "rule " + r.Name + " takes " + r.License.Name, Join: And}
	holder := &Node{Name: "holder", Text: "the person holds " + r.License.Name, Says: saysOf(d.holder)}
	if holder.Says == Unknown {
		var g gaps
		holderGap(&g, r.License, p)
		holder.Why = g.String()
	}
	exempt, err := j.exemptNode(p, d.exempt)
	if err != nil {
		return nil, err
	}
	root.Parts = append(root.Parts, holder, exempt)
	for _, c := range []*condition{r.scope, r.when} {
		if c == nil {
			continue
		}
		n, err := j.conditionNode(c, p)
		if err != nil {
			return nil, err
		}
		n.Name = map[bool]string{true: "for", false: "when"}[c == r.scope]
		root.Parts = append(root.Parts, n)
	}
	if d.holder != directory.No { // the Judge computes no grace for a license that the person does not hold
		root.Parts = append(root.Parts, graceNode(d.grace))
	}
	root.Says = all(root.Parts)
	root.decide()
	return root, nil
}

func all(parts []*Node) Says {
	says := True
	for _, n := range parts {
		if n.Says == False {
			return False
		}
		if n.Says == Unknown {
			says = Unknown
		}
	}
	return says
}

func (j *Judge) exemptNode(p *directory.Person, e exemption) (*Node, error) {
	n := &Node{Name: "exempt", Text: "the person is not exempt", Says: saysOf(e.flag).not()}
	switch n.Says {
	case False:
		n.Why = j.exemptReason(e)
	case Unknown:
		var g gaps
		j.exemptGap(&g, p, e)
		n.Why = g.String()
	}
	// The exemption comes from the condition exempt.when if no field except "flag" is set, or if CEL returned an
	// unknown or an error for the condition (the field "value").
	if e == (exemption{flag: directory.Yes}) || e.value != nil {
		when, err := j.conditionNode(j.policy.exempt.when, p)
		if err != nil {
			return nil, err
		}
		n.Join, n.Parts = Not, []*Node{when}
	}
	return n, nil
}

func graceNode(g grace) *Node {
	n := &Node{Name: "grace", Text: "no grace period holds", Says: saysOf(g.flag).not(), Why: g.reason}
	if g.unknown != nil {
		var all gaps
		g.unknown(&all)
		n.Why = all.String()
	}
	return n
}

// conditionNode returns a condition with its parts. The texts come from the condition as written, because the method
// "compile" rewrites texts and names. The method leaves the ids of the parts unchanged, and conditionNode finds the
// written text of a part by the id.
func (j *Judge) conditionNode(c *condition, p *directory.Person) (*Node, error) {
	written, err := ParseWritten(c.source)
	if err != nil {
		return nil, fmt.Errorf("read the condition %q: %w", c.source, err)
	}
	b := branching{judge: j, condition: c, person: p, whole: written, written: map[int64]ast.Expr{}}
	ast.PostOrderVisit(written.Root, ast.NewExprVisitor(func(e ast.Expr) { b.written[e.ID()] = e }))
	return b.node(c.checked.NativeRep().Expr())
}

type branching struct {
	judge     *Judge
	condition *condition
	person    *directory.Person
	whole     *Written
	written   map[int64]ast.Expr // the parts as written, by id
}

var joins = map[string]string{operators.LogicalAnd: And, operators.LogicalOr: Or, operators.LogicalNot: Not, operators.Conditional: If}

// joinOf returns how the parts of an expression are joined, such as "and". It returns "" for an expression without
// parts.
func joinOf(e ast.Expr) string {
	if e.Kind() != ast.CallKind {
		return ""
	}
	return joins[e.AsCall().FunctionName()]
}

func (b *branching) node(e ast.Expr) (*Node, error) {
	flag, value, err := b.eval(e)
	if err != nil {
		return nil, fmt.Errorf("evaluate a part of the condition %q: %w", b.condition.source, err)
	}
	n := &Node{Text: b.text(e), Says: saysOf(flag), Join: joinOf(e), condition: b.condition}
	if n.Join == "" {
		b.leaf(n, e, value)
		return n, nil
	}
	for _, operand := range b.operands(e, n.Join) {
		part, err := b.node(operand)
		if err != nil {
			return nil, err
		}
		n.Parts = append(n.Parts, part)
	}
	return n, nil
}

// The method "operands" flattens nested joins of one kind: a && b && c has three parts.
func (b *branching) operands(e ast.Expr, join string) (list []ast.Expr) {
	for _, o := range e.AsCall().Args() {
		if (join == And || join == Or) && joinOf(o) == join {
			list = append(list, b.operands(o, join)...)
		} else {
			list = append(list, o)
		}
	}
	return list
}

func (b *branching) eval(e ast.Expr) (directory.Flag, ref.Val, error) {
	whole := b.condition.checked.NativeRep()
	part := ast.NewCheckedAST(ast.NewAST(e, whole.SourceInfo()), whole.TypeMap(), whole.ReferenceMap())
	program, err := b.judge.planPart(b.condition, part)
	if err != nil {
		return directory.Unset, nil, err
	}
	flag, value := b.judge.run(program, b.person)
	return flag, value, nil
}

func (b *branching) leaf(n *Node, e ast.Expr, value ref.Val) {
	var read []*attribute
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		if a := b.judge.policy.attributeOf(e); a != nil {
			read = addNew(read, b.judge.policy.attributes[a.name])
		}
	}))
	n.Values = evidence(read, b.person)
	var g gaps // empty if the part has a result, because the value is then nil
	b.judge.conditionGap(&g, b.person, b.condition, value)
	n.Why = g.String()
}

func (b *branching) text(e ast.Expr) string {
	code, err := b.whole.Code(b.written[e.ID()])
	if err != nil { // a second barrier: each part of a condition that was loaded is written, and can be written again
		code = b.condition.source
	}
	return strings.ReplaceAll(code, "\n", " ")
}

// The method "decide" sets Decisive for the node and for the parts that contribute to its result.
func (n *Node) decide() {
	n.Decisive = true
	parts := n.Parts
	switch n.Join {
	case And, Or:
		parts = slices.DeleteFunc(slices.Clone(parts), func(part *Node) bool { return part.Says != n.Says })
		if len(parts) == 0 { // no single part settles the result, so all parts together do
			parts = n.Parts
		}
	case If:
		switch n.Parts[0].Says {
		case True:
			parts = n.Parts[:2]
		case False:
			parts = []*Node{n.Parts[0], n.Parts[2]}
		case Unknown:
			parts = slices.DeleteFunc(slices.Clone(parts), func(part *Node) bool { return part.Says != Unknown })
		}
	}
	for _, part := range parts {
		part.decide()
	}
}

// Spoken reports whether Text is a short sentence of idleseat, because the part has no condition in the policy.
func (n *Node) Spoken() bool { return n.condition == nil }
