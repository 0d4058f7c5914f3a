package words

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

type speaker struct {
	*tongue
	language Language
	policy   *policy.Policy
	written  *policy.Written
	exempts  bool            // the condition is exempt.when, where a text without a value counts as different
	valued   bool            // every date has a value, so the words omit dates without one
	told     map[string]bool // attributes whose fields the words list already; from then on, the name is enough
}

// Condition returns the words for a condition as a clause, without a capital or a full stop. The source is the
// condition as written, such as Rule.WhenSource, or a part of it.
func Condition(l Language, p *policy.Policy, source string) (string, error) {
	return condition(l, p, source, false)
}

// Denial returns words that say that the condition is false. They are right only for a person with a value for each
// attribute of the condition.
func Denial(l Language, p *policy.Policy, source string) (string, error) {
	written, err := policy.ParseWritten(source)
	if err != nil {
		return "", err
	}
	s := &speaker{tongue: l.tongue(), language: l, policy: p, written: written, valued: true, told: map[string]bool{}}
	return s.say(written.Root, true).text, nil
}

// Exemption works like Condition, for the condition Exemptions.When. In this condition, a text without a value differs
// from every other text.
func Exemption(l Language, p *policy.Policy, source string) (string, error) {
	return condition(l, p, source, true)
}

func condition(l Language, p *policy.Policy, source string, exempts bool) (string, error) {
	written, err := policy.ParseWritten(source)
	if err != nil {
		return "", err
	}
	s := &speaker{tongue: l.tongue(), language: l, policy: p, written: written, exempts: exempts, told: map[string]bool{}}
	return s.say(written.Root, false).text, nil
}

// Attribute returns the words for an attribute, such as "the last sign-in to Entra ID", or false if there is no such
// attribute.
func Attribute(l Language, p *policy.Policy, name string) (string, bool) {
	a, known := p.Attribute(name)
	if !known {
		return "", false
	}
	s := &speaker{tongue: l.tongue(), language: l, policy: p, told: map[string]bool{}}
	if a.Kind == directory.Bool {
		return s.flag(a, false), true
	}
	return s.attribute(a), true
}

// The type "clause" is a text with the word that joins its parts, such as "and". The field "joint" is "" without parts.
type clause struct{ text, joint string }

func plainly(format string, args ...any) clause { return clause{text: fmt.Sprintf(format, args...)} }

// The method "joined" joins the parts. It puts a part with another joint into parentheses, so that the whole has one
// reading.
func (s *speaker) joined(joint string, parts ...clause) clause {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = part.text
		if part.joint != "" && part.joint != joint {
			texts[i] = "(" + part.text + ")"
		}
	}
	return clause{strings.Join(texts, joint), joint}
}

func (s *speaker) list(nouns []string, joint string) string {
	last := len(nouns) - 1
	if last < 1 {
		return strings.Join(nouns, "")
	}
	return strings.Join(nouns[:last], ", ") + joint + nouns[last]
}

func (s *speaker) quoted(text string) string { return fmt.Sprintf(s.quote, text) }

// The method "say" returns the words for a part of the condition, or for its negation. It turns "not (x and y)" into
// "not x or not y". This changes no verdict, because the negation of unknown is unknown.
func (s *speaker) say(e ast.Expr, negated bool) clause {
	if spoken, ok := s.known(e, negated); ok {
		return spoken
	}
	form := s.code
	if negated {
		form = s.notCode
	}
	code, err := s.written.Code(e)
	if err != nil {
		code = err.Error() // unreachable: CEL can write every expression that it has parsed
	}
	return plainly(form, code)
}

// The method "known" returns the words for a part of a condition, or for its negation. It returns false if the part has
// no words.
func (s *speaker) known(e ast.Expr, negated bool) (clause, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		if a, ok := s.policy.Attribute(e.AsIdent()); ok && a.Kind == directory.Bool {
			return plainly("%s", s.flag(a, negated)), true
		}
	case ast.LiteralKind:
		if holds, ok := e.AsLiteral().(types.Bool); ok {
			if bool(holds) != negated {
				return plainly("%s", s.always), true
			}
			return plainly("%s", s.never), true
		}
	case ast.CallKind:
		return s.call(e.AsCall(), negated)
	}
	return clause{}, false
}

func (s *speaker) call(call ast.CallExpr, negated bool) (clause, bool) {
	name, args := call.FunctionName(), call.Args()
	if call.IsMemberFunction() {
		args = append([]ast.Expr{call.Target()}, args...)
	}
	switch name {
	case operators.LogicalNot:
		return s.say(args[0], !negated), true
	case operators.LogicalAnd, operators.LogicalOr:
		joint := s.and
		if (name == operators.LogicalOr) != negated {
			joint = s.or
		}
		parts := make([]clause, len(args))
		for i, arg := range args {
			parts[i] = s.say(arg, negated)
		}
		return s.joined(joint, parts...), true
	case operators.Conditional:
		return s.choice(args, negated)
	case operators.In:
		return s.among(args[0], args[1], negated)
	case overloads.StartsWith, overloads.EndsWith, overloads.Contains, overloads.Matches:
		return s.pattern(name, args, negated)
	case "hasValue", "hasNoValue":
		if a, ok := s.date(args[0]); ok && len(args) == 1 {
			return plainly("%s", s.dated(a, (name == "hasNoValue") != negated)), true
		}
		return clause{}, false
	case "earlierThan", "laterThan":
		return s.dateTest(name, args, negated)
	}
	if spoken, ok := s.moments(name, args, negated); ok {
		return spoken, true
	}
	if name == operators.Equals || name == operators.NotEquals {
		return s.equal(args[0], args[1], (name == operators.NotEquals) != negated)
	}
	return clause{}, false
}

// The method "choice" writes "x ? y : z" as "(x and y) or (not x and z)". If x compares a text, it writes "otherwise"
// in place of "not x", because both x and "not x" are false for a text without a value. It also writes "otherwise" if x
// contains a choice, whose words would be long.
func (s *speaker) choice(args []ast.Expr, negated bool) (clause, bool) {
	first := s.say(args[0], false)
	if s.needsOtherwise(args) {
		text := fmt.Sprintf(s.choose, first.text, s.say(args[1], negated).text, s.say(args[2], negated).text)
		return clause{text, s.choose}, true
	}
	return s.joined(s.or,
		s.joined(s.and, first, s.say(args[1], negated)),
		s.joined(s.and, s.say(args[0], true), s.say(args[2], negated))), true
}

func (s *speaker) needsOtherwise(args []ast.Expr) (needs bool) {
	for i, arg := range args {
		ast.PostOrderVisit(arg, ast.NewExprVisitor(func(e ast.Expr) {
			_, _, text := s.text(e)
			needs = needs || i == 0 && text || e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Conditional
		}))
	}
	return needs
}

// The method "different" returns the words for a text that differs. In an exemption, a text without a value also
// differs, so the method adds words for it.
func (s *speaker) different(form string, args ...any) clause {
	text := fmt.Sprintf(form, args...)
	if !s.exempts {
		return clause{text: text}
	}
	return clause{fmt.Sprintf(s.orNone, text), s.or}
}

func (s *speaker) text(e ast.Expr) (noun string, literal *string, ok bool) {
	switch e.Kind() {
	case ast.IdentKind:
		if a, known := s.policy.Attribute(e.AsIdent()); known && a.Kind == directory.Text {
			return s.attribute(a), nil, true
		}
	case ast.LiteralKind:
		if text, is := e.AsLiteral().(types.String); is {
			written := string(text)
			return s.quoted(written), &written, true
		}
	}
	return "", nil, false
}

// The method "equal" returns the words for a comparison of two texts, or of a flag and a literal.
func (s *speaker) equal(left, right ast.Expr, different bool) (clause, bool) {
	if left.Kind() == ast.LiteralKind {
		left, right = right, left
	}
	if holds, ok := boolean(right); ok && left.Kind() == ast.IdentKind {
		return s.known(left, holds == different)
	}
	noun, literal, ok := s.text(left)
	other, written, too := s.text(right)
	if !ok || !too || literal != nil {
		return clause{}, false
	}
	switch empty := written != nil && *written == ""; {
	case empty && different:
		return plainly(s.something, noun), true
	case empty:
		return plainly(s.nothing, noun), true
	case different:
		return s.different(s.other, noun, other), true
	}
	return plainly(s.same, noun, other), true
}

func boolean(e ast.Expr) (value, ok bool) {
	if e.Kind() != ast.LiteralKind {
		return false, false
	}
	literal, ok := e.AsLiteral().(types.Bool)
	return bool(literal), ok
}

// The method "among" returns the words for a text that is, or is not, in a list of literals.
func (s *speaker) among(of, in ast.Expr, negated bool) (clause, bool) {
	noun, literal, ok := s.text(of)
	if !ok || literal != nil || in.Kind() != ast.ListKind || len(in.AsList().OptionalIndices()) > 0 {
		return clause{}, false
	}
	var texts []string
	empty := false
	for _, e := range in.AsList().Elements() {
		text, written, ok := s.text(e)
		if !ok || written == nil {
			return clause{}, false
		}
		if empty = empty || *written == ""; *written != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	list := strings.Join(texts, ", ")
	switch {
	case len(texts) == 0:
		return clause{}, false
	case negated && empty:
		return plainly(s.noneOf, noun, list), true
	case negated:
		return s.different(s.noneOf, noun, list), true
	case empty:
		return clause{fmt.Sprintf(s.oneOfOrNone, noun, list), s.or}, true
	case len(texts) == 1:
		return plainly(s.same, noun, list), true
	}
	return plainly(s.oneOf, noun, list), true
}

// The method "pattern" returns the words for startsWith, endsWith, contains and matches.
func (s *speaker) pattern(name string, args []ast.Expr, negated bool) (clause, bool) {
	if len(args) != 2 {
		return clause{}, false
	}
	noun, literal, ok := s.text(args[0])
	part, written, too := s.text(args[1])
	if !ok || !too || literal != nil {
		return clause{}, false
	}
	if name == overloads.Matches && written != nil {
		part = "`" + *written + "`"
	}
	forms := map[string][2]string{
		overloads.StartsWith: {s.begins, s.notBegins}, overloads.EndsWith: {s.ends, s.notEnds},
		overloads.Contains: {s.contains, s.notContains}, overloads.Matches: {s.matches, s.notMatches},
	}[name]
	if negated {
		return s.different(forms[1], noun, part), true
	}
	return plainly(forms[0], noun, part), true
}
