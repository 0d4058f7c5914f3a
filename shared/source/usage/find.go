package usage

import (
	"math/bits"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The method "index" fills t.starts, so that "find" reads only a few rows. The rows are sorted by key. For each value
// of a key's highest bits, t.starts has the index of the first row with this value or a higher one. Keys are hashes,
// so few rows share their highest bits.
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

// The method "place" returns the index in t.starts at which the search for a key begins.
func (t *Table) place(key uint64) int {
	high, _ := bits.Mul64(key, uint64(len(t.starts)))
	return int(high)
}

// The method "find" returns the index of the row with the given key, or -1.
func (t *Table) find(key uint64) int {
	for i := int(t.starts[t.place(key)]); i < len(t.rows) && t.rows[i].key <= key; i++ {
		if t.rows[i].key == key {
			return i
		}
	}
	return -1
}

// Find returns the index of each account's row in the table. It is -1 without a row, or if the account was created on
// or after the last day of the report. The argument "names" has the FNV-1a hashes of the accounts' names in lower
// case. The argument "created" has the creation times in microseconds since 1970. In both, "unread" stands for an
// unknown value.
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

// Last returns, for each row from Find, the date of the last activity in microseconds since 1970. The date is
// the argument "never" if the report proves that there was no activity in its span. It is the argument "unread" if the
// last activity is not known. The result "ok" is false if the report does not have the signal. The method Tell adds the
// same dates to accounts.
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
