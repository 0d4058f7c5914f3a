package table

import (
	"bytes"
	"fmt"

	"github.com/parquet-go/parquet-go"
)

// NamesIn are the names of the columns of a Parquet file.
func NamesIn(raw []byte) (names []string, err error) {
	defer func() { // as in Read
		if fault := recover(); fault != nil {
			names, err = nil, fmt.Errorf("the file is damaged: %v", fault)
		}
	}()
	file, err := parquet.OpenFile(bytes.NewReader(raw), int64(len(raw)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	for _, path := range file.Schema().Columns() {
		names = append(names, path[0])
	}
	return names, nil
}
