package command

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// The function "headed" splits a binary table into its first line, which is JSON, and its cells. The result "all" has
// the alterations of the first line.
func headed(t *testing.T, kind string, text []byte, pack func(text []byte) []byte) (head, cells []byte, all []alteration) {
	t.Helper()
	head, cells, _ = bytes.Cut(text, []byte("\n"))
	return head, cells, textAlterations(t, kind, [][]byte{head}, func(texts [][]byte) []byte {
		return pack(slices.Concat(texts[0], []byte("\n"), cells))
	}, nil)
}

// cellAlterations returns alterations of one number in the argument "cells". The argument "at" is the offset of the
// number, and the argument "size" is its length in bytes. Two of the alterations add and subtract the argument "step".
func cellAlterations(field string, cells []byte, at, size int, step uint64, pack func(cells []byte) []byte) (all []alteration) {
	was := binary.LittleEndian.Uint64(append(bytes.Clone(cells[at:at+size]), make([]byte, 8)...))
	for how, value := range map[string]uint64{"zero": 0, "one": 1, "the greatest": 1<<64 - 1, "a step more": was + step, "a step less": was - step} {
		all = append(all, alteration{field: field, how: how, body: func() []byte {
			altered := bytes.Clone(cells)
			copy(altered[at:at+size], binary.LittleEndian.AppendUint64(nil, value))
			return pack(altered)
		}})
	}
	return all
}

// knownAlterations alters the header and the cells of a table of known accounts, with which a later run compares its
// readings. Package known describes the format.
func knownAlterations(t *testing.T, raw []byte) (all []alteration) {
	t.Helper()
	text, err := inflated(raw)
	if err != nil {
		t.Fatal(err)
	}
	head, cells, all := headed(t, "known accounts", text, deflated)
	var count struct{ Entra, AD, Members int }
	if err := json.Unmarshal(head, &count); err != nil {
		t.Fatal(err)
	}
	at := 0
	cell := func(field string, size int) {
		all = append(all, cellAlterations(field, cells, at, size, 86400, func(cells []byte) []byte {
			return deflated(slices.Concat(head, []byte("\n"), cells))
		})...)
		at += size
	}
	rows := func(source string, n, columns int) {
		for range n {
			cell(source+" key", 8)
		}
		for c := range columns {
			column := fmt.Sprintf("%s column %d", source, c)
			different := int(binary.LittleEndian.Uint16(cells[at:])) // 0 if each row stores its own value
			cell(column+", different values", 2)
			for range cmp.Or(different, n) {
				cell(column, 4)
			}
			for range map[bool]int{true: n}[different > 1] {
				cell(column+", place of the value", 1)
			}
		}
	}
	rows("entra", count.Entra, 1+directory.ActivityDates+4)
	rows("ad", count.AD, 1+directory.ActivityDates+4)
	rows("member", count.Members, 1)
	if at != len(cells) {
		t.Fatalf("the table of known accounts has %d bytes, of which %d are understood", len(cells), at)
	}
	return all
}

// reportAlterations alters the header, the cells and the rows of a usage report. Package usage describes the format.
func reportAlterations(t *testing.T, raw []byte) (all []alteration) {
	t.Helper()
	head, cells, all := headed(t, "usage report", raw, func(text []byte) []byte { return text })
	var of struct {
		Report  string
		Signals []string
		Rows    int
	}
	if err := json.Unmarshal(head, &of); err != nil {
		t.Fatal(err)
	}
	pack := func(cells []byte) []byte { return slices.Concat(head, []byte("\n"), cells) }
	names := []string{"last day", "day of assignment", "newest day"}
	size := 8 + 2*len(names)*len(of.Signals)
	if of.Rows == 0 || of.Rows*size != len(cells) {
		t.Fatalf("the report %s has %d rows of %d bytes in %d bytes", of.Report, of.Rows, size, len(cells))
	}
	for at := 0; at < len(cells); at += size {
		all = append(all, cellAlterations("key", cells, at, 8, 1, pack)...)
		for s, signal := range of.Signals {
			for n, name := range names {
				all = append(all, cellAlterations(signal+" "+name, cells, at+8+2*(len(names)*s+n), 2, 30, pack)...)
			}
		}
		rows := func(how string, count int, cells func() []byte) {
			counted := bytes.Replace(head, fmt.Appendf(nil, `"rows":%d`, of.Rows), fmt.Appendf(nil, `"rows":%d`, count), 1)
			all = append(all, alteration{field: "a row", how: how, body: func() []byte { return slices.Concat(counted, []byte("\n"), cells()) }})
		}
		rows("dropped", of.Rows-1, func() []byte { return slices.Concat(cells[:at], cells[at+size:]) })
		rows("twice", of.Rows+1, func() []byte { return slices.Concat(cells[:at+size], cells[at:]) })
	}
	return all
}

// byteAlterations returns damaged copies of a Parquet file: with a flipped bit, truncated or empty. The first and the
// last of the flipped bits are in the magic numbers.
func byteAlterations(raw []byte) (all []alteration) {
	for i := range 8 {
		at := i * (len(raw) - 1) / 7
		all = append(all, alteration{field: fmt.Sprint("eighth ", i), how: "another bit", body: func() []byte {
			b := bytes.Clone(raw)
			b[at] ^= 1
			return b
		}})
	}
	return append(all, alteration{field: "table", how: "cut", body: func() []byte { return raw[:len(raw)/2] }},
		alteration{field: "table", how: "empty", body: func() []byte { return nil }})
}

// tableAlterations returns valid Parquet files. In each file one cell is changed, one column is dropped, or one row is
// dropped or repeated.
func tableAlterations(t *testing.T, raw []byte) (all []alteration) {
	t.Helper()
	file, err := table.Open(raw)
	if err != nil {
		t.Fatal(err)
	}
	read := func() []*table.Column {
		columns, err := file.Read(file.Names())
		if err != nil {
			t.Fatal(err)
		}
		return columns
	}
	add := func(field, how string, edit func([]*table.Column) []*table.Column) {
		all = append(all, alteration{field: field, how: how, body: func() []byte {
			var b bytes.Buffer
			if err := table.Write(&b, "altered", edit(read())); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}})
	}
	for n, c := range read() {
		add(c.Name, "dropped", func(columns []*table.Column) []*table.Column { return slices.Delete(columns, n, n+1) })
		for row := range c.Rows {
			for how, value := range otherCells(c, row) {
				add(c.Name, how, func(columns []*table.Column) []*table.Column {
					columns[n].Rows[row], columns[n].Words = value, append(columns[n].Words, "x")
					return columns
				})
			}
		}
	}
	for row := range read()[0].Rows {
		each := func(edit func(rows []int64) []int64) func([]*table.Column) []*table.Column {
			return func(columns []*table.Column) []*table.Column {
				for _, c := range columns {
					c.Rows = edit(c.Rows)
				}
				return columns
			}
		}
		add("a row", "dropped", each(func(rows []int64) []int64 { return slices.Delete(rows, row, row+1) }))
		add("a row", "twice", each(func(rows []int64) []int64 { return slices.Insert(rows, row, rows[row]) }))
	}
	return all
}

// otherCells returns values that can replace the cell of column c in a row. The keys describe the values. The value of
// a text cell is an index of c.Words. The index len(c.Words) means a new word, which the caller appends.
func otherCells(c *table.Column, row int) map[string]int64 {
	was, ways := c.Rows[row], map[string]int64{}
	if was != table.None {
		ways["no value"] = table.None
	}
	if i := slices.IndexFunc(c.Rows, func(v int64) bool { return v != was && v != table.None }); i >= 0 {
		ways["another's"] = c.Rows[i]
	}
	switch {
	case c.Kind == table.Text:
		ways["a text of its own"] = int64(len(c.Words))
	case was == table.None && c.Kind == table.Instant:
		ways["long ago"] = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	case was == table.None:
		ways["set"] = 1
	case c.Kind == table.Instant:
		ways["a month later"], ways["a year earlier"] = was+(30*day).Microseconds(), was-(365*day).Microseconds()
	case c.Kind == table.Number:
		ways["one more"], ways["negative"] = was+1, -1-was
	default:
		ways["the opposite"] = 1 - was
	}
	return ways
}
