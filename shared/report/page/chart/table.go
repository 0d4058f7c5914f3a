package chart

import "html/template"

// Table writes the values of charts as an HTML table, for readers who cannot see the drawing. The first column names
// the rows. The other columns are numbers. Table does not use a template, because the rows of half a year would then
// take ten times the time.
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
