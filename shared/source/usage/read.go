package usage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/rows"
)

// The columns of the reports. Some reports do not have columnDeleted.
const (
	columnRefreshed = "Report Refresh Date"
	columnName      = "User Principal Name"
	columnPeriod    = "Report Period"
	columnDeleted   = "Is Deleted"
)

// The constant "period" is the span, in days, that a report has if it was requested with period='D180'. Only this span
// proves that there was no activity for 180 days.
const period = "180"

// ErrConcealed is the error for a report with hashes instead of names.
var ErrConcealed = errors.New("it conceals names, so that nobody can be found in it; an administrator of Microsoft 365 switches that off: Settings, Org settings, Reports, \"Display concealed user, group, and site names in all reports\"")

// Read reads a report. It returns an error if the whole report is unusable. A fault of one signal is in the Facts of
// the signal.
//
// An empty cell means no activity in the span of the report only if the report has the requested span, the account is
// not deleted, and the account has a license for the workload. For an account without a row or without the license,
// the activity is unknown.
func Read(ctx context.Context, g Graph, r Report, now time.Time) (*Table, map[string]Facts, error) {
	in := &reading{report: r, now: now}
	err := g.Report(ctx, r.Name, r.Paths, func(file io.Reader) error {
		in.table = &Table{Report: r.Name, Version: tableVersion}
		return in.read(file)
	})
	if err == nil {
		err = in.end()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the usage report %s: %w", r.Name, err)
	}
	facts := map[string]Facts{}
	for i, c := range r.Columns {
		facts[c.Signal.String()] = in.facts[i]
	}
	return in.table, facts, nil
}

type reading struct {
	report Report
	now    time.Time

	at    map[string]int // index of each column by its name in lower case
	table *Table
	facts []Facts // parallel to Report.Columns
	held  []uint8 // for each row of the table, bit i is set if the person has the license of Report.Columns[i]
	all   int     // the number of rows whose account is not deleted, including rows with a concealed name
}

func (in *reading) read(file io.Reader) error {
	text := rows.New(file)
	head, err := text.Next()
	if err != nil {
		return fmt.Errorf("it has no header: %w", err)
	}
	width := len(head)
	if err := in.header(head); err != nil {
		return err
	}
	for {
		row, err := text.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(row) != width:
			return fmt.Errorf("it has a row of %d columns below a header of %d", len(row), width)
		}
		if err := in.row(row); err != nil {
			return err
		}
	}
}

// The method "header" finds the columns. The file may start with a byte order mark.
func (in *reading) header(head []string) error {
	in.at, in.all = map[string]int{}, 0
	for i, name := range head {
		in.at[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range []string{columnRefreshed, columnName, columnPeriod} {
		if _, there := in.at[strings.ToLower(name)]; !there {
			return fmt.Errorf("it has no column %q", name)
		}
	}
	in.facts = make([]Facts, len(in.report.Columns))
	for i, c := range in.report.Columns {
		in.table.signals = append(in.table.signals, c.Signal)
		in.table.Signals = append(in.table.Signals, c.Signal.String())
		for _, name := range []string{c.Last, c.Assigned, c.Has} {
			if _, there := in.at[strings.ToLower(name)]; name != "" && !there {
				in.facts[i].Failed = fmt.Sprintf("the usage report %s has no column %q", in.report.Name, name)
			}
		}
	}
	return nil
}

// The method "cell" returns the text in a column, or "" if the report does not have the column.
func (in *reading) cell(row []string, column string) string {
	i, there := in.at[strings.ToLower(column)]
	if column == "" || !there {
		return ""
	}
	return strings.TrimSpace(row[i])
}

func (in *reading) row(cells []string) error {
	refreshed, err := time.Parse(time.DateOnly, in.cell(cells, columnRefreshed))
	if err != nil {
		return fmt.Errorf("its date is none: %w", err)
	}
	if p := strings.TrimPrefix(in.cell(cells, columnPeriod), "D"); p != period {
		return fmt.Errorf("it is of %q days, and %s were asked for", p, period)
	}
	if in.table.Through.IsZero() || refreshed.Before(in.table.Through) {
		in.table.Through = refreshed
	}
	if strings.EqualFold(in.cell(cells, columnDeleted), "true") {
		return nil
	}
	in.all++
	// A concealed name is a hash. Some reports have "(Unknown)" instead of a name
	// (microsoftgraph/microsoft-graph-docs#15148).
	name := in.cell(cells, columnName)
	if !strings.Contains(name, "@") {
		return nil
	}
	r, held := row{key: keyOf(name)}, uint8(0)
	for i, c := range in.report.Columns {
		last, assigned, licensed := in.days(cells, i, c, refreshed)
		if licensed {
			held |= 1 << i
		}
		r.cells[perSignal*i+lastDay], r.cells[perSignal*i+assignedDay] = last, assigned
		if last >= firstDay {
			r.cells[perSignal*i+newestDay] = last
		}
	}
	in.table.rows, in.held = append(in.table.rows, r), append(in.held, held)
	return nil
}

// The method "days" returns the day of the last activity and the day on which the license was assigned, for signal i
// of a row. The result "licensed" reports whether the person has the license.
func (in *reading) days(cells []string, i int, c Column, refreshed time.Time) (last, assigned cell, licensed bool) {
	f := &in.facts[i]
	if f.Failed != "" {
		return unknown, unknown, false
	}
	last, assigned = in.day(f, in.cell(cells, c.Last), refreshed), in.day(f, in.cell(cells, c.Assigned), refreshed)
	licensed = c.Has == "" || strings.EqualFold(in.cell(cells, c.Has), "true")
	switch {
	case licensed && assigned == none:
		assigned = unknown // the person has the license, so there is a day of assignment that the report lacks
	case !licensed && last == none:
		last = unknown
	}
	return last, assigned, licensed
}

// The method "count" counts the people of each signal. The argument "twice" has the keys of names that have several
// rows, and the method skips these. If they counted, a later report with one row for each name would seem to lack
// people.
func (in *reading) count(twice []uint64) {
	for n, r := range in.table.rows {
		if _, found := slices.BinarySearch(twice, r.key); found {
			continue
		}
		for i := range in.facts {
			f, last := &in.facts[i], r.cells[perSignal*i+lastDay]
			if in.held[n]&(1<<i) != 0 {
				f.Sampled++
			}
			if last < firstDay {
				continue
			}
			f.WithActivity++
			if t := epoch.Add(time.Duration(last-firstDay) * day); t.After(f.Newest) {
				f.Newest = t
			}
		}
	}
}

// The method "day" parses a cell. An empty cell gives none. A text that is no day is a fault of the whole signal, and
// gives unknown. A day after the day of the report is unknown, too.
func (in *reading) day(f *Facts, text string, refreshed time.Time) cell {
	if text == "" {
		return none
	}
	t, err := time.Parse(time.DateOnly, text)
	switch {
	case err != nil:
		f.Failed = fmt.Sprintf("the usage report %s has %.40q in place of a day", in.report.Name, text)
		return unknown
	case t.After(refreshed):
		return unknown
	}
	return cellOf(t)
}

func (in *reading) end() error {
	t := in.table
	age := in.now.Sub(t.Through)
	switch {
	case in.all == 0:
		return errors.New("it is empty")
	case len(t.rows) == 0:
		return ErrConcealed
	case age < -day:
		return fmt.Errorf("it is of %s, which is in the future", t.Through.Format(time.DateOnly))
	case age > stalled(in.report):
		return fmt.Errorf("it is of %s, %d days old: the feed has stalled", t.Through.Format(time.DateOnly), int(age/day))
	}
	twice := t.repeated()
	in.count(twice)
	if t.sort(); 2*len(twice) > t.Rows {
		return fmt.Errorf("it has %d of its %d names in several rows, and nothing is known of those", len(twice), t.Rows)
	}
	return nil
}

// The function "stalled" returns the largest age at which a report is usable.
func stalled(r Report) (longest time.Duration) {
	for _, c := range r.Columns {
		longest = max(longest, c.Signal.Stalled())
	}
	return longest
}
