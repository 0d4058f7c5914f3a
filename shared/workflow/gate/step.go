package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// These constants limit how long a run waits for the directory between two rounds. The first wait takes a minute. Each
// further wait takes twice as long as the wait before, but at most an hour. The waits end after about a day.
const (
	firstWait  = time.Minute
	longWait   = time.Hour
	mostRounds = 28
	// The constant "troubleRounds" is the number of rounds for changes that wait for a fault to be repaired.
	troubleRounds = 3
)

// StepInput is the input of a step. Op names the step.
type StepInput struct {
	Op string `json:"op"` // gate, hold, approve, restore, settle, notice
	// Entrance is the state machine that accepted the request, for the steps "approve" and "restore".
	Entrance entrance.Name `json:"entrance"`
	// The step "restore" makes the name of its run from Execution and Started. For the step "notice", Execution is the ARN
	// of the execution.
	Execution string      `json:"execution"`
	Started   time.Time   `json:"started"`
	Run       string      `json:"run"`       // for gate, hold and settle
	Apply     bool        `json:"apply"`     // for gate: whether to apply the plan; only for a run for one person
	Evaluated []Evaluated `json:"evaluated"` // for gate: how the evaluation of each partition ended
	Failure   Failure     `json:"failure"`   // for hold: why the run could not be evaluated
	Request   Request     `json:"request"`   // for approve and restore: input of the execution
	Round     int         `json:"round"`     // for settle: number of rounds so far
	Events    int         `json:"events"`    // for settle: largest number of events that the rounds so far can have written
	Before    Totals      `json:"before"`    // for settle: results of the plan from before this execution
	// Unapproved is for the step "settle". It is the field Unapproved in the output of the step "gate".
	Unapproved bool `json:"unapproved"`
	// State is for the step "notice". It is the last state of the execution: a StepOutput, or the input of the step that
	// failed.
	State json.RawMessage `json:"state"`
}

// Evaluated says how the evaluation of a partition ended. Failure is set if every attempt failed.
type Evaluated struct {
	Partition int      `json:"partition"`
	Failure   *Failure `json:"failure"`
}

// Failure is an error in the form of the state machine.
type Failure struct {
	Error string `json:"Error"`
	Cause string `json:"Cause"`
}

// Steps contains the steps of the state machine that make the plan of a run, and those that end the run.
type Steps struct {
	Store store.Store
	// Policy returns the text of the policy in force.
	Policy func(context.Context) (string, error)
	Now    func() time.Time
	// Deployment is the name of the stack. Place is the stack's store, as s3://bucket/prefix. The commands in notices
	// contain both.
	Deployment, Place string
	// Report writes the report of a run. If the field is nil, the steps use the function Report of this package.
	Report func(ctx context.Context, s store.Store, run string) error
	// Tell posts the message about the end of an execution to a channel. It is nil if no webhook is set up.
	Tell func(context.Context, *card.Card) error
}

// Do carries out the step that in.Op names. It refuses the steps "approve" and "restore" if in.Entrance, the state
// machine that accepted the request, does not permit them.
func (s *Steps) Do(ctx context.Context, in StepInput) (*StepOutput, error) {
	switch in.Op {
	case "gate":
		return s.gate(ctx, in)
	case "hold":
		return s.hold(ctx, in.Run, &in.Failure)
	case "approve":
		wish := entrance.ApplyPlan
		if in.Request.Override {
			wish = entrance.ApplyHeldPlan
		}
		if err := in.Request.check(in.Entrance, wish); err != nil {
			return nil, err
		}
		return s.approve(ctx, in.Request)
	case "restore":
		if err := in.Request.check(in.Entrance, entrance.RestoreRun); err != nil {
			return nil, err
		}
		return s.restore(ctx, in)
	case "settle":
		return s.conclude(ctx, in)
	case "notice":
		return s.notice(ctx, in)
	}
	return nil, fmt.Errorf("%w: the step %q is not known", runs.ErrRefused, in.Op)
}

// The method "gate" makes the plan of a run. If a partition could not be evaluated, it puts the run on hold.
func (s *Steps) gate(ctx context.Context, in StepInput) (*StepOutput, error) {
	if i := slices.IndexFunc(in.Evaluated, func(e Evaluated) bool { return e.Failure != nil }); i >= 0 {
		why := in.Evaluated[i].Failure
		return s.hold(ctx, in.Run, &Failure{why.Error, fmt.Sprintf("partition %d: %s", in.Evaluated[i].Partition, why.text())})
	}
	p, err := Run(ctx, s.Store, in.Run, s.Now())
	if err != nil {
		return nil, err
	}
	out := outputOf(p, nil, false)
	if out.FeedAge, err = s.feedAge(ctx, in.Run); err != nil {
		return nil, err
	}
	b, err := snapshot.GetBegin(ctx, s.Store, in.Run)
	if err != nil {
		return nil, err
	}
	out.Scheduled = b.Scheduled
	s.report(ctx, out)
	if err := s.goOn(ctx, p, out, in.Apply); err != nil {
		return nil, err
	}
	return out, nil
}

// The method "goOn" writes into "out" what the state machine does next with a new plan: it applies the plan, it only
// finishes changes of earlier runs, or it does nothing. The parameter "apply" reports whether an operator asked to
// apply the plan.
func (s *Steps) goOn(ctx context.Context, p *plan.Plan, out *StepOutput, apply bool) error {
	held := p.Verdict == plan.Hold
	if p.Mode == policy.Audit || held && len(p.Returning()) == 0 || !apply && !out.Scheduled {
		return nil
	}
	if held || !apply && p.Mode != policy.Enforce && p.Verdict != plan.Nothing {
		out.unapproved()
	}
	if err := s.resume(ctx, p, out, nil, held); err != nil {
		return err
	}
	out.Go = out.Batches.any()
	out.afford(0)
	return nil
}

// The method "hold" puts on hold a run that could not be evaluated. A scheduled run still finishes the changes of
// earlier runs that return a license.
func (s *Steps) hold(ctx context.Context, run string, f *Failure) (*StepOutput, error) {
	why := fmt.Sprintf("not everybody could be evaluated (%s): %s", f.Error, f.text())
	p, err := Hold(ctx, s.Store, run, why[:min(len(why), 1000)], s.Now())
	if err != nil {
		return nil, err
	}
	b, err := snapshot.GetBegin(ctx, s.Store, run)
	if err != nil {
		return nil, err
	}
	out := outputOf(p, nil, false)
	out.Scheduled = b.Scheduled
	s.report(ctx, out)
	if err := s.goOn(ctx, p, out, false); err != nil {
		return nil, err
	}
	return out, nil
}

// feedAge returns, for each source, the age of the newest date of activity, in hours. It omits sources without a date.
func (s *Steps) feedAge(ctx context.Context, run string) (map[string]float64, error) {
	r, err := decision.Open(ctx, s.Store, run)
	if err != nil {
		return nil, err
	}
	ages := map[string]float64{}
	for src, reading := range r.Manifest.Readings {
		if !reading.Newest.IsZero() {
			ages[directory.Source(src).String()] = r.Begin.AsOf.Sub(reading.Newest).Hours()
		}
	}
	return ages, nil
}

// The method "resume" adds the unfinished batches of the earlier runs that a plan resumes, and counts their changes by
// present status. It skips a run whose data has expired. Changes that return a license come first, in batches of their
// own. They need no sign-in dates, so a fault in a source must not stop them. If "held" is true, the method adds
// nothing else. The parameter "own" has the results of the plan itself. It is nil if the plan must not be applied. All
// batches of a restore return licenses, so a restore gets no further ones.
func (s *Steps) resume(ctx context.Context, p *plan.Plan, out *StepOutput, own *runs.Results, held bool) error {
	p, err := s.upToDate(ctx, p)
	if err != nil {
		return err
	}
	first, returning := Batches{Entra: []Batch{}, AD: []Batch{}}, p.Returning()
	if text, err := s.Policy(ctx); err == nil && policy.InAudit(text) { // in mode audit only a restore writes
		returning, own = nil, nil
	}
	if own != nil && p.Restores == "" {
		if err := s.addReturning(ctx, p, own, &first); err != nil {
			return err
		}
	}
	for _, run := range p.Resumes {
		back := p.Restores != "" || slices.Contains(returning, run) // a restore needs only the ledger
		rest := !back || p.Restores == "" && slices.ContainsFunc(p.Pending, func(b plan.Begun) bool { return b.Run == run && !b.Back })
		if held && !back {
			continue
		}
		earlier, results, err := Conclude(ctx, s.Store, run, s.Now())
		if runs.Gone(err) && results == nil {
			continue
		}
		if err != nil && !errors.Is(err, store.ErrDamaged) { // if results are damaged, the ledger still says what was begun
			return err
		}
		override := results.Override == earlier.PlanHash
		if back {
			first.add(earlier, results, override, runs.Back)
		}
		if rest && !held {
			out.Batches.add(earlier, results, override, runs.Begun)
		}
		for _, b := range p.Pending {
			if x := results.Resumed(p, &b); x != nil && (b.Back || !held) {
				out.resumed(x)
			}
		}
	}
	out.Batches.Entra, out.Batches.AD = append(first.Entra, out.Batches.Entra...), append(first.AD, out.Batches.AD...)
	return nil
}

func (s *Steps) conclude(ctx context.Context, in StepInput) (*StepOutput, error) {
	p, err := runs.GetPlan(ctx, s.Store, in.Run)
	results := &runs.Results{} // a plan that was not applied has no results, and none are stored for it
	if err == nil && !in.Unapproved {
		p, results, err = Conclude(ctx, s.Store, in.Run, s.Now())
	}
	if err != nil {
		return nil, err
	}
	out := outputOf(p, results, results.Override == p.PlanHash)
	out.Round, out.Before = in.Round+1, in.Before
	own := results
	if in.Unapproved {
		out.unapproved()
		own = nil
	}
	if err := s.resume(ctx, p, out, own, in.Unapproved && p.Verdict == plan.Hold); err != nil {
		return nil, err
	}
	if !in.Unapproved {
		out.conclude(results)
		out.Troubled += results.Troubled()
	}
	if out.Results[runs.Pending] > 0 { // a refusal matters only while a change is pending
		out.Refused = plain.Nameless(results.Refused, plain.IsID)
	}
	var wait time.Duration
	wait, out.Go = Wait(out.Round, mostRounds, out.Results[runs.Pending]+out.Resumed[runs.Pending], out.Troubled)
	out.afford(in.Events)
	if !out.Go {
		s.report(ctx, out)
	}
	out.WaitSeconds = int(wait / time.Second)
	return out, nil
}

// Wait returns how long a run waits for the directory after a number of rounds, and whether another round follows. The
// parameter "most" is the maximum number of rounds. The parameter "troubled" is the number of pending changes that wait
// for a repair. If every pending change waits for a repair, there are only troubleRounds rounds.
func Wait(rounds, most, pending, troubled int) (wait time.Duration, again bool) {
	again = rounds < most && pending > troubled || rounds < troubleRounds && pending > 0
	return min(firstWait<<min(rounds-1, 10), longWait), again
}
