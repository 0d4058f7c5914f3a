package table

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// pageSize is the largest size of a page in bytes. A page has room for a whole column of a partition.
const pageSize = 4 << 20

// Write writes columns of equal length as one Parquet file, with Snappy, because Snappy is the fastest to read.
func Write(w io.Writer, name string, columns []*Column) error {
	return write(w, name, columns, fast)
}

// WriteSmall works like Write, but with Zstandard instead of Snappy, which makes the file a sixth smaller. It is for a
// file that is read once.
func WriteSmall(w io.Writer, name string, columns []*Column) error {
	return write(w, name, columns, small)
}

// Each codec reuses its memory for the next file. The fastest level of Zstandard needs 30 MB less memory than the next
// level.
var (
	fast  = &snappy.Codec{}
	small = &zstd.Codec{Level: zstd.SpeedFastest}
)

// The function "write" writes data pages of version 1, which every reader understands.
func write(w io.Writer, name string, columns []*Column, codec compress.Codec) error {
	group := parquet.Group{}
	for _, c := range columns {
		if len(c.Rows) != len(columns[0].Rows) {
			return fmt.Errorf("column %s has %d rows, column %s has %d", c.Name, len(c.Rows), columns[0].Name, len(columns[0].Rows))
		}
		group[c.Name] = node(c)
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema(name, group), parquet.Compression(codec),
		parquet.PageBufferSize(pageSize), parquet.DataPageVersion(1), parquet.CreatedBy("idleseat", "1", ""))
	places := map[string]int{} // the columns of a file are sorted by name
	for i, path := range out.Schema().Columns() {
		places[path[0]] = i
	}
	writers := out.ColumnWriters()
	var values []parquet.Value
	for _, c := range columns {
		place := places[c.Name]
		values = c.values(values[:0], place)
		if n, err := writers[place].WriteRowValues(values); err != nil || n != len(c.Rows) {
			return fmt.Errorf("write column %s, %d of %d rows: %w", c.Name, n, len(c.Rows), errors.Join(err, out.Close()))
		}
	}
	return out.Close()
}

func node(c *Column) parquet.Node {
	var n parquet.Node
	switch c.Kind {
	case Text:
		n = parquet.String()
		if 2*len(c.Words) <= len(c.Rows) {
			n = parquet.Encoded(n, &parquet.RLEDictionary)
		}
	case Instant:
		n = parquet.TimestampAdjusted(parquet.Microsecond, true)
	case Number:
		n = parquet.Leaf(parquet.Int64Type)
	default:
		n = parquet.Leaf(parquet.BooleanType)
	}
	return parquet.Optional(n)
}

// The method "values" appends one value for each row. Rows with the same text share one value, because most texts of a
// company repeat.
func (c *Column) values(values []parquet.Value, place int) []parquet.Value {
	none := parquet.Value{}.Level(0, 0, place)
	var words []parquet.Value
	if c.Kind == Text {
		words = make([]parquet.Value, len(c.Words))
		for i, word := range c.Words {
			words[i] = parquet.ByteArrayValue([]byte(word)).Level(0, 1, place)
		}
	}
	values = slices.Grow(values, len(c.Rows))
	for _, row := range c.Rows {
		switch {
		case row == None:
			values = append(values, none)
		case c.Kind == Text:
			values = append(values, words[row])
		case c.Kind == Instant, c.Kind == Number:
			values = append(values, parquet.Int64Value(row).Level(0, 1, place))
		default:
			values = append(values, parquet.BooleanValue(row == 1).Level(0, 1, place))
		}
	}
	return values
}
