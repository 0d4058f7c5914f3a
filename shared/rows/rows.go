// Package rows reads CSV files that another system wrote, such as the usage reports of Graph. It has one row in memory
// at a time and limits the size of a row.
package rows

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Longest is the maximum size of a row, in bytes. Without a limit, a quotation mark that is never closed would turn
// the rest of the file into one field.
const Longest = 1 << 20

// Reader reads rows with any number of columns.
type Reader struct {
	csv *csv.Reader
	in  *bounded
}

// New returns a Reader for a CSV file.
func New(file io.Reader) *Reader {
	r := &Reader{in: &bounded{file: file}}
	r.csv = csv.NewReader(r.in)
	r.csv.ReuseRecord, r.csv.LazyQuotes, r.csv.FieldsPerRecord = true, true, -1
	return r
}

// Next returns the next row, which is valid until Next is called again. After the last row, it returns io.EOF.
func (r *Reader) Next() ([]string, error) {
	r.in.read = 0
	return r.csv.Read()
}

type bounded struct {
	file io.Reader
	read int // the number of bytes that were read since the current row began
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.read > Longest {
		return 0, fmt.Errorf("a row is longer than %d bytes", Longest)
	}
	n, err := b.file.Read(p)
	b.read += n
	return n, err
}
