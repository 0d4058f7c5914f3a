// Package rows reads the rows of a CSV file that another system wrote, such as the usage reports of Graph. It keeps one
// row in memory at a time, and the size of a row is bounded.
package rows

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Longest bounds one row, in bytes. A quote that is never closed turns everything after it into one field.
const Longest = 1 << 20

// Reader reads rows with any number of columns.
type Reader struct {
	csv *csv.Reader
	in  *bounded
}

// New returns a reader of a CSV file.
func New(file io.Reader) *Reader {
	r := &Reader{in: &bounded{file: file}}
	r.csv = csv.NewReader(r.in)
	r.csv.ReuseRecord, r.csv.LazyQuotes, r.csv.FieldsPerRecord = true, true, -1
	return r
}

// Next reads a row. The next call overwrites the slice. After the last row the error is io.EOF.
func (r *Reader) Next() ([]string, error) {
	r.in.read = 0
	return r.csv.Read()
}

// bounded returns an error when a row is too long.
type bounded struct {
	file io.Reader
	read int // bytes of the present row
}

// Read reads from the file.
func (b *bounded) Read(p []byte) (int, error) {
	if b.read > Longest {
		return 0, fmt.Errorf("a row is longer than %d bytes", Longest)
	}
	n, err := b.file.Read(p)
	b.read += n
	return n, err
}
