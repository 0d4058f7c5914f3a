package plain

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LeftOut stands where Nameless found a name.
const LeftOut = "(name left out)"

// named matches the texts in which names of people and groups occur: texts in quotation marks, distinguished names
// (RFC 4514), names of Active Directory's form DOMAIN\name, and words with an at sign, also when a URL encodes it.
var named = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?:^|[^\pL\pN])'[^'\n]*'` +
	`|(?i:\b(?:CN|OU)=(?:[^,;:"\\]|\\.)*(?:,(?:CN|OU|DC)=(?:[^,;:"\\]|\\.)*)*)` +
	`|[^\s"'(),;<>]+(?:@|%40|\\)[^\s"'(),;<>]+`)

// Nameless returns a text of this program without names. Logs, notices and the history of executions have many readers
// and must not hold personal data. keep says which names may stay. It gets each name without its quotation marks.
func Nameless(text string, keep func(name string) bool) string {
	return named.ReplaceAllStringFunc(text, func(found string) string {
		before, name := "", found
		if unquoted, err := strconv.Unquote(found); err == nil && found[0] == '"' {
			name = unquoted
		} else if _, first := utf8.DecodeRuneInString(found); strings.HasSuffix(found, "'") {
			if found[0] == '\'' {
				first = 0
			}
			before, name = found[:first], found[first+1:len(found)-1]
		}
		if keep(name) {
			return found
		}
		return before + LeftOut
	})
}

// Without returns a text without each of some names, wherever one of them stands alone. Letters of either case are
// alike.
func Without(text string, names []string) string {
	for _, name := range names {
		whole, err := regexp.Compile(`(?i)` + regexp.QuoteMeta(name))
		if err != nil {
			continue // a name that is not UTF-8 cannot stand in a text that was made safe
		}
		var out strings.Builder
		at := 0
		for _, found := range whole.FindAllStringIndex(text, -1) {
			if within(text, found[0], found[1]) {
				continue
			}
			out.WriteString(text[at:found[0]] + LeftOut)
			at = found[1]
		}
		text = out.String() + text[at:]
	}
	return text
}

// within reports whether the text from a place to another one is a part of a longer word.
func within(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return unicode.In(before, unicode.L, unicode.Nd) || unicode.In(after, unicode.L, unicode.Nd)
}

var id = regexp.MustCompile(`^(?:S-1-[0-9-]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}|[0-9a-f]{64}` +
	`|runs/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}/[\w./-]+)$`)

// IsID reports whether a text identifies something and names nobody: a SID, a GUID, a run, a hash, or the key of an
// object of a run.
func IsID(text string) bool { return id.MatchString(text) }
