package usage

import (
	"math/bits"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "index" fills t.starts, so that the method "find" reads only a few rows. The rows are sorted by key. For
// each value of a key's highest bits, t.starts has the index of the first row that has this value or a higher value.
// Keys are hashes, so only a few rows have the same highest bits.
func (t *Table) index() {
	t.starts = make([]int32, 1<<bits.Len(uint(len(t.rows)/2)))
	at := 0
	for i := range t.starts {
		for at < len(t.rows) && t.place(t.rows[at].key) < i {
			at++
		}
		t.starts[i] = int32(at)
	}
}

// The method "place" returns the index in t.starts at which the method "find" begins its search for a key.
func (t *Table) place(key uint64) int {
	high, _ := bits.Mul64(key, uint64(len(t.starts)))
	return int(high)
}

// The method "find" returns the index of the row with the given key, or -1 if no row has the key.
func (t *Table) find(key uint64) int {
	for i := int(t.starts[t.place(key)]); i < len(t.rows) && t.rows[i].key <= key; i++ {
		if t.rows[i].key == key {
			return i
		}
	}
	return -1
}

// Find returns the index of each account's row in the table. The index is -1 if the report has no row for the account,
// or if the account was created on or after the last day of the report. The argument "names" has the FNV-1a hash of
// each account's name in lower case. The argument "created" has the creation time of each account, in microseconds
// since 1970. In both lists, the value "unread" stands for an unknown value.
func (t *Table) Find(names, created []int64, unread int64) (rows []int32) {
	rows = make([]int32, len(names))
	through := t.Through.UnixMicro()
	for i, name := range names {
		rows[i] = -1
		if name != unread && (created[i] == unread || created[i] < through) {
			rows[i] = int32(t.find(uint64(name)))
		}
	}
	return rows
}

// Last returns the date of the last activity for each row that Find returned, in microseconds since 1970. The dates are
// equal to the dates that Tell adds. If the report proves that there was no activity in its span, the date has the
// value of the argument "never". An unknown date has the value of the argument "unread". The result "ok" is false if
// the report does not have the signal.
func (t *Table) Last(s directory.Signal, rows []int32, created []int64, never, unread int64) (last []int64, ok bool) {
	n := slices.Index(t.signals, s)
	if n < 0 {
		return nil, false
	}
	last = make([]int64, len(rows))
	for i, at := range rows {
		last[i] = unread
		if at < 0 {
			continue
		}
		var since time.Time
		if created[i] != unread {
			since = time.UnixMicro(created[i])
		}
		switch v, _ := t.last(s, t.rows[at].cells[perSignal*n:][:perSignal], since); v.State {
		case directory.Known:
			last[i] = v.Time.UnixMicro()
		case directory.None:
			last[i] = never
		}
	}
	return last, true
}
