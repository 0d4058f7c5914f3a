package plain

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LeftOut is the text that Nameless writes in place of a name.
const LeftOut = "(name left out)"

// The expression "named" matches text that may contain the name of a person or group: text in quotation marks,
// distinguished names (RFC 4514), names of the form DOMAIN\name, and words with an at sign, also URL-encoded.
var named = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?:^|[^\pL\pN])'[^'\n]*'` +
	`|(?i:\b(?:CN|OU)=(?:[^,;:"\\]|\\.)*(?:,(?:CN|OU|DC)=(?:[^,;:"\\]|\\.)*)*)` +
	`|[^\s"'(),;<>]+(?:@|%40|\\)[^\s"'(),;<>]+`)

// Nameless replaces names in text by LeftOut. Logs, notices and the history of executions have many readers, so
// personal data must not appear there. The function "keep" gets a name without quotation marks, and reports whether it
// may stay.
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

// Without replaces the given names in text by LeftOut, in any letter case. A name that is a part of a longer word
// stays.
func Without(text string, names []string) string {
	for _, name := range names {
		whole, err := regexp.Compile(`(?i)` + regexp.QuoteMeta(name))
		if err != nil {
			continue // the name is not UTF-8, so the text cannot contain it
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

// The function "within" reports whether text[from:to] is a part of a longer word.
func within(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return unicode.In(before, unicode.L, unicode.Nd) || unicode.In(after, unicode.L, unicode.Nd)
}

var id = regexp.MustCompile(`^(?:S-1-[0-9-]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}|[0-9a-f]{64}` +
	`|runs/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}/[\w./-]+)$`)

// IsID reports whether the text is an identifier without a name, such as a SID, a GUID, a run or a hash.
func IsID(text string) bool { return id.MatchString(text) }
