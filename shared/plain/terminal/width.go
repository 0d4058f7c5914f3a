package terminal

import (
	"slices"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"golang.org/x/text/unicode/bidi"
)

// columns counts the columns of text (Unicode Standard Annex #11). Characters of ambiguous width, such as an arrow, take
// one column, whatever the locale, so that the same text has the same form everywhere.
var columns = runewidth.Condition{StrictEmojiNeutral: true}

// Width returns how many columns text takes.
func Width(text string) int { return columns.StringWidth(text) }

// leftToRight is U+200E, which takes no column.
const leftToRight = "\u200e"

// ordered puts a left-to-right mark behind right-to-left letters that are followed by a number or by the end. Without the
// mark, a terminal that orders text both ways takes the blanks and digits after a Hebrew or Arabic name as part of the
// name, and shows the columns in the wrong order (Unicode Standard Annex #9, rules W2 and N1). The words of a name stay
// together.
func ordered(text string) string {
	var marks []int // where in text a mark belongs
	end := -1       // where the last right-to-left letter ends, if no other letter came after it
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
