package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
)

// CEL suggests names with a similar spelling, such as laterThan for olderThan. Such a name may mean the opposite, so
// idleseat removes these suggestions.
var (
	guess      = regexp.MustCompile(` \(did you mean [^)]*\)`)
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '([^']*)'`)
	spelt      = regexp.MustCompile(`(?i)\b\d+\s*(d|days?|w|weeks?|months?|y|years?)\b`)
	joined     = regexp.MustCompile(`(?i)\b(and|or|not)\b`)
	unclosed   = regexp.MustCompile(`token recognition error at: '["']`)
)

const (
	neverNull   = `nothing is ever null; for a date write X.hasNoValue() or X.hasValue(), for a text X == "" or X != ""`
	spelledDays = "a number of days is written days(60), as in now - days(60)"
)

const dates = "X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan(now - days(60)) is less long ago, X.hasNoValue() is never, X.hasValue() is at any time"

// inWords explains a finding of CEL to the author of a policy. It returns "" if CEL's own message is clear.
func (c *compiler) inWords(e *common.Error, source string) string {
	if m := undeclared.FindStringSubmatch(e.Message); m != nil {
		return c.unknownName(m[1], isCalled(source, m[1]), aroundOf(e, source))
	}
	if m := noOverload.FindStringSubmatch(e.Message); m != nil {
		return c.wrongTypes(m[1], m[2], aroundOf(e, source))
	}
	switch {
	case strings.HasPrefix(e.Message, "Syntax error"):
		return wrongSyntax(e, source)
	case strings.HasPrefix(e.Message, "expected type 'bool' but found 'optional_type"):
		return "this is a date, and a condition is true or false: " + dates
	case strings.HasPrefix(e.Message, "expected type 'bool'"):
		return `this is neither true nor false: compare it, as in department == "Sales"`
	case strings.HasPrefix(e.Message, "invalid matches argument"):
		return `the pattern is not a regular expression, or is too large. * must follow something: "^.*Intern.*$" finds Intern anywhere. For a literal dot or bracket write \\ before it`
	case strings.Contains(e.Message, "does not support field selection"):
		return c.needsParentheses(aroundOf(e, source))
	case strings.HasPrefix(e.Message, "reserved identifier: if"):
		return "write CONDITION ? THIS : THAT"
	}
	return ""
}

func isCalled(source, name string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\s*\(`).MatchString(source)
}

// The variable "functions" lists the functions of conditions. Each has an example with its meaning, because similar
// names may have opposite meanings.
var functions = map[string]string{
	"earlierThan": "X.earlierThan(now - days(60)) is longer ago than 60 days",
	"laterThan":   "X.laterThan(now - days(60)) is less long ago than 60 days",
	"hasValue":    "X.hasValue() is a date that was read",
	"hasNoValue":  "X.hasNoValue() is never",
	"startsWith":  `X.startsWith("A")`, "endsWith": `X.endsWith("Z")`, "contains": `X.contains("text")`, "matches": `X.matches("^A.*Z$")`,
	"days": "days(60)", "timestamp": `timestamp("2027-03-01T00:00:00Z")`, "value": "X.value()", "size": "size(X)",
}

var meant = map[string]string{
	"olderthan": "earlierThan", "isolderthan": "earlierThan", "before": "earlierThan", "isbefore": "earlierThan", "lessthan": "earlierThan",
	"newerthan": "laterThan", "youngerthan": "laterThan", "isnewerthan": "laterThan", "after": "laterThan", "isafter": "laterThan", "since": "laterThan",
	"isnull": "hasNoValue", "isempty": "hasNoValue", "isnone": "hasNoValue", "never": "hasNoValue", "isblank": "hasNoValue",
	"isnotnull": "hasValue", "isset": "hasValue", "isnotempty": "hasValue", "ispresent": "hasValue",
	"beginswith": "startsWith", "includes": "contains", "like": "matches", "regex": "matches",
}

func (c *compiler) unknownName(name string, isCall bool, at around) string {
	attributes := slices.Sorted(maps.Keys(c.policy.attributes))
	if isCall {
		known := slices.Sorted(maps.Keys(functions))
		if f := sameLetters(name, known); f != "" {
			return fmt.Sprintf("letter case counts in names: write %s, as in %s", f, functions[f])
		}
		if f := meant[strings.ToLower(name)]; f != "" {
			return fmt.Sprintf("there is no function %s; what it says is written %s: %s", name, f, functions[f])
		}
		if f := likeFunction(name, known); f != "" {
			return fmt.Sprintf("there is no function %s; did you mean %s?", name, f)
		}
		return fmt.Sprintf(`there is no function %s; of a date, %s; of a text, X == "…", X != "…", X in ["…"], X.startsWith("…"), X.endsWith("…"), X.contains("…")`, name, dates)
	}
	if a := sameLetters(name, attributes); a != "" {
		return fmt.Sprintf("letter case counts in names: write %s", a)
	}
	meant, text := didYouMean(name, attributes), ""
	if wantsValue.MatchString(at.before) && !strings.HasPrefix(strings.TrimPrefix(at.after, name), ".") {
		text = fmt.Sprintf("if it is a text, write %q; ", name)
	}
	next := text + "otherwise define it under attributes with the field that it stands for"
	switch {
	case meant != "":
		next = " " + strings.ToUpper(next[:1]) + next[1:]
	case text != "":
		next = "; " + next
	default:
		next = "; define it under attributes with the field that it stands for"
	}
	list := ""
	if meant == "" {
		list = c.theAttributes()
	}
	return fmt.Sprintf("the policy has no attribute %s%s%s%s", name, meant, next, list)
}

// likeFunction returns the only function with a similar name. It returns "" if there are two, because similar names may
// have opposite meanings.
func likeFunction(name string, known []string) (like string) {
	for _, k := range known {
		if plain.Distance(strings.ToLower(name), strings.ToLower(k)) > slips(name) {
			continue
		}
		if like != "" || opposite(name, k) {
			return ""
		}
		like = k
	}
	return like
}

// theAttributes returns a sentence that lists at most mostListed attributes of the policy. It returns "" after its
// first call, so that only one message has the list.
func (c *compiler) theAttributes() string {
	if c.listed {
		return ""
	}
	c.listed = true
	mapped := names(c.policy.mapped, func(a *attribute) string { return a.name })
	if len(mapped) > mostListed {
		mapped = append(mapped[:mostListed], "…")
	}
	return ". The policy's attributes are " + strings.Join(mapped, ", ") + "; text and true/false properties of Entra ID, such as department, work under their own names"
}

func sameLetters(name string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	if i < 0 {
		return ""
	}
	return known[i]
}

func (c *compiler) wrongTypes(operator, types string, at around) string {
	date, instant, span := "optional_type(timestamp)", "timestamp", "duration"
	isDate := strings.Contains(types, date)
	rest := strings.ReplaceAll(types, date, "")
	switch {
	case strings.Contains(types, "null"):
		return neverNull
	case operator == "earlierThan" || operator == "laterThan":
		if strings.Contains(rest, span) {
			return fmt.Sprintf("%s needs a point in time, and days(60) is a span of time: write %s.%s(now - days(60))", operator, c.left(at, directory.Date), operator)
		}
		return c.needsTime(operator, types, at)
	case operator == "days":
		return "days takes a whole number without quotes: days(60)"
	case operator == "timestamp":
		return `timestamp takes a text: timestamp("2027-03-01T00:00:00Z")`
	case operator == "duration":
		return `duration takes a text: duration("36h"); a number of days is written days(60)`
	case operator == "hasNoValue" || operator == "hasValue":
		return operator + " comes after a date: X." + operator + `(); for a text write X == "" or X != ""`
	case isDate:
		return c.bySigns(strings.Trim(operator, "_@"), at)
	case operator == "_-_" || operator == "_+_":
		return spelledDays
	case operator == "@in":
		return `in takes a list: X in ["Sales", "Support"]`
	case strings.Contains(types, instant):
		return `an instant is written timestamp("2027-03-01T00:00:00Z"), or now - days(60)`
	case strings.Contains(types, "bool"):
		x := c.left(at, directory.Bool)
		return fmt.Sprintf("%s is already true or false; write %s, or !%s for not", x, x, x)
	}
	x, number := c.left(at, directory.Text), numeral.FindString(at.operand())
	if x == "X" || number == "" {
		return `a text is compared with a text in quotes: X == "15"`
	}
	return fmt.Sprintf("%s is a text; write %s %s %q", x, x, strings.Trim(operator, "_"), number)
}

func (c *compiler) needsTime(operator, types string, at around) string {
	x := c.left(at, directory.Date)
	written, _ := asTime(strings.TrimPrefix(at.after, "("))
	switch {
	case x == "X":
		return fmt.Sprintf("%s comes after a date and needs a point in time: X.%s(now - days(60))", operator, operator)
	case strings.Contains(types, "string"):
		return fmt.Sprintf("%s needs a point in time, not a text: %s.%s(%s)", operator, x, operator, written)
	}
	return fmt.Sprintf(`%s needs a point in time: %s.%s(now - days(60)), or %s.%s(timestamp("2027-03-01T00:00:00Z"))`, operator, x, operator, x, operator)
}

func wrongSyntax(e *common.Error, source string) string {
	at := aroundOf(e, source)
	before, after := strings.TrimRight(at.before, " "), at.after
	switch {
	case unclosed.MatchString(e.Message):
		return "the closing quote is missing"
	case strings.HasSuffix(before, "<") && strings.HasPrefix(after, ">"):
		return `"is not" is written !=`
	case strings.Contains(e.Message, "token recognition error at: '="):
		return "write == to compare, not ="
	case joined.MatchString(unquoted(source)):
		return `"and" is written &&, "or" is written ||, and "not" is written !`
	case spelt.MatchString(unquoted(source)):
		return spelledDays
	case strings.HasPrefix(strings.ToLower(after), "like"):
		return `write X.startsWith("…"), X.endsWith("…"), X.contains("…") or X.matches("^…$")`
	case strings.Contains(e.Message, "expecting ')'"), strings.Contains(e.Message, "missing ')'"), strings.Contains(e.Message, "<EOF>' expecting"), strings.Count(unquoted(source), "(") != strings.Count(unquoted(source), ")"):
		return missingEnd(source)
	}
	return "this is not an expression of the language; they look like accountEnabled && systemRole == \"Employee\" && AzureAdSistaLogon.earlierThan(now - days(60))"
}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'|//[^\n]*`)

// The function "unquoted" returns an expression without its comments, and with "" in place of each text literal.
func unquoted(source string) string {
	return quoted.ReplaceAllStringFunc(source, func(part string) string {
		if strings.HasPrefix(part, "//") {
			return ""
		}
		return `""`
	})
}
