package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// The type "moment" is now, a date of the person or an instant, moved by at most one span.
type moment struct {
	date    *policy.Attribute // nil for now and for an instant
	instant string            // in words; empty for now and for a date of the person
	span    string            // in words; empty if there is none
	back    bool              // whether the span is subtracted
}

func (s *speaker) date(e ast.Expr) (policy.Attribute, bool) {
	if e.Kind() != ast.IdentKind {
		return policy.Attribute{}, false
	}
	a, known := s.policy.Attribute(e.AsIdent())
	return a, known && a.Kind == directory.Date
}

// The method "moment" returns the time that an expression means, or false if it has no words.
func (s *speaker) moment(e ast.Expr) (moment, bool) {
	if e.Kind() == ast.IdentKind && e.AsIdent() == "now" {
		return moment{}, true
	}
	if e.Kind() != ast.CallKind {
		return moment{}, false
	}
	switch call := e.AsCall(); call.FunctionName() {
	case "value":
		if call.IsMemberFunction() && len(call.Args()) == 0 {
			a, ok := s.date(call.Target())
			return moment{date: &a}, ok
		}
	case overloads.TypeConvertTimestamp:
		t, err := time.Parse(time.RFC3339, literal(e))
		return moment{instant: s.clock(t)}, err == nil
	case operators.Add, operators.Subtract:
		m, ok := s.moment(call.Args()[0])
		span, too := s.span(call.Args()[1])
		if !ok || !too || m.span != "" {
			return moment{}, false
		}
		m.span, m.back = span, call.FunctionName() == operators.Subtract
		return m, true
	}
	return moment{}, false
}

// The function "literal" returns the text of a call with one text literal, or "".
func literal(e ast.Expr) string {
	args := e.AsCall().Args()
	if len(args) != 1 || args[0].Kind() != ast.LiteralKind {
		return ""
	}
	text, _ := args[0].AsLiteral().(types.String)
	return string(text)
}

// The method "clock" returns the words for a time in UTC. It writes seconds and fractions only if they are not zero.
func (t *tongue) clock(at time.Time) string {
	at = at.UTC()
	clock := at.Format("15:04")
	if at.Second() != 0 || at.Nanosecond() != 0 {
		clock = at.Format("15:04:05.999999999")
	}
	return fmt.Sprintf(t.instant, at.Day(), t.months[at.Month()-1], at.Year(), clock)
}

// The method "span" returns the words for days(n) or duration("…"). A span of several units stays as written.
func (s *speaker) span(e ast.Expr) (string, bool) {
	if e.Kind() != ast.CallKind || e.AsCall().IsMemberFunction() || len(e.AsCall().Args()) != 1 {
		return "", false
	}
	switch arg := e.AsCall().Args()[0]; e.AsCall().FunctionName() {
	case "days":
		if arg.Kind() != ast.LiteralKind {
			return "", false
		}
		n, ok := arg.AsLiteral().(types.Int)
		return counted(s.tongue.days, strconv.FormatInt(int64(n), 10)), ok
	case overloads.TypeConvertDuration:
		text := literal(e)
		if d, err := time.ParseDuration(text); err != nil || d <= 0 {
			return "", false
		}
		for unit, forms := range map[string][2]string{"h": s.hours, "m": s.minutes, "s": s.seconds} {
			if number, ok := strings.CutSuffix(text, unit); ok && !strings.ContainsFunc(number, notDigit) {
				return counted(forms, number), true
			}
		}
		return text, true
	}
	return "", false
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

func counted(forms [2]string, number string) string {
	if number == "1" {
		return fmt.Sprintf(forms[0], number)
	}
	return fmt.Sprintf(forms[1], number)
}

type operator int

const (
	less operator = iota
	most
	more
	least
	same
	other
)

var (
	comparing = map[string]operator{
		operators.Less: less, operators.LessEquals: most, operators.Greater: more, operators.GreaterEquals: least,
		operators.Equals: same, operators.NotEquals: other,
	}
	reversed = [...]operator{less: more, most: least, more: less, least: most, same: same, other: other}
	opposite = [...]operator{less: least, most: more, more: most, least: less, same: other, other: same}
)

func (c *comparison) of(op operator) string {
	return [...]string{less: c.less, most: c.most, more: c.more, least: c.least, same: c.same, other: c.other}[op]
}

func (s *speaker) moments(name string, args []ast.Expr, negated bool) (clause, bool) {
	op, ok := comparing[name]
	if !ok || len(args) != 2 {
		return clause{}, false
	}
	left, ok := s.moment(args[0])
	right, too := s.moment(args[1])
	if !ok || !too {
		return clause{}, false
	}
	if left.date == nil {
		left, right, op = right, left, reversed[op]
	}
	if negated {
		op = opposite[op]
	}
	return s.compared(left, op, right)
}

// dateTest returns the words for earlierThan or laterThan, which are false for a date without a value.
func (s *speaker) dateTest(name string, args []ast.Expr, negated bool) (clause, bool) {
	if len(args) != 2 {
		return clause{}, false
	}
	a, ok := s.date(args[0])
	at, too := s.moment(args[1])
	if !ok || !too {
		return clause{}, false
	}
	op := less
	if name == "laterThan" {
		op = more
	}
	if !negated {
		return s.compared(moment{date: &a}, op, at)
	}
	spoken, ok := s.compared(moment{date: &a}, opposite[op], at)
	if s.valued {
		return spoken, ok
	}
	return s.joined(s.or, spoken, plainly("%s", s.dated(a, true))), ok
}

// The method "compared" returns the words for a comparison. It moves a span to the right side: date + 30 days < now
// becomes date < now - 30 days.
func (s *speaker) compared(left moment, op operator, right moment) (clause, bool) {
	switch {
	case left.date == nil, left.span != "" && right.span != "":
		return clause{}, false
	case left.span != "":
		right.span, right.back = left.span, !left.back
	}
	noun, past, lies := s.attribute(*left.date), s.happened, s.happened
	if ahead(*left.date) {
		past, lies = s.was, s.lies
	}
	switch isNow := right.date == nil && right.instant == ""; {
	case isNow && right.span == "":
		return plainly(s.atNow.of(op), noun, lies), true
	case isNow && right.back:
		text := fmt.Sprintf(s.ago.of(op), noun, past, right.span)
		if ahead(*left.date) && (op == more || op == least) {
			return clause{fmt.Sprintf(s.orAhead, text), s.or}, true
		}
		return plainly("%s", text), true
	case isNow:
		return plainly(s.fromNow.of(op), noun, lies, right.span), true
	}
	return plainly(s.at.of(op), noun, lies, s.spoken(right)), true
}

func (s *speaker) spoken(m moment) string {
	text := m.instant
	if m.date != nil {
		text = s.attribute(*m.date)
	}
	switch {
	case m.span == "":
		return text
	case m.back:
		return fmt.Sprintf(s.before, m.span, text)
	}
	return fmt.Sprintf(s.after, m.span, text)
}
