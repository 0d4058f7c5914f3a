package usage

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/idleseat/idleseat/shared/directory"
)

// Table is a usage report by account. It has only days and hashes of names, so the table of 1,000,000 people takes 32
// MB, and every worker can load it quickly.
//
// The stored form is a line of JSON, followed by the rows sorted by key. A row has the key (eight bytes) and three
// days of two bytes for each signal: of the last activity, of the assignment of the license, and of the newest
// activity that any report showed. All numbers are little-endian.
type Table struct {
	Report  string   `json:"report"`
	Version int      `json:"version"`
	Signals []string `json:"signals"` // in the order of the cells
	Rows    int      `json:"rows"`
	// Through is the start of the last day that the report covers.
	Through time.Time `json:"through"`

	signals []directory.Signal
	rows    []row
	starts  []int32 // the rows at which the method find begins its search; filled by the method index
}

// The type "row" is the row of one account. If two rows of a report have the same key, all cells are unknown.
type row struct {
	key   uint64
	cells [perSignal * mostSignals]cell
}

// The indices of the cells of a signal in a row.
const (
	lastDay = iota
	assignedDay
	newestDay
	perSignal
)

// mostSignals is the largest number of signals in a report. Each signal takes six bytes per person.
const mostSignals = 4

const tableVersion = 1

// The type "cell" is a day, or the reason why there is no day.
type cell uint16

const (
	unknown cell = iota
	none         // the report proves that there is no day in its span
	firstDay
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// cellOf returns the cell for a day, or unknown if the day is out of range.
func cellOf(t time.Time) cell {
	n := t.Sub(epoch) / day
	if n < 0 || n > 1<<16-1-time.Duration(firstDay) {
		return unknown
	}
	return firstDay + cell(n)
}

// The method "value" returns the value of a cell: unknown, none, or the end of the cell's day, because the report does
// not have the hour.
func (c cell) value() directory.Value {
	switch c {
	case unknown:
		return directory.Value{}
	case none:
		return directory.Value{State: directory.None}
	}
	return directory.Value{State: directory.Known, Time: c.end()}
}

func (c cell) end() time.Time { return epoch.Add(time.Duration(c-firstDay+1)*day - time.Second) }

// keyOf returns the FNV-1a hash of a userPrincipalName in lower case. One in thirty million reports of 1,000,000 names
// has two names with the same hash. The activity of both is then unknown.
func keyOf(upn string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(upn) {
		b := upn[i]
		switch {
		case b >= utf8.RuneSelf && upn != strings.ToLower(upn):
			return keyOf(strings.ToLower(upn))
		case 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		}
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// The method "repeated" returns the keys that several rows have, in ascending order.
func (t *Table) repeated() (keys []uint64) {
	for _, r := range t.rows {
		keys = append(keys, r.key)
	}
	slices.Sort(keys)
	n := 0
	for i, key := range keys {
		if i > 0 && keys[i-1] == key && (n == 0 || keys[n-1] != key) {
			keys[n] = key
			n++
		}
	}
	return keys[:n]
}

// The method "sort" sorts the rows by key. It replaces several rows with the same key by one row with unknown cells.
func (t *Table) sort() {
	slices.SortFunc(t.rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	kept := t.rows[:0]
	for _, r := range t.rows {
		if n := len(kept); n > 0 && kept[n-1].key == r.key {
			kept[n-1].cells = [perSignal * mostSignals]cell{}
			continue
		}
		kept = append(kept, r)
	}
	t.rows, t.Rows = kept, len(kept)
	t.index()
}

// Tell adds the data of the report to an account. Another account may have had the name before, so Tell adds nothing
// to an account that was created on or after the last day of the report, and treats a last activity before the
// creation of the account as unknown.
func (t *Table) Tell(u *directory.EntraUser) {
	if u.UserPrincipalName == "" || !u.Created.IsZero() && !u.Created.Before(t.Through) {
		return
	}
	i := t.find(keyOf(u.UserPrincipalName))
	if i < 0 {
		return
	}
	for n, s := range t.signals {
		cells := t.rows[i].cells[perSignal*n:][:perSignal]
		use := directory.Use{Signal: s, Assigned: cells[assignedDay].value(), Through: t.Through}
		use.Last, use.Shown = t.last(s, cells, u.Created)
		u.Uses = append(u.Uses, use)
	}
}

// The method "last" returns the last activity of an account for the signal s, according to the account's cells. The
// value is unknown if an earlier report showed a newer day that this report has lost. The result "shown" is then the
// end of the newer day. An activity before the creation of the account makes the value unknown, too.
func (t *Table) last(s directory.Signal, cells []cell, created time.Time) (last directory.Value, shown time.Time) {
	last = cells[lastDay].value()
	if t.lost(s, cells) {
		if newest := cells[newestDay].end(); newest.After(created) {
			return directory.Value{}, newest
		}
	}
	if last.State == directory.Known && last.Time.Before(created) {
		return directory.Value{}, time.Time{}
	}
	return last, time.Time{}
}

// The method "lost" reports whether an earlier report showed activity on a newer day that this report must show, too. A
// day before the span of this report does not count.
func (t *Table) lost(s directory.Signal, cells []cell) bool {
	last, newest := cells[lastDay], cells[newestDay]
	return newest >= firstDay && last != unknown && newest > last && newest >= cellOf(t.Through.Add(-s.Horizon()))
}

// Follow copies from an earlier table the newest day that any report showed for each account and signal. It adds a row
// for an account that this report does not list, if one of these days is in the span of this report. With these days,
// the method "lost" notices that a later report shows an earlier day, or none.
func (t *Table) Follow(earlier *Table) {
	column := make([]int, len(t.signals))
	for n, s := range t.signals {
		column[n] = slices.Index(earlier.signals, s)
	}
	var gone []row
	own := t.rows
	for _, e := range earlier.rows {
		for len(own) > 0 && own[0].key < e.key {
			own = own[1:]
		}
		r, there := &row{key: e.key}, len(own) > 0 && own[0].key == e.key
		if there {
			r = &own[0]
		}
		shown := false
		for n, c := range column {
			if c >= 0 {
				newest := &r.cells[perSignal*n+newestDay]
				*newest = max(*newest, e.cells[perSignal*c+newestDay])
				shown = shown || *newest >= cellOf(t.Through.Add(-t.signals[n].Horizon()))
			}
		}
		if !there && shown {
			gone = append(gone, *r)
		}
	}
	t.rows = append(t.rows, gone...)
	t.sort()
}

// Bytes returns the table in its stored form.
func (t *Table) Bytes() ([]byte, error) {
	head, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write the table of the report %s: %w", t.Report, err)
	}
	out := bytes.NewBuffer(make([]byte, 0, len(head)+1+len(t.rows)*t.rowSize()))
	out.Write(append(head, '\n'))
	for _, r := range t.rows {
		b := binary.LittleEndian.AppendUint64(out.AvailableBuffer(), r.key)
		for _, c := range r.cells[:perSignal*len(t.signals)] {
			b = binary.LittleEndian.AppendUint16(b, uint16(c))
		}
		out.Write(b)
	}
	return out.Bytes(), nil
}

func (t *Table) rowSize() int { return 8 + 2*perSignal*len(t.signals) }

// Decode parses the result of Bytes. The caller must check the hash first.
func Decode(b []byte) (*Table, error) {
	head, rows, _ := bytes.Cut(b, []byte{'\n'})
	t := &Table{}
	if err := json.Unmarshal(head, t); err != nil {
		return nil, fmt.Errorf("the table of a usage report: %w", err)
	}
	if t.Version != tableVersion {
		return nil, fmt.Errorf("the table of the report %s has version %d, and this version reads %d", t.Report, t.Version, tableVersion)
	}
	if len(t.Signals) > mostSignals {
		return nil, fmt.Errorf("the table of the report %s has %d signals, and this version reads at most %d", t.Report, len(t.Signals), mostSignals)
	}
	for _, name := range t.Signals {
		s, known := directory.SignalNamed(name)
		if !known {
			return nil, fmt.Errorf("the table of the report %s has the signal %q, which this version does not know", t.Report, name)
		}
		t.signals = append(t.signals, s)
	}
	if size := t.rowSize(); len(rows)%size != 0 || t.Rows != len(rows)/size {
		return nil, errors.New("the table of a usage report does not have its rows")
	}
	t.rows = make([]row, t.Rows)
	for i := range t.rows {
		t.rows[i].key, rows = binary.LittleEndian.Uint64(rows), rows[8:]
		for n := range perSignal * len(t.signals) {
			t.rows[i].cells[n], rows = cell(binary.LittleEndian.Uint16(rows)), rows[2:]
		}
	}
	t.index()
	return t, nil
}

// Tables are the tables of several reports.
type Tables []*Table

// Tell replaces u.Uses with the activity of the account in these reports.
func (all Tables) Tell(u *directory.EntraUser) {
	u.Uses = nil
	signals := 0
	for _, t := range all {
		signals += len(t.signals)
	}
	if signals > 0 {
		u.Uses = make([]directory.Use, 0, signals)
	}
	for _, t := range all {
		t.Tell(u)
	}
}
