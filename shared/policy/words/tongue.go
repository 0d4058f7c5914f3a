package words

import "fmt"

// Language is the language of words, as a tag of BCP 47.
type Language string

// The languages.
const (
	English Language = "en"
	Swedish Language = "sv"
)

// Languages lists all languages.
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

// comparison holds a phrase for each way in which a value may compare with another.
type comparison struct{ less, most, more, least, same, other string }

// tongue is the words of one language. Each clause can stand alone and after "if". A Swedish clause therefore has no
// adverb that moves in a subordinate clause, such as "inte" and "aldrig".
type tongue struct {
	quote         string // around a text
	and, or, both string // between the last two items of a list, and between clauses; both joins two nouns
	code, notCode string // a part that has no words
	always, never string
	choose        string // a condition, what holds if it is true, and otherwise

	nothing, something    string // a text without a value, and with one
	same, other           string // the text is, or has a value that is not
	oneOf, noneOf         string
	oneOfOrNone           string
	orNone                string // follows a clause about a text
	begins, notBegins     string
	ends, notEnds         string
	contains, notContains string
	matches, notMatches   string

	isMember, notMember string // a person, a group, a directory
	directories         map[string]string
	in                  string // a noun in a directory
	named               string // a noun with the policy's own name for it
	latest, latestOf    string // the newest of several dates: with one noun for all places, or with a noun each

	days, hours, minutes, seconds [2]string // one, and several
	now                           string
	months                        [12]string
	instant                       string // day, month, year, hours, minutes, seconds

	// The verb of a date that is a use or a creation, and of another date, before "ago". lies is the verb of another
	// date that may lie ahead.
	happened, was, lies string
	ago                 comparison // a date, its verb, a span
	orAhead             string     // follows ago for a date that may lie in the future
	fromNow             comparison // a date, its verb, a span
	atNow               comparison // a date, its verb
	at                  comparison // a date, its verb, another date
	after, before       string     // a span after, or before, a date
	noDate, hasDate     string     // a date that is not a use
	noDates, hasDates   string     // none, and one, of several dates

	heads struct{ licenses, rules, leftOut, grace, limits, notes string }
	rule  ruleWords
	whole policyWords
}
