package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strconv"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
)

type applyCmd struct {
	storeFlag
	policyFlag
	formatFlag
	choiceFlags
	ID       string `arg:"" name:"run" help:"The run whose plan is applied."`
	Yes      bool   `help:"Approve the plan without being asked."`
	Override string `name:"override-limits" help:"Apply a plan that its limits hold: the hash of that very plan." placeholder:"HASH"`
}

// Run applies the plan of a run. A change that the directory does not show yet stays pending, and a later call finishes
// it.
func (c *applyCmd) Run(a *Process) error {
	if err := itself(c.ID); err != nil {
		return err
	}
	s, err := c.existing(a)
	if err != nil {
		return err
	}
	p, err := planOf(a, s, c.ID)
	if err != nil {
		return err
	}
	in := apply.Request{Override: c.Override, Approver: approver()}
	if in.Policy, err = c.policyOf(a, s, p); err != nil {
		return err
	}
	line, err := openPipeline(a, s, newProgress(a))
	if err != nil {
		return err
	}
	defer line.close()
	if c.given() {
		if p, err = c.choose(a, s, line, p, in.Policy); err != nil {
			return err
		}
	}
	in.Run = p.Run
	applier := line.applier()
	idle, err := isIdle(a, s, p)
	if err != nil {
		return err
	}
	if !idle {
		if err := applier.Check(a.Context, in); err != nil {
			return c.onlyBack(a, applier, p, in.Policy, err)
		}
	}
	if c.given() {
		if err := c.unseen(a, p); err != nil {
			return err
		}
	}
	next := c.next(a, "apply "+p.Run)
	if !c.Yes {
		if err := approved(a, p, next); err != nil {
			return err
		}
	}
	line.bar.begins("reading the people of the changes afresh")
	earlier, err := resume(a, applier, p, p.Resumes, in.Policy, begunFor(p))
	behind := earlier.failure(p, err)
	if idle || a.interrupted() {
		line.bar.clear()
		if err == nil && !c.json() {
			behind = errors.Join(behind, (&printer{w: a.Stdout}).waits(earlier.pending, next+" --yes"))
		}
		return a.stopped(behind, halfway(p, nil, next))
	}
	results, err := applier.Apply(a.Context, in)
	line.bar.clear()
	if err != nil && a.interrupted() {
		return a.stopped(err, halfway(p, results, next+" --yes"))
	}
	line.report(a.Context, p.Run)
	if results != nil {
		if printErr := printResults(a, p, results, earlier.pending, c.formatFlag, next+" --yes"); printErr != nil && err == nil {
			err = printErr
		}
	}
	if err == nil {
		err = failures(p, results)
	}
	return errors.Join(err, behind)
}

// The method "onlyBack" handles a plan that may not be applied. It only finishes changes of earlier runs that give a
// license back to a person. The parameter "refused" says why the plan is refused. The returned error contains it,
// unless the operator interrupts the command.
func (c *applyCmd) onlyBack(a *Process, applier *apply.Applier, p *plan.Plan, inForce string, refused error) error {
	only := *p
	only.Changes, only.Resumes = nil, p.Returning()
	only.Pending = slices.DeleteFunc(slices.Clone(p.Pending), func(b plan.Begun) bool { return !b.Back })
	if len(only.Resumes) == 0 {
		return refused
	}
	next := c.next(a, "apply "+p.Run)
	if !c.Yes {
		fmt.Fprintf(a.Stderr, "%s\n", oneLine(refused.Error()))
		switch err := approved(a, &only, next); {
		case err != nil && a.interrupted():
			return err
		case err != nil:
			return errors.Join(refused, err)
		}
	}
	earlier, err := resume(a, applier, &only, only.Resumes, inForce, runs.Back)
	behind := earlier.failure(p, err)
	if err == nil && !c.json() {
		behind = errors.Join(behind, (&printer{w: a.Stdout}).waits(earlier.pending, next+" --yes"))
	}
	if behind != nil && a.interrupted() {
		return a.stopped(behind, halfway(p, nil, next+" --yes"))
	}
	return errors.Join(refused, behind)
}

// The function "isIdle" reports whether a plan must continue changes of earlier runs and has nothing else to do. A
// restore has nothing else to do if all its own changes have a final result. Any other plan has nothing else to do if
// it has no changes and is not in mode audit.
func isIdle(a *Process, s store.Store, p *plan.Plan) (bool, error) {
	if len(p.Resumes) == 0 || p.Restores == "" {
		return len(p.Resumes) > 0 && p.Verdict == plan.Nothing && p.Mode != policy.Audit, nil
	}
	r, err := runs.GetResults(a.Context, s, p, p.Batches())
	return err == nil && !slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return !r.Final(&c) }), err
}

// policyOf returns the text of the policy that is in force: the one that the next run would read. For a restore it
// returns "", because a restore needs no policy.
func (c *applyCmd) policyOf(a *Process, s store.Store, p *plan.Plan) (string, error) {
	if p.Restores != "" {
		return "", nil
	}
	b, err := snapshot.GetBegin(a.Context, s, p.Run)
	if err != nil {
		return "", err
	}
	return c.inForce(a, s, b)
}

// The type "resumed" counts the outcomes of changes that earlier runs began but did not finish.
type resumed struct {
	failed   int                 // changes that failed, and the changes that the field "troubled" counts
	troubled int                 // changes that are pending because a read or a write failed
	pending  int                 // pending changes that were continued
	left     int                 // changes that were not continued: the scope leaves them out, or their run could not go on
	refused  bool                // whether at least one run could not be resumed
	by       map[runs.Status]int // all changes that were continued, by their present status
}

// The function "resume" continues the changes that earlier runs began: all, or those that the argument "scope" chooses.
// If a run is refused or can no longer be read, the function prints the reason and returns no error for it. After
// another error, it goes on with the next run, so that the trouble of one run leaves no other run half-way. An
// interrupt ends it.
func resume(a *Process, applier *apply.Applier, p *plan.Plan, earlier []string, inForce string, scope runs.Scope) (all resumed, err error) {
	var errs []error
	for _, run := range earlier {
		results, err := applier.Apply(a.Context, apply.Request{Run: run, Policy: inForce, Approver: approver(), Scope: scope})
		switch {
		case errors.Is(err, runs.ErrRefused), runs.Gone(err):
			fmt.Fprintf(a.Stderr, "run %s cannot go on: %s\n", run, oneLine(err.Error()))
		case err != nil:
			errs = append(errs, fmt.Errorf("go on with run %s: %w", run, err))
		}
		all.refused = all.refused || err != nil
		if err != nil && a.interrupted() {
			return all, errors.Join(errs...)
		}
		all.count(a, p, run, results, scope == runs.Back || err != nil)
		if results != nil {
			a.reporter(applier.Store)(a.Context, run)
		}
	}
	return all, errors.Join(errs...)
}

// The method "count" counts and prints the outcomes of a run's changes. The parameter "results" is nil if none of them
// was continued. If "back" is true, only changes that return a license were continued, and all others count as left.
func (r *resumed) count(a *Process, p *plan.Plan, run string, results *runs.Results, back bool) {
	if results != nil {
		fmt.Fprintf(a.Stderr, "went on with run %s: %s\n", run, counts(results.Count))
	}
	var open alike
	for _, b := range p.Pending {
		if b.Run != run {
			continue
		}
		var x *runs.Result
		if results != nil && (b.Back || !back) {
			x = results.Resumed(p, &b)
		}
		if x == nil {
			r.left++
			continue
		}
		if r.by == nil {
			r.by = map[runs.Status]int{}
		}
		r.by[x.Status]++
		if x.Status == runs.Failed || x.Retry {
			r.failed++
		}
		if x.Status == runs.Pending {
			r.pending++
		}
		if x.Retry {
			r.troubled++
		}
		if x.Status != runs.Done {
			text := fmt.Sprintf("%s: %s", plan.Arrow(x.Rule, x.License, x.To), x.Status)
			if !a.logs {
				text += ": " + x.Note
			}
			open.add(a.person(x.UserPrincipalName, x.User), text)
		}
	}
	for _, line := range open.lines() {
		fmt.Fprintf(a.Stderr, "  %s\n", oneLine(line))
	}
}

// The function "begunFor" returns which changes of earlier runs a plan finishes. A restore finishes only those that
// return a license. Any other plan finishes all that have begun.
func begunFor(p *plan.Plan) runs.Scope {
	if p.Restores != "" {
		return runs.Back
	}
	return runs.Begun
}

// The method "failure" returns the error of a command that continued changes of earlier runs. It contains "err", the
// error of the function "resume", and says how many of these changes failed. A restore also fails if one of these runs
// could not go on. Any other plan does not, because the next plan tries that run again.
func (r *resumed) failure(p *plan.Plan, err error) error {
	err = errors.Join(err, resumeFailed(r.failed))
	if err == nil && r.refused && p.Restores != "" {
		return fmt.Errorf("%w by run %s: not rolled back: what runs have begun that cannot go on (the lines above say why)", runs.ErrRefused, p.Run)
	}
	return err
}

func resumeFailed(failed int) error {
	if failed == 0 {
		return nil
	}
	return fmt.Errorf("%s of earlier runs failed or cannot be finished (the lines above say why); these people have what they had, or are half-way and pending", plain.Many(failed, "change"))
}

// approver returns the name of the person at the terminal, as user@host. The ledger records this name.
func approver() string {
	name := "uid " + strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// The function "failures" returns an error if a change failed, or if a change is pending because a read or a write
// failed. Otherwise, if a restore left a license unrestored, it returns an error that wraps runs.ErrRefused.
func failures(p *plan.Plan, r *runs.Results) error {
	if err := failure(r.Run, r.Count(runs.Failed), r.Troubled()); err != nil {
		return err
	}
	if p.Restores != "" {
		return unrestored(p.Run, r.Unrestored())
	}
	return nil
}

func unrestored(run string, n int) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%w by run %s: not restored: %s (the notes say why)", runs.ErrRefused, run, plain.Many(n, "license"))
}

func failure(run string, failed, troubled int) error {
	if failed+troubled == 0 {
		return nil
	}
	return fmt.Errorf("run %s: %s failed, %d could not be made or finished now (the notes say why); these people have what they had, or are half-way and pending", run, plain.Many(failed, "change"), troubled)
}

func (p *pipeline) applier() *apply.Applier {
	applier := &apply.Applier{Store: p.store, Entra: p.entra, Now: p.now, Progress: p.bar.changes}
	if p.ad != nil {
		applier.AD = p.ad
	}
	return applier
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
