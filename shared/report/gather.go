package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// Gather returns the data of the pages of a run. It reads only stored objects. It fails with runs.ErrNoPlan for a run
// without a plan. The lists have maximum lengths, so the memory does not grow with the number of people.
func Gather(ctx context.Context, s store.Store, run string) (*Night, error) {
	p, err := runs.GetPlan(ctx, s, run)
	if err != nil {
		return nil, err
	}
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	g := &gathering{Night: nightOf(r, p), run: r, plan: p, store: s}
	if g.nights, err = history.Before(ctx, s, run, p.Created); err != nil {
		return nil, err
	}
	steps := []func(context.Context) error{g.settled, g.listed, g.decided, g.past, g.named, g.trend, g.earned, g.backtested}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("gather what the report of run %s shows: %w", run, err)
		}
	}
	return g.Night, nil
}

// The maximum numbers of rows in a list. Totals always count all rows. With full lists, report.html stays below 5 MB.
const (
	mostChanges = 20_000
	mostOthers  = 2_000
)

type gathering struct {
	*Night
	run   *decision.Run
	plan  *plan.Plan
	store store.Store

	nights   []string      // earlier runs for everybody, newest first
	outcome  *runs.Results // nil until a change has a result, or a safety check has stopped a batch
	statuses map[subject]*runs.Result
	turning  []decision.Turning // the people whose verdict changes soonest; the elements have no names
}

// The type "subject" is one license of one person.
type subject struct{ user, license string }

func nightOf(r *decision.Run, p *plan.Plan) *Night {
	return &Night{
		Run: p.Run, Tenant: p.Tenant, AsOf: p.AsOf, Made: p.Created, Expires: p.Expires, Mode: p.Mode, Verdict: p.Verdict,
		HoldReasons: p.HoldReasons, Notes: p.Notes, Overridable: p.Overridable, PlanHash: p.PlanHash, Restores: p.Restores,
		Deployment: r.Begin.Deployment, OnePerson: r.Begin.User != "", People: p.Counts.Users, Kinds: p.Kinds, Deferred: p.Deferred,
		Signals: signalsOf(r, p), Rules: rulesOf(r, p),
	}
}

// The method "earned" computes the money that freed seats have saved up to the newest results of the run. If the run
// has no results, it computes the money up to the creation of the plan.
func (g *gathering) earned(ctx context.Context) error {
	at := g.plan.Created
	if g.outcome != nil && g.outcome.At.After(at) {
		at = g.outcome.At
	}
	sums, err := money.Of(ctx, g.store, g.plan.Run, at)
	if err == nil {
		g.Money = *sums
	}
	return err
}

// signalsOf returns the health of the signals that the run judged. The directories come first.
func signalsOf(r *decision.Run, p *plan.Plan) (all []Signal) {
	if p.Restores != "" {
		return nil // a restore reads no source
	}
	named := r.Policy.Signals()
	for i, f := range r.Feeds {
		if f.State == "" {
			continue
		}
		of := directory.Signal(i)
		var facts directory.Freshness
		if of.Reported() {
			facts = r.ReportFacts(of, r.Manifest.Reports).Freshness
		} else {
			facts = r.Manifest.Readings[i].Freshness
		}
		all = append(all, Signal{
			Name: of.String(), State: f.State, Reason: f.Reason, Newest: facts.Newest, Dated: facts.WithActivity, Accounts: facts.Sampled,
			Named: slices.Contains(named, of),
		})
	}
	return all
}

func rulesOf(r *decision.Run, p *plan.Plan) (all []Rule) {
	if p.Restores != "" {
		return nil // a restore evaluates no rule
	}
	for _, rule := range r.Policy.Rules {
		line := Rule{Name: rule.Name, License: rule.License.Name, MonthlyPrice: rule.License.MonthlyPrice, Threshold: rule.Days(), Words: []string{rule.ForSource, rule.WhenSource}}
		if rule.ChangeTo != nil {
			line.To = rule.ChangeTo.Name
		}
		if i := slices.IndexFunc(p.Rules, func(t plan.Tally) bool { return t.Rule == rule.Name }); i >= 0 {
			t := &p.Rules[i]
			line.Holders, line.Asked, line.Keep, line.Idle, line.Exempt, line.Undecided = t.Holders, t.Asked, t.Keep, t.Reclaim, t.Exempt, t.Undecided
			line.UndecidedHolders, line.UndecidedAsked = t.UndecidedHolders, t.UndecidedAsked
		}
		for _, c := range p.Changes {
			if c.Rule == rule.Name && c.RestoreOf == "" {
				line.Changed++
			}
		}
		for _, c := range p.Notices {
			if c.Rule == rule.Name {
				line.Announced++
			}
		}
		all = append(all, line)
	}
	return all
}

// The method "rule" returns the Rule with the given name, or nil.
func (g *gathering) rule(name string) *Rule {
	i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &g.Rules[i]
}

func (g *gathering) settled(ctx context.Context) error {
	all, err := runs.Outcome(ctx, g.store, g.plan)
	if err != nil || len(all.Results) == 0 && all.Refused == "" {
		return err
	}
	g.Settled = &Settled{At: all.At, Statuses: map[runs.Status]int{}, Refused: all.Refused, Override: all.Override}
	g.outcome, g.statuses = all, map[subject]*runs.Result{}
	for i := range g.Rules {
		g.Rules[i].Changed = 0
	}
	for i := range all.Results {
		x := &all.Results[i]
		g.Settled.Statuses[x.Status]++
		g.statuses[subject{x.User, x.License}] = x
		if rule := g.rule(x.Rule); rule != nil && x.Status == runs.Done {
			rule.Changed++
		}
	}
	if all.Refused != "" {
		g.Settled.Begun, err = g.begun(ctx)
	}
	return err
}

// The method "begun" reports whether the run may have begun a change. A pending result does not say it, because a
// safety check may have stopped the batch after the change had begun. So the method asks the ledger. A damaged entry
// counts as begun, because it may be an entry of the run.
func (g *gathering) begun(ctx context.Context) (bool, error) {
	for _, x := range g.outcome.Results {
		if slices.Contains([]runs.Status{runs.Done, runs.Announced, runs.Failed}, x.Status) {
			return true, nil
		}
	}
	var found atomic.Bool
	book := ledger.In(g.store)
	all, inner := errgroup.WithContext(ctx)
	all.SetLimit(pointsAtOnce)
	for _, c := range slices.Concat(g.plan.Changes, g.plan.Notices) {
		all.Go(func() error {
			last, err := book.Latest(inner, c.Person(), c.License)
			if errors.Is(err, ledger.ErrDamaged) || last != nil && last.Run == g.plan.Run {
				found.Store(true)
				return nil
			}
			return err
		})
	}
	err := all.Wait()
	return found.Load(), err
}

// The method "decided" reads the decisions of the run. It completes the rows of the report with values that the plan
// does not have, and counts the deferred holders of each rule.
func (g *gathering) decided(ctx context.Context) error {
	if len(g.plan.Rules) == 0 {
		return nil // the plan was not made from decisions
	}
	rows := g.rows()
	kept := map[string]int{} // the number of refusals whose verdict is not reclaim, by rule
	sum, err := g.run.Each(ctx, func(d *plan.Decision) error {
		if d.Refused != "" && d.RestoreOf == "" && d.Outcome != policy.Reclaim {
			kept[d.Rule]++
		}
		for _, row := range rows[keyOf(d)] {
			row.complete(d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	g.outlook(&sum)
	planned := map[string]int{}
	for _, c := range slices.Concat(g.plan.Changes, g.plan.Notices) {
		planned[c.Rule]++
	}
	for i := range g.Rules {
		r := &g.Rules[i]
		r.Deferred = max(0, r.Idle-planned[r.Name]-(r.Refused-kept[r.Name]))
	}
	return nil
}
