package command

import (
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

type savingsCmd struct {
	storeFlag
	By     string `help:"What to add up by: license, department or costcenter." enum:"license,department,costcenter" default:"license"`
	From   string `help:"The first month, as 2026-01." placeholder:"MONTH"`
	To     string `help:"The last month, as 2026-12." placeholder:"MONTH"`
	Format string `help:"text; json: one object on stdout and nothing else there; csv: in the shape of FOCUS, by month." enum:"text,json,csv" default:"text"`
	separatorFlag
}

type savings struct {
	Run string `json:"run,omitempty"` // the run whose plan shows which seats could be freed
	*money.Sums
}

// Run prints how much money the newest plan could save per month, how much the changes of earlier runs save per month,
// and how much money they have saved until now.
func (c *savingsCmd) Run(a *Process) error {
	if err := c.separatorFlag.check(); err != nil {
		return err
	}
	from, err := monthFlag("from", c.From)
	if err != nil {
		return err
	}
	to, err := monthFlag("to", c.To)
	if err != nil {
		return err
	}
	s, err := c.view(a)
	if err != nil {
		return err
	}
	run, tenant, err := newestPlan(a, s)
	if err != nil {
		return err
	}
	all, err := money.Of(a.Context, s, run, a.Clock.Now())
	if err != nil {
		return err
	}
	sums := all.Between(from, to)
	switch c.Format {
	case "csv":
		return report.WriteFOCUS(a.file, tenant, sums, c.separator())
	case "json":
		sums.Lines = sums.By(c.group())
		return writeJSON(a.json, savings{Run: run, Sums: sums})
	}
	return c.print(a, run, sums)
}

// newestPlan returns the newest run for everybody, and its tenant. Without such a run, or without its plan, the run is
// empty and the tenant is money.Unknown.
func newestPlan(a *Process, s store.Store) (run, tenant string, err error) {
	run, err = history.Newest(a.Context, s, a.Clock.Now())
	if err != nil || run == "" {
		return "", money.Unknown, err
	}
	p, err := runs.GetPlan(a.Context, s, run)
	if errors.Is(err, runs.ErrNoPlan) { // the store no longer has the data of the run
		return "", money.Unknown, nil
	}
	if err != nil {
		return "", "", err
	}
	return run, p.Tenant, nil
}

// monthFlag returns the beginning of a month, or zero if the text is empty. The argument "name" is the name of the
// flag.
func monthFlag(name, text string) (month time.Time, err error) {
	if text == "" {
		return month, nil
	}
	if month, err = time.Parse("2006-01", text); err != nil {
		return month, usageError{fmt.Errorf("--%s %q: write a month like 2026-11", name, text)}
	}
	return month, nil
}

func (c *savingsCmd) group() func(money.Line) money.Line {
	return func(l money.Line) money.Line {
		switch c.By {
		case "department":
			return money.Line{Department: l.Department}
		case "costcenter":
			return money.Line{CostCenter: l.CostCenter}
		}
		return money.Line{License: l.License}
	}
}

func (c *savingsCmd) print(a *Process, run string, s *money.Sums) error {
	out := &printer{w: a.Stdout}
	out.printf("%s, amounts in %s\n", s.AsOf.Format("2006-01-02 15:04 UTC"), s.Currency)
	seats := func(n int) string { return plain.Many(n, "seat") }
	rows := [][]string{
		{"could be freed", seats(s.Seats), s.CouldFree.String() + " a month", "by the plan of run " + run + ", when it was made"},
		{"freed", seats(s.SeatsFreed), s.Freed.String() + " a month", ""},
		{"freed, without what was restored", seats(s.SeatsNet), s.FreedNet.String() + " a month", ""},
		{"of these, paid for until a renewal", "", s.Waiting.String() + " a month", ""},
		{"saved up to now", "", s.Saved.String(), "by day, from the renewal of each seat on"},
	}
	if run == "" {
		rows = rows[1:]
	}
	if s.Unproven != 0 {
		rows = append(rows, []string{"not proven", "", s.Unproven.String(), "the renewal is not known; the policy can say it with renews"})
	}
	out.table(rows)
	out.printf("\n")
	out.table(c.lines(s))
	if s.Unread > 0 {
		out.printf("  not in any figure, because the ledger is damaged there: %s\n", plain.Many(s.Unread, "license"))
	}
	for _, currency := range s.OtherCurrencies {
		out.printf("  amounts in %s are in no figure; --format csv has them\n", currency)
	}
	return out.err
}

func (c *savingsCmd) lines(s *money.Sums) [][]string {
	rows := [][]string{{map[string]string{"license": "LICENSE", "department": "DEPARTMENT", "costcenter": "COST CENTER"}[c.By], "COULD BE FREED", "FREED", "NET", "SAVED", "NOT PROVEN", "RENEWS"}}
	for _, l := range s.By(c.group()) {
		name := l.License + l.Department + l.CostCenter // the grouping has cleared all but one of the names
		if name == "" {
			name = "(none)"
		}
		renews := "-"
		if !l.Renews.IsZero() {
			renews = l.Renews.UTC().Format(time.DateOnly)
		}
		rows = append(rows, []string{name, l.CouldFree.String(), l.Freed.String(), l.FreedNet.String(), l.Saved.String(), l.Unproven.String(), renews})
	}
	return rows
}
