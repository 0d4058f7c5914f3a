package policy

import (
	"fmt"
	"strings"
	"testing"
)

// The message about a mistake in YAML names the line that the author must look at. The YAML package may name another
// line.
func TestMistakesInYAML(t *testing.T) {
	t.Parallel()
	const (
		quotes   = "; a condition that begins with !, &, *, % or a quote needs quotes, as in for: '!inPilot && accountEnabled', or on a line of its own below for: |"
		mark     = "not YAML: " + special
		tooFar   = "not YAML: a key stands where none can be: the line is indented too far, or a text with a colon lacks its quotes"
		part     = "not YAML: in the part that begins here, a line is not indented like the others, or a quote or bracket is not closed; keys that belong together begin in one column"
		unclosed = "not YAML: a quote or a bracket that begins here is not closed"
		column   = "not YAML: this line begins in column 4, and the keys above it in column 5; the keys of an entry begin in one column"
	)
	const block = "b: |\n  x\n  \ty\n" // a text of two lines, of which the second begins with a tab
	comments := strings.Repeat("# x\n", 60)
	for text, want := range map[string]string{
		"rules:\n  - name: a\n    license: b\n   when: c\n":                                 "4:4: " + column,
		comments + "rules:\n  - name: a\n    license: b\n   when: c\n":                      "64:4: " + column,
		"rules:\n  - name: a\n    # why\n    license: b\n\n   when: c\n":                    "6:4: " + column,
		"rules:\n  - - name: a\n      license: b\n     when: c\n":                           "4:6: not YAML: this line begins in column 6, and the keys above it in column 7; the keys of an entry begin in one column",
		"rules:\n  - name: a\n   license: b\n":                                              "3:4: " + column,
		"licenses:\n  a:\n    sku: X\n   b: {}\n":                                           "4:4: " + column,
		"rules:\n  - name: a\n    then:\n      remove: true\n    license: b\n   when: c\n":  "6:4: " + column,
		"rules:\n  - name: a\n    for: \"x\" == y\nlicenses:\n  a:\n    sku: X\n   b: {}\n": "2:1: " + part,
		"a: b: c\nlicenses:\n  a:\n    sku: X\n   b: {}\n":                                  "1:1: " + tooFar,
		"rules:\n  - name: a\n     license: b\n    when: c\n":                               "3:1: " + tooFar,
		"licenses:\n  a: {sku: X}\n b: {sku: Y}\nrules: []\n":                               "3:1: " + part,
		"rules:\n- name: a\n  when: x\n - name: b\n":                                        "4:1: " + part,
		"rules:\n  - name: a\n    for: \"x\" == y\n":                                        "2:1: " + part,
		"- a\nb: c\n":                                       "2:1: not YAML: in the list that begins here, a line is not indented like the others; the keys of an entry begin in one column",
		"rules:\n\t- name: a\n":                             "2:1: " + spaces,
		"rules:\n  - name: a\n\t  license: b\n":             "3:1: " + spaces,
		"rules:\n  - name: a\n  \tlicense: b\n":             "3:1: " + spaces,
		comments + "rules:\n\t- name: a\n":                  "62:1: " + spaces,
		"rules:\n  - name: a\n    when: @x\n\t\n":           "3:1: " + mark + quotes, // a line of nothing but a tab is no mistake
		block + "c: @x\n":                                   "4:1: " + mark + quotes, // nor is a tab in a text
		"a: b: c\n" + block:                                 "1:1: " + tooFar,
		"a: @x\n" + block:                                   "1:1: " + mark + quotes, // the sign is the mistake, and not a tab below
		"a:\n  - `x\n" + block:                              "2:1: " + mark,
		"a: @x\n\tb: c\n":                                   "1:1: " + mark + quotes,
		"a: [@x" + strings.Repeat("\n", 49) + block:         "1:1: " + mark, // too far below to be what was meant
		"rules:\n  - name: a\n    license b\n    when: c\n": "3:1: not YAML: a key must be followed by a colon and a space, as in license: m365-e3",
		"a: b: c\n":                                         "1:1: " + tooFar,
		"a: 1\n  b: 2\n":                                    "2:1: " + tooFar,
		"a: - b\n":                                          "1:1: not YAML: an entry of a list (-) begins on a line of its own",
		"a: 'b\nc: d\n":                                     "3:1: " + unclosed,
		"a: \"b\n":                                          "2:1: " + unclosed,
		"a: 'b\n---\nc: d\n":                                "2:1: " + unclosed,
		"a: &\n":                                            "1:1: " + mark + quotes,
		"a: @x\n":                                           "1:1: " + mark + quotes,
		"a: %x\n":                                           "1:1: " + mark + quotes,
		"rules:\n  - name: a\n    for: 'x' && y\n":          "3:1: " + mark + quotes,
		"a: *b\n":                                           "1:1: not YAML: unknown anchor 'b' referenced; a text that begins with * needs quotes" + quotes,
		"a: \"\\q\"\n":                                      "1:1: not YAML: found unknown escape character" + quotes,
		"a: !x && y\n":                                      "1:1: YAML reads an unquoted ! as a tag; write a: '!x && y'",
		"when: !inPilot\nfor: [\n":                          "3:1: not YAML: a value is missing",
		"a: }\n":                                            "1:1: not YAML: a value is missing",
		"a: {b: c\nd: e\n":                                  "2:1: not YAML: a mapping that begins with { is not closed by }, or lacks a comma",
		"a: b\nc: !x":                                       "2:4: YAML reads an unquoted ! as a tag; write c: '!x'",
		"a: !x == 'y'\n":                                    "1:4: YAML reads an unquoted ! as a tag, and tags are not allowed; put the value in quotes, as in for: '!inPilot'",
		"a: b\rc: !x":                                       "2:4: YAML reads an unquoted ! as a tag, and tags are not allowed; put the value in quotes, as in for: '!inPilot'",
		"a: b\rc: @x":                                       "2:1: " + mark, // YAML counts this sign as the end of a line
		"a: [b, c\nd: e\n":                                  "2:1: not YAML: a list that begins with [ is not closed by ], or lacks a comma",
	} {
		_, err := Load("p", []byte(text))
		if got := fmt.Sprint(err); got != "p:"+want {
			t.Errorf("%q:\n%s, want\np:%s", text[max(0, len(text)-60):], got, want)
		}
	}
}
