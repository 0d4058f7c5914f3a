// Package table reads and writes tables as Parquet, by columns. It knows nothing of what
// they hold. Tables are flat, and each column may have rows without a value: a text is
// UTF8, an instant is a TIMESTAMP in microseconds of UTC, a flag is a BOOLEAN, a number is an
// INT64, so that DuckDB, pandas and Athena read them as they are.
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

// None is a row without a value.
const None = math.MinInt64

// Column is a column of a table in memory.
type Column struct {
	Name string
	Kind Kind
	// Rows has an item for each row: None, the place of a text in Words, the microseconds
	// of an instant since 1970, 0 or 1 for a flag, or a number.
	Rows  []int64
	Words []string // of texts; one may stand there twice

	places map[string]int64 // of words, while the column is written
}

// Valid is a text as a table has it: what is not UTF-8 is replaced.
func Valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// AddText appends a text. What is not UTF-8 is replaced.
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

// AddInstant appends an instant. Between two microseconds it is the later one, so that
// nobody seems to have been idle for longer.
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

// AddNumber appends a number. The least one, which stands for None, becomes the next.
func (c *Column) AddNumber(n int64) { c.Rows = append(c.Rows, max(n, None+1)) }

// AddNone appends a row without a value.
func (c *Column) AddNone() { c.Rows = append(c.Rows, None) }

// Text is the text of a row; empty when it has none.
func (c *Column) Text(row int) string {
	if at := c.Rows[row]; at != None {
		return c.Words[at]
	}
	return ""
}

// Instant is the instant of a row, in UTC; the zero time when it has none.
func (c *Column) Instant(row int) time.Time {
	if at := c.Rows[row]; at != None {
		return time.UnixMicro(at).UTC()
	}
	return time.Time{}
}

// Flag is the flag of a row, and whether it has one.
func (c *Column) Flag(row int) (value, known bool) {
	return c.Rows[row] == 1, c.Rows[row] != None
}

// Pick is the column of some rows alone, with the same Words.
func (c *Column) Pick(rows []int) *Column {
	picked := &Column{Name: c.Name, Kind: c.Kind, Words: c.Words, Rows: make([]int64, len(rows))}
	for i, row := range rows {
		picked.Rows[i] = c.Rows[row]
	}
	return picked
}

// Names are the names of columns.
func Names(columns []*Column) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// errNoColumn is a column that a table lacks.
type errNoColumn string

func (e errNoColumn) Error() string { return fmt.Sprintf("the table has no column %s", string(e)) }
