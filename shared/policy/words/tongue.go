package words

import "fmt"

// Language is a language in which this package explains a policy, as a tag of BCP 47.
type Language string

// The languages.
const (
	English Language = "en"
	Swedish Language = "sv"
)

// Languages lists all languages that have words.
var Languages = []Language{English, Swedish}

// Known reports whether there are words in the language.
func (l Language) Known() bool { return tongues[l] != nil }

func (l Language) tongue() *tongue {
	if t := tongues[l]; t != nil {
		return t
	}
	panic(fmt.Sprintf("there are no words in the language %q", string(l))) // a fault of the caller: see Known
}

var tongues = map[Language]*tongue{English: &english, Swedish: &swedish}

type comparison struct{ less, most, more, least, same, other string }

// The type "tongue" has the words of one language. Most fields are format strings. The comment beside a field names the
// values of its format, in order. A clause can stand alone or after "if". So a Swedish clause has no adverb such as
// "inte", whose place changes in a subordinate clause.
type tongue struct {
	quote         string // around a text
	and, or, both string // and, or: between clauses; both: between the last two nouns of a list
	code, notCode string // a part that has no words, and its negation
	always, never string
	choose        string // a condition, a clause if the condition is true, and a clause if not

	nothing, something    string // a text has no value, and has a value
	same, other           string // a text has a value, and has another value
	oneOf, noneOf         string
	oneOfOrNone           string
	orNone                string // follows a clause about a text
	begins, notBegins     string
	ends, notEnds         string
	contains, notContains string
	matches, notMatches   string

	isMember, notMember string // a group and a directory
	directories         map[string]string
	in                  string // a noun in a directory
	named               string // a noun with the policy's own name for it
	latest, latestOf    string // several dates: with one noun for all sources, or with a noun for each

	days, hours, minutes, seconds [2]string // one, and several
	now                           string
	months                        [12]string
	instant                       string // day, month, year, clock

	// Verbs between a date and its comparison. A date of use or of creation has the verb "happened". Any other date may
	// be in the future: its verb is "was" in a clause with "ago", and "lies" in all other clauses.
	happened, was, lies string
	ago                 comparison // a date, its verb, a span
	orAhead             string     // follows ago for a date that may be in the future
	fromNow             comparison // a date, its verb, a span
	atNow               comparison // a date, its verb
	at                  comparison // a date, its verb, another date
	after, before       string     // a span after, or before, a date
	noDate, hasDate     string     // a date that is not a date of use
	noDates, hasDates   string     // several dates without a value, and with at least one value

	heads struct{ licenses, rules, leftOut, grace, limits, notes string }
	rule  ruleWords
	whole policyWords
}
