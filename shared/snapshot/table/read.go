package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// Read reads columns of a Parquet file by their names, in that order. Each name must be
// there. The raw bytes must not be changed while the columns are used.
func Read(raw []byte, names []string) (columns []*Column, err error) {
	defer func() { // the format is read by trust in its lengths
		if fault := recover(); fault != nil {
			columns, err = nil, fmt.Errorf("the file is damaged: %v", fault)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)),
		parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	var scratch []int64
	for _, name := range names {
		leaf, found := file.Schema().Lookup(name)
		if !found {
			return nil, errNoColumn(name)
		}
		c := &Column{Name: name, Rows: make([]int64, 0, file.NumRows())}
		if c.Kind, err = kindOf(leaf.Node.Type()); err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		for _, group := range file.RowGroups() {
			if err := c.readChunk(group.ColumnChunks()[leaf.ColumnIndex], &scratch); err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
		}
		if int64(len(c.Rows)) != file.NumRows() {
			return nil, fmt.Errorf("column %s has %d rows, the file has %d", name, len(c.Rows), file.NumRows())
		}
		columns = append(columns, c)
	}
	return columns, nil
}

func kindOf(t parquet.Type) (Kind, error) {
	switch t.Kind() {
	case parquet.ByteArray:
		return Text, nil
	case parquet.Int64:
		return Instant, nil
	case parquet.Boolean:
		return Flag, nil
	}
	return 0, fmt.Errorf("its type is %s", t)
}

func (c *Column) readChunk(chunk parquet.ColumnChunk, scratch *[]int64) (err error) {
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
			c.addWords(d.Page().Data())
		}
		err = c.readPage(page, first, scratch)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

// readPage appends the rows of a page; first is the place of its dictionary in Words.
// scratch is memory for the values, of which empty rows have none.
func (c *Column) readPage(page parquet.Page, first int64, scratch *[]int64) error {
	values := (*scratch)[:0]
	switch data := page.Data(); {
	case c.Kind == Text && page.Dictionary() != nil:
		for _, at := range data.Int32() {
			values = append(values, first+int64(at))
		}
	case c.Kind == Text:
		before := int64(len(c.Words))
		for n := range int64(c.addWords(data)) {
			values = append(values, before+n)
		}
	case c.Kind == Instant:
		values = append(values, data.Int64()...)
	default:
		bits := data.Boolean()
		for i := range int(page.NumValues() - page.NumNulls()) {
			values = append(values, int64(bits[i/8]>>(i%8)&1))
		}
	}
	*scratch = values
	levels := page.DefinitionLevels()
	if len(levels) == 0 || len(values) == len(levels) { // no row is empty
		c.Rows = append(c.Rows, values...)
		return nil
	}
	rows := slices.Grow(c.Rows, len(levels))
	for _, level := range levels {
		if level == 0 {
			rows = append(rows, None)
			continue
		}
		if len(values) == 0 {
			return errors.New("a page has fewer values than rows")
		}
		rows, values = append(rows, values[0]), values[1:]
	}
	c.Rows = rows
	return nil
}

// addWords appends texts to Words, in one piece of memory, and tells how many.
func (c *Column) addWords(data encoding.Values) int {
	text, ends := data.ByteArray()
	if len(ends) == 0 {
		return 0
	}
	all := string(text)
	c.Words = slices.Grow(c.Words, len(ends)-1)
	for i := range len(ends) - 1 {
		c.Words = append(c.Words, all[ends[i]:ends[i+1]])
	}
	return len(ends) - 1
}
