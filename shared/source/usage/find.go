package usage

import (
	"math/bits"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// index notes where the keys with the same highest bits begin. Keys are hashes, so only a few share these bits, and
// find looks only at those. In a table of 1,000,000 rows, a binary search would look at twenty.
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

// place returns the index in starts for a key.
func (t *Table) place(key uint64) int {
	high, _ := bits.Mul64(key, uint64(len(t.starts)))
	return int(high)
}

// find returns the index of the row with a key, or -1 if there is none.
func (t *Table) find(key uint64) int {
	for i := int(t.starts[t.place(key)]); i < len(t.rows) && t.rows[i].key <= key; i++ {
		if t.rows[i].key == key {
			return i
		}
	}
	return -1
}

// Find returns the row of each account, or -1 if the report says nothing about the account. names has the hash of
// each account's name in lower case (FNV-1a), and created has when the account was created, in microseconds since
// 1970. unread in either means that the value is unknown.
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

// Last returns the last activity for each row of Find, in microseconds since 1970, as Tell gives it. It returns never if
// the report proves that there was no activity in its span, and unread if nothing is known. ok is false if the report
// does not carry the signal.
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
