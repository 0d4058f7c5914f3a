package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// The method "place" finds where a line and column of a scalar's value are in the file. It compares the value with the
// text in the file, character by character: YAML changes white space and removes quotes and indentation, but keeps the
// order of all other characters. Lines and columns count from 1.
func (r *reader) place(n *yaml.Node, line, column int) (fileLine, fileColumn int) {
	at := r.textOf(n)
	fileLine, fileColumn = n.Line, n.Column
	l, c := 1, 1
	for _, want := range n.Value {
		there := l > line || l == line && c >= column
		if !unicode.IsSpace(want) {
			if !at.find(want) {
				return n.Line, n.Column // the character is written as an escape, so the place is the start of the text
			}
			fileLine, fileColumn = at.line+1, at.column
		}
		if there {
			return fileLine, fileColumn
		}
		if c++; want == '\n' {
			l, c = l+1, 1
		}
	}
	return fileLine, fileColumn + 1 // the end of the text
}

// The type "cursor" is a place in a file. The field "line" counts from 0. The field "column" is the number of
// characters before the place, and "rest" is the text of the line after it.
type cursor struct {
	lines  []string
	line   int
	column int
	rest   string
}

func (r *reader) textOf(n *yaml.Node) *cursor {
	c := &cursor{lines: r.lines, line: n.Line - 1, rest: r.lines[n.Line-1]}
	skip := n.Column - 1
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		c.next() // the text starts on the line after | or >
		return c
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		skip++
	}
	for ; skip > 0 && c.rest != ""; skip-- {
		c.pass()
	}
	return c
}

func (c *cursor) next() bool {
	c.line, c.column, c.rest = c.line+1, 0, ""
	if c.line >= len(c.lines) {
		return false
	}
	c.rest = c.lines[c.line]
	return true
}

func (c *cursor) pass() rune {
	got, size := utf8.DecodeRuneInString(c.rest)
	c.rest = c.rest[size:]
	c.column++
	return got
}

// The method "find" moves just past the next occurrence of a character. On the way, it skips only characters that the
// YAML parser may remove from a text: spaces, quotation marks, backslashes and line breaks. At any other character, and
// at the end, it returns false.
func (c *cursor) find(want rune) bool {
	for more := true; more; more = c.next() {
		for c.rest != "" {
			switch got := c.pass(); {
			case got == want:
				return true
			case !unicode.IsSpace(got) && !strings.ContainsRune(`\'"`, got):
				return false
			}
		}
	}
	return false
}
