package snapshot

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// line reads JSON values off one line, as this package writes them. A night at
// 1,000,000 people reads two lines for each of them, and a general decoder
// alone would take more than the whole time that evaluate may. ok turns false
// at the first surprise.
type line struct {
	rest  string
	ok    bool
	plain bool // no escape in the whole line
}

// begin takes a new line up.
func (l *line) begin(text string) {
	*l = line{rest: text, ok: true, plain: strings.IndexByte(text, '\\') < 0}
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

// text reads a string. Without escapes it shares the memory of the line.
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
	if !l.plain && strings.IndexByte(s, '\\') >= 0 {
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
	s := l.text()
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		l.ok = false
	}
	return t
}

func (l *line) flag() directory.Flag {
	f, ok := directory.ParseFlag(l.text())
	l.ok = l.ok && ok
	return f
}

func (l *line) bool() bool {
	if l.take("true") {
		return true
	}
	l.expect("false")
	return false
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
	var all []directory.Assignment
	l.items(func(int) {
		var a directory.Assignment
		n := 0
		l.items(func(i int) {
			n++
			switch s := l.text(); i {
			case 0:
				a.SKU = s
			case 1:
				a.Group = s
			case 2:
				a.State = s
			case 3:
				a.Error = s
			default:
				a.DisabledPlans = append(a.DisabledPlans, s)
			}
		})
		l.ok = l.ok && n >= 4
		all = append(all, a)
	})
	return all
}

// updated reads when each of the paths changed. All of them have an item.
func (l *line) updated(all []directory.Assignment) {
	n := 0
	l.items(func(i int) {
		if i == len(all) {
			l.ok = false
			return
		}
		n, all[i].Updated = i+1, l.time()
	})
	l.ok = l.ok && n == len(all)
}

// membership is the line of one member of a named group: ["member","group"]
// would be taken for a person, so it is an object.
type membership struct {
	Member string `json:"member"` // Entra id or SID
	Group  string `json:"group"`  // directory.GroupRef.Key
}

func (m *membership) read(l *line) bool {
	l.expect(`{"member":`)
	m.Member = l.text()
	l.expect(`,"group":`)
	m.Group = l.text()
	return l.ok && l.rest == "}"
}
