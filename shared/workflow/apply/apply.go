// Package apply carries out a plan. For each change, it reads the person again, asks the same rule again, writes the
// intent into the ledger, and makes the change. For a restore that an operator asked for, it asks no rule. A change of
// licenses counts as made only when a read shows it. A change that waits for a directory stays pending until a later
// call.
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

// Entra contains the methods of Microsoft Entra ID that this package calls.
type Entra interface {
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	evidence.Entra
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
	ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error)
	ReadLicenses(ctx context.Context, userID string) ([]directory.Assignment, error)
	ChangeLicenses(ctx context.Context, userID string, add []directory.Assignment, remove []string) error
	AddMember(ctx context.Context, groupID, userID string) error
	RemoveMember(ctx context.Context, groupID, userID string) error
	// ManagerMail returns the address of a person's manager. It returns "" if there is no manager who can read mail.
	ManagerMail(ctx context.Context, userID string) (string, error)
	// SendMail sends a mail from the mailbox whose address is "from". It returns directory.ErrUncertain if nobody knows
	// whether the mail was sent. Any other error means that the mail was not sent.
	SendMail(ctx context.Context, from string, m directory.Mail) error
	usage.Graph
}

// AD contains the methods of Active Directory that this package calls.
type AD interface {
	CheckClock(ctx context.Context, now func() time.Time) error
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
	evidence.AD
	// FindAnchor returns the SID of the account whose anchor fits immutableID, an onPremisesImmutableId of Entra ID. It
	// returns directory.ErrNoPerson if the domain has no such account.
	FindAnchor(ctx context.Context, immutableID string, anchor directory.Anchor) (sid string, err error)
	FindGroup(ctx context.Context, name string) (directory.Group, error)
	AddMember(ctx context.Context, groupDN, personGUID string) error
	RemoveMember(ctx context.Context, groupDN, personGUID string) error
	// HasMembers reports whether at least "least" people belong to a group, directly or through nested groups.
	HasMembers(ctx context.Context, groupDN string, least int) (bool, error)
}

// Applier applies plans. The field AD is nil if Active Directory is not set up.
type Applier struct {
	Store store.Store
	Entra Entra
	AD    AD
	Now   func() time.Time // time.Now except in tests
	// Progress is called after each change. It may be nil.
	Progress func(done, total int)
}

// Request names a plan, and can restrict a call of Apply to some of its changes.
type Request struct {
	Run string
	// PlanHash is the hash of the plan that was approved. If it is empty, the hash is not compared.
	PlanHash string
	// Override is the hash of a plan on hold whose limits an operator overrides. Otherwise it is empty.
	Override string
	// Policy is the text of the policy in force. If it is empty, only the rules of the run's own policy are evaluated.
	Policy string
	// Approver is the name of the operator or execution that applies the plan, for the ledger.
	Approver string
	// Batch is the name of the batch that the call applies. If it is empty, the call applies all batches in order.
	Batch string
	Scope runs.Scope
}

// The status "troubled" is for a change that stays pending after a failed read or write, or because its account is
// gone. The stored result has the status runs.Pending and the field Retry.
const troubled runs.Status = "troubled"

// Check returns the reason why a plan must not be applied now, or nil. It writes nothing.
func (a *Applier) Check(ctx context.Context, in Request) error {
	j, err := a.start(ctx, in)
	if err != nil {
		return err
	}
	return j.check(ctx, in)
}

// Apply carries out as much of a plan as is possible now. Callers repeat Apply while changes are pending. If all
// changes are final, a request that names a batch or has the scope runs.Back returns the results. Any other request
// then returns an error.
//
// If the call fails, Apply still works on the changes that return a license to a person, because these need none of the
// evidence for taking a license. If there are such changes, it returns their results with the error.
func (a *Applier) Apply(ctx context.Context, in Request) (*runs.Results, error) {
	results, err := a.apply(ctx, in)
	if err == nil || in.Scope == runs.Back || ctx.Err() != nil {
		return results, err
	}
	in.Scope = runs.Back
	j, failed := a.start(ctx, in)
	if failed != nil || j.left() == 0 {
		return results, err
	}
	back, failed := j.work(ctx, in)
	if failed != nil && failed.Error() != err.Error() {
		err = fmt.Errorf("%w; what returns a license did not go on either: %w", err, failed)
	}
	return cmp.Or(back, results), err
}

func (a *Applier) apply(ctx context.Context, in Request) (*runs.Results, error) {
	j, err := a.start(ctx, in)
	if err != nil {
		return nil, err
	}
	if (in.Batch != "" || in.Scope == runs.Back) && j.left() == 0 {
		return j.results, nil
	}
	return j.work(ctx, in)
}

// The method "start" opens a plan. If all results are final, it looks in the ledger for changes that are still open;
// see the method "reopen".
func (a *Applier) start(ctx context.Context, in Request) (*job, error) {
	j, err := a.open(ctx, in)
	if err == nil && j.left() == 0 {
		err = j.reopen(ctx)
	}
	return j, err
}

// The method "work" checks the plan, works on its batches, and stores the results.
func (j *job) work(ctx context.Context, in Request) (*runs.Results, error) {
	if err := j.check(ctx, in); err != nil {
		return nil, err
	}
	j.results.Refused = ""
	if err := j.overridden(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(j.rereadGroups(ctx), j.readMemberships(ctx)); err != nil {
		return nil, err
	}
	for _, b := range j.batches {
		err := j.batch(ctx, b)
		// The results must be stored even if the call was interrupted.
		err = errors.Join(err, j.put(context.WithoutCancel(ctx), b))
		if err != nil {
			return j.results, err
		}
	}
	return j.results, nil
}

// The method "open" reads the plan, the run and the results so far. It fails with runs.ErrRefused if the plan lacks the
// requested batch.
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
	if err != nil && (in.Scope == runs.All || !errors.Is(err, store.ErrDamaged)) { // the ledger also says what has begun
		return nil, err
	}
	noted, err := history.OverrideOf(ctx, a.Store, p)
	if err != nil {
		return nil, err
	}
	results.Override = cmp.Or(in.Override, results.Override, noted) // an override also holds for later calls
	var judge *policy.Judge
	if p.Restores == "" { // a restore asks no rule
		if judge, err = run.Judge(a.Now()); err != nil {
			return nil, err
		}
	}
	j := &job{Applier: a, run: run, plan: p, results: results, ledger: ledger.In(a.Store), judge: judge, approver: in.Approver, scope: in.Scope}
	if j.batches, err = j.within(ctx, batches); err != nil {
		return nil, err
	}
	j.done = j.total() - j.left()
	return j, j.force(in.Policy)
}

// readAtOnce is the number of changes whose people a call reads together. It is small, so that the evidence about the
// last person is usually not older than evidenceAge when the call uses it.
const readAtOnce = 15

// The method "batch" works on the changes of a batch in order. After ctx is done, it begins no more changes and returns
// an error. A change that ctx stopped before its intent was written gets no result.
func (j *job) batch(ctx context.Context, b plan.Batch) error {
	for chunk := range slices.Chunk(b.Changes, readAtOnce) {
		open := slices.DeleteFunc(slices.Clone(chunk), func(c plan.Change) bool { return j.results.Final(&c) })
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
			if r.Status == runs.Kept || r.Status == runs.Refused || r.Status == runs.Failed {
				j.ended = append(j.ended, r)
			}
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

func (j *job) halted(err error) error {
	return fmt.Errorf("apply run %s: stopped, %s final, run apply again to go on: %w", j.plan.Run, plain.ManyAre(j.total()-j.left(), "change"), err)
}
