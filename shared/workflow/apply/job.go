package apply

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/source/usage"
)

// A job is the work of one call of Apply or Check, or of one step of the state machine.
type job struct {
	*Applier
	run         *decision.Run
	plan        *plan.Plan
	batches     []plan.Batch  // the batches that this call works on
	results     *runs.Results // the results of these batches so far
	done        int           // number of final changes, including those of earlier calls
	ended       []runs.Result // results of the present batch with which this call took no license
	ledger      *ledger.Ledger
	judge       *policy.Judge
	inForce     *inForce // the policy in force; nil: only the policy of the run is asked
	approver    string
	adGroups    map[string]*directory.Group // Active Directory groups that this call has read, by name
	plans       map[string]*plan.Plan       // plans of other runs that this call has read, by run; nil: missing or damaged
	userBoxes   map[string]bool             // whether a mailbox is a user mailbox, by user principal name; nil: not read
	memberships map[string]evidence.Group   // members of Entra groups, by the key of the member query
	// The field "doubts" has the reasons why the members of Active Directory groups are not believed, by the key of the
	// member query; see the method "doubtful".
	doubts map[string]string
	// The set "stopped" contains the people for whom this run must begin no more changes. A change of such a person that
	// has begun is rolled back.
	stopped map[string]bool
	scope   runs.Scope
	// The field "closed" is the reason why this call must begin no more changes. It is empty if changes may begin.
	closed string
	// The field "withdrawn" reports whether an operator is restoring the run. In that case, changes of the run that have
	// begun are rolled back.
	withdrawn bool
	// The field "reports" has the usage reports that this call read. The array "stale" has, by signal, the reason why
	// the signal's dates cannot be trusted.
	reports usage.Tables
	stale   [directory.Signals]string
}

// The method "onlyGivesBack" reports whether the job takes no license: it restores, or it rolls back what was begun.
// Such a job needs neither dates nor exempt groups nor the policy in force.
func (j *job) onlyGivesBack() bool { return j.plan.Restores != "" || j.scope == runs.Back }

func (j *job) within(ctx context.Context, batches []plan.Batch) ([]plan.Batch, error) {
	if j.scope == runs.All {
		return batches, nil
	}
	recalled, err := history.Recalled(ctx, j.Store, j.plan.Run)
	if err != nil {
		return nil, err
	}
	for i := range batches {
		var changes []plan.Change
		for _, c := range batches[i].Changes {
			is, err := j.inScope(ctx, &c, recalled)
			if err != nil && !errors.Is(err, ledger.ErrDamaged) { // nothing finishes a damaged change
				return nil, err
			}
			if is {
				changes = append(changes, c)
			}
		}
		batches[i].Changes = changes
	}
	return batches, nil
}

// The method "inScope" reports whether a change is within the job's scope. The function "recalled" reports whether an
// operator has asked to restore this run's changes of a person.
func (j *job) inScope(ctx context.Context, c *plan.Change, recalled func(user string) bool) (bool, error) {
	last, err := j.ledger.Latest(ctx, c.Person(), c.License)
	switch {
	case err != nil || last == nil || last.Run != j.plan.Run:
		return false, err
	case last.Completion != nil || j.scope == runs.Begun || recalled(c.User):
		return true, nil
	}
	return j.ledger.Returning(ctx, last)
}

// The method "reopen" makes a change pending again if its stored result is final but its ledger entry is open. A call
// that ran at the same time may have stored such a result.
func (j *job) reopen(ctx context.Context) error {
	for _, b := range j.batches {
		for i := range b.Changes {
			last, err := j.ledger.Latest(ctx, b.Changes[i].Person(), b.Changes[i].License)
			if errors.Is(err, ledger.ErrDamaged) {
				continue // the stored result of the change stays
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

func (j *job) total() int {
	n := 0
	for _, b := range j.batches {
		n += len(b.Changes)
	}
	return n
}

// The method "of" returns a copy of the job's results with one batch only. The copy has the results of all changes that
// the plan has in this batch, even of changes that this call leaves out.
func (j *job) of(b plan.Batch) *runs.Results {
	one, all := *j.results, j.plan.Batches()
	whole := all[slices.IndexFunc(all, func(of plan.Batch) bool { return of.Name == b.Name })]
	one.Results = slices.DeleteFunc(slices.Clone(one.Results), func(x runs.Result) bool {
		return !slices.ContainsFunc(whole.Changes, func(c plan.Change) bool { return c.User == x.User && c.License == x.License })
	})
	one.Lost = slices.DeleteFunc(slices.Clone(one.Lost), func(name string) bool { return name != b.Name })
	return &one
}

// The method "put" stores the results of a batch. What this call has left to people is stored first, and apart from the
// batch, because a call that works beside this one may write the batch again without it.
func (j *job) put(ctx context.Context, b plan.Batch) error {
	j.results.At = j.Now().UTC() // after each completion in the ledger, so that figures up to At count them all
	results := j.of(b)
	var err error
	if len(j.ended) > 0 {
		ended := runs.Results{Run: results.Run, PlanHash: results.PlanHash, At: results.At, Results: j.ended}
		err, j.ended = runs.PutEnded(ctx, j.Store, b.Name, &ended), nil
	}
	return errors.Join(err, runs.PutResults(ctx, j.Store, b.Name, results))
}

// The method "begun" reports whether the ledger has an open intent of this run for a change. It also returns true if
// the ledger cannot be read. It reads the ledger even if ctx is done.
func (j *job) begun(ctx context.Context, c *plan.Change) bool {
	last, err := j.ledger.Latest(context.WithoutCancel(ctx), c.Person(), c.License)
	return err != nil || last != nil && last.Run == j.plan.Run && last.Completion == nil
}
