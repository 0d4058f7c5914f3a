package terminal

import (
	"slices"
	"strings"
)

const (
	margin = 2 // blanks before each row
	gap    = 2 // blanks between columns
	// A column is made narrower by breaking its cells between words, but not below the width "narrow". For the last
	// column, which has the reasons, this smallest width is narrowLast.
	narrow, narrowLast = 10, 24
)

// Table returns rows in aligned columns. The first row is the header. Cells of several words may take several lines. If
// the rows still do not fit the screen, the last cell stands below the others, or each row becomes a short text with
// the headers in it. Cells must be safe to show, and must not have line breaks.
func (s Screen) Table(rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	var out strings.Builder
	widths := natural(rows)
	if s.Width == 0 || total(widths) <= s.Width || s.narrowed(rows, widths, len(widths)) {
		s.grid(&out, rows, widths)
		return out.String()
	}
	if last := len(widths) - 1; last > 1 {
		widths = natural(rows)[:last]
		if total(widths) <= s.Width || s.narrowed(rows, widths, last) {
			s.below(&out, rows, widths)
			return out.String()
		}
	}
	s.named(&out, rows)
	return out.String()
}

func natural(rows [][]string) []int {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	return widths
}

func total(widths []int) int {
	sum := margin + gap*(len(widths)-1)
	for _, w := range widths {
		sum += w
	}
	return sum
}

// The method "narrowed" makes the widest columns narrower until the first n columns fit the screen. It reports whether
// they fit.
func (s Screen) narrowed(rows [][]string, widths []int, n int) bool {
	least := make([]int, n)
	for i := range least {
		least[i] = min(widths[i], narrow)
		if i == len(natural(rows))-1 {
			least[i] = min(widths[i], narrowLast)
		}
	}
	for _, row := range rows {
		for i, cell := range row[:min(n, len(row))] {
			for word := range strings.SplitSeq(cell, " ") {
				least[i] = max(least[i], Width(word))
			}
		}
	}
	for total(widths) > s.Width {
		widest := -1
		for i, w := range widths {
			if w > least[i] && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
	}
	return true
}

func (s Screen) grid(out *strings.Builder, rows [][]string, widths []int) {
	for n, row := range rows {
		s.row(out, rows[0], row[:min(len(row), len(widths))], widths, n == 0)
	}
}

func (s Screen) row(out *strings.Builder, header, row []string, widths []int, first bool) {
	cells, height := make([][]string, len(row)), 1
	for i, cell := range row {
		if cells[i] = []string{cell}; Width(cell) > widths[i] {
			cells[i] = broken(cell, widths[i], 0)
		}
		height = max(height, len(cells[i]))
	}
	for line := range height {
		var text, plainly strings.Builder // the line with colors, and the same line without colors
		plainly.WriteString(strings.Repeat(" ", margin))
		text.WriteString(plainly.String())
		for i := range cells {
			cell := ""
			if line < len(cells[i]) {
				cell = cells[i][line]
			}
			if blanks := strings.Repeat(" ", max(0, widths[i]-Width(cell))); i < len(cells)-1 {
				plainly.WriteString(cell + blanks + "  ")
				text.WriteString(s.cell(header[i], cell, first) + blanks + "  ")
			} else {
				plainly.WriteString(cell)
				text.WriteString(s.cell(header[i], cell, first))
			}
		}
		shown := strings.TrimRight(plainly.String(), " ")
		cut := len(plainly.String()) - len(shown)
		out.WriteString(text.String()[:text.Len()-cut] + "\n")
	}
}

// The method "below" writes the rows. The last cell of a row stands below the others.
func (s Screen) below(out *strings.Builder, rows [][]string, widths []int) {
	last := len(widths)
	for n, row := range rows {
		s.row(out, rows[0], row[:min(len(row), last)], widths, n == 0)
		if len(row) <= last || row[last] == "" {
			continue
		}
		for _, line := range broken("    "+row[last], s.Width, 4) {
			out.WriteString("    " + s.cell(rows[0][last], strings.TrimLeft(line, " "), n == 0) + "\n")
		}
	}
}

// The method "named" writes the first cell of each row, and below it the other cells with their headers.
func (s Screen) named(out *strings.Builder, rows [][]string) {
	for _, row := range rows[1:] {
		out.WriteString(strings.Repeat(" ", margin) + s.bold(s.ordered(row[0])) + "\n")
		var parts []string
		for i, cell := range row[1:] {
			if cell != "" {
				parts = append(parts, strings.TrimSpace(strings.ToLower(rows[0][i+1])+" "+cell))
			}
		}
		if text := strings.Join(parts, "; "); text != "" {
			out.WriteString(strings.Join(broken("    "+text, s.Width, 6), "\n") + "\n")
		}
	}
}

func (s Screen) ordered(text string) string {
	if s.Width == 0 {
		return text
	}
	return ordered(text)
}

// The method "cell" returns the text of a cell with its color, and with the marks for right-to-left letters (see the
// function "ordered"). The flag "first" says that the cell is in the header.
func (s Screen) cell(header, cell string, first bool) string {
	shown := s.ordered(cell)
	if first {
		return s.bold(shown)
	}
	if slices.Contains(stateColumns, header) {
		return s.paint(states[cell], shown)
	}
	return shown
}
