package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
)

// CEL suggests similarly spelled names, such as laterThan for olderThan, or accountEnabled for accountDisabled. They
// may mean the opposite, so they are never shown.
var (
	guess      = regexp.MustCompile(` \(did you mean [^)]*\)`)
	undeclared = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	noOverload = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '([^']*)'`)
	spelt      = regexp.MustCompile(`(?i)\b\d+\s*(d|days?|w|weeks?|months?|y|years?)\b`)
	joined     = regexp.MustCompile(`(?i)\b(and|or|not)\b`)
	unclosed   = regexp.MustCompile(`token recognition error at: '["']`)
)

const dates = "X.earlierThan(now - days(60)) is longer ago than 60 days, X.laterThan(now - days(60)) is less long ago, X.hasNoValue() is never, X.hasValue() is at any time"

const bySigns = "a date may have no value, so that it is not compared by signs: "

// inWords explains a finding of CEL to the author of a policy. It returns "" if CEL's own message is clear.
func (c *compiler) inWords(e *common.Error, source string) string {
	if m := undeclared.FindStringSubmatch(e.Message); m != nil {
		return c.unknownName(m[1], isCalled(source, m[1]))
	}
	if m := noOverload.FindStringSubmatch(e.Message); m != nil {
		return wrongTypes(m[1], m[2])
	}
	switch {
	case strings.HasPrefix(e.Message, "Syntax error"):
		return wrongSyntax(e, source)
	case strings.HasPrefix(e.Message, "expected type 'bool' but found 'optional_type"):
		return "this is a date, and a condition is true or false: " + dates
	case strings.HasPrefix(e.Message, "expected type 'bool'"):
		return `this is neither true nor false: compare it, as in department == "Sales"`
	case strings.HasPrefix(e.Message, "invalid matches argument"):
		return `the pattern is not a regular expression, or is too large; .* stands for any text, as in "^.*Intern.*$", and a dot or bracket that is meant itself has \\ before it`
	case strings.Contains(e.Message, "does not support field selection"):
		return "what is asked of a date has parentheses: " + dates
	case strings.HasPrefix(e.Message, "reserved identifier: if"):
		return "write CONDITION ? THIS : THAT"
	}
	return ""
}

// isCalled reports whether a name is used as a function.
func isCalled(source, name string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\s*\(`).MatchString(source)
}

// functions lists the functions that a condition may call, without operators. Each comes with its meaning, because two
// similar names may be opposites.
var functions = map[string]string{
	"earlierThan": "X.earlierThan(now - days(60)) is longer ago than 60 days",
	"laterThan":   "X.laterThan(now - days(60)) is less long ago than 60 days",
	"hasValue":    "X.hasValue() is a date that was read",
	"hasNoValue":  "X.hasNoValue() is never",
	"startsWith":  `X.startsWith("A")`, "endsWith": `X.endsWith("Z")`, "contains": `X.contains("text")`, "matches": `X.matches("^A.*Z$")`,
	"days": "days(60)", "timestamp": `timestamp("2027-03-01T00:00:00Z")`, "value": "X.value()", "size": "size(X)",
}

// meant maps words that people write for a function to the function that they mean.
var meant = map[string]string{
	"olderthan": "earlierThan", "isolderthan": "earlierThan", "before": "earlierThan", "isbefore": "earlierThan", "lessthan": "earlierThan",
	"newerthan": "laterThan", "youngerthan": "laterThan", "isnewerthan": "laterThan", "after": "laterThan", "isafter": "laterThan", "since": "laterThan",
	"isnull": "hasNoValue", "isempty": "hasNoValue", "isnone": "hasNoValue", "never": "hasNoValue", "isblank": "hasNoValue",
	"isnotnull": "hasValue", "isset": "hasValue", "isnotempty": "hasValue", "ispresent": "hasValue",
	"beginswith": "startsWith", "includes": "contains", "like": "matches", "regex": "matches",
}

func (c *compiler) unknownName(name string, isCall bool) string {
	attributes := slices.Sorted(maps.Keys(c.policy.attributes))
	if isCall {
		known := slices.Sorted(maps.Keys(functions))
		if f := sameLetters(name, known); f != "" {
			return fmt.Sprintf("letter case counts in names: write %s, as in %s", f, functions[f])
		}
		if f := meant[strings.ToLower(name)]; f != "" {
			return fmt.Sprintf("there is no function %s; what it says is written %s: %s", name, f, functions[f])
		}
		return fmt.Sprintf(`there is no function %s; of a date, %s; of a text, X == "…", X != "…", X in ["…"], X.startsWith("…"), X.endsWith("…"), X.contains("…")`, name, dates)
	}
	if a := sameLetters(name, attributes); a != "" {
		return fmt.Sprintf("letter case counts in names: write %s", a)
	}
	next, meant := "; ", didYouMean(name, attributes)
	if meant != "" {
		next = " Otherwise "
	}
	return fmt.Sprintf(`the policy has no attribute %s%s%sname it under attributes with the field that it stands for, or, if it is a text, put it in quotes: "%s"%s`,
		name, meant, next, name, c.theAttributes())
}

// theAttributes lists the attributes of the policy for the first message about an unknown one.
func (c *compiler) theAttributes() string {
	if c.listed {
		return ""
	}
	c.listed = true
	mapped := names(c.policy.mapped, func(a *attribute) string { return a.name })
	if len(mapped) > mostListed {
		mapped = append(mapped[:mostListed], "…")
	}
	return "; it has " + strings.Join(mapped, ", ") + ", and texts and flags of Entra ID by their own names, such as department"
}

func sameLetters(name string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	if i < 0 {
		return ""
	}
	return known[i]
}

// wrongTypes says which types an operator or function takes.
func wrongTypes(operator, types string) string {
	date, instant, span := "optional_type(timestamp)", "timestamp", "duration"
	isDate := strings.Contains(types, date)
	rest := strings.ReplaceAll(types, date, "")
	switch {
	case strings.Contains(types, "null"):
		return `there is no null; for a date write X.hasNoValue() or X.hasValue(), for a text X == "" or X != ""`
	case operator == "earlierThan" || operator == "laterThan":
		if strings.Contains(rest, span) {
			return fmt.Sprintf("%s takes an instant, and days(60) is a span of time: write X.%s(now - days(60))", operator, operator)
		}
		return fmt.Sprintf(`%s stands behind a date and takes an instant: X.%s(now - days(60)), or X.%s(timestamp("2027-03-01T00:00:00Z"))`, operator, operator, operator)
	case operator == "days":
		return "days takes a whole number without quotes: days(60)"
	case operator == "timestamp":
		return `timestamp takes a text: timestamp("2027-03-01T00:00:00Z")`
	case operator == "duration":
		return `duration takes a text: duration("36h"); a number of days is written days(60)`
	case operator == "hasNoValue" || operator == "hasValue":
		return "it stands behind a date: X." + operator + `(); of a text write X == "" or X != ""`
	case isDate && (operator == "_<_" || operator == "_<=_"):
		return bySigns + "X.earlierThan(now - days(60)) is longer ago than 60 days"
	case isDate && (operator == "_>_" || operator == "_>=_"):
		return bySigns + "X.laterThan(now - days(60)) is less long ago than 60 days"
	case isDate:
		return bySigns + dates
	case operator == "_-_" || operator == "_+_":
		return "a number of days is written days(60), as in now - days(60)"
	case operator == "@in":
		return `in takes a list: X in ["Sales", "Support"]`
	case strings.Contains(types, instant):
		return `an instant is written timestamp("2027-03-01T00:00:00Z"), or now - days(60)`
	case strings.Contains(types, "bool"):
		return `true and false stand for themselves, without quotes or comparison: X, or !X; they are joined by && and ||`
	}
	return `a text needs quotes and is compared with a text: X == "0815"`
}

// wrongSyntax suggests CEL for the syntax of other languages.
func wrongSyntax(e *common.Error, source string) string {
	line := ""
	if lines := strings.Split(source, "\n"); e.Location.Line() >= 1 && e.Location.Line() <= len(lines) {
		line = lines[e.Location.Line()-1]
	}
	at := min(max(e.Location.Column(), 0), len(line))
	before, after := strings.TrimRight(line[:at], " "), line[at:]
	switch {
	case unclosed.MatchString(e.Message):
		return "a text that begins with a quote ends with the same quote"
	case strings.HasSuffix(before, "<") && strings.HasPrefix(after, ">"):
		return `"is not" is written !=`
	case strings.Contains(e.Message, "token recognition error at: '="):
		return `"is" is written ==, and "is not" is written !=`
	case joined.MatchString(unquoted(source)):
		return `"and" is written &&, "or" is written ||, and "not" is written !`
	case spelt.MatchString(unquoted(source)):
		return "a number of days is written days(60), as in now - days(60)"
	case strings.HasPrefix(strings.ToLower(after), "like"):
		return `write X.startsWith("…"), X.endsWith("…"), X.contains("…") or X.matches("^…$")`
	case strings.Contains(e.Message, "expecting ')'"), strings.Contains(e.Message, "missing ')'"), strings.Contains(e.Message, "<EOF>' expecting"):
		return "something is not closed, or is missing at the end: each ( has its ), and each && and || stands between two conditions"
	}
	return "this is not an expression of the language; they look like accountEnabled && systemRole == \"Employee\" && AzureAdSistaLogon.earlierThan(now - days(60))"
}

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// unquoted returns an expression without its text literals.
func unquoted(source string) string { return quoted.ReplaceAllString(source, `""`) }
