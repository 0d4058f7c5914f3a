package snapshot

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// A night at 1,000,000 people decodes two lines for each of them, and the
// general decoder alone would take more than the whole budget of evaluate. The
// readers below take the lines exactly as this package writes them, and leave
// anything else, right or wrong, to encoding/json. FuzzLines holds the two to
// the same answer.

// line reads one canonical JSON line. ok turns false at the first surprise.
type line struct {
	rest string
	ok   bool
}

// take consumes a literal prefix.
func (l *line) take(s string) bool {
	if strings.HasPrefix(l.rest, s) {
		l.rest = l.rest[len(s):]
		return true
	}
	return false
}

// expect consumes a literal prefix that must be there.
func (l *line) expect(s string) {
	if !l.take(s) {
		l.ok = false
	}
}

// text reads a string without escapes, sharing the memory of the line.
func (l *line) text() string {
	if len(l.rest) == 0 || l.rest[0] != '"' {
		l.ok = false
		return ""
	}
	end := strings.IndexByte(l.rest[1:], '"')
	if end < 0 {
		l.ok = false
		return ""
	}
	s := l.rest[1 : 1+end]
	if strings.IndexByte(s, '\\') >= 0 {
		return l.escaped()
	}
	l.rest = l.rest[end+2:]
	return s
}

// escaped reads a string with escapes, by the general decoder.
func (l *line) escaped() string {
	for i := 1; i < len(l.rest); i++ {
		switch l.rest[i] {
		case '\\':
			i++
		case '"':
			var s string
			if json.Unmarshal([]byte(l.rest[:i+1]), &s) != nil {
				l.ok = false
			}
			l.rest = l.rest[i+1:]
			return s
		}
	}
	l.ok = false
	return ""
}

func (l *line) time() time.Time {
	t, err := time.Parse(time.RFC3339, l.text())
	if err != nil {
		l.ok = false
	}
	return t
}

func (l *line) flag() (f directory.Flag) {
	if f.UnmarshalText([]byte(l.text())) != nil {
		l.ok = false
	}
	return f
}

func (l *line) bool() bool {
	if l.take("true") {
		return true
	}
	l.expect("false")
	return false
}

// fields calls value for each key of an object. It stops at the first
// surprise.
func (l *line) fields(value func(key string)) {
	l.expect("{")
	if l.take("}") {
		return
	}
	for l.ok {
		key := l.text()
		l.expect(":")
		if !l.ok {
			return
		}
		value(key)
		if l.ok && l.take("}") {
			return
		}
		l.expect(",")
	}
}

// items calls value for each item of an array.
func (l *line) items(value func(i int)) {
	l.expect("[")
	if l.take("]") {
		return
	}
	for i := 0; l.ok; i++ {
		value(i)
		if l.ok && l.take("]") {
			return
		}
		l.expect(",")
	}
}

func (l *line) extension(ext *directory.ExtensionAttributes) {
	l.items(func(i int) {
		if i == len(ext) {
			l.ok = false
			return
		}
		ext[i] = l.text()
	})
}

func (l *line) assignments() []directory.Assignment {
	all := make([]directory.Assignment, 0, 2)
	l.items(func(int) {
		var a directory.Assignment
		l.fields(func(key string) {
			switch key {
			case "sku":
				a.SKU = l.text()
			case "group":
				a.Group = l.text()
			case "state":
				a.State = l.text()
			case "error":
				a.Error = l.text()
			case "disabledPlans":
				a.DisabledPlans = []string{}
				l.items(func(int) { a.DisabledPlans = append(a.DisabledPlans, l.text()) })
			default:
				l.ok = false
			}
		})
		all = append(all, a)
	})
	return all
}

// general decodes a line that the fast readers did not understand.
func general(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("damaged line: %w", err)
	}
	return nil
}
