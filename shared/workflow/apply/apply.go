// Package apply carries out a plan. For each change it reads the person afresh, asks the same rule again, writes the
// intent into the ledger, and makes the change. A change counts as made only when a read shows it. Each call does
// what can be done at the time; a change that has to wait for the directory stays pending until a later call.
package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// Entra is what apply needs of Microsoft Entra ID.
type Entra interface {
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	evidence.Entra
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
	ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error)
	ReadLicenses(ctx context.Context, userID string) ([]directory.Assignment, error)
	ChangeLicenses(ctx context.Context, userID string, add []directory.Assignment, remove []string) error
	AddMember(ctx context.Context, groupID, userID string) error
	RemoveMember(ctx context.Context, groupID, userID string) error
	// ManagerMail returns the address of a person's manager, or "" if there is none who can read mail.
	ManagerMail(ctx context.Context, userID string) (string, error)
	// SendMail sends a mail from a mailbox. The error is directory.ErrUncertain unless the mail certainly was not sent.
	SendMail(ctx context.Context, from string, m directory.Mail) error
	usage.Graph
}

// AD is what apply needs of Active Directory.
type AD interface {
	CheckClock(ctx context.Context, now func() time.Time) error
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
	evidence.AD
	FindGroup(ctx context.Context, name string) (directory.Group, error)
	AddMember(ctx context.Context, groupDN, personGUID string) error
	RemoveMember(ctx context.Context, groupDN, personGUID string) error
}

// Applier applies plans. AD is nil if Active Directory is not set up.
type Applier struct {
	Store store.Store
	Entra Entra
	AD    AD
	Now   func() time.Time // time.Now except in tests
	// Progress is called after each change if it is not nil.
	Progress func(done, total int)
}

// Request says which plan to apply, and for whom.
type Request struct {
	Run string
	// PlanHash is the hash of the approved plan. If it is empty, the run's plan is applied whatever its hash.
	PlanHash string
	// Override is the hash of a plan on hold that is applied despite its limits. It is empty if none is.
	Override string
	// Policy is the text of the policy in force. If it is empty, only the run's own policy is asked.
	Policy string
	// Approver is the name that the ledger records for the person who applies the plan.
	Approver string
	// Only is the person to whose changes the call is restricted. If it is empty, the call is for everybody.
	Only string
	// Batch is the batch to which the call is restricted. If it is empty, all batches are applied, one after the
	// other.
	Batch string
}

// troubled is runs.Pending for a change that is pending because something could not be read or written. Other pending
// changes wait for the directory.
const troubled runs.Status = "troubled"

// Check returns why a plan must not be applied now, or nil. It writes nothing.
func (a *Applier) Check(ctx context.Context, in Request) error {
	j, err := a.open(ctx, in)
	if err != nil {
		return err
	}
	if j.left() == 0 {
		if err := j.reopen(ctx); err != nil {
			return err
		}
	}
	return j.check(ctx, in)
}

// Apply carries out as much of a plan as is possible now. It may be called again while changes are pending. It
// returns an error if all changes of the plan are final, but a call for a single batch that is final merely returns
// the results.
func (a *Applier) Apply(ctx context.Context, in Request) (*runs.Results, error) {
	job, err := a.open(ctx, in)
	if err != nil {
		return nil, err
	}
	if job.left() == 0 {
		if err := job.reopen(ctx); err != nil {
			return nil, err
		}
	}
	if in.Batch != "" && job.left() == 0 {
		return job.results, nil
	}
	if err := job.check(ctx, in); err != nil {
		return nil, err
	}
	job.results.Refused = ""
	if err := job.overridden(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(job.rereadGroups(ctx), job.readMemberships(ctx)); err != nil {
		return nil, err
	}
	for _, b := range job.batches {
		err = job.batch(ctx, b)
		// Results must be stored even if the call was interrupted.
		err = errors.Join(err, runs.PutResults(context.WithoutCancel(ctx), a.Store, b.Name, job.of(b)))
		if err != nil {
			break
		}
	}
	return job.results, err
}

// open reads a plan and the results of earlier calls.
func (a *Applier) open(ctx context.Context, in Request) (*job, error) {
	p, err := runs.GetPlan(ctx, a.Store, in.Run)
	if err != nil {
		return nil, err
	}
	run, err := decision.Open(ctx, a.Store, in.Run)
	if err != nil {
		return nil, err
	}
	batches := slices.DeleteFunc(p.Batches(), func(b plan.Batch) bool { return in.Batch != "" && b.Name != in.Batch })
	if in.Batch != "" && len(batches) == 0 {
		return nil, fmt.Errorf("%w: the plan of run %s has no batch %q", runs.ErrRefused, in.Run, in.Batch)
	}
	results, err := runs.GetResults(ctx, a.Store, p, batches)
	if err != nil {
		return nil, err
	}
	noted, err := history.OverrideOf(ctx, a.Store, p)
	if err != nil {
		return nil, err
	}
	results.Override = cmp.Or(in.Override, results.Override, noted) // later calls apply despite the same limits
	results.At = a.Now().UTC()
	var judge *policy.Judge
	if p.Restores == "" { // a restore asks no rule
		if judge, err = run.Judge(a.Now()); err != nil {
			return nil, err
		}
	}
	j := &job{Applier: a, run: run, plan: p, batches: batches, results: results, ledger: ledger.In(a.Store), judge: judge, approver: in.Approver, only: in.Only}
	j.done = j.total() - j.left()
	return j, j.force(in.Policy)
}

// job is one call of Apply.
type job struct {
	*Applier
	run     *decision.Run
	plan    *plan.Plan
	batches []plan.Batch  // the batches to work on
	results *runs.Results // their results so far
	done    int           // changes that are done with, including those that were final before
	ledger  *ledger.Ledger
	judge   *policy.Judge
	inForce *inForce // the policy in force; nil: the run's own
	// approver is recorded in the ledger as the one who applies the plan.
	approver    string
	adGroups    map[string]*directory.Group // Active Directory groups that this call has read, by name
	plans       map[string]*plan.Plan       // plans of other runs that this call has read, by run; nil: the plan is gone
	userBoxes   map[string]bool             // by name of the mailbox: whether the mailbox is a user's; nil: not read yet
	memberships map[string]evidence.Group   // members of Entra groups, by the key of the question about them
	// stopped has the people for whom this run must not begin any more changes. A change that has begun is rolled
	// back.
	stopped map[string]bool
	only    string // the person to work on; empty: everybody
	// closed says why no change may begin any more; it is empty while changes may begin. Changes that have begun are
	// finished.
	closed string
	// withdrawn reports whether an operator is restoring the run. Changes that have not taken the license yet are then
	// rolled back.
	withdrawn bool
	// reports are the usage reports for the rules' signals, as this call read them. stale says, for each signal, why
	// its dates cannot be trusted.
	reports usage.Tables
	stale   [directory.Signals]string
}

// reopen makes a change pending again if an overlapping call stored a final result for it although the ledger still
// shows it as open.
func (j *job) reopen(ctx context.Context) error {
	for _, b := range j.batches {
		for i := range b.Changes {
			last, err := j.ledger.Latest(ctx, b.Changes[i].User, b.Changes[i].License)
			if errors.Is(err, ledger.ErrDamaged) {
				continue // its earlier result stays
			}
			if err != nil {
				return err
			}
			if last != nil && last.Run == j.plan.Run && last.Completion == nil {
				j.results.Set(runs.ResultOf(&b.Changes[i], runs.Pending, "begun, and not finished yet"))
			}
		}
	}
	return nil
}

// left returns the number of changes that are not final yet.
func (j *job) left() int {
	n := 0
	for _, b := range j.batches {
		for i := range b.Changes {
			if !j.results.Final(&b.Changes[i]) {
				n++
			}
		}
	}
	return n
}

// total returns the number of changes to work on.
func (j *job) total() int {
	n := 0
	for _, b := range j.batches {
		n += len(b.Changes)
	}
	return n
}

// of returns the results of one batch.
func (j *job) of(b plan.Batch) *runs.Results {
	one := *j.results
	one.Results = slices.DeleteFunc(slices.Clone(one.Results), func(x runs.Result) bool {
		return !slices.ContainsFunc(b.Changes, func(c plan.Change) bool { return c.User == x.User && c.License == x.License })
	})
	return &one
}

// readAtOnce is the number of people who are read afresh together. It is small enough that the evidence of the last
// one is still fresh when it is used.
const readAtOnce = 15

// batch works on the changes of a batch in order. It skips changes that are final. A call that is stopped begins no more
// changes, and leaves those that it did not begin without a result.
func (j *job) batch(ctx context.Context, b plan.Batch) error {
	for chunk := range slices.Chunk(b.Changes, readAtOnce) {
		open := slices.DeleteFunc(slices.Clone(chunk), func(c plan.Change) bool { return j.results.Final(&c) || j.only != "" && c.User != j.only })
		if err := ctx.Err(); err != nil {
			return j.halted(err)
		}
		fresh, err := j.fresh(ctx, open)
		if err != nil {
			return j.halted(fmt.Errorf("read people afresh: %w", err))
		}
		for i := range open {
			if err := ctx.Err(); err != nil {
				return j.halted(err)
			}
			e := fresh[open[i].User]
			if j.Now().Sub(e.read) > evidenceAge { // the changes before this one took long
				e = j.again(ctx, &open[i])
			}
			r := j.one(ctx, &open[i], e)
			if err := ctx.Err(); err != nil && r.Status == runs.Pending && !j.begun(ctx, &open[i]) {
				return j.halted(err)
			}
			r.Closed = r.Status == runs.Refused && j.closed != ""
			j.results.Set(r)
			if j.done++; j.Progress != nil {
				j.Progress(j.done, j.total())
			}
		}
	}
	if err := ctx.Err(); err != nil && j.left() > 0 {
		return j.halted(err)
	}
	return nil
}

// halted returns the error of a call that ends before its last change.
func (j *job) halted(err error) error {
	return fmt.Errorf("apply run %s: stopped, %s final, run apply again to go on: %w", j.plan.Run, plain.ManyAre(j.total()-j.left(), "change"), err)
}

// begun reports whether the ledger may have an intent of this run that is not completed. It also looks when the call is
// stopped.
func (j *job) begun(ctx context.Context, c *plan.Change) bool {
	last, err := j.ledger.Latest(context.WithoutCancel(ctx), c.User, c.License)
	return err != nil || last != nil && last.Run == j.plan.Run && last.Completion == nil
}
