package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// File is a Parquet file in memory.
type File struct {
	file   *parquet.File
	memory *Memory
}

// Memory has the buffers for reading one file. Callers that read several files, one after the other, use the same
// Memory.
type Memory struct {
	block  []int64 // memory for the rows of columns
	used   int     // the number of used elements of the field "block"
	values []int64 // the values of a page
	text   []byte  // the strings of a page, if only some of its rows are wanted
}

// The method "take" returns an empty slice with room for "rows" numbers. Its memory is reserved until the next file is
// opened.
func (m *Memory) take(rows int) []int64 {
	if m.used+rows > len(m.block) {
		m.block, m.used = make([]int64, max(2*len(m.block), 16*rows)), 0
	}
	m.used += rows
	return m.block[m.used-rows : m.used-rows : m.used]
}

// Open parses the metadata of a file. The bytes "raw" must not change while the file is in use.
func Open(raw []byte) (*File, error) { return new(Memory).Open(raw) }

// Open works like the function Open, but reuses memory. The columns of the file that used the memory before become
// invalid.
func (m *Memory) Open(raw []byte) (f *File, err error) {
	defer func() { err = damage(recover(), err) }()
	file, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	m.used = 0
	return &File{file: file, memory: m}, nil
}

// The function "damage" turns a panic into an error. The Parquet library trusts the lengths in a file, and panics if
// the file is damaged.
func damage(fault any, err error) error {
	if fault != nil {
		return fmt.Errorf("the file is damaged: %v", fault)
	}
	return err
}

// Rows returns the number of rows.
func (f *File) Rows() int { return int(f.file.NumRows()) }

// Names returns the names of the columns.
func (f *File) Names() (names []string) {
	for _, path := range f.file.Schema().Columns() {
		names = append(names, path[0])
	}
	return names
}

// Read reads columns, in the order of "names". Every column must exist.
func (f *File) Read(names []string) (columns []*Column, err error) {
	return f.columns(names, nil, f.Rows())
}

// Pick works like Read, but reads only the given rows. The rows must be in ascending order. Row i of a resulting
// column is rows[i] of the file. If the column has a dictionary, the field Words has all strings of the dictionary.
// Otherwise it has only the strings of these rows.
func (f *File) Pick(names []string, rows []int) (columns []*Column, err error) {
	if rows == nil {
		rows = []int{}
	}
	return f.columns(names, rows, len(rows))
}

// The method "columns" reads the named columns. It reads the rows in "picked", or all rows if "picked" is nil.
func (f *File) columns(names []string, picked []int, rows int) (columns []*Column, err error) {
	defer func() { err = damage(recover(), err) }()
	for _, name := range names {
		leaf, found := f.file.Schema().Lookup(name)
		if !found {
			return nil, errNoColumn(name)
		}
		c := &reading{Column: &Column{Name: name, Rows: f.memory.take(rows)}, memory: f.memory, picks: picked != nil, picked: picked}
		if c.Kind, err = kindOf(leaf.Node.Type()); err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		for _, group := range f.file.RowGroups() {
			if err := c.readChunk(group.ColumnChunks()[leaf.ColumnIndex]); err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
		}
		if c.read != f.Rows() || len(c.Rows) != rows {
			return nil, fmt.Errorf("column %s has %d rows, the file has %d", name, c.read, f.Rows())
		}
		columns = append(columns, c.Column)
	}
	return columns, nil
}

func kindOf(t parquet.Type) (Kind, error) {
	switch t.Kind() {
	case parquet.ByteArray:
		return Text, nil
	case parquet.Int64:
		if logical := t.LogicalType(); logical != nil {
			if _, is := logical.Value.(*format.TimestampType); is {
				return Instant, nil
			}
		}
		return Number, nil
	case parquet.Boolean:
		return Flag, nil
	}
	return 0, fmt.Errorf("its type is %s", t)
}

type reading struct {
	*Column
	memory *Memory
	read   int  // number of rows read so far
	picks  bool // whether only some rows are wanted
	picked []int
}

func (c *reading) readChunk(chunk parquet.ColumnChunk) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var dictionary parquet.Dictionary // the strings of the dictionary are in Words, from the index "first" on
	first := int64(0)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if d := page.Dictionary(); c.Kind == Text && d != nil && d != dictionary {
			dictionary, first = d, int64(len(c.Words))
			words := d.Page().Data()
			c.addWords(words.ByteArray())
		}
		err = c.readPage(page, first)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

// readPage appends the wanted rows of a page. The strings of the page's dictionary begin at the index "first" in
// Words.
func (c *reading) readPage(page parquet.Page, first int64) error {
	values, levels, rows := c.values(page, first), page.DefinitionLevels(), int(page.NumRows())
	if len(levels) != 0 && len(levels) != rows || bytes.Count(levels, one)+(rows-len(levels)) != len(values) {
		return errors.New("a page has more or fewer values than rows")
	}
	before := len(c.Rows)
	if c.picks {
		c.pick(values, levels, rows)
	} else {
		c.all(values, levels)
	}
	c.read += rows
	if c.Kind == Text && page.Dictionary() == nil {
		c.addTexts(before, page)
	}
	return nil
}

// The variable "one" is the definition level of a row with a value.
var one = []byte{1}

// The method "values" returns the values of a page, without empty rows. The value of a string is its index in Words if
// the page has a dictionary, and else its index in the page.
func (c *reading) values(page parquet.Page, first int64) []int64 {
	data := page.Data()
	if c.Kind != Text && c.Kind != Flag {
		return data.Int64()
	}
	values := c.memory.values[:0]
	switch {
	case c.Kind == Flag:
		bits := data.Boolean()
		for i := range int(page.NumValues() - page.NumNulls()) {
			values = append(values, int64(bits[i/8]>>(i%8)&1))
		}
	case page.Dictionary() == nil:
		for i := range page.NumValues() - page.NumNulls() {
			values = append(values, i)
		}
	default:
		for _, at := range data.Int32() {
			values = append(values, first+int64(at))
		}
	}
	c.memory.values = values
	return values
}

func (c *reading) all(values []int64, levels []byte) {
	if len(values) == len(levels) || len(levels) == 0 { // no row is empty
		c.Rows = append(c.Rows, values...)
		return
	}
	before, at := len(c.Rows), 0
	c.Rows = slices.Grow(c.Rows, len(levels))[:before+len(levels)]
	for i, level := range levels {
		if level == 0 {
			c.Rows[before+i] = None
			continue
		}
		c.Rows[before+i] = values[at]
		at++
	}
}

func (c *reading) pick(values []int64, levels []byte, rows int) {
	row, at := 0, 0 // "at" is the index of the row's value; for an empty row, "at" is the index of the next value
	for len(c.picked) > 0 && c.picked[0]-c.read < rows {
		want := c.picked[0] - c.read
		c.picked = c.picked[1:]
		if len(levels) == 0 {
			c.Rows = append(c.Rows, values[want])
			continue
		}
		at, row = at+bytes.Count(levels[row:want], one), want
		if levels[row] == 0 {
			c.AddNone()
			continue
		}
		c.Rows = append(c.Rows, values[at])
	}
}

// addTexts appends the strings of a page without a dictionary to Words. The elements of Rows from "before" on are
// indices into the page. addTexts replaces them with indices into Words.
func (c *reading) addTexts(before int, page parquet.Page) {
	data := page.Data()
	text, ends := data.ByteArray()
	if !c.picks {
		first := int64(len(c.Words))
		c.addWords(text, ends)
		for i, at := range c.Rows[before:] {
			if at != None {
				c.Rows[before+i] = first + at
			}
		}
		return
	}
	picked, bounds := c.memory.text[:0], append(make([]uint32, 0, len(c.Rows)-before+1), 0)
	for i, at := range c.Rows[before:] {
		if at == None {
			continue
		}
		c.Rows[before+i] = int64(len(c.Words) + len(bounds) - 1)
		picked = append(picked, text[ends[at]:ends[at+1]]...)
		bounds = append(bounds, uint32(len(picked)))
	}
	c.memory.text = picked
	c.addWords(picked, bounds)
}

// addWords appends strings to Words, in one allocation. String i is text[bounds[i]:bounds[i+1]].
func (c *Column) addWords(text []byte, bounds []uint32) {
	if len(bounds) == 0 {
		return
	}
	all := string(text)
	c.Words = slices.Grow(c.Words, len(bounds)-1)
	for i := range len(bounds) - 1 {
		c.Words = append(c.Words, all[bounds[i]:bounds[i+1]])
	}
}
