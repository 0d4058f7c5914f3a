// Package report writes the files of a run that are meant for people. No part of the product reads these files.
package report

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// PutChanges writes the changes of a plan as changes.csv. r is the plan's run, from whose snapshot names and
// departments come. It is nil if the plan was not made from a snapshot.
func PutChanges(ctx context.Context, s store.Store, r *decision.Run, p *plan.Plan) error {
	err := store.PutSpooled(ctx, s, layout.Changes(p.Run), func(w io.Writer) error {
		return WriteChanges(ctx, w, s, r, p, ',')
	})
	if err != nil {
		return fmt.Errorf("write the changes of run %s: %w", p.Run, err)
	}
	return nil
}

// WriteChanges writes the changes of a plan as CSV. The separator is a comma or a semicolon. A sum has a decimal point
// with commas and a decimal comma with semicolons, as spreadsheets of the countries that use them read it. r is as in
// PutChanges.
func WriteChanges(ctx context.Context, w io.Writer, s store.Store, r *decision.Run, p *plan.Plan, separator rune) error {
	wanted := map[uint64]bool{}
	for _, c := range p.Changes {
		wanted[known.KeyOf(c.User)] = true
	}
	names := profilesOf(ctx, s, r, wanted)
	return writeSheet(w, separator, func(row func(...string) error) error {
		err := row("user", "userPrincipalName", "rule", "license", "to", "via", "reason", "idleSince", "monthlySaving", "currency", "displayName", "department", "idleSinceDate")
		for _, c := range p.Changes {
			if err != nil {
				return err
			}
			idle, day := "never", ""
			if c.IdleSince != nil {
				idle, day = c.IdleSince.Format(time.RFC3339), c.IdleSince.UTC().Format(time.DateOnly)
			}
			err = row(
				cell(c.User), cell(c.UserPrincipalName), cell(c.Rule), cell(c.License), cell(c.To), cell(string(c.Via)), cell(c.Reason), idle,
				number(c.MonthlySaving, separator), cell(p.Currency), cell(names[c.User].display), cell(names[c.User].department), day,
			)
		}
		return err
	})
}

// profilesOf returns the names and departments of people, by the id of the account. They are for reading only, so it
// returns none if they cannot be read.
func profilesOf(ctx context.Context, s store.Store, r *decision.Run, wanted map[uint64]bool) map[string]profile {
	if r == nil || len(wanted) == 0 || !r.Manifest.Derives() || len(r.Manifest.People) == 0 {
		return nil
	}
	found, err := profiles(ctx, s, r, wanted)
	if err != nil {
		return nil
	}
	return found
}

// writeSheet writes a CSV file that spreadsheets open as UTF-8: it begins with a byte order mark. rows calls row for
// each line.
func writeSheet(w io.Writer, separator rune, rows func(row func(cells ...string) error) error) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("\ufeff"); err != nil {
		return err
	}
	sheet := csv.NewWriter(out)
	sheet.Comma = separator
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
