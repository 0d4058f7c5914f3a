package graphcontract

import (
	"fmt"
	"regexp"
	"strings"
)

type row map[string]string

// tablesOf reads a Markdown page. It returns the lines of all tables, by the heading above them, and the headings in
// order. A line is a map from the name of each column to the cell.
func tablesOf(text string) (tables map[string][]row, headings []string, err error) {
	tables = map[string][]row{}
	heading := ""
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			heading, names = strings.TrimSpace(strings.TrimLeft(line, "#")), nil
			headings = append(headings, heading)
		case !strings.HasPrefix(line, "|"):
			names = nil
		case names == nil:
			names = cellsOf(line)
		case strings.HasPrefix(line, "|--"):
		default:
			cells := cellsOf(line)
			if len(cells) != len(names) {
				return nil, nil, fmt.Errorf("table %q has %d columns and a line of %d: %s", heading, len(names), len(cells), line)
			}
			r := row{}
			for i, name := range names {
				r[name] = cells[i]
			}
			tables[heading] = append(tables[heading], r)
		}
	}
	return tables, headings, nil
}

func cellsOf(line string) []string {
	cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

var code = regexp.MustCompile("`([^`]+)`")

// The function "coded" returns the words that are in backquotes in a cell.
func coded(cell string) (words []string) {
	for _, m := range code.FindAllStringSubmatch(cell, -1) {
		words = append(words, m[1])
	}
	return words
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
