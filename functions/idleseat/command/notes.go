package command

import (
	"fmt"
	"strings"
)

// manyAlike is how many rows with the same note are told together.
const manyAlike = 4

// told replaces notes that many rows of a table share by a number in brackets, and returns one line for each of these
// notes. A directory that does not answer would otherwise be told again for every person. The first row is the header,
// and the last column has the notes.
func told(rows [][]string) (shared []string) {
	count, number := map[string]int{}, map[string]int{}
	for _, row := range rows[1:] {
		count[row[len(row)-1]]++
	}
	for _, row := range rows[1:] {
		note := row[len(row)-1]
		if note == "" || count[note] < manyAlike {
			continue
		}
		if number[note] == 0 {
			number[note] = len(number) + 1
			shared = append(shared, fmt.Sprintf("[%d]  %d times: %s", number[note], count[note], note))
		}
		row[len(row)-1] = fmt.Sprintf("[%d]", number[note])
	}
	return shared
}

// toldTable prints a table like shortTable, with the notes that many rows share below it.
func (p *printer) toldTable(rows [][]string, rest string) {
	shared := told(rows)
	p.shortTable(rows, rest)
	for _, note := range shared {
		p.printf("  %s\n", note)
	}
}

// alike collects what is said about people, so that what is the same for many of them is said once.
type alike struct {
	said   []string
	people map[string][]string
}

func (x *alike) add(person, what string) {
	if x.people == nil {
		x.people = map[string][]string{}
	}
	if x.people[what] == nil {
		x.said = append(x.said, what)
	}
	x.people[what] = append(x.people[what], person)
}

// lines returns a line for each person, or one line with the first names where many are alike.
func (x *alike) lines() (all []string) {
	for _, what := range x.said {
		people := x.people[what]
		if len(people) >= manyAlike {
			people = []string{fmt.Sprintf("%s and %d more", strings.Join(people[:manyAlike-1], ", "), len(people)-manyAlike+1)}
		}
		for _, one := range people {
			all = append(all, one+", "+what)
		}
	}
	return all
}
