// Package report writes the files of a run that are meant for people. No part of the product reads these files.
package report

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// PutChanges writes the changes of a plan as changes.csv.
func PutChanges(ctx context.Context, s store.Store, p *plan.Plan) error {
	err := store.PutSpooled(ctx, s, layout.Changes(p.Run), func(w io.Writer) error {
		out := csv.NewWriter(w)
		rows := [][]string{{"user", "userPrincipalName", "rule", "license", "to", "via", "reason", "idleSince", "monthlySaving", "currency"}}
		for _, c := range p.Changes {
			idle := "never"
			if c.IdleSince != nil {
				idle = c.IdleSince.Format(time.RFC3339)
			}
			rows = append(rows, []string{
				cell(c.User), cell(c.UserPrincipalName), cell(c.Rule), cell(c.License), cell(c.To), cell(string(c.Via)), cell(c.Reason), idle,
				strconv.FormatFloat(c.MonthlySaving, 'f', 2, 64), cell(p.Currency),
			})
		}
		return out.WriteAll(rows)
	})
	if err != nil {
		return fmt.Errorf("write the changes of run %s: %w", p.Run, err)
	}
	return nil
}

// cell makes directory text safe for a spreadsheet: no cell is evaluated as a formula, and every rune is printable. The
// full-width characters are from OWASP, "CSV injection".
func cell(s string) string {
	s = plain.Line(s)
	if strings.IndexAny(s, "=+-@＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
