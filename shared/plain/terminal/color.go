package terminal

import (
	"regexp"
	"strings"
)

// Escape sequences that set colors (ECMA-48, "Select Graphic Rendition").
const (
	bold, red, green, yellow = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"
	plainAgain               = "\x1b[0m"
)

var stateColumns = []string{"STATUS", "STATE", "VERDICT", "OUTCOME"}

// The map "states" has the colors of states: green for success, yellow for waiting, and red for trouble.
var states = map[string]string{
	"done": green, "healthy": green, "apply": green, "ok": green,
	"pending": yellow, "announced": yellow, "hold": yellow, "review": yellow, "undecided": yellow,
	"failed": red, "refused": red, "unhealthy": red, "absent": red, "damaged": red,
}

// The map "kinds" has the colors of words at the beginning of a line. Such a word says what kind of message the line
// is.
var kinds = map[string]string{"idleseat:": red, "damaged:": red, "refused:": red, "failed:": red, "held:": yellow, "interrupted:": yellow}

var opening = regexp.MustCompile(`^( *)([a-z]+:)(?: |$)`)

// Paint colors the first word of a line if the word is in the map "kinds", such as "failed:". If the line ends with a
// command of idleseat, Paint makes the command bold. The text must be safe to show, and must already fit the width.
func (s Screen) Paint(text string) string {
	if !s.Color {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if at := command.FindStringSubmatchIndex(line); at != nil {
			line = line[:at[2]] + s.bold(line[at[2]:])
		}
		if at := opening.FindStringSubmatchIndex(line); at != nil {
			word := line[at[4]:at[5]]
			line = line[:at[4]] + s.paint(kinds[word], word) + line[at[5]:]
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

func (s Screen) bold(text string) string { return s.paint(bold, text) }

func (s Screen) paint(color, text string) string {
	if !s.Color || color == "" || text == "" {
		return text
	}
	return color + text + plainAgain
}
