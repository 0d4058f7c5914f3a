package command

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
)

type showCmd struct {
	storeFlag
	formatFlag
	sheetFlags
	ID string `arg:"" name:"run" help:"The run to show, or latest: the newest one with a plan."`
}

// Run prints what a run read, planned and changed.
func (c *showCmd) Run(a *Process) error {
	if err := c.sheetFlags.check(); err != nil {
		return err
	}
	s, err := c.view(a)
	if err != nil {
		return err
	}
	if c.ID == latest {
		if c.ID, err = latestPlanned(a, s); err != nil {
			return err
		}
	}
	if c.CSV != "" {
		return c.sheet(a, s, c.ID)
	}
	o, err := runs.Look(a.Context, s, c.ID, a.Clock.Now())
	if err != nil {
		return err
	}
	for _, why := range o.Damage {
		fmt.Fprintf(a.Stderr, "damaged: %s\n", oneLine(why))
	}
	n, err := report.Gather(a.Context, s, c.ID)
	if errors.Is(err, runs.ErrNoPlan) {
		return fmt.Errorf("run %s %s: %w", c.ID, done(o, a.Clock.Now()), err)
	}
	if err != nil {
		return err
	}
	n.Superseded = o.Superseded
	if c.json() {
		return writeJSON(a.json, n)
	}
	return c.print(a, o, n)
}

func (c *showCmd) print(a *Process, o *runs.Overview, n *report.Night) error {
	out := &printer{w: a.Stdout}
	out.printf("Run %s, tenant %s, as of %s, mode %s\n", n.Run, n.Tenant, n.AsOf.Format(time.RFC3339), n.Mode)
	out.printf("  planned: verdict %s, %s worth %s a month", n.Verdict, plain.Many(o.Changes, "change"), amount(o.MonthlySaving, o.Currency))
	if n.Deferred > 0 {
		out.printf("; %s deferred to the next run", moreAre(n.Deferred))
	}
	out.printf("\n  done: %s\n", done(o, a.Clock.Now()))
	for _, why := range n.HoldReasons {
		out.printf("  held: %s\n", why)
	}
	if o.Refused != "" {
		out.printf("  refused: %s\n", o.Refused)
	}
	out.printf("  %s\n", countsOf(&o.Counts))
	for _, note := range n.Notes {
		out.printf("  note: %s\n", note)
	}
	out.printf("\n")
	showTables(out, n)
	if o.Stage == runs.StagePlanned && o.Superseded == "" && n.Mode != policy.Audit && a.Clock.Now().Before(n.Expires) {
		c.approval(a, out, n)
	}
	out.printf("why one person:  %s\n", c.next(a, "explain USER --run "+n.Run))
	return out.err
}

// The method "approval" prints the command that applies the plan, if a command can.
func (c *showCmd) approval(a *Process, out *printer, n *report.Night) {
	despite, here, there := "", "", ""
	switch {
	case n.Verdict == plan.Hold && n.Overridable:
		despite, here, there = " despite the limits", " --override-limits "+n.PlanHash, " --override-limits"
	case n.Verdict != plan.Apply && n.Verdict != plan.Review:
		return
	}
	out.printf("plan hash %s\n", n.PlanHash)
	if n.Deployment != "" {
		out.printf("approve it%s:  idleseat approve %s %s%s --aws %s\n", despite, n.Run, n.PlanHash, there, plain.Word(n.Deployment))
	} else {
		out.printf("apply it%s:  %s\n", despite, c.next(a, "apply "+n.Run+here))
	}
}

func showTables(out *printer, n *report.Night) {
	rows := [][]string{{"SIGNAL", "STATE", "NEWEST DATE", "ACCOUNTS WITH A DATE", ""}}
	for _, s := range n.Signals {
		rows = append(rows, []string{s.Name, string(s.State), dayOr(s.Newest), fmt.Sprintf("%d of %d", s.Dated, s.Accounts), s.Reason})
	}
	tableOf(out, rows)
	rows = [][]string{{"RULE", "LICENSE", "HOLDERS", "ASKED", "MATCHED", "CHANGED", "UNDECIDED", "REFUSED", "DEFERRED", "EXEMPT"}}
	for i := range n.Rules {
		r := &n.Rules[i]
		holders, asked := fmt.Sprint(r.Holders), fmt.Sprint(r.Asked)
		if r.Unread() {
			holders, asked = plan.NotRead, plan.NotRead
		}
		rows = append(rows, []string{r.Name, r.License, holders, asked, fmt.Sprint(r.Idle), fmt.Sprint(r.Changed),
			fmt.Sprint(r.Undecided), fmt.Sprint(r.Refused), fmt.Sprint(r.Deferred), fmt.Sprint(r.Exempt)})
	}
	tableOf(out, rows)
	for _, list := range []struct {
		title string
		list  *report.List[report.Row]
	}{{"CHANGE", &n.Changes}, {"ANNOUNCED", &n.Notices}, {"GIVEN BACK", &n.Returned}, {"PENDING SINCE AN EARLIER RUN", &n.Pending}} {
		rows = [][]string{{"USER", "RULE", list.title, "STATUS", "WHY"}}
		for i := range list.list.Rows {
			r := &list.list.Rows[i]
			rows = append(rows, []string{cmp.Or(r.UserPrincipalName, r.User), r.Rule, plan.Arrow(r.Rule, r.License, r.To), cmp.Or(string(r.Status), "-"), cmp.Or(r.Note, r.Reason)})
		}
		listOf(out, rows, restOf(n.Run, list.list))
	}
	rows = [][]string{{"PEOPLE", "RULE", "OUTCOME", "WHY NOTHING IS CHANGED"}}
	for _, r := range n.Reasons {
		outcome := r.Outcome.String()
		if r.Outcome == policy.Reclaim {
			outcome = "refused"
		}
		rows = append(rows, []string{fmt.Sprint(r.People), r.Rule, outcome, r.Reason})
	}
	tableOf(out, rows)
}

// tableOf prints a table whose first row is the header. It prints nothing if the table has only the header.
func tableOf(out *printer, rows [][]string) { listOf(out, rows, inJSON) }

// listOf is like tableOf. The argument "rest" says where the rows are that do not fit.
func listOf(out *printer, rows [][]string, rest string) {
	if len(rows) > 1 {
		out.toldTable(rows, rest)
		out.printf("\n")
	}
}

const inJSON = "--format json has them all"

// restOf says where all rows of a list are. A night has only the first rows of a very long list.
func restOf(run string, list *report.List[report.Row]) string {
	if list.Total > len(list.Rows) {
		return fmt.Sprintf("--format json has %d of %d, and %s of the store has them all", len(list.Rows), list.Total, layout.Plan(run))
	}
	return inJSON
}

func dayOr(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}
