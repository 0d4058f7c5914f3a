package policy

import (
	"math"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// A rule may keep a license now and reclaim it later if the person stays away (Judge.Turns). Screen finds the time of
// this change from columns. For each row, it lists the times at which the verdict can change, and evaluates the
// conditions for each pair of a row and a time. All pairs share one value of "now", the origin. So Screen moves the
// dates instead: a date n days before the time of the pair becomes a date n days before the origin.

// Turned is a row whose verdict turns from keep to reclaim at a time.
type Turned struct {
	Row int
	At  int64 // in microseconds since 1970
}

// The method "origin" returns the value of "now" in the conditions. When pairs of a row and a time are evaluated, this
// is the start of 1970.
func (s *screen) origin() time.Time {
	if s.moment == nil {
		return s.now
	}
	return time.Unix(0, 0).UTC()
}

// The method "moved" returns the dates for a comparison. In a comparison with "now", it subtracts from each date the
// time at which the row is evaluated.
func (s *screen) moved(dates []int64, moves bool) []int64 {
	if s.moment == nil || !moves {
		return dates
	}
	moved := make([]int64, len(dates))
	for row, date := range dates {
		if moved[row] = date; isDate(date) {
			moved[row] = date - s.moment[row]
		}
	}
	return moved
}

// The method "turns" finds the same times as Judge.TurnsBy, in the order of the rows. It sets open[row] for each person
// whose time does not follow from the columns.
func (s *screen) turns(r *Rule, verdicts []Plain, open []bool, until time.Time) (turned []Turned) {
	rows, at, ok := s.turningPoints(r, verdicts, open, until)
	if !ok {
		for row, v := range verdicts {
			open[row] = open[row] || v == PlainKeep || v == PlainNotAsked
		}
		return nil
	}
	if len(rows) == 0 {
		return nil
	}
	pairs := newScreen(s.Judge, s.Crowd.pick(rows))
	pairs.moment = at
	// In these rows, the exemption does not apply now, and the condition "for" is true now or may become true. Either
	// of them is evaluated for each pair only if it changes with time.
	scope, when, exempt := pairs.all(directory.Yes), pairs.condition(r.when), pairs.all(directory.No)
	if r.scope.moves() {
		scope = pairs.condition(r.scope)
	}
	if c := s.policy.exempt.when; c.moves() {
		exempt = pairs.condition(c)
	}
	grace, done := s.spared(r), -1 // done is the last row whose remaining pairs are not needed
	for i, row := range rows {
		switch holds := and(and(scope[i], when[i]), not(exempt[i])); {
		case row == done || holds == directory.No:
			continue
		case holds == directory.Unset || grace.is(row):
			open[row] = true
		default:
			turned = append(turned, Turned{row, at[i]})
		}
		done = row
	}
	return turned
}

// turningPoints returns the times at which the verdicts can change, from now to "until". The time at[i] is for the row
// rows[i], and the times of one row are together and ascending. An unknown date adds no time: as long as it is unknown,
// only the other parts of the condition can change the verdict. The result "ok" is false if the columns lack a date.
func (s *screen) turningPoints(r *Rule, verdicts []Plain, open []bool, until time.Time) (rows []int, at []int64, ok bool) {
	now, last := s.now.UnixMicro(), until.UnixMicro()
	offsets, fixed, ok := r.steps(now, last)
	if !ok {
		return nil, nil, false
	}
	var dates []movable
	for _, a := range r.asks {
		switch {
		case a.kind != directory.Date:
		case s.readable(a):
			dates = append(dates, newMovable(s.bounds(a), offsets, now, last))
		case !a.bounded(): // a date from a report that cannot be trusted is unknown, and adds no time
			return nil, nil, false
		}
	}
	asks := r.scope.moves() // the condition "for" may become true later
	for row, v := range verdicts {
		if open[row] || v != PlainKeep && (v != PlainNotAsked || !asks) {
			continue
		}
		first := len(at)
		for i := range dates {
			m := &dates[i]
			date := m.dates[row]
			if date <= m.first || date > m.last {
				continue
			}
			for _, offset := range m.offsets {
				if t := date + offset; t > now && t <= last {
					at = append(at, t)
				}
			}
		}
		at = append(at, fixed...)
		if len(at) == first {
			continue
		}
		slices.Sort(at[first:])
		at = append(at[:first], slices.Compact(at[first:])...)
		for len(rows) < len(at) {
			rows = append(rows, row)
		}
	}
	return rows, at, true
}

// The method "bounds" returns one date for each row. A verdict can change at this date plus an offset, such as 60 days.
// For a person without a use in the report, the date is the start of the report's span, as in Judge.addDates. If the
// column of creation dates is missing, the account may be younger than this start. A time that Screen finds may then be
// up to a second too early.
func (s *screen) bounds(a *attribute) []int64 {
	dates := s.date(a)
	since, reported := s.since[a]
	if !reported {
		return dates
	}
	dates = slices.Clone(dates)
	for row, date := range dates {
		if date == unusedDate || date == mixedDate {
			dates[row] = since
		}
	}
	return dates
}

// The type "movable" has the dates of one attribute, and offsets, such as the 60 days of a condition. A verdict may
// change at a date plus an offset. An offset is omitted if this sum is not after now for any date.
type movable struct {
	dates       []int64
	offsets     []int64
	first, last int64 // the offsets move only those dates into the future that lie after first and not after last
}

func newMovable(dates []int64, offsets []int64, now, last int64) movable {
	m := movable{dates: dates, first: math.MaxInt64, last: math.MinInt64}
	newest := int64(None)
	for _, date := range dates {
		newest = max(newest, date)
	}
	for _, offset := range offsets {
		if newest > now-offset {
			m.offsets, m.first, m.last = append(m.offsets, offset), min(m.first, now-offset), max(m.last, last-offset)
		}
	}
	return m
}

// The method "steps" returns what turningPoints needs, in microseconds. A verdict can change at a date of the person
// plus one of the offsets, and at one of the fixed times between "now" and "last". The result "ok" is false if an
// offset or a time is no whole number of microseconds.
func (r *Rule) steps(now, last int64) (offsets, fixed []int64, ok bool) {
	var instants []time.Time
	for _, c := range r.conditions {
		instants = append(instants, c.instants...)
	}
	for _, o := range r.offsets {
		if o%time.Microsecond != 0 {
			return nil, nil, false
		}
		for _, step := range []time.Duration{o, o + time.Second} {
			offsets = append(offsets, step.Microseconds())
			for _, t := range instants {
				if t.Nanosecond()%1000 != 0 {
					return nil, nil, false
				}
				if at := t.Add(step).UnixMicro(); at > now && at <= last {
					fixed = append(fixed, at)
				}
			}
		}
	}
	return offsets, fixed, true
}

// The method "pick" returns a crowd of the people in the given rows, without groups and licenses. A row may be given
// several times.
func (c *Crowd) pick(rows []int) *Crowd {
	some := &Crowd{People: len(rows)}
	for source, states := range c.Accounts {
		some.Accounts[source] = pickRows(states, rows)
	}
	some.Field = func(name string) (Column, bool) {
		column, ok := c.Field(name)
		if ok {
			column.Rows = pickRows(column.Rows, rows)
		}
		return column, ok
	}
	some.Used = func(signal directory.Signal) (Used, bool) {
		used, ok := c.Used(signal)
		if ok {
			used.Last = pickRows(used.Last, rows)
		}
		return used, ok
	}
	return some
}

func pickRows[T any](list []T, rows []int) []T {
	picked := make([]T, len(rows))
	for i, row := range rows {
		picked[i] = list[row]
	}
	return picked
}
