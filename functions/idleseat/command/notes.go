package command

import (
	"fmt"
	"regexp"
	"strings"
)

// A note that at least manyAlike rows or people share is printed only once.
const manyAlike = 4

// The expression "ids" matches the ids of people and requests in a note.
var ids = regexp.MustCompile(`[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|S-1-5-21(?:-[0-9]+)+`)

// The function "cause" returns a note in which "…" replaces each id. Notes with the same result count as one note.
func cause(note string) string { return ids.ReplaceAllString(note, "…") }

// If many rows share a note, the function "told" replaces the note in these rows by a number in brackets, and returns
// one line for the note. Without this, a directory that does not answer would add the same note to the row of every
// person. The first row is the header, and the last column has the notes.
func told(rows [][]string) (shared []string) {
	var all alike
	last := len(rows[0]) - 1
	for _, row := range rows[1:] {
		all.add("", row[last])
	}
	number := map[string]int{}
	for _, row := range rows[1:] {
		key := cause(row[last])
		same := all.by[key]
		if key == "" || len(same.people) < manyAlike {
			continue
		}
		if number[key] == 0 {
			number[key] = len(number) + 1
			shared = append(shared, fmt.Sprintf("[%d]  %d times: %s", number[key], len(same.people), same.what))
		}
		row[last] = fmt.Sprintf("[%d]", number[key])
	}
	return shared
}

// toldTable prints a table like shortTable. If many rows share a note, it prints the note once, below the table.
func (p *printer) toldTable(rows [][]string, rest string) {
	shared := told(rows)
	p.shortTable(rows, rest)
	for _, note := range shared {
		p.printf("  %s\n", note)
	}
}

// The type "alike" collects one text about each person, and makes lines of these texts. A text of many people gets a
// single line.
type alike struct {
	said []string // the results of the function "cause", in the order in which they were added
	by   map[string]*saying
}

// The type "saying" is a group of texts that differ at most in ids. If they differ, the field "what" has the text with
// "…" in place of each id.
type saying struct {
	what    string
	people  []string
	details []string // the text of each person, in the order of the people
}

func (x *alike) add(person, what string) {
	key := cause(what)
	if x.by == nil {
		x.by = map[string]*saying{}
	}
	s := x.by[key]
	if s == nil {
		s = &saying{what: what}
		x.said, x.by[key] = append(x.said, key), s
	}
	if s.what != what {
		s.what = key
	}
	s.people, s.details = append(s.people, person), append(s.details, what)
}

// The method "lines" returns a line for each person. If at least manyAlike people have the same text, it returns one
// line for all of them, with the names of the first three people.
func (x *alike) lines() (all []string) {
	for _, key := range x.said {
		s := x.by[key]
		if n := len(s.people); n >= manyAlike {
			all = append(all, fmt.Sprintf("%s and %d more, %s", strings.Join(s.people[:manyAlike-1], ", "), n-manyAlike+1, s.what))
			continue
		}
		for i, person := range s.people {
			all = append(all, person+", "+s.details[i])
		}
	}
	return all
}
