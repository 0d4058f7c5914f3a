package chart

import "html/template"

// Table writes the values of charts as a table, for readers who cannot see the drawing. The first column names the
// rows. The other columns are numbers. A template would need ten times as long for the rows of half a year.
func Table(heads []string, rows [][]string) template.HTML {
	var s svg
	s.WriteString(`<table class="plain-table short"><thead><tr>`)
	for i, head := range heads {
		s.WriteString(`<th scope="col"`)
		if i > 0 {
			s.WriteString(` class="num"`)
		}
		s.WriteString(">" + text(head) + "</th>")
	}
	s.WriteString("</tr></thead><tbody>")
	for _, row := range rows {
		s.WriteString("\n<tr>")
		for i, cell := range row {
			if i == 0 {
				s.WriteString(`<th scope="row">` + text(cell) + "</th>")
			} else {
				s.WriteString(`<td class="num">` + text(cell) + "</td>")
			}
		}
		s.WriteString("</tr>")
	}
	s.WriteString("\n</tbody></table>")
	return template.HTML(s.String())
}
