package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/apply"
	"github.com/idleseat/idleseat/shared/gate"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/store"
)

type restoreCmd struct {
	storeFlag
	formatFlag
	awsFlag
	User string `arg:"" optional:"" help:"The user whose licenses are put back: userPrincipalName, object id or SID."`
	From string `name:"run" help:"Put back what run R took: of everybody, or of the user alone." placeholder:"R"`
	Yes  bool   `help:"Put it back without being asked."`
}

// Run puts back what was taken, by runs of their own.
func (c *restoreCmd) Run(a *app) error {
	switch {
	case c.User == "" && c.From == "":
		return usageError{errors.New("name a user, or a run with --run R")}
	case c.AWS != "" && c.From == "":
		return usageError{errors.New("with --aws, name the run that took the licenses: --run R")}
	case c.AWS != "":
		out, err := c.start(a, map[string]string{"restore": c.From, "user": c.User})
		if err != nil {
			return err
		}
		return c.printOutcome(a, out, c.formatFlag)
	}
	s, err := c.open(a.ctx)
	if err != nil {
		return err
	}
	line, err := openPipeline(a, s, newProgress(a.stderr))
	if err != nil {
		return err
	}
	user, runs := c.User, []string{c.From}
	if c.From == "" {
		if user, runs, err = taken(a, line, s, c.User); err != nil {
			return err
		}
	}
	for _, run := range runs {
		if err := c.putBack(a, line, s, run, user); err != nil {
			return err
		}
	}
	return nil
}

// taken finds the id of a user and the runs that took licenses which are not
// back yet.
func taken(a *app, line *pipeline, s store.Store, name string) (user string, runs []string, err error) {
	if user = name; !strings.HasPrefix(name, "S-1-") {
		u, err := line.entra.FindPerson(a.ctx, name)
		if err != nil {
			return "", nil, fmt.Errorf("read %q: %w", name, err)
		}
		user = u.ID
	}
	entries, err := ledger.In(s).OfPerson(a.ctx, user)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		if e.Rule != plan.RestoreRule && e.Completion != nil && e.Completion.Outcome == ledger.Done && !slices.Contains(runs, e.Run) {
			runs = append(runs, e.Run)
		}
	}
	if len(runs) == 0 {
		return "", nil, fmt.Errorf("%w: the ledger has no license that was taken from %q and is not back", gate.ErrNothing, name)
	}
	return user, runs, nil
}

// putBack plans and applies the restoring of one run: first what an earlier call
// began and did not finish, then the rest.
func (c *restoreCmd) putBack(a *app, line *pipeline, s store.Store, run, user string) error {
	for resumed := false; ; {
		fresh := newRun(line.now())
		p, err := gate.Restore(a.ctx, s, run, user, fresh, line.now())
		if resumed && errors.Is(err, gate.ErrNothing) {
			return nil
		}
		if err != nil {
			return err
		}
		pending, err := c.apply(a, line, p)
		if resumed = p.Run != fresh; err != nil || !resumed || pending {
			return err
		}
	}
}

// apply applies a plan that puts back, and tells whether changes are pending.
func (c *restoreCmd) apply(a *app, line *pipeline, p *plan.Plan) (pending bool, err error) {
	applier, in := line.applier(), apply.Request{Run: p.Run, Approver: approver()}
	if err := applier.Check(a.ctx, in); err != nil {
		return false, err
	}
	if !c.Yes && !confirm(a, p) {
		return false, fmt.Errorf("%w: putting back was not approved; answer yes, or give --yes", apply.ErrRefused)
	}
	results, err := applier.Apply(a.ctx, in)
	line.bar.clear()
	if results == nil {
		return false, err
	}
	if printErr := printResults(a, p, results, c.formatFlag, c.next("apply "+p.Run+" --yes")); printErr != nil && err == nil {
		err = printErr
	}
	if err == nil {
		err = failures(results)
	}
	return results.Count(report.Pending) > 0, err
}
