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
	// Separator is the character between two cells: a comma or a semicolon. With a comma, numbers have a decimal point.
	// With a semicolon, they have a decimal comma, as in the countries whose spreadsheets use semicolons.
	Separator rune
	// Managers returns the managers of people, by the id of the person. If the result lacks a person, the manager of the
	// person is unknown. If Managers is nil, the sheet has no columns for managers.
	Managers func(ctx context.Context, users []string) (map[string]Manager, error)
}

// Manager is the manager of a person. An unknown field is empty.
type Manager struct{ Name, Mail string }

// The type "leads" has the managers of the people in a spreadsheet. It is nil if the sheet has no columns for managers.
type leads map[string]Manager

// The method "leads" reads the managers of people. The argument "users" may contain a person several times. The method
// sorts this argument in place.
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

// The method "cells" returns the cells about the manager of a person, in the order of the titles.
func (l leads) cells(user string) []string {
	if l == nil {
		return nil
	}
	m := l[user]
	return []string{cell(cmp.Or(m.Name, unknown)), cell(cmp.Or(m.Mail, unknown))}
}

// The constant "unknown" is the text of a cell if idleseat did not read the manager, or if the directory has no manager
// for the person.
const unknown = "unknown"

// The method "write" writes a CSV file with a byte order mark, so that spreadsheets open the file as UTF-8. The method
// calls the function "rows" once, with a function "row" that writes one line. The function "rows" must call "row" for
// each line.
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

// The function "decimals" replaces the decimal point of a number by a decimal comma if the separator is a semicolon.
func decimals(text string, separator rune) string {
	if separator == ';' {
		return strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// The variable "formula" matches text that a spreadsheet may read as the beginning of a formula. A spreadsheet that
// expects another separator splits the text into cells at that separator. The text after each possible separator
// therefore counts, too. The full-width characters and the separators are from OWASP, "CSV injection".
var formula = regexp.MustCompile(`(^|[,;|])([\s"]*)([=+\-@＝＋－＠])`)

// The function "cell" makes directory text safe for a spreadsheet. No spreadsheet evaluates the cell as a formula, and
// every rune is printable.
func cell(s string) string { return formula.ReplaceAllString(plain.Line(s), "$1$2'$3") }
