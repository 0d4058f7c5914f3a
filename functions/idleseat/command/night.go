package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/lease"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// nightRounds bounds the rounds in which a night works on changes that wait for the directory. With the waits of
// gate.Wait they take about four hours, so that the night is over before the next one.
const nightRounds = 10

type runCmd struct {
	policyFlag
	storeFlag
	formatFlag
}

// night is one run of the command.
type night struct {
	*runCmd
	a       *Process
	line    *pipeline
	plan    *plan.Plan
	results *runs.Results      // what became of the plan; nil: it was not applied
	earlier map[string]resumed // what became of the changes of earlier runs, by run
}

// Run makes a plan for everybody, finishes what earlier runs began, and applies the plan in mode enforce. Nobody is
// asked. Only one such run works in a store at a time.
func (c *runCmd) Run(a *Process) error {
	if _, _, err := c.load(); err != nil {
		return err
	}
	s, err := c.open(a)
	if err != nil {
		return err
	}
	held, err := lease.Take(a.Context, s, a.Clock, fmt.Sprintf("%s, process %d", approver(), os.Getpid()))
	if errors.Is(err, lease.ErrHeld) {
		return endError{exitHeld, fmt.Errorf("%w; nothing was done", err)}
	}
	if err != nil {
		return err
	}
	ctx, end := held.Keep(a.Context)
	mine := *a
	mine.Context = ctx
	err = c.work(&mine, s)
	if lost := context.Cause(ctx); errors.Is(lost, lease.ErrLost) {
		err = endError{exitFailed, errors.Join(lost, err)}
	}
	if failed := end(); failed != nil {
		fmt.Fprintf(a.Stderr, "%s\n", oneLine(failed.Error()))
	}
	return err
}

func (c *runCmd) work(a *Process, s store.Store) error {
	rules, text, err := c.load()
	if err != nil {
		return err
	}
	file, err := c.file()
	if err != nil {
		return err
	}
	n := &night{runCmd: c, a: a, earlier: map[string]resumed{}}
	if n.line, err = openPipeline(a, s, newProgress(a)); err != nil {
		return err
	}
	defer n.line.close()
	n.tell("reading the directories")
	n.plan, err = n.line.plan(a.Context, start{asOf: a.Clock.Now(), policy: rules, text: text, file: file, scheduled: true})
	if err != nil {
		return unread(err)
	}
	n.tell("run %s: %s", n.plan.Run, summary(n.plan))
	failed := n.show(s)
	if failed == nil && n.applies() {
		failed = n.apply()
	}
	return errors.Join(n.print(s), n.status(s, failed))
}

// unread gives an error the status of a source that could not be read, if that is what it is.
func unread(err error) error {
	var source *directory.UnreadError
	if errors.As(err, &source) && !errors.Is(err, directory.ErrClock) && !errors.Is(err, collect.ErrPolicy) && !errors.Is(err, context.Canceled) {
		return endError{exitUnread, err}
	}
	return err
}

// tell prints a line about the progress.
func (n *night) tell(format string, args ...any) {
	fmt.Fprintf(n.a.Stderr, "%s  %s\n", n.a.Clock.Now().UTC().Format(time.RFC3339), oneLine(fmt.Sprintf(format, args...)))
}

// applies reports whether this night may write. It is not so in audit and when the plan is on hold.
func (n *night) applies() bool {
	return n.plan.Mode != policy.Audit && n.plan.Verdict != plan.Hold && (n.plan.Verdict == plan.Apply || len(n.plan.Resumes) > 0)
}

// apply works on the plan and on the changes of earlier runs until nothing is pending, or for nightRounds. The policy is
// loaded for each round, because the policy in force has the last word.
func (n *night) apply() error {
	applier := n.line.applier()
	left, own := n.plan.Resumes, n.plan.Verdict == plan.Apply
	for round := 1; ; round++ {
		_, text, err := n.load()
		if err != nil {
			return err
		}
		var pending, troubled int
		for _, run := range slices.Clone(left) {
			r, err := resume(n.a, applier, n.plan, []string{run}, text, "")
			n.line.bar.clear()
			if err != nil {
				return err
			}
			n.earlier[run] = r
			pending, troubled = pending+r.pending, troubled+r.troubled
			if r.pending == 0 {
				left = slices.DeleteFunc(slices.Clone(left), func(x string) bool { return x == run })
			}
		}
		if own {
			results, err := applier.Apply(n.a.Context, apply.Request{Run: n.plan.Run, PlanHash: n.plan.PlanHash, Policy: text, Approver: "idleseat run, " + approver()})
			n.line.bar.clear()
			if n.results = cmp.Or(results, n.results); err != nil {
				return err
			}
			n.tell("%s", counts(results.Count))
			own = results.Count(runs.Pending) > 0
			pending, troubled = pending+results.Count(runs.Pending), troubled+results.Troubled()
		}
		wait, again := gate.Wait(round, nightRounds, pending, troubled)
		if !again {
			return nil
		}
		n.tell("%d changes are pending; the directory is asked again in %s", pending, wait)
		if err := n.a.Clock.Sleep(n.a.Context, wait); err != nil {
			return fmt.Errorf("wait for pending changes: %w", err)
		}
	}
}

// status returns the error by which the command ends, nil for status 0. The first of these counts: something failed, a
// source could not be read, the plan is held or waits for approval, changes are pending. The error has all of them.
func (n *night) status(s store.Store, failed error) error {
	var all []error
	status := exitDone
	add := func(as int, err error) {
		if err != nil {
			all, status = append(all, err), cmp.Or(status, as)
		}
	}
	refused := errors.Is(failed, runs.ErrRefused)
	if !refused {
		add(exitFailed, failed)
	}
	if n.results != nil {
		add(exitFailed, failures(n.plan, n.results))
	}
	add(exitFailed, resumeFailed(n.count(func(r resumed) int { return r.failed })))
	why, err := notRead(context.WithoutCancel(n.a.Context), s, n.plan.Run)
	if add(exitFailed, err); err == nil {
		add(exitUnread, why)
	}
	if refused {
		add(exitHeld, failed)
	}
	switch n.plan.Verdict {
	case plan.Hold:
		add(exitHeld, onHold(n.plan))
	case plan.Review:
		add(exitHeld, fmt.Errorf("run %s is waiting for approval: %s", n.plan.Run, n.next(n.a, "apply "+n.plan.Run)))
	}
	if open := n.pending(); open > 0 {
		add(exitPending, fmt.Errorf("%d changes are pending; the next run goes on with them", open))
	}
	if status == exitDone {
		return nil
	}
	return endError{status, errors.Join(all...)}
}

// count adds up what became of the changes of earlier runs.
func (n *night) count(of func(resumed) int) (sum int) {
	for _, r := range n.earlier {
		sum += of(r)
	}
	return sum
}

// pending counts the changes that are pending at the end of the night: of this run, of earlier runs that went on, and of
// those that could not.
func (n *night) pending() int {
	open := n.count(func(r resumed) int { return r.pending })
	if n.results != nil {
		open += n.results.Count(runs.Pending)
	}
	for _, b := range n.plan.Pending {
		if r, went := n.earlier[b.Run]; !went || r.refused {
			open++
		}
	}
	return open
}

// notRead returns the error that names the sources that a run could not read, or nil.
func notRead(ctx context.Context, s store.Store, run string) (why, err error) {
	m, _, err := snapshot.GetManifest(ctx, s, run)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, r := range m.Readings {
		if r.Failed != "" {
			all = append(all, fmt.Errorf("%s could not be read: %s", r.Source, r.Failed))
		}
	}
	for _, r := range m.Reports {
		if r.Failed != "" {
			all = append(all, fmt.Errorf("the usage report %s could not be read: %s", r.Name, r.Failed))
		}
	}
	return errors.Join(all...), nil
}

// show prints the plan as text before it is applied.
func (n *night) show(s store.Store) error {
	if n.json() {
		return nil
	}
	next := ""
	if n.plan.Verdict == plan.Review {
		next = n.next(n.a, "apply "+n.plan.Run)
	}
	return printPlan(n.a, s, n.plan, n.formatFlag, next)
}

// print prints what became of the plan. As JSON it is one object with the plan and the results, as the commands plan and
// apply print them.
func (n *night) print(s store.Store) error {
	if !n.json() {
		if n.results == nil {
			return nil
		}
		return printResults(n.a, n.plan, n.results, n.formatFlag, n.next(n.a, "run"))
	}
	body, err := s.Get(context.WithoutCancel(n.a.Context), layout.Plan(n.plan.Run))
	if err != nil {
		return fmt.Errorf("print the plan: %w", err)
	}
	defer body.Close()
	if _, err := fmt.Fprintf(n.a.json, `{"pending":%d,"plan":`, n.pending()); err != nil {
		return err
	}
	if _, err := io.Copy(n.a.json, body); err != nil {
		return err
	}
	if _, err := io.WriteString(n.a.json, `,"results":`); err != nil {
		return err
	}
	if err := writeJSON(n.a.json, n.results); err != nil {
		return err
	}
	_, err = io.WriteString(n.a.json, "}\n")
	return err
}
