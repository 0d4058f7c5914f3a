// Package table reads and writes tables as Parquet, column by column. Tables are flat, and any row may lack a value. A
// string is stored as UTF8, an instant as a TIMESTAMP in microseconds of UTC, a flag as a BOOLEAN and a number as an
// INT64, so DuckDB, pandas and Athena can read the files without conversion.
package table

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Kind is the type of a column.
type Kind uint8

// The kinds of columns.
const (
	Text Kind = iota
	Instant
	Flag
	Number
)

// None is the item in Column.Rows for a row without a value.
const None = math.MinInt64

// Column is a column of a table in memory.
type Column struct {
	Name string
	Kind Kind
	// Rows has an item for each row: None, the index of a string in Words, the microseconds of an instant since 1970,
	// 0 or 1 for a flag, or a number.
	Rows  []int64
	Words []string // the strings; a string may occur more than once

	places map[string]int64 // the index of each string in Words; used only while the column is written
}

// Valid returns a string as a table stores it: invalid UTF-8 is replaced with U+FFFD.
func Valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// AddText appends a string. It replaces invalid UTF-8.
func (c *Column) AddText(s string) {
	at, known := c.places[s]
	if !known {
		if c.places == nil {
			c.places = map[string]int64{}
		}
		at = int64(len(c.Words))
		c.places[s] = at
		c.Words = append(c.Words, Valid(s))
	}
	c.Rows = append(c.Rows, at)
}

// AddInstant appends an instant, rounded up to a microsecond. Rounding down would make a person seem idle for longer.
func (c *Column) AddInstant(t time.Time) {
	c.Rows = append(c.Rows, t.Add(time.Microsecond-1).UnixMicro())
}

// AddFlag appends a flag.
func (c *Column) AddFlag(b bool) {
	var row int64
	if b {
		row = 1
	}
	c.Rows = append(c.Rows, row)
}

// AddNumber appends a number. The smallest int64 stands for None, so the next larger number takes its place.
func (c *Column) AddNumber(n int64) { c.Rows = append(c.Rows, max(n, None+1)) }

// AddNone appends a row without a value.
func (c *Column) AddNone() { c.Rows = append(c.Rows, None) }

// Text returns the string of a row, or "" if the row has no value.
func (c *Column) Text(row int) string {
	if at := c.Rows[row]; at != None {
		return c.Words[at]
	}
	return ""
}

// Instant returns the instant of a row in UTC, or the zero time if the row has no value.
func (c *Column) Instant(row int) time.Time {
	if at := c.Rows[row]; at != None {
		return time.UnixMicro(at).UTC()
	}
	return time.Time{}
}

// Flag returns the flag of a row. The result "known" is false if the row has no value.
func (c *Column) Flag(row int) (value, known bool) {
	return c.Rows[row] == 1, c.Rows[row] != None
}

// Pick returns a column with only the given rows. It shares Words with c.
func (c *Column) Pick(rows []int) *Column {
	picked := &Column{Name: c.Name, Kind: c.Kind, Words: c.Words, Rows: make([]int64, len(rows))}
	for i, row := range rows {
		picked.Rows[i] = c.Rows[row]
	}
	return picked
}

// Names returns the names of columns.
func Names(columns []*Column) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// errNoColumn is the error for a column that a table lacks. Its value is the name of the column.
type errNoColumn string

func (e errNoColumn) Error() string { return fmt.Sprintf("the table has no column %s", string(e)) }
