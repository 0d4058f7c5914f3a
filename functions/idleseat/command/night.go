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
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plain/terminal"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// nightRounds is the maximum number of times that a night asks the directory about pending changes. With the waits of
// gate.Wait, ten rounds take about four hours, so a night ends before the next night begins.
const nightRounds = 10

type runCmd struct {
	policyFlag
	storeFlag
	formatFlag
}

type night struct {
	*runCmd
	a       *Process
	line    *pipeline
	plan    *plan.Plan
	results *runs.Results      // results of the plan; nil if the plan was not applied
	earlier map[string]resumed // the outcomes of the changes that this night resumed, by the run that began them
	behind  error              // why runs of the field "earlier" could not go on in the last round; nil if all could
	failed  error              // why the plan could not be printed or applied completely; nil if it was

	// The field "left" has the changes that are half-way and that no run finishes. If the night failed before it had a
	// plan, it has the half-way changes that return a license.
	left     []plan.Begun
	unlisted error // why the changes of the field "left" could not be listed; nil if they could
}

// Run does the work of a night. It plans for everybody. As the mode and the plan allow, it finishes the changes that
// earlier runs began, and in mode enforce it applies the plan without asking. A lease ensures that only one call of
// "idleseat run" works in a store at a time.
func (c *runCmd) Run(a *Process) error {
	n := &night{runCmd: c, a: a, earlier: map[string]resumed{}}
	a.logs = a.live == nil || terminal.Of(a.file, a.Variable).Width == 0
	err := n.take()
	n.post(err)
	return err
}

func (n *night) take() error {
	in, err := n.loadStart()
	if err != nil {
		if s, failed := n.open(n.a); failed == nil {
			n.findLeft(s)
			n.tellLeft()
		}
		return err
	}
	s, err := n.open(n.a)
	if err != nil {
		return err
	}
	held, err := lease.Take(n.a.Context, s, n.a.Clock, fmt.Sprintf("%s, process %d", approver(), os.Getpid()))
	if errors.Is(err, lease.ErrHeld) {
		return endError{exitHeld, fmt.Errorf("%w; nothing was done", err)}
	}
	if err != nil {
		return err
	}
	ctx, end := held.Keep(n.a.Context)
	mine := *n.a
	mine.Context = ctx
	n.a = &mine
	err = n.work(s, in)
	if lost := context.Cause(ctx); errors.Is(lost, lease.ErrLost) {
		n.failed = errors.Join(lost, n.failed)
		err = endError{exitFailed, errors.Join(lost, err)}
	}
	if failed := end(); failed != nil {
		fmt.Fprintf(n.a.Stderr, "%s\n", oneLine(failed.Error()))
	}
	return err
}

func (n *night) work(s store.Store, in start) (err error) {
	if n.line, err = openPipeline(n.a, s, newProgress(n.a)); err != nil {
		return err
	}
	defer n.line.close()
	n.tell("reading the directories")
	in.asOf, in.scheduled = n.a.Clock.Now(), true
	n.plan, err = n.line.plan(n.a.Context, in)
	if err != nil {
		n.withoutPlan(s, in.policy.Mode)
		return unread(n.a.stopped(err, untouched+"; the next run reads anew"))
	}
	n.tell("run %s: %s", n.plan.Run, summary(n.plan))
	n.failed = n.show(s)
	if n.failed == nil && n.applies() {
		n.failed = n.apply()
		if n.failed != nil && n.a.interrupted() {
			n.failed = n.a.stopped(n.failed, halfway(n.plan, n.results, n.again()))
			return n.failed
		}
		n.line.report(n.a.Context, n.plan.Run)
	}
	n.left = n.plan.Stuck()
	n.tellLeft()
	return errors.Join(n.print(s), n.status(s, n.failed))
}

// The function "unread" returns an error with the exit status exitUnread if a source could not be read. It returns
// other errors unchanged. A wrong clock, a wrong policy and an interrupt do not count as a source that could not be
// read.
func unread(err error) error {
	var source *directory.UnreadError
	if errors.As(err, &source) && !errors.Is(err, directory.ErrClock) && !errors.Is(err, collect.ErrPolicy) && !errors.Is(err, context.Canceled) {
		return endError{exitUnread, err}
	}
	return err
}

func (n *night) tell(format string, args ...any) {
	fmt.Fprintf(n.a.Stderr, "%s  %s\n", n.a.Clock.Now().UTC().Format(time.RFC3339), oneLine(fmt.Sprintf(format, args...)))
}

// The method "applies" reports whether this night may change licenses. In mode audit it may not. In another mode it may
// if the plan needs no approval, or if changes of earlier runs are not finished.
func (n *night) applies() bool {
	earlier, _ := n.resumes()
	return n.plan.Mode != policy.Audit && (n.plan.Verdict == plan.Apply || len(earlier) > 0)
}

// The method "resumes" returns the earlier runs whose changes this night finishes, and which changes these are. If the
// plan is on hold, these are only changes that return a license, because such changes do not depend on dates of
// activity.
func (n *night) resumes() ([]string, runs.Scope) {
	if n.plan.Verdict == plan.Hold {
		return n.plan.Returning(), runs.Back
	}
	return n.plan.Resumes, runs.Begun
}

// The method "apply" applies the plan and resumes the changes of earlier runs. It stops when nothing is pending, after
// nightRounds rounds, or when every pending change waits until a fault is repaired (gate.Wait). If an earlier run
// cannot go on, the night still applies its plan. If its plan fails, the night still resumes the earlier runs. Each
// round loads the policy again, because an operator may edit it during the night.
func (n *night) apply() (failed error) {
	applier := n.line.applier()
	n.line.bar.begins("reading the people of the changes afresh")
	defer n.line.bar.clear()
	left, scope := n.resumes()
	own := n.plan.Verdict == plan.Apply
	for round := 1; ; round++ {
		_, text, err := n.load()
		if err != nil {
			return err
		}
		var pending, troubled int
		n.behind = nil
		for _, run := range slices.Clone(left) {
			r, err := resume(n.a, applier, n.plan, []string{run}, text, scope)
			n.line.bar.clear()
			if err != nil && n.a.interrupted() {
				return err
			}
			n.earlier[run] = r
			pending, troubled = pending+r.pending, troubled+r.troubled
			if err != nil { // the next round tries the run again
				n.behind, pending, troubled = errors.Join(n.behind, err), pending+1, troubled+1
			} else if r.pending == 0 {
				left = slices.DeleteFunc(slices.Clone(left), func(x string) bool { return x == run })
			}
		}
		if own {
			results, err := applier.Apply(n.a.Context, apply.Request{Run: n.plan.Run, PlanHash: n.plan.PlanHash, Policy: text, Approver: "idleseat run, " + approver()})
			n.line.bar.clear()
			n.results = cmp.Or(results, n.results)
			switch {
			case err != nil && n.a.interrupted():
				return err
			case err != nil:
				own, failed = false, err
			default:
				n.tell("%s", counts(results.Count))
				own = results.Count(runs.Pending) > 0
				pending, troubled = pending+results.Count(runs.Pending), troubled+results.Troubled()
			}
		}
		wait, again := gate.Wait(round, nightRounds, pending, troubled)
		if !again {
			return failed
		}
		n.tell("%s pending; the directory is asked again in %s", plain.ManyAre(pending, "change"), wait)
		n.line.bar.begins("waiting for the directory")
		if err := n.a.Clock.Sleep(n.a.Context, wait); err != nil {
			return fmt.Errorf("wait for pending changes: %w", err)
		}
	}
}

func (n *night) show(s store.Store) error {
	if n.json() {
		return nil
	}
	next := ""
	if n.plan.Verdict == plan.Review {
		next = n.next(n.a, "apply "+n.plan.Run)
	}
	if !n.a.logs {
		return printPlan(n.a, s, n.plan, n.formatFlag, next)
	}
	out := &printer{w: n.a.Stdout}
	planHead(out, n.plan)
	out.printf("the changes, the reasons and the notes, with names of people:  %s\n\n", n.next(n.a, "show "+n.plan.Run))
	return planEnd(out, n.plan, next)
}

// The method "print" prints the results. With --format json it prints one object with the plan and the results. Both
// have the same form as in the output of the commands plan and apply.
func (n *night) print(s store.Store) error {
	if !n.json() {
		if n.results == nil {
			return nil
		}
		if n.a.logs {
			return (&printer{w: n.a.Stdout}).became(n.plan, n.results, 0, n.again())
		}
		return printResults(n.a, n.plan, n.results, 0, n.formatFlag, n.again())
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
