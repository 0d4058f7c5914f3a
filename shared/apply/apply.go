// Package apply carries out a plan: it reads each person afresh, asks the same
// rule again, writes the intent into the ledger, makes the change, and believes
// it when reading the directory shows it. Every call does what can be done now;
// a change that has to wait for the directory stays pending for a later call.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrRefused is returned when a safety check forbids applying the plan.
// Nothing was written to a directory.
var ErrRefused = errors.New("refused")

// Entra is what apply asks of Microsoft Entra ID.
type Entra interface {
	Tenant(ctx context.Context) (id string, skus []directory.SKU, err error)
	ListPeople(ctx context.Context, cursor string, page func(people []directory.EntraUser, next string) error) error
	ReadPeople(ctx context.Context, ids []string) (map[string]directory.EntraUser, error)
	FindPerson(ctx context.Context, upnOrID string) (directory.EntraUser, error)
	GroupsOf(ctx context.Context, userID string) ([]string, error)
	MemberOf(ctx context.Context, userID, groupID string) (bool, error)
	ChangeLicenses(ctx context.Context, userID string, add []directory.Assignment, remove []string) error
	AddMember(ctx context.Context, groupID, userID string) error
	RemoveMember(ctx context.Context, groupID, userID string) error
}

// AD is what apply asks of Active Directory.
type AD interface {
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
	ReadPerson(ctx context.Context, sid string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
	AddMember(ctx context.Context, groupDN, personGUID string) error
	RemoveMember(ctx context.Context, groupDN, personGUID string) error
}

// Applier applies plans. AD is nil when it is not set up.
type Applier struct {
	Store store.Store
	Entra Entra
	AD    AD
	Now   func() time.Time // the real clock
	// Progress is told after each change; it may be nil.
	Progress func(done, total int)
}

// Request names the plan to apply.
type Request struct {
	Run string
	// Override is the hash of a held plan whose limits are set aside.
	Override string
	// Policy is the text of the policy in force; empty: not compared.
	Policy string
}

// Status is what became of one change.
type Status string

// The statuses. Only Pending is not final.
const (
	Done    Status = "done"    // reading the directory shows it
	Pending Status = "pending" // begun; the directory has not followed yet
	Kept    Status = "kept"    // asked again, the rule no longer takes it
	Refused Status = "refused" // cannot be done safely
	Failed  Status = "failed"  // the directory refused; the person has what they had
)

// troubled is Pending for a reason other than waiting for the directory:
// something could not be read or written.
const troubled Status = "troubled"

// Result is one change and what became of it.
type Result struct {
	User              string `json:"user"`
	UserPrincipalName string `json:"userPrincipalName"`
	Rule              string `json:"rule"`
	License           string `json:"license"`
	To                string `json:"to,omitempty"`
	Status            Status `json:"status"`
	// Again: pending because something could not be read or written. The cause
	// must be mended, waiting alone does not help.
	Again         bool    `json:"again,omitempty"`
	Note          string  `json:"note,omitempty"`
	MonthlySaving float64 `json:"monthlySaving"`
}

// Results is runs/<run>/results/<batch>.json.
type Results struct {
	Run      string    `json:"run"`
	PlanHash string    `json:"planHash"`
	At       time.Time `json:"at"`
	Override string    `json:"override,omitempty"`
	Results  []Result  `json:"results"`
}

// Count is how many results have a status.
func (r *Results) Count(s Status) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Status == s {
			n++
		}
	}
	return n
}

// Troubled is how many changes are pending for another reason than waiting.
func (r *Results) Troubled() int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Again {
			n++
		}
	}
	return n
}

// at finds the result of a change, -1 when there is none yet.
func (r *Results) at(user, license string) int {
	return slices.IndexFunc(r.Results, func(x Result) bool { return x.User == user && x.License == license })
}

func (r *Results) final(c *plan.Change) bool {
	i := r.at(c.User, c.License)
	return i >= 0 && r.Results[i].Status != Pending
}

func (r *Results) put(x Result) {
	if i := r.at(x.User, x.License); i >= 0 {
		r.Results[i] = x
		return
	}
	r.Results = append(r.Results, x)
}

// batch is the only batch of a plan applied on one machine.
const batch = "0001"

func resultsKey(run string) string { return "runs/" + run + "/results/" + batch + ".json" }

// Check tells whether a plan may be applied now, and writes nothing anywhere.
func (a *Applier) Check(ctx context.Context, in Request) error {
	_, _, err := a.open(ctx, in)
	return err
}

// Apply carries out a plan as far as it goes now. It may be called again while
// changes are pending; when all are final it is refused.
func (a *Applier) Apply(ctx context.Context, in Request) (*Results, error) {
	job, before, err := a.open(ctx, in)
	if err != nil {
		return nil, err
	}
	after := &Results{Run: in.Run, PlanHash: job.plan.PlanHash, At: a.Now().UTC(), Override: before.Override, Results: slices.Clone(before.Results)}
	err = job.changes(ctx, after)
	// Also after an interruption: what was done must be known.
	if putErr := store.PutJSON(context.WithoutCancel(ctx), a.Store, resultsKey(in.Run), after); putErr != nil {
		err = errors.Join(err, fmt.Errorf("write the results of run %s (the ledger has them): %w", in.Run, putErr))
	}
	return after, err
}

// open reads a plan with what earlier calls did of it, and checks it.
func (a *Applier) open(ctx context.Context, in Request) (*job, *Results, error) {
	p, err := report.GetPlan(ctx, a.Store, in.Run)
	if err != nil {
		return nil, nil, err
	}
	run, err := decision.Open(ctx, a.Store, in.Run)
	if err != nil {
		return nil, nil, err
	}
	before := &Results{}
	err = store.GetJSON(ctx, a.Store, resultsKey(in.Run), before)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, fmt.Errorf("read the results of run %s: %w", in.Run, err)
	}
	if in.Override == "" {
		in.Override = before.Override // the same plan goes on
	}
	before.Override = in.Override
	judge, err := run.Judge(a.Now())
	if err != nil {
		return nil, nil, err
	}
	j := &job{Applier: a, run: run, plan: p, ledger: ledger.In(a.Store), judge: judge}
	return j, before, j.check(ctx, before, in)
}

// job is one call of Apply.
type job struct {
	*Applier
	run    *decision.Run
	plan   *plan.Plan
	ledger *ledger.Ledger
	judge  *policy.Judge
	// closed says why no change may begin any more; those that have begun are
	// finished all the same.
	closed string
}

// readAtOnce is how many people are read afresh together: few enough that the
// evidence of the last of them is still fresh when it is used.
const readAtOnce = 15

// changes goes through the changes of the plan in their order, but for those
// that are final from an earlier call.
func (j *job) changes(ctx context.Context, all *Results) error {
	done := 0
	for chunk := range slices.Chunk(j.plan.Changes, readAtOnce) {
		open := slices.DeleteFunc(slices.Clone(chunk), func(c plan.Change) bool { return all.final(&c) })
		done += len(chunk) - len(open)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("apply run %s: stopped after %d changes, run apply again to go on: %w", j.plan.Run, done, err)
		}
		fresh, err := j.fresh(ctx, open)
		if err != nil {
			return fmt.Errorf("apply run %s: stopped after %d changes: read people afresh: %w", j.plan.Run, done, err)
		}
		for i := range open {
			all.put(j.change(ctx, &open[i], fresh[open[i].User]))
			if done++; j.Progress != nil {
				j.Progress(done, len(j.plan.Changes))
			}
		}
	}
	return nil
}
