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

// Sheet has the options of a spreadsheet.
type Sheet struct {
	// Separator is the character between two cells: a comma or a semicolon. With a semicolon, numbers have a decimal
	// comma, as in the countries whose spreadsheets use semicolons.
	Separator rune
	// Managers returns the managers of the people with the ids "users", by the id of the person. If the result lacks a
	// person, the manager of this person is unknown. If the field Managers is nil, the sheet has no columns for
	// managers.
	Managers func(ctx context.Context, users []string) (map[string]Manager, error)
}

// Manager is the manager of a person. An unknown field is empty.
type Manager struct{ Name, Mail string }

// The type "leads" has the managers of the people in a spreadsheet. It is nil if the sheet has no columns for managers.
type leads map[string]Manager

// The method "leads" reads the managers of people. It sorts the argument "users", which may have duplicates, in place.
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

func (l leads) cells(user string) []string {
	if l == nil {
		return nil
	}
	m := l[user]
	return []string{cell(cmp.Or(m.Name, unknown)), cell(cmp.Or(m.Mail, unknown))}
}

// The constant "unknown" stands for a manager that was not read or that the directory does not have.
const unknown = "unknown"

// The method "write" writes a CSV file with a byte order mark, so that spreadsheets open the file as UTF-8. The
// function "rows" calls its argument "row" for each line.
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

func decimals(text string, separator rune) string {
	if separator == ';' {
		return strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// The variable "formula" matches text that a spreadsheet may read as the beginning of a formula. A spreadsheet may
// split the text at another separator, so the text after each possible separator counts, too. The full-width characters
// and the separators are from OWASP, "CSV injection".
var formula = regexp.MustCompile(`(^|[,;|])([\s"]*)([=+\-@＝＋－＠])`)

// The function "cell" makes directory text safe for a spreadsheet: it is no formula, and every rune is printable.
func cell(s string) string { return formula.ReplaceAllString(plain.Line(s), "$1$2'$3") }
