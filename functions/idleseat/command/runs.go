package command

import (
	"cmp"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

type runsCmd struct {
	storeFlag
	formatFlag
	Last int `help:"How many runs to list; 0 lists all." default:"20" placeholder:"N"`
}

type listedRuns struct {
	Total int              `json:"total"` // the number of runs in the store
	Runs  []*runs.Overview `json:"runs"`  // newest first
}

// Run lists the newest runs.
func (c *runsCmd) Run(a *Process) error {
	if c.Last < 0 {
		return usageError{fmt.Errorf("--last %d: give a number of runs, or 0 for all", c.Last)}
	}
	s, err := c.view(a)
	if err != nil {
		return err
	}
	names, err := snapshot.Runs(a.Context, s)
	if err != nil {
		return err
	}
	total := len(names)
	if c.Last > 0 {
		names = names[:min(c.Last, total)]
	}
	all, err := runs.LookAll(a.Context, s, names, a.Clock.Now())
	if err != nil {
		return err
	}
	if c.json() {
		return writeJSON(a.json, listedRuns{Total: total, Runs: all})
	}
	return c.print(a, total, len(names), all)
}

func (c *runsCmd) print(a *Process, total, listed int, all []*runs.Overview) error {
	out := &printer{w: a.Stdout}
	if total == 0 {
		out.printf("no runs in %s yet; make the first one, which changes nothing:  %s\n", c.Store, c.next(a, "plan --policy policy.yaml"))
		return out.err
	}
	rows := [][]string{{"RUN", "STARTED", "MODE", "VERDICT", "PEOPLE", "MATCHED", "CHANGES", "SAVES A MONTH", "WHAT WAS DONE"}}
	for _, o := range all {
		rows = append(rows, overviewRow(o, a.Clock.Now()))
	}
	out.table(rows)
	if more := total - listed; more > 0 {
		out.printf("  … and %d older; --last 0 lists all\n", more)
	}
	for _, o := range all {
		for _, why := range o.Damage {
			out.printf("  damaged: %s\n", why)
		}
	}
	return out.err
}

func overviewRow(o *runs.Overview, now time.Time) []string {
	row := []string{o.Run, "-", "-", "-", "-", "-", "-", "-", done(o, now)}
	if !o.Started.IsZero() {
		row[1] = o.Started.UTC().Format("2006-01-02 15:04")
	}
	if o.Verdict == "" {
		return row
	}
	copy(row[2:], []string{
		cmp.Or(string(o.Mode), "-"), string(o.Verdict), fmt.Sprint(o.Counts.Users), fmt.Sprint(o.Counts.Reclaim),
		fmt.Sprint(o.Changes), amount(o.MonthlySaving, o.Currency),
	})
	return row
}

// The function "done" says how far a run has come.
func done(o *runs.Overview, now time.Time) string {
	text := ""
	switch o.Stage {
	case runs.StageUnreadable:
		text = "damaged"
	case runs.StageReading:
		text = "is reading, or stopped before it had read everything"
	case runs.StageDeciding:
		text = "is deciding, or stopped before it had a plan"
	case runs.StagePlanned:
		text = waits(o, now)
	case runs.StageApplying, runs.StageEnded:
		text = cmp.Or(counts(func(s runs.Status) int { return o.Results[s] }), idle(o))
	}
	switch {
	case o.Restore != "":
		text += "; restores run " + o.Restore
	case o.User != "":
		text += "; only " + o.User
	case o.Copy != "":
		text += "; over the snapshot of run " + o.Copy
	}
	if o.Restored != "" {
		text += "; restored by run " + o.Restored
	}
	return text
}

// The function "idle" returns the words for a run that had no changes of its own.
func idle(o *runs.Overview) string {
	if o.Pending == 0 {
		return "nothing to do"
	}
	return fmt.Sprintf("nothing of its own; it found %s of earlier runs pending", plain.Many(o.Pending, "change"))
}

// The function "waits" returns the reason why no change of a plan has begun.
func waits(o *runs.Overview, now time.Time) string {
	switch {
	case o.Mode == policy.Audit:
		return "nothing: the mode is audit"
	case o.Superseded != "":
		return "nothing: the plan of run " + o.Superseded + " superseded it"
	case now.After(o.Expires):
		return "nothing: the plan has expired"
	case o.Verdict == plan.Hold:
		return "nothing: on hold"
	case o.Verdict == plan.Review:
		return "nothing yet: waits for approval"
	default:
		return "nothing yet"
	}
}
