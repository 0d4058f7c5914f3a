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

// Memory is what files are read into, one after the other.
type Memory struct {
	block  []int64 // for the rows of columns
	used   int     // of the block
	values []int64 // of a page
	text   []byte  // of a page, as far as it is picked
}

// take gives memory for rows, which nobody else gets until the next file is opened.
func (m *Memory) take(rows int) []int64 {
	if m.used+rows > len(m.block) {
		m.block, m.used = make([]int64, max(2*len(m.block), 16*rows)), 0
	}
	m.used += rows
	return m.block[m.used-rows : m.used-rows : m.used]
}

// Open reads what a file says of itself. The raw bytes must not be changed while the file
// is used.
func Open(raw []byte) (*File, error) { return new(Memory).Open(raw) }

// Open is Open with memory that files before used. Their columns are lost.
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

// damage turns a panic into an error: the format is read by trust in its lengths.
func damage(fault any, err error) error {
	if fault != nil {
		return fmt.Errorf("the file is damaged: %v", fault)
	}
	return err
}

// Rows is how many rows the file has.
func (f *File) Rows() int { return int(f.file.NumRows()) }

// Names are the names of the columns.
func (f *File) Names() (names []string) {
	for _, path := range f.file.Schema().Columns() {
		names = append(names, path[0])
	}
	return names
}

// Read reads columns by their names, in that order. Each name must be there.
func (f *File) Read(names []string) (columns []*Column, err error) {
	return f.columns(names, nil, f.Rows())
}

// Pick is Read of some rows alone. The rows ascend. Row 0 of a column is then the first of
// them, and its Words are those of these rows.
func (f *File) Pick(names []string, rows []int) (columns []*Column, err error) {
	if rows == nil {
		rows = []int{}
	}
	return f.columns(names, rows, len(rows))
}

// columns reads columns: the rows that are picked, or all when picked is nil.
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

// reading is a column that is being read.
type reading struct {
	*Column
	memory *Memory
	read   int  // rows so far
	picks  bool // only rows that are picked are wanted
	picked []int
}

func (c *reading) readChunk(chunk parquet.ColumnChunk) (err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var dictionary parquet.Dictionary // that Words has from first on
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

// readPage appends the rows of a page that are wanted. first is the place of its dictionary
// in Words.
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

// one is the level of a row with a value.
var one = []byte{1}

// values are those of a page, without empty rows. For texts without a dictionary they are
// their places in the page.
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

// all appends every row of a page.
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

// pick appends the rows of a page that are picked.
func (c *reading) pick(values []int64, levels []byte, rows int) {
	row, at := 0, 0 // the value at that place is the one of the row, or of the next that has one
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

// addTexts adds the texts of a page without a dictionary to Words, and makes their places in
// the page, which rows from before on have, those in Words.
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

// addWords appends texts to Words, in one piece of memory. Each ends where the next begins.
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
