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

	"github.com/idleseat/idleseat/shared/directory"
)

// Table is a report by account. It holds hashes of names and days, so that the report of
// 1,000,000 people takes 24 MB and is read in a moment by each worker that evaluates.
//
// As bytes it is a line of JSON, and after it the rows in the order of their keys: the
// key (eight bytes), then for each signal the day of the last activity and the day of
// the assignment (two bytes each), all little-endian.
type Table struct {
	Report  string   `json:"report"`
	Version int      `json:"version"`
	Signals []string `json:"signals"` // in the order of the cells
	Rows    int      `json:"rows"`
	// Through is the day up to which the report tells anything.
	Through time.Time `json:"through"`

	signals []directory.Signal
	rows    []row
}

// row is one account. Two rows with one key are of nobody: their cells are unknown.
type row struct {
	key   uint64
	cells [2 * mostSignals]cell
}

// mostSignals is how many signals one report tells at most.
const mostSignals = 4

// tableVersion is that of the format.
const tableVersion = 1

// cell is a day, or what is known instead.
type cell uint16

const (
	unknown cell = iota
	none         // the report proves that there is no day in its span
	firstDay
)

// epoch is the day before which no cell tells a day.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// cellOf is the cell of a day; unknown for one that no report can tell.
func cellOf(t time.Time) cell {
	n := t.Sub(epoch) / day
	if n < 0 || n > 1<<16-1-time.Duration(firstDay) {
		return unknown
	}
	return firstDay + cell(n)
}

// value is the end of the day, since the report does not tell the hour: everybody counts
// as idle from then on.
func (c cell) value() directory.Value {
	switch c {
	case unknown:
		return directory.Value{}
	case none:
		return directory.Value{State: directory.None}
	}
	return directory.Value{State: directory.Known, Time: epoch.Add(time.Duration(c-firstDay+1)*day - time.Second)}
}

// keyOf is the hash (FNV-1a) of a userPrincipalName, whose letter case does not count.
// Among 1,000,000 names two share one in every thirtieth million of reports. They are
// then both unknown.
func keyOf(upn string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(strings.ToLower(upn)) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// sort puts the rows in the order of their keys and makes unknown what two rows tell.
func (t *Table) sort() {
	slices.SortFunc(t.rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	kept := t.rows[:0]
	for _, r := range t.rows {
		if n := len(kept); n > 0 && kept[n-1].key == r.key {
			kept[n-1].cells = [2 * mostSignals]cell{}
			continue
		}
		kept = append(kept, r)
	}
	t.rows, t.Rows = kept, len(kept)
}

// Tell adds to an account what the report tells of it. It tells nothing of an account
// that was made on its last day or later: another one may have had the name before.
func (t *Table) Tell(u *directory.EntraUser) {
	if u.UserPrincipalName == "" || !u.Created.IsZero() && !u.Created.Before(t.Through) {
		return
	}
	key := keyOf(u.UserPrincipalName)
	i, found := slices.BinarySearchFunc(t.rows, key, func(r row, key uint64) int { return cmp.Compare(r.key, key) })
	if !found {
		return
	}
	for n, s := range t.signals {
		last, assigned := t.rows[i].cells[2*n], t.rows[i].cells[2*n+1]
		u.Uses = append(u.Uses, directory.Use{Signal: s, Last: last.value(), Assigned: assigned.value(), Through: t.Through})
	}
}

// Bytes is the table as it is kept.
func (t *Table) Bytes() ([]byte, error) {
	head, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("write the table of the report %s: %w", t.Report, err)
	}
	out := bytes.NewBuffer(make([]byte, 0, len(head)+1+len(t.rows)*t.rowSize()))
	out.Write(append(head, '\n'))
	for _, r := range t.rows {
		b := binary.LittleEndian.AppendUint64(out.AvailableBuffer(), r.key)
		for _, c := range r.cells[:2*len(t.signals)] {
			b = binary.LittleEndian.AppendUint16(b, uint16(c))
		}
		out.Write(b)
	}
	return out.Bytes(), nil
}

func (t *Table) rowSize() int { return 8 + 4*len(t.signals) }

// Decode reads what Bytes wrote. Its sum is to be checked before.
func Decode(b []byte) (*Table, error) {
	head, rows, _ := bytes.Cut(b, []byte{'\n'})
	t := &Table{}
	if err := json.Unmarshal(head, t); err != nil {
		return nil, fmt.Errorf("the table of a usage report: %w", err)
	}
	if t.Version != tableVersion || len(t.Signals) > mostSignals {
		return nil, fmt.Errorf("the table of the report %s has version %d, and this version reads %d", t.Report, t.Version, tableVersion)
	}
	for _, name := range t.Signals {
		s, known := directory.SignalNamed(name)
		if !known {
			return nil, fmt.Errorf("the table of the report %s has the signal %q, which this version does not know", t.Report, name)
		}
		t.signals = append(t.signals, s)
	}
	if size := t.rowSize(); t.Rows < 0 || len(rows) != t.Rows*size {
		return nil, errors.New("the table of a usage report does not have its rows")
	}
	t.rows = make([]row, t.Rows)
	for i := range t.rows {
		t.rows[i].key, rows = binary.LittleEndian.Uint64(rows), rows[8:]
		for n := range 2 * len(t.signals) {
			t.rows[i].cells[n], rows = cell(binary.LittleEndian.Uint16(rows)), rows[2:]
		}
	}
	return t, nil
}

// Tables are the tables of several reports.
type Tables []*Table

// Tell gives an account what the reports tell of it, in place of what it had.
func (all Tables) Tell(u *directory.EntraUser) {
	u.Uses = nil
	for _, t := range all {
		t.Tell(u)
	}
}
