package command

import (
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

type sheetFlags struct {
	CSV      string `name:"csv" help:"Print a spreadsheet instead: changes, or left-out: whom the plan leaves out, why, and what resolves it." enum:"changes,left-out," default:"" placeholder:"WHAT"`
	Managers bool   `help:"With --csv, add the manager of each person, read from Entra ID now: one request for each person."`
	separatorFlag
}

type separatorFlag struct {
	Separator string `name:"csv-separator" help:"Between the cells: a comma, or a semicolon for spreadsheets of countries with a decimal comma." default:"," placeholder:";"`
}

func (c *sheetFlags) check() error {
	if c.Managers && c.CSV == "" {
		return usageError{errors.New("--managers adds columns to a spreadsheet; give --csv changes or --csv left-out, too")}
	}
	return c.separatorFlag.check()
}

func (c *separatorFlag) check() error {
	if c.Separator != "," && c.Separator != ";" {
		return usageError{fmt.Errorf("--csv-separator %q is neither a comma nor a semicolon; quote it in a shell: --csv-separator ';'", c.Separator)}
	}
	return nil
}

func (c *separatorFlag) separator() rune { return rune(c.Separator[0]) }

// The method "sheet" prints the spreadsheet of a run. It writes to stdout without the filter for unprintable runes,
// which would replace the byte order mark. The text of the cells is already printable.
func (c *sheetFlags) sheet(a *Process, s store.Store, run string) error {
	p, err := runs.GetPlan(a.Context, s, run)
	if err != nil {
		return err
	}
	r, err := decision.Open(a.Context, s, run)
	if err != nil {
		return err
	}
	how := report.Sheet{Separator: c.separator()}
	if c.Managers {
		how.Managers = a.managers
	}
	write := report.WriteChanges
	if c.CSV == "left-out" {
		write = report.WriteLeftOut
	}
	if err := write(a.Context, a.file, s, r, p, how); err != nil {
		return fmt.Errorf("print the spreadsheet of run %s: %w", run, err)
	}
	return nil
}
