package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"go.yaml.in/yaml/v3"
)

// Variant is a rule with another number of days: each days(From) in its condition "when" becomes days(To). If From is
// 0, the rule stays as it is.
type Variant struct {
	Rule     string
	From, To int
}

// DayNumbers returns the n of each days(n) in the condition "when", ascending and without duplicates.
func (r *Rule) DayNumbers() (list []int) {
	r.when.eachDays(func(_ ast.Expr, days int) { list = append(list, days) })
	slices.Sort(list)
	return slices.Compact(list)
}

func (c *condition) eachDays(each func(n ast.Expr, days int)) {
	ast.PostOrderVisit(c.checked.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if call, _ := callOfLiteral(e); call != "days" {
			return
		}
		if span, ok := spanOf(e); ok {
			each(e.AsCall().Args()[0], int(span/day))
		}
	}))
}

// Varied returns the text of a policy with other numbers of days. The meaning of the rest stays, but comments and
// spacing may change. It fails if the policy is faulty, or lacks a rule or a number of days that a variant names. The
// parameter "name" names the policy in messages.
func Varied(name string, text []byte, variants ...Variant) ([]byte, error) {
	p, root, err := nodes(name, text)
	if err != nil {
		return nil, err
	}
	rules := valueOf(root, "rules")
	for _, v := range variants {
		if err := p.vary(rules, v); err != nil {
			return nil, err
		}
	}
	return encoded(root)
}

// Trial returns the policy with other rules: one for each variant, in the order of variants. So one Judge can evaluate
// a rule with many numbers of days, and these rules share the results that do not depend on the number.
func Trial(name string, text []byte, variants []Variant) (*Policy, error) {
	p, root, err := nodes(name, text)
	if err != nil {
		return nil, err
	}
	rules := valueOf(root, "rules")
	own, trial := rules.Content, []*yaml.Node(nil)
	for i, v := range variants {
		at := slices.IndexFunc(p.Rules, func(r *Rule) bool { return r.Name == v.Rule })
		if at < 0 {
			return nil, p.noRule(v.Rule)
		}
		copied := *own[at]
		copied.Content = slices.Clone(copied.Content)
		for k, n := range copied.Content {
			one := *n
			copied.Content[k] = &one
		}
		if err := p.vary(&yaml.Node{Content: slices.Insert(slices.Clone(own[:at]), at, &copied)}, v); err != nil {
			return nil, err
		}
		valueOf(&copied, "name").SetString(fmt.Sprintf("%d: %s with %d days", i+1, v.Rule, v.To))
		trial = append(trial, &copied)
	}
	rules.Content = trial
	if text, err = encoded(root); err != nil {
		return nil, err
	}
	t, err := compiled(name, text, true) // LoadKept may return a policy that others use; this policy must be new, because the loop below changes its rules
	if err != nil {
		return nil, err
	}
	for i, v := range variants {
		fewest := i
		for k, o := range variants {
			if o.Rule == v.Rule && o.From == v.From && o.To < variants[fewest].To {
				fewest = k
			}
		}
		if fewest != i && shrinks(p.RuleNamed(v.Rule).when.checked.NativeRep().Expr(), v.From) {
			t.Rules[i].within, t.Rules[i].withinAt = t.Rules[fewest], fewest
		}
	}
	return t, nil
}

// The function "shrinks" reports whether the form of a condition proves that a larger number in place of days(from)
// makes the condition true for no further people. An example is signIn.earlierThan(now - days(60)). A person for whom
// such a condition is false need not be evaluated with the larger number (Rule.within).
func shrinks(e ast.Expr, from int) bool {
	if !has(e, from) {
		return true
	}
	if e.Kind() != ast.CallKind {
		return false
	}
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); name {
	case operators.LogicalAnd, operators.LogicalOr:
		return shrinks(args[0], from) && shrinks(args[1], from)
	case operators.Conditional:
		return !has(args[0], from) && shrinks(args[1], from) && shrinks(args[2], from)
	case operators.Less, operators.LessEquals:
		return !has(args[0], from) && ago(args[1])
	case operators.Greater, operators.GreaterEquals:
		return !has(args[1], from) && ago(args[0])
	case "earlierThan":
		return !has(call.Target(), from) && ago(args[0])
	}
	return false
}

func has(e ast.Expr, n int) (found bool) {
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(part ast.Expr) {
		if call, _ := callOfLiteral(part); call == "days" {
			span, _ := spanOf(part)
			found = found || span == time.Duration(n)*day
		}
	}))
	return found
}

// The function "ago" reports whether an expression is now - days(n).
func ago(e ast.Expr) bool {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Subtract {
		return false
	}
	args := e.AsCall().Args()
	call, _ := callOfLiteral(args[1])
	return args[0].Kind() == ast.IdentKind && args[0].AsIdent() == "now" && call == "days"
}

func nodes(name string, text []byte) (*Policy, *yaml.Node, error) {
	p, err := LoadKept(name, text)
	if err != nil {
		return nil, nil, err
	}
	_, root := open(name, text, true)
	return p, root, nil
}

func encoded(root *yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write the policy: %w", err)
	}
	return text.Bytes(), encoder.Close()
}

func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func (p *Policy) noRule(name string) error {
	return fmt.Errorf("the policy has no rule %q%s", name, didYouMean(name, p.ruleNames()))
}

func (p *Policy) vary(rules *yaml.Node, v Variant) error {
	at := slices.IndexFunc(p.Rules, func(r *Rule) bool { return r.Name == v.Rule })
	if at < 0 {
		return p.noRule(v.Rule)
	}
	if v.From == 0 {
		return nil
	}
	if v.To < 1 || v.To > maxDays {
		return fmt.Errorf("rule %s: days takes a whole number from 1 to %d, not %d", v.Rule, maxDays, v.To)
	}
	type place struct{ from, to int }
	var places []place
	when, when0 := p.Rules[at].when, valueOf(rules.Content[at], "when")
	text := []rune(when0.Value)
	when.eachDays(func(n ast.Expr, days int) {
		found, is := when.checked.NativeRep().SourceInfo().GetOffsetRange(n.ID())
		if days == v.From && is {
			places = append(places, place{int(found.Start), numberEnd(text, int(found.Start))})
		}
	})
	if len(places) == 0 {
		return fmt.Errorf(`rule %s has no days(%d) in its condition "when"`, v.Rule, v.From)
	}
	slices.SortFunc(places, func(a, b place) int { return b.from - a.from }) // changed from the end, so that earlier places stay valid
	for _, one := range places {
		text = slices.Concat(text[:one.from], []rune(strconv.Itoa(v.To)), text[one.to:])
	}
	when0.Value = string(text)
	return nil
}

// numberEnd returns the index after the whole number that starts at the given index. The number may be hexadecimal.
func numberEnd(text []rune, from int) int {
	end := from
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || text[end] >= 'a' && text[end] <= 'f' || text[end] >= 'A' && text[end] <= 'F' || text[end] == 'x' || text[end] == 'X') {
		end++
	}
	return end
}

// At sets the time as of which the Judge evaluates the rules.
func (j *Judge) At(now time.Time) { j.setNow(now.UTC()) }
