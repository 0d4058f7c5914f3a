package policy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)
	// fromZero matches messages of YAML's parser, which counts lines from 0. YAML's scanner counts them from 1.
	fromZero = regexp.MustCompile(`^(did not find expected (',' or|'-'|<|key|node content)|found (duplicate|incompatible|undefined))`)
	bareMark = regexp.MustCompile(`^[^#"']*:\s+[!&*%@\x60"']`)
	// noToken matches a line whose value begins with %, @ or a backquote. No value in YAML may begin with these.
	noToken = regexp.MustCompile(`^[^#"']*[:-]\s+[%@\x60]`)
)

// yamlWords has words for authors of policies, by the begin of a message of the YAML package. The package may report
// the first line of the part with the fault, so some words say "begins here".
var yamlWords = []struct{ begins, words string }{
	{"did not find expected '-' indicator", "in the list that begins here, a line is not indented like the others; the keys of an entry begin in one column"},
	{"did not find expected key", "in the part that begins here, a line is not indented like the others, or a quote or bracket is not closed; keys that belong together begin in one column"},
	{"did not find expected ',' or ']'", "a list that begins with [ is not closed by ], or lacks a comma"},
	{"did not find expected ',' or '}'", "a mapping that begins with { is not closed by }, or lacks a comma"},
	{"could not find expected ':'", "a key must be followed by a colon and a space, as in license: m365-e3"},
	{"mapping values are not allowed", "a key stands where none can be: the line is indented too far, or a text with a colon lacks its quotes"},
	{"block sequence entries are not allowed", "an entry of a list (-) begins on a line of its own"},
	{"found unexpected end of stream", "a quote or a bracket that begins here is not closed"},
	{"found unexpected document indicator", "a quote or a bracket that begins here is not closed"},
	{"did not find expected alphabetic or numeric character", special},
	{"found character that cannot start any token", special},
	{"did not find expected node content", "a value is missing"},
}

const special = "a value begins with a character that means something else in YAML"

const spaces = "a line begins with a tab; indent it with spaces"

// faultYAML reports an error of the YAML package. It uses the words in yamlWords if the message begins with one of
// them. The place is the line of the package's message, or the line with the wrong tab or indentation.
func (r *reader) faultYAML(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
		if fromZero.MatchString(text) {
			line = min(line+1, len(r.lines))
		}
	}
	if strings.Contains(text, "tab character") || strings.Contains(text, "cannot start any token") && !r.matches(line, noToken) {
		if at := r.tabbed(line); at > 0 {
			r.faultAt(at, 1, spaces)
			return
		}
	}
	if strings.HasPrefix(text, "did not find expected '-' indicator") || strings.HasPrefix(text, "did not find expected key") {
		if at, column, before := r.misaligned(line); at > 0 {
			r.faultAt(at, column, fmt.Sprintf("not YAML: this line begins in column %d, and the keys above it in column %d; the keys of an entry begin in one column", column, before))
			return
		}
	}
	for _, w := range yamlWords {
		if strings.HasPrefix(text, w.begins) {
			text = w.words
		}
	}
	if strings.Contains(text, "unknown anchor") {
		text += "; a text that begins with * needs quotes"
	}
	if own := r.negated(line); own != "" {
		r.faultAt(line, 1, own)
		return
	}
	if r.matches(line, bareMark) {
		text += `; a condition that begins with !, &, *, % or a quote needs quotes, as in for: '!inPilot && accountEnabled', or on a line of its own below for: |`
	}
	r.faultAt(line, 1, "not YAML: "+text)
}

func (r *reader) matches(line int, form *regexp.Regexp) bool {
	return line <= len(r.lines) && form.MatchString(r.lines[line-1])
}

// The method "tabbed" returns the first line whose indentation has a tab, or 0. It searches about 50 lines from the
// given one on, because the YAML package may report a line before the tab. Lines count from 1.
func (r *reader) tabbed(line int) int {
	const near = 50
	for i := max(line-1, 0); i < len(r.lines) && i < line+near; i++ {
		text := strings.TrimLeft(r.lines[i], " ")
		if strings.HasPrefix(text, "\t") && strings.TrimSpace(text) != "" {
			return i + 1
		}
	}
	return 0
}

var aKey = regexp.MustCompile(`^(?:-|[\w"'-]+:)(?:\s|$)`)

// The method "misaligned" searches for a key between the columns of two enclosing parts, such as a key in column 4
// below keys in the columns 3 and 5. It returns the line and column of this key, and the nearest enclosing column to
// the right (5). Lines and columns count from 1. All results are 0 if there is none.
func (r *reader) misaligned(from int) (at, column, nearest int) {
	var open []int
	for i := max(from-1, 0); i < len(r.lines); i++ {
		text := strings.TrimLeft(r.lines[i], " ")
		if !aKey.MatchString(text) {
			continue
		}
		indent, closed := len(r.lines[i])-len(text), -1
		for len(open) > 0 && indent < open[len(open)-1] {
			closed, open = open[len(open)-1], open[:len(open)-1]
		}
		switch {
		case len(open) == 0 && closed >= 0:
			return 0, 0, 0 // the part has ended
		case len(open) > 0 && indent > open[len(open)-1] && closed >= 0:
			return i + 1, indent + 1, closed + 1
		}
		for open = append(open, indent); strings.HasPrefix(text, "- "); open = append(open, indent) {
			rest := strings.TrimLeft(text[1:], " ")
			indent, text = indent+len(text)-len(rest), rest
		}
	}
	return 0, 0, 0
}
