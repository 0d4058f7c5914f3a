package known

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "encoder" has memory that the function "encode" reuses for the next table.
type encoder struct {
	tables  []byte
	columns []Second
	rows    []byte
	zip     *gzip.Writer
}

var encoders = sync.Pool{New: func() any {
	zip, err := gzip.NewWriterLevel(nil, gzip.NoCompression)
	if err != nil {
		panic(err) // unreachable: the level is valid
	}
	return &encoder{zip: zip}
}}

func encode(key string, p *Partition) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.tables = e.tables[:0]
	entra, ad := p.Accounts[directory.Entra], p.Accounts[directory.AD]
	instants := max(instantsOf(entra), instantsOf(ad))
	e.accounts(entra, instants)
	e.accounts(ad, instants)
	e.members(p.Members)
	h := header{Version: version, Entra: len(entra), AD: len(ad), Groups: p.Groups, Members: len(p.Members), Tables: sumOf(e.tables)}
	if instants > leastInstants {
		h.Instants = instants
	}
	first, err := store.Encode(key, h)
	if err != nil {
		return nil, err
	}
	var object bytes.Buffer
	object.Grow(len(first) + len(e.tables) + len(e.tables)/256 + 64)
	e.zip.Reset(&object)
	for _, text := range [][]byte{first, {'\n'}, e.tables} {
		if _, err := e.zip.Write(text); err != nil {
			return nil, err
		}
	}
	err = e.zip.Close()
	return object.Bytes(), err
}

// The function "instantsOf" returns the number of columns of instants that the accounts need.
func instantsOf(accounts []Account) int {
	needed := leastInstants
	for i := range accounts {
		of := accounts[i].instants()
		for c := needed; c < mostInstants; c++ {
			if *of[c] != 0 {
				needed = c + 1
			}
		}
	}
	return needed
}

func (e *encoder) accounts(accounts []Account, instants int) {
	n := len(accounts)
	columns := e.memory((1 + instants) * n)
	for i := range accounts {
		a := &accounts[i]
		e.tables = binary.LittleEndian.AppendUint64(e.tables, a.Key)
		columns[i] = Second(a.Regressed | uint8(a.Contradicted)<<contradictedBit)
		of := a.instants()
		for c, at := range of[:instants] {
			columns[(1+c)*n+i] = *at
		}
	}
	for c := range 1 + instants {
		e.column(columns[c*n : (c+1)*n])
	}
}

func (e *encoder) members(members []Member) {
	since := e.memory(len(members))
	for i, m := range members {
		e.tables, since[i] = binary.LittleEndian.AppendUint64(e.tables, m.Key), m.Since
	}
	e.column(since)
}

// The method "memory" returns memory for one column. The next call returns the same memory again.
func (e *encoder) memory(rows int) []Second {
	e.columns = slices.Grow(e.columns[:0], rows)[:rows]
	return e.columns
}

// mostWords is the largest number of different values in a column that is written as a dictionary.
const mostWords = 256

// The method "column" writes a column. With at most mostWords different values, it writes their number in two bytes,
// each value once, and a byte for each row with the index of its value. It omits the bytes of the rows if there is one
// value. With more values, it writes the number 0 and the value of every row.
func (e *encoder) column(column []Second) {
	words := e.words(column)
	e.tables = binary.LittleEndian.AppendUint16(e.tables, uint16(len(words)))
	if len(words) == 0 {
		for _, v := range column {
			e.tables = binary.LittleEndian.AppendUint32(e.tables, uint32(v))
		}
		return
	}
	for _, v := range words {
		e.tables = binary.LittleEndian.AppendUint32(e.tables, uint32(v))
	}
	if len(words) > 1 {
		e.tables = append(e.tables, e.rows...)
	}
}

// The method "words" returns the different values of a column, and sets e.rows to the index of each row's value. It
// returns nil if there are more than mostWords different values.
func (e *encoder) words(column []Second) (words []Second) {
	e.rows = slices.Grow(e.rows[:0], len(column))[:len(column)]
	at := map[Second]byte{}
	var last byte
	for i, v := range column {
		if len(words) == 0 || words[last] != v {
			known := false
			if last, known = at[v]; !known {
				if len(words) == mostWords {
					return nil
				}
				last = byte(len(words))
				at[v], words = last, append(words, v)
			}
		}
		e.rows[i] = last
	}
	return words
}
