package terminal

import (
	"slices"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"golang.org/x/text/unicode/bidi"
)

// The variable "columns" counts the columns of text (Unicode Standard Annex #11). A character of ambiguous width, such
// as an arrow, takes one column in every locale, so text has the same form everywhere.
var columns = runewidth.Condition{StrictEmojiNeutral: true}

// Width returns the number of columns that text takes.
func Width(text string) int { return columns.StringWidth(text) }

const leftToRight = "\u200e"

// The function "ordered" adds a left-to-right mark after right-to-left letters before a number or the end of the text.
// Without the mark, a terminal that reorders text treats the blanks and digits after a Hebrew or Arabic name as a part
// of the name, and shows the columns in the wrong order (Unicode Standard Annex #9, rules W2 and N1).
func ordered(text string) string {
	var marks []int // the positions of the marks, in bytes of text
	end := -1       // the end of the last right-to-left letter; -1 after another letter
	for at, r := range text {
		switch class(r) {
		case bidi.R, bidi.AL:
			end = at + utf8.RuneLen(r)
		case bidi.NSM:
			if end == at {
				end += utf8.RuneLen(r)
			}
		case bidi.L:
			end = -1
		case bidi.EN, bidi.AN:
			if end == at { // a number within a word
				end += utf8.RuneLen(r)
			} else if end >= 0 {
				marks, end = append(marks, end), -1
			}
		}
	}
	if end >= 0 {
		marks = append(marks, end)
	}
	for _, at := range slices.Backward(marks) {
		text = text[:at] + leftToRight + text[at:]
	}
	return text
}

func class(r rune) bidi.Class {
	p, _ := bidi.LookupRune(r)
	return p.Class()
}
