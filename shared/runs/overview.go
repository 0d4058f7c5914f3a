package runs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Concluded takes the place of the name of a batch in the key of an object with results. That object has the results of
// all batches of a run.
const Concluded = "settled"

// Stage says how far a run has come. It is derived from the objects that the run has written. A run whose process has
// died stays at its stage, because no object shows whether the process still works.
type Stage string

// The stages. A run with a readable begin.json passes them in this order, from StageReading on.
const (
	StageUnreadable Stage = "unreadable" // begin.json is missing or damaged
	StageReading    Stage = "reading"    // the run has no snapshot yet
	StageDeciding   Stage = "deciding"   // the run has a snapshot and no plan yet
	StagePlanned    Stage = "planned"    // the run has a plan, and no change has a result
	StageApplying   Stage = "applying"   // a change or notice has a result, and not all have a final result
	StageEnded      Stage = "ended"      // each change and notice has a final result, or the plan has none
)

// Overview is one run in a list of runs.
type Overview struct {
	Run     string    `json:"run"`
	Stage   Stage     `json:"stage"`
	Started time.Time `json:"started,omitzero"`
	AsOf    time.Time `json:"asOf,omitzero"`
	User    string    `json:"user,omitempty"`     // in a run for one person, the name that the operator wrote
	Copy    string    `json:"copy,omitempty"`     // the run whose snapshot this run uses for its plan
	Restore string    `json:"restores,omitempty"` // the run whose changes this run restores
	// The following members come from the plan. They are empty before the run has a plan.
	Mode          policy.Mode  `json:"mode,omitempty"`
	Verdict       plan.Verdict `json:"verdict,omitempty"`
	HoldReasons   []string     `json:"holdReasons,omitempty"`
	PlanHash      string       `json:"planHash,omitempty"`
	Counts        plan.Counts  `json:"counts"`
	Changes       int          `json:"changes"`
	Notices       int          `json:"notices"`
	Deferred      int          `json:"deferred"`
	Pending       int          `json:"pending"` // changes of earlier runs that were not finished when the plan was made
	MonthlySaving float64      `json:"monthlySaving"`
	Currency      string       `json:"currency,omitempty"`
	Expires       time.Time    `json:"expires,omitzero"` // no change begins after this time
	// Results counts the changes and notices by their status. A change without a result is in no count.
	Results  map[Status]int `json:"results,omitempty"`
	Worked   time.Time      `json:"worked,omitzero"`      // the time at which a result was last written
	Refused  string         `json:"refused,omitempty"`    // the safety check that stopped a batch
	Override string         `json:"override,omitempty"`   // the hash of a plan that was applied in spite of the limits
	Restored string         `json:"restoredBy,omitempty"` // the run that restores this run
	// Superseded is the run whose newer plan takes the place of this plan, no change of which has a result. It is empty
	// if this plan can still be applied.
	Superseded string `json:"supersededBy,omitempty"`
	// Damage has one sentence for each object of the run that is damaged or cannot be read.
	Damage []string `json:"damage,omitempty"`
}

// Look returns the overview of a run. A damaged object of the run is named in Damage, and the other fields are filled
// in. Look fails if the store cannot be read, and with snapshot.ErrUnknownRun if the store has no object of the run.
func Look(ctx context.Context, s store.Store, run string, now time.Time) (*Overview, error) {
	return look(ctx, s, run, sync.OnceValue(func() superseding { return newest(ctx, s, now) }))
}

// The type "superseding" is the newest run whose plan supersedes older plans, or "". The field "err" says why it is not
// known.
type superseding struct {
	run string
	err error
}

func newest(ctx context.Context, s store.Store, now time.Time) (of superseding) {
	of.run, of.err = history.Newer(ctx, s, "", now)
	return of
}

func look(ctx context.Context, s store.Store, run string, by func() superseding) (*Overview, error) {
	o := &Overview{Run: run, Stage: StageUnreadable}
	b, err := snapshot.GetBegin(ctx, s, run)
	switch {
	case errors.Is(err, snapshot.ErrUnknownRun):
		if there, findErr := hasObjects(ctx, s, run); findErr != nil || !there {
			return nil, errors.Join(findErr, err)
		}
		o.Damage = append(o.Damage, "begin.json is missing: "+err.Error())
	case err != nil:
		if err := o.damaged(err); err != nil {
			return nil, err
		}
	default:
		o.Stage, o.Started, o.AsOf, o.User, o.Copy = StageReading, b.Started, b.AsOf, b.User, b.Copy
	}
	p, err := GetPlan(ctx, s, run)
	switch {
	case err == nil:
		if err := o.planned(ctx, s, p); err != nil {
			return o, err
		}
		return o, o.supersede(b, by)
	case !errors.Is(err, ErrNoPlan):
		return o, o.damaged(err)
	}
	if o.Stage == StageReading {
		sealed, err := snapshot.Sealed(ctx, s, run)
		if err != nil {
			return nil, err
		}
		if sealed {
			o.Stage = StageDeciding
		}
	}
	return o, nil
}

// The constant "lookers" is the number of runs that LookAll reads at the same time. In S3, it would be slow to read
// one run after the other.
const lookers = 8

// The method "supersede" sets the field Superseded of a plan for everybody that nobody has applied. A plan that an
// operator chose from another one is superseded together with that one. The function "by" may read one object of each
// kept run, so only such a plan calls it.
func (o *Overview) supersede(b *snapshot.Begin, by func() superseding) error {
	if o.Stage != StagePlanned || b == nil || b.User != "" || o.Restore != "" {
		return nil
	}
	from := o.Run
	if b.Choice != nil {
		from = b.Choice.From
	}
	newest := by()
	if newest.run > from {
		o.Superseded = newest.run
	}
	return o.damaged(newest.err)
}

// LookAll returns the overviews of the runs in "names", in the same order. If Look fails for a run, the overview has
// the error in Damage. LookAll leaves out a run that has no object yet. It fails only when ctx ends.
func LookAll(ctx context.Context, s store.Store, names []string, now time.Time) ([]*Overview, error) {
	by, all := sync.OnceValue(func() superseding { return newest(ctx, s, now) }), make([]*Overview, len(names))
	var looking errgroup.Group
	looking.SetLimit(lookers)
	for i, run := range names {
		looking.Go(func() error {
			o, err := look(ctx, s, run, by)
			if err != nil && !errors.Is(err, snapshot.ErrUnknownRun) {
				o = &Overview{Run: run, Stage: StageUnreadable, Damage: []string{err.Error()}}
			}
			all[i] = o
			return nil
		})
	}
	_ = looking.Wait() // the functions return no errors
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("look at %d runs: %w", len(names), err)
	}
	return slices.DeleteFunc(all, func(o *Overview) bool { return o == nil }), nil
}

func hasObjects(ctx context.Context, s store.Store, run string) (bool, error) {
	if store.CheckKey(run) != nil || !layout.IsRun(run) {
		return false, nil
	}
	for _, err := range s.List(ctx, layout.Run(run)) {
		return err == nil, err
	}
	return false, nil
}

// The method "damaged" adds err to Damage if err means a damaged object. It returns every other error.
func (o *Overview) damaged(err error) error {
	if err != nil && errors.Is(err, store.ErrDamaged) {
		o.Damage = append(o.Damage, err.Error())
		return nil
	}
	return err
}

func (o *Overview) planned(ctx context.Context, s store.Store, p *plan.Plan) error {
	if o.Stage == StageReading {
		o.Stage = StagePlanned
	}
	o.AsOf, o.Mode, o.Verdict, o.HoldReasons, o.PlanHash, o.Counts = p.AsOf, p.Mode, p.Verdict, p.HoldReasons, p.PlanHash, p.Counts
	o.Changes, o.Notices, o.Deferred, o.Pending = len(p.Changes), len(p.Notices), p.Deferred, len(p.Pending)
	o.MonthlySaving, o.Currency, o.Expires, o.Restore = p.MonthlySaving, p.Currency, p.Expires, p.Restores
	by, err := history.Withdrawn(ctx, s, p.Run)
	if err := o.damaged(err); err != nil {
		return err
	}
	o.Restored = by
	r, err := Outcome(ctx, s, p)
	if err != nil {
		return o.damaged(err)
	}
	if err := o.damaged(r.lost()); err != nil {
		return err
	}
	o.Worked, o.Refused, o.Override = r.At, r.Refused, r.Override
	for i := range r.Results {
		if o.Results == nil {
			o.Results = map[Status]int{}
		}
		o.Results[r.Results[i].Status]++
	}
	if o.Stage == StagePlanned {
		o.Stage = stageOf(p, r)
	}
	return nil
}

func stageOf(p *plan.Plan, r *Results) Stage {
	switch all := len(p.Changes) + len(p.Notices); {
	case all == 0, len(r.Results) >= all && r.Count(Pending) == 0:
		return StageEnded
	case len(r.Results) > 0:
		return StageApplying
	default:
		return StagePlanned
	}
}

// Outcome returns the results of the changes of a plan. They are stored twice: in one object for each batch, and in the
// object Concluded for all batches. A later night may finish a change and write only the object of the batch, so
// Outcome uses whichever is newer. The field Lost names the batches whose earlier results are lost.
func Outcome(ctx context.Context, s store.Store, p *plan.Plan) (*Results, error) {
	of, _, err := readResults(ctx, s, p, p.Batches())
	if err != nil {
		return nil, err
	}
	var all Results
	err = store.GetJSON(ctx, s, layout.Result(p.Run, Concluded), &all)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return of, nil
	case err != nil:
		return nil, fmt.Errorf("read the results of run %s: %w", p.Run, err)
	case all.At.Before(of.At):
		return of, nil
	}
	all.Lost = of.Lost
	return &all, nil
}
