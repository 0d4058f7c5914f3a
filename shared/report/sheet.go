package report

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
)

// Sheet says how a spreadsheet is written.
type Sheet struct {
	// Separator is a comma or a semicolon. A sum has a decimal point with commas and a decimal comma with semicolons, as
	// spreadsheets of the countries that use them read it.
	Separator rune
	// Managers returns the managers of people, by the id of the person. A person who is not in the result has an unknown
	// manager. If it is nil, there are no columns for managers.
	Managers func(ctx context.Context, users []string) (map[string]Manager, error)
}

// Manager is the manager of a person. A member is empty if it is unknown.
type Manager struct{ Name, Mail string }

// leads has the managers of the people in a spreadsheet. It is nil if nobody asks for them.
type leads map[string]Manager

// leads reads the managers of people, who may be named more than once.
func (o *Sheet) leads(ctx context.Context, users []string) (leads, error) {
	if o.Managers == nil {
		return nil, nil
	}
	slices.Sort(users)
	found, err := o.Managers(ctx, slices.Compact(users))
	if err != nil {
		return nil, err
	}
	all := leads{}
	maps.Copy(all, found)
	return all, nil
}

func (l leads) titles() []string {
	if l == nil {
		return nil
	}
	return []string{"manager", "managerMail"}
}

// cells returns the cells of a person under the titles.
func (l leads) cells(user string) []string {
	if l == nil {
		return nil
	}
	m := l[user]
	return []string{cell(cmp.Or(m.Name, unknown)), cell(cmp.Or(m.Mail, unknown))}
}

// unknown stands for a manager who was not read, or whom the directory does not name.
const unknown = "unknown"

// write writes a CSV file that spreadsheets open as UTF-8: it begins with a byte order mark. rows calls row for each
// line.
func (o *Sheet) write(w io.Writer, rows func(row func(cells ...string) error) error) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("\ufeff"); err != nil {
		return err
	}
	sheet := csv.NewWriter(out)
	sheet.Comma = o.Separator
	if err := rows(func(cells ...string) error { return sheet.Write(cells) }); err != nil {
		return err
	}
	if sheet.Flush(); sheet.Error() != nil {
		return sheet.Error()
	}
	return out.Flush()
}

func number(n float64, separator rune) string {
	return decimals(strconv.FormatFloat(n, 'f', 2, 64), separator)
}

// decimals writes a number with a decimal comma if the separator is a semicolon.
func decimals(text string, separator rune) string {
	if separator == ';' {
		return strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// formula matches what a spreadsheet would read as the beginning of a formula. A spreadsheet that expects another
// separator than the file has begins a cell in the middle of a text, so the text after each separator counts, too. The
// full-width characters and the separators are from OWASP, "CSV injection".
var formula = regexp.MustCompile(`(^|[,;|])([\s"]*)([=+\-@＝＋－＠])`)

// cell makes directory text safe for a spreadsheet: no cell is evaluated as a formula, and every rune is printable.
func cell(s string) string { return formula.ReplaceAllString(plain.Line(s), "$1$2'$3") }
