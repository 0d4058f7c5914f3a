// Package gate makes the plan of a run from the decisions about all people. It keeps the changes that the limits of the
// policy allow. It puts the plan on hold if too many people match or if the data are in doubt. It writes plan.json and
// changes.csv, and reads only from the store.
package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/money"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Run makes the plan of a run after the rules were evaluated for everybody. The plan expires plan.Lifetime after now,
// or earlier if it has changes chosen from an older plan. A repeated call makes the same plan, with new times.
func Run(ctx context.Context, s store.Store, run string, now time.Time) (*plan.Plan, error) {
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	j := &judgement{Run: r, store: s, plan: runs.NewPlan(r, now)}
	if j.choice, err = choiceOf(ctx, s, r.Begin); err != nil {
		return nil, fmt.Errorf("plan run %s: %w", run, err)
	}
	if err := j.choose(ctx); err != nil {
		return nil, fmt.Errorf("plan run %s: %w", run, err)
	}
	exceeded, err := j.exceeded(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("plan run %s: %w", run, err)
	}
	p := j.plan
	p.Verdict, p.HoldReasons, p.Overridable = plan.Decide(p.Mode, len(p.Changes)+len(p.Notices), exceeded, unhealthy(r))
	if err := j.findListed(ctx); err != nil {
		return nil, fmt.Errorf("plan run %s: %w", run, err)
	}
	hold(p, j.doubts())
	p.Bind()
	if err := j.remember(ctx, len(exceeded) == 0); err != nil {
		return nil, err
	}
	if err := runs.PutPlan(ctx, s, p, j.each); err != nil {
		return nil, err
	}
	return p, report.PutChanges(ctx, s, r, p)
}

// A judgement is a plan that is being made.
type judgement struct {
	*decision.Run
	store           store.Store
	plan            *plan.Plan
	guard           *mailboxGuard
	choice          *choice // nil if the run has no choice
	chosen, notices *plan.Selection
	again           []history.Touch  // licenses that a run took, that no run restored, and that are held again
	pending         map[string]bool  // runs with changes that have not ended
	lost            map[string]error // why an earlier run cannot finish its changes, by run
	people          map[string]bool  // ids and SIDs of the people of a run for one person
	matches         *matches
	rungs           rungs
	sum             decision.Summary
	listed          *decision.Listed
}

// The method "choose" fills the plan with the changes that the limits and the free seats allow.
func (j *judgement) choose(ctx context.Context) (err error) {
	if j.guard, err = guardOf(ctx, j.store, j.Run); err != nil {
		return err
	}
	limit := j.Policy.Limits.PerRun
	j.pending, j.lost, j.people, j.matches = map[string]bool{}, map[string]error{}, map[string]bool{}, newMatches(j.Policy, chosenIn(j.Begin))
	j.rungs = rungs{}
	// An announcement uses no seat, so the notices have a selection without seats.
	j.chosen, j.notices = plan.NewSelection(limit, freeSeats(j.Run)), plan.NewSelection(limit, nil)
	j.sum, err = j.Each(ctx, func(d *plan.Decision) error {
		j.matches.add(d)
		if j.Begin.User != "" {
			j.people[d.User], j.people[d.SID] = true, true
		}
		if d.Pending != "" {
			j.pending[d.Pending] = true
		}
		if d.HeldAgain != "" {
			name := d.License
			if past := j.Past(d.User, d.SID, d.License); past != nil {
				name = past.InLedger() // later runs look for this name in the ledger
			}
			j.again = append(j.again, history.Touch{User: d.User, License: name, Run: d.HeldAgain})
			if d.SID != "" && d.SID != d.User { // the run that took the license may have known the person by the SID
				j.again = append(j.again, history.Touch{User: d.SID, License: name, Run: d.HeldAgain})
			}
		}
		d.Refused = j.refusal(d)
		switch {
		case !d.Planned():
		case j.choice.waits(d):
			j.choice.later++
		case d.Notice:
			j.notices.Offer(*d)
		default:
			j.chosen.Offer(*d)
			j.rungs.add(d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p := j.plan
	p.Changes, p.Notices = j.rungs.choose(j.chosen.Changes(j.Policy)), j.notices.Changes(j.Policy)
	if len(p.Notices) == 0 {
		p.Notices = nil // as GetPlan returns it for a plan without notices
	}
	if err := j.addPending(ctx); err != nil {
		return err
	}
	p.Rules, p.Notes = j.sum.Tallies, append(p.Notes, asksNobody(j.Policy, j.sum.Tallies)...)
	p.Notes = append(p.Notes, j.Policy.Over(p.AsOf)...)
	p.Notes = append(p.Notes, savesNothing(j.Policy, p.Changes)...)
	if s := j.Begin.Subscriptions; s != nil && s.Failed != "" {
		p.Notes = append(p.Notes, "when the products renew is not known, so what freed seats save is not proven: "+s.Failed+"; the policy can say it with renews")
	}
	p.Notes = append(p.Notes, j.losses()...)
	p.Deferred, p.Counts = j.chosen.Deferred()+j.notices.Deferred(), count(j.sum)
	p.Kinds = j.sum.Kinds
	p.Matches = map[string]int{}
	for _, t := range j.sum.Tallies {
		if t.Reclaim > 0 {
			p.Matches[t.Rule] = t.Reclaim
		}
	}
	p.MatchHash = j.matches.hash()
	if j.choice != nil {
		p.Matches = j.matches.counts
		j.choice.bind(p)
	}
	for _, c := range p.Changes {
		p.MonthlySaving += c.MonthlySaving
	}
	return nil
}

// savesNothing returns a note for each license whose changes free no seat, or perhaps none. The saving of the plan
// omits these changes.
func savesNothing(p *policy.Policy, changes []plan.Change) (notes []string) {
	for _, l := range p.Licenses {
		n := 0
		for _, c := range changes {
			if c.License == l.Name && c.RestoreOf == "" && c.SavesNothing != "" {
				n++
			}
		}
		if why := l.FreesNothing(); n > 0 && why != "" {
			notes = append(notes, fmt.Sprintf("license %s: %s counted as saving nothing: %s", l.Name, plain.ManyAre(n, "change"), why))
		}
	}
	return notes
}

// asksNobody returns a note for each rule whose condition "for" is not known to hold for any holder. Without the note,
// a condition on an attribute that nobody fills in would silently keep everybody's license.
func asksNobody(p *policy.Policy, tallies []plan.Tally) (notes []string) {
	for i := range tallies {
		t := &tallies[i]
		if t.Asked > 0 || t.Holders == t.Exempt || p.RuleNamed(t.Rule).ForSource == "" {
			continue
		}
		empty := ""
		if told := t.Told(); told != "" {
			empty = "; without a value: " + told
		}
		notes = append(notes, fmt.Sprintf("rule %s asks nobody: its condition \"for\" is not known to hold for any of the %s%s; correct it, or map the attribute to the field that is filled in", t.Rule, plain.Many(t.Holders, "holder"), empty))
	}
	return notes
}

// freeSeats returns the number of free seats of each license: the seats bought, less the seats in use and the seats
// that the policy keeps free. Seats that the plan itself frees do not count.
func freeSeats(r *decision.Run) map[string]int {
	free := map[string]int{}
	for _, l := range r.Policy.Licenses {
		if sku := skuOf(r, l); sku != nil {
			free[l.Name] = sku.Enabled - sku.Consumed - l.KeepSeats
		}
	}
	return free
}

// The method "remember" stores what later runs need from this run: the licenses that the plan may change, the last
// healthy reading of each source, the accounts and groups that were found for the names in the policy, and the prices.
//
// The parameter "believed" is false if the plan exceeds a limit. The data of such a run may be wrong, so later runs do
// not judge the health of their sources by it. They still compare each account with this run, because they must notice
// a missing date.
//
// A run for one person stores only the licenses. So does a run whose changes an operator chose from another plan, and a
// trial of another policy.
func (j *judgement) remember(ctx context.Context, believed bool) error {
	trial, err := j.trial(ctx)
	if err != nil {
		return err
	}
	everybody := j.Begin.User == "" && j.choice == nil && !trial
	past := history.PlannedBy(j.plan)
	past.HeldAgain, past.OnHold, past.Read = j.again, j.plan.Verdict == plan.Hold, j.Begin.Read
	for source, reading := range j.Manifest.Readings {
		if !everybody || j.Feeds[source].State != plan.Healthy {
			continue
		}
		past.Known[source] = &plan.Baseline{Run: j.Begin.Run, Partitions: j.Begin.Partitions, Read: j.Begin.Read, Freshness: reading.Freshness}
		if source == int(directory.Entra) {
			past.Known[source].WithHired = j.Hires()
		}
		if believed {
			past.Feeds[source] = past.Known[source]
		}
	}
	if everybody {
		past.Earlier = j.earlier()
		past.Signals = j.reportBaselines(believed)
		known, err := history.Prices(ctx, j.store, j.Begin.Run, j.plan.Created)
		if err != nil {
			return fmt.Errorf("plan run %s: %w", j.plan.Run, err)
		}
		past.Prices = money.Know(known, j.Begin, j.Policy)
	}
	return history.PutPlanned(ctx, j.store, past, everybody)
}

// The method "trial" reports whether the run is over the snapshot of another run, and has another policy than the
// newest run for everybody, such as the policy of a pull request.
func (j *judgement) trial(ctx context.Context) (bool, error) {
	if j.Begin.Copy == "" {
		return false, nil
	}
	newest, err := history.Newest(ctx, j.store, j.plan.Created)
	if err != nil || newest == "" {
		return false, err
	}
	b, err := snapshot.GetBegin(ctx, j.store, newest)
	if runs.Gone(err) {
		return true, nil
	}
	return err == nil && b.Policy != j.Begin.Policy, err
}

// reportBaselines returns, by the name of the signal, the figures of each healthy signal from a usage report. Later
// runs compare their reports with these figures. It returns none if "believed" is false; see the method "remember".
func (j *judgement) reportBaselines(believed bool) map[string]*plan.Baseline {
	seen := map[string]*plan.Baseline{}
	for s, f := range j.Feeds {
		if signal := directory.Signal(s); believed && signal.Reported() && f.State == plan.Healthy {
			seen[signal.String()] = &plan.Baseline{Run: j.Begin.Run, Read: j.Begin.Read, Freshness: j.ReportFacts(signal, j.Manifest.Reports).Freshness}
		}
	}
	return seen
}

func count(sum decision.Summary) plan.Counts {
	c := plan.Counts{Users: sum.People}
	for _, t := range sum.Tallies {
		c.Keep += t.Keep
		c.Reclaim += t.Reclaim
		c.Undecided += t.Undecided
		c.Exempt += t.Exempt
	}
	return c
}

// The function "unhealthy" returns a reason for each unhealthy source and signal, for lost hire dates, and for each group
// whose members could not be read. A source that is not set up is no fault. A run for one person gets no reasons, because the
// operator looks at its plan anyway.
func unhealthy(r *decision.Run) []string {
	if r.Begin.User != "" {
		return nil
	}
	var reasons []string
	for s, f := range r.Feeds {
		if signal := directory.Signal(s); f.State == plan.Unhealthy {
			what := map[bool]string{true: "signal", false: "source"}[signal.Reported()]
			reasons = append(reasons, fmt.Sprintf("%s %s is unhealthy: %s", what, signal, f.Reason))
		}
	}
	return append(append(reasons, hiresLost(r)...), withheld(r)...)
}
