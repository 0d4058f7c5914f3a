package command

import (
	"errors"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

type restoreCmd struct {
	storeFlag
	policyFlag
	formatFlag
	awsFlag
	User string `arg:"" optional:"" help:"The user whose licenses are restored: userPrincipalName, object id or SID."`
	From string `name:"run" help:"Restore what run R took: of everybody, or of the user alone." placeholder:"R"`
	Yes  bool   `help:"Restore without being asked."`
}

// Run restores the licenses that runs took. It makes a new run for each of these runs.
func (c *restoreCmd) Run(a *Process) error {
	if err := itself(c.From); err != nil {
		return err
	}
	switch {
	case c.User == "" && c.From == "":
		return usageError{errors.New("name a user, or a run with --run R")}
	case c.AWS != "":
		out, err := c.start(a, entrance.RestoreRun, map[string]string{"restore": c.From, "user": c.User})
		if err != nil {
			return err
		}
		return c.printOutcome(a, out, c.formatFlag)
	}
	s, err := c.existing(a)
	if err != nil {
		return err
	}
	line, err := openPipeline(a, s, newProgress(a))
	if err != nil {
		return err
	}
	defer line.close()
	user, took := c.User, &restore.Took{Runs: []string{c.From}}
	var gone error // why Entra ID has nobody of this name; the newest run may still know the person
	if user != "" {
		id, err := idOf(a, line, user)
		switch {
		case err == nil:
			user = id
		case errors.Is(err, directory.ErrNoPerson):
			gone = err
		default:
			return err
		}
	}
	if c.From == "" {
		took, err = restore.TakenFrom(a.Context, s, line.now(), user, c.User)
		switch {
		case errors.Is(err, restore.ErrNothing) && gone != nil:
			return fmt.Errorf("%w; %w", gone, err)
		case err != nil:
			return fmt.Errorf("%s: %w", c.User, err)
		}
		user = took.User
	}
	var errs []error
	for _, run := range took.Runs { // continue with the next run after an error
		errs = append(errs, c.restoreRun(a, line, s, restore.Request{Of: run, User: user, Name: c.User, Unreadable: took.Unreadable}))
		if a.interrupted() {
			break
		}
	}
	return errors.Join(errs...)
}

// idOf returns the key that the ledger uses for a user. For a name, this is the user's object id in Entra ID. A SID
// stays unchanged, because it is the key of a person who is only in Active Directory.
func idOf(a *Process, line *pipeline, name string) (string, error) {
	if strings.HasPrefix(name, "S-1-") {
		return name, nil
	}
	id, err := line.entra.FindID(a.Context, name)
	if err != nil {
		return "", fmt.Errorf("read %q: %w", name, err)
	}
	return id, nil
}

// inForce returns the text of the policy file of --policy. It returns "" without --policy. If the file is not usable,
// it prints a warning and returns "", because a restore must work without a valid policy.
func (c *restoreCmd) inForce(a *Process) string {
	if c.Policy == "" {
		return ""
	}
	text, err := readSmall(c.Policy)
	if err == nil {
		_, err = policy.Load(c.Policy, text)
	}
	if err != nil {
		fmt.Fprintf(a.Stderr, "the policy file is not used, but the policy of an earlier run: %s\n", err.Error())
		return ""
	}
	return string(text)
}

// restoreRun plans and applies the restore of one run. It applies the plan even if a pending change of an earlier run
// cannot be finished.
func (c *restoreCmd) restoreRun(a *Process, line *pipeline, s store.Store, in restore.Request) error {
	if !c.Yes && !a.atTerminal() {
		return errNotApproved // return before restore.Plan stops the changes of the run
	}
	of := ""
	if in.User != "" {
		of = " for this person"
	}
	in.Run, in.Policy = newRun(line.now()), c.inForce(a)
	p, err := restore.Plan(a.Context, s, in, line.now())
	if err != nil {
		return err
	}
	for _, note := range p.Notes {
		fmt.Fprintln(a.Stderr, oneLine(note))
	}
	next := c.next(a, "apply "+p.Run)
	if !c.Yes {
		err := approved(a, p, next)
		if errors.Is(err, errNotApproved) {
			return fmt.Errorf("%w; nothing was restored, and run %s stays stopped%s; to restore later, call:  %s", err, in.Of, of, next)
		}
		if err != nil {
			return err
		}
	}
	line.bar.begins("reading the people of the changes afresh")
	defer line.bar.clear()
	applier := line.applier()
	earlier, err := resume(a, applier, p, p.Resumes, "", begunFor(p))
	behind := earlier.failure(p, err)
	if len(p.Changes) == 0 || a.interrupted() {
		line.bar.clear()
		if err == nil && !c.json() {
			behind = errors.Join(behind, (&printer{w: a.Stdout}).waits(earlier.pending, next+" --yes"))
		}
		return a.stopped(errors.Join(behind, damaged(p)), halfway(p, nil, next))
	}
	results, err := applier.Apply(a.Context, apply.Request{Run: p.Run, Approver: approver()})
	line.bar.clear()
	if err != nil && a.interrupted() {
		return a.stopped(err, halfway(p, results, next+" --yes"))
	}
	line.report(a.Context, p.Run)
	if results == nil {
		return errors.Join(err, behind)
	}
	if printErr := printResults(a, p, results, earlier.pending, c.formatFlag, next+" --yes"); printErr != nil && err == nil {
		err = printErr
	}
	if err == nil {
		err = failures(p, results)
	}
	if err == nil {
		err = damaged(p)
	}
	return errors.Join(err, behind)
}

// The function "damaged" returns an error if the ledger of a license is damaged, so that the license is not restored.
func damaged(p *plan.Plan) error {
	if len(p.Unreadable) == 0 {
		return nil
	}
	return fmt.Errorf("run %s: not restored, because the ledger is damaged there: %s (see above)", p.Run, plain.Many(len(p.Unreadable), "license"))
}
