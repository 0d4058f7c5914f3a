package policy

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"cel.dev/cel-go/common"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "around" is the text before and after the place at which CEL found a fault, in the line of the fault.
type around struct{ before, after string }

var (
	nameAtEnd  = regexp.MustCompile(`([A-Za-z_]\w*)\s*$`)
	calledOn   = regexp.MustCompile(`([A-Za-z_]\w*)\.\w+$`)
	field      = regexp.MustCompile(`^\.(\w+)`)
	operand    = regexp.MustCompile(`^[=!<>]=?\s*(.*)`)
	numeral    = regexp.MustCompile(`^\d+(?:\.\d+)?\b`)
	someText   = regexp.MustCompile(`^["']([^"']*)["']`)
	someDays   = regexp.MustCompile(`^now\s*-\s*days\((\d+)\)`)
	wantsValue = regexp.MustCompile(`(?:[=!]=|[\[(,])\s*$`)
)

// aroundOf returns the text around the place of a fault. It returns an empty value if the place is outside the
// condition.
func aroundOf(e *common.Error, source string) around {
	lines := strings.Split(source, "\n")
	if e.Location == nil || e.Location.Line() < 1 || e.Location.Line() > len(lines) {
		return around{}
	}
	line := []rune(lines[e.Location.Line()-1])
	at := min(max(e.Location.Column(), 0), len(line))
	return around{string(line[:at]), string(line[at:])}
}

// The function "submatch" returns the text of the last capturing group, or "" if the pattern does not match.
func submatch(of *regexp.Regexp, text string) string {
	if m := of.FindStringSubmatch(text); m != nil {
		return m[len(m)-1]
	}
	return ""
}

func (a around) operand() string { return submatch(operand, a.after) }

// asTime returns a CEL expression for the time with which a text begins: a date in quotes, or now - days(n). For any
// other text, it returns the example now - days(60). The result "days" is n, or "" for a date.
func asTime(text string) (written, days string) {
	if n := submatch(someDays, text); n != "" {
		return "now - days(" + n + ")", n
	}
	inner := submatch(someText, text)
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, inner); err == nil {
			return fmt.Sprintf("timestamp(%q)", t.UTC().Format(time.RFC3339)), ""
		}
	}
	return "now - days(60)", "60"
}

// The method "left" returns the name that stands just before the place of the fault, if it is an attribute of the given
// kind. Otherwise it returns "X", as a placeholder in the text of a message.
func (c *compiler) left(a around, kind directory.Kind) string {
	name := cmp.Or(submatch(calledOn, a.before), submatch(nameAtEnd, a.before))
	if of := c.policy.attributes[name]; of != nil && of.kind == kind {
		return name
	}
	return "X"
}

// bySigns returns the message for a date that the author compares with a sign such as < or ==.
func (c *compiler) bySigns(sign string, a around) string {
	const cannot = "a date can be missing, so "
	x := c.left(a, directory.Date)
	function, meaning := "earlierThan", "more than"
	switch sign {
	case "<", "<=":
	case ">", ">=":
		function, meaning = "laterThan", "less than"
	default:
		return cannot + sign + " cannot compare it; " + dates
	}
	if x == "X" { // the date may follow the sign, and the meaning is then reversed
		return cannot + "< and > cannot compare it; " + dates
	}
	written, days := asTime(a.operand())
	text := fmt.Sprintf("%s< and > cannot compare it; write %s.%s(%s)", cannot, x, function, written)
	if days != "" {
		text += fmt.Sprintf(" for %s %s days ago", meaning, days)
	}
	return text
}

func (c *compiler) needsParentheses(a around) string {
	x, function := c.left(a, directory.Date), submatch(field, a.after)
	switch function {
	case "hasValue", "hasNoValue":
		return fmt.Sprintf("%s needs parentheses: %s.%s()", function, x, function)
	case "earlierThan", "laterThan":
		return fmt.Sprintf("%s needs parentheses and a point in time: %s.%s(now - days(60))", function, x, function)
	}
	return "a date has only these tests: " + dates
}

func missingEnd(source string) string {
	bare := unquoted(source)
	switch opened, closed := strings.Count(bare, "("), strings.Count(bare, ")"); {
	case opened > closed:
		return "a ) is missing"
	case opened < closed:
		return "a ( is missing, or a ) is too much"
	}
	end := strings.TrimRight(bare, " \n") // in a block, CEL finds the fault on the line after the sign
	for _, sign := range []string{"&&", "||"} {
		if strings.HasSuffix(end, sign) {
			return "a condition is missing after " + sign
		}
	}
	return "something is missing here: && or || joins two conditions, and a sign such as == stands between two values"
}
