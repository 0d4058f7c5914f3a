package policy

import (
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// A report without a use of a person leaves two cases: an earlier date, or no date at all (worlds.go). Screen evaluates
// a condition in both, for the people for whom this makes a difference.

// The method "assumed" returns the result of a test for a person with the mark unusedDate. While inCases evaluates one
// of the two cases for the attribute, the result is that of this case. Otherwise it is Unset.
func (s *screen) assumed(a *attribute, row int, holds func(directory.Value) directory.Flag) directory.Flag {
	never, is := s.never[a]
	if !is {
		return directory.Unset
	}
	if never {
		return holds(directory.Value{State: directory.None})
	}
	since := s.since[a]
	if s.moment != nil { // a test that does not compare with now has no result here (see late)
		since -= s.moment[row]
	}
	return holds(directory.Value{State: directory.NoneSince, Time: time.UnixMicro(since)})
}

// The method "inCases" evaluates a condition for the people with the mark unusedDate whose result is Unset so far. Each
// attribute from a report has two cases, and inCases evaluates each combination of them. As in worlds.inAll, a result
// counts only if all combinations agree.
func (s *screen) inCases(c *condition, flags []directory.Flag) {
	var unused []*attribute
	var dates [][]int64
	for _, a := range c.reads {
		if a.bounded() && len(a.fields) == 1 {
			unused, dates = append(unused, a), append(dates, s.date(a))
		}
	}
	var rows []int
	for row := range flags {
		for i := 0; flags[row] == directory.Unset && i < len(dates); i++ {
			if dates[i][row] == unusedDate {
				rows = append(rows, row)
				break
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	part := newScreen(s.Judge, s.pick(rows))
	part.spans, part.never = s.spans, map[*attribute]bool{}
	if s.moment != nil {
		part.moment = pickRows(s.moment, rows)
	}
	for at := range 1 << len(unused) {
		for i, a := range unused {
			part.never[a] = at>>i&1 == 1
		}
		for i, holds := range part.expr(c.checked.NativeRep().Expr()) {
			switch row := rows[i]; {
			case at == 0:
				flags[row] = holds
			case holds != flags[row]:
				flags[row] = directory.Unset
			}
		}
	}
}
