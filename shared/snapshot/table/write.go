package table

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"
)

// pageSize is the most bytes of a page: one for each column of a partition.
const pageSize = 4 << 20

// Write writes columns of the same length as one Parquet file. Data pages are of version
// 1, which every reader knows.
func Write(w io.Writer, name string, columns []*Column) error {
	group := parquet.Group{}
	for _, c := range columns {
		if len(c.Rows) != len(columns[0].Rows) {
			return fmt.Errorf("column %s has %d rows, column %s has %d", c.Name, len(c.Rows), columns[0].Name, len(columns[0].Rows))
		}
		group[c.Name] = node(c)
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema(name, group), parquet.Compression(&snappy.Codec{}),
		parquet.PageBufferSize(pageSize), parquet.DataPageVersion(1), parquet.CreatedBy("idleseat", "1", ""))
	places := map[string]int{} // a file has its columns in the order of their names
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
	default:
		n = parquet.Leaf(parquet.BooleanType)
	}
	return parquet.Optional(n)
}

func (c *Column) values(values []parquet.Value, place int) []parquet.Value {
	for _, row := range c.Rows {
		var v parquet.Value
		switch {
		case row == None:
			values = append(values, v.Level(0, 0, place))
			continue
		case c.Kind == Text:
			v = parquet.ByteArrayValue([]byte(c.Words[row]))
		case c.Kind == Instant:
			v = parquet.Int64Value(row)
		default:
			v = parquet.BooleanValue(row == 1)
		}
		values = append(values, v.Level(0, 1, place))
	}
	return values
}
