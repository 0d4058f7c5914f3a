package terminal

import (
	"regexp"
	"strings"
)

// The expression "command" matches a command line of idleseat at the end of a line. The command stands alone, after two
// blanks, or after a colon.
var command = regexp.MustCompile(`(?:^|^ +|  |: )(idleseat [a-z].*)$`)

// The expression "hanging" matches the label or number at the beginning of a line, and the two or more blanks after it.
var hanging = regexp.MustCompile(`^( *)\S+ {2,}`)

// widestLabel is the maximum width of a label and the blanks after it. If a line with such a label is broken, its
// further lines begin below the text after the label.
const widestLabel = 16

// Wrap breaks lines between words if they are wider than the screen. A command stays whole, on a line of its own, so
// that a reader can copy it.
func (s Screen) Wrap(text string) string {
	if s.Width == 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = s.line(line)
	}
	return strings.Join(lines, "\n")
}

func (s Screen) line(line string) string {
	if Width(line) <= s.Width {
		return ordered(line)
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	if at := command.FindStringSubmatchIndex(line); at != nil {
		before := strings.TrimRight(line[:at[2]], " ")
		if before == "" {
			return line
		}
		return s.line(before) + "\n" + strings.Repeat(" ", indent+2) + line[at[2]:]
	}
	hang := indent + 2
	if label := hanging.FindString(line); label != "" && len(label) <= indent+widestLabel {
		hang = len(label)
	}
	return strings.Join(broken(line, s.Width, hang), "\n")
}

// The function "broken" breaks a line between words. The argument "hang" is the number of blanks before each line after
// the first.
func broken(line string, width, hang int) (lines []string) {
	text := strings.TrimLeft(line, " ")
	now := strings.Repeat(" ", len(line)-len(text))
	begun := false
	for text != "" {
		word, rest, _ := strings.Cut(text, " ")
		gap := ""
		if begun {
			gap = " "
		}
		if begun && Width(now)+len(gap)+Width(word) > width {
			lines = append(lines, ordered(strings.TrimRight(now, " ")))
			now, gap = strings.Repeat(" ", hang), ""
		}
		for Width(now)+len(gap)+Width(word) > width && Width(word) > len([]rune(word)) { // wide letters without blanks
			part := columns.Truncate(word, width-Width(now)-len(gap), "")
			if part == "" {
				break
			}
			lines = append(lines, ordered(now+gap+part))
			now, gap, word = strings.Repeat(" ", hang), "", word[len(part):]
		}
		now, text, begun = now+gap+word, rest, true
	}
	if begun && strings.HasSuffix(line, " ") { // the blank at the end of a question, after which the reader types the answer
		now += " "
	}
	return append(lines, ordered(now))
}
