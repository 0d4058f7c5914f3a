package gate

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// StepOutput is the state that a step passes to the next step. The last state is the output of the execution. A state
// contains numbers, ids and names of batches, but no names of people.
type StepOutput struct {
	Run         string       `json:"run"`
	PlanHash    string       `json:"planHash"`
	Verdict     plan.Verdict `json:"verdict"`
	HoldReasons []string     `json:"holdReasons"` // without names of people; only plan.json has the names
	Overridable bool         `json:"overridable"` // whether limits are the only reasons for the hold
	Scheduled   bool         `json:"scheduled"`   // whether the schedule started the run
	Restores    string       `json:"restores,omitempty"`
	// RestoresUser is the object id or the SID of the only person whose licenses are restored, or someUser for a name.
	// It is empty if the licenses of everybody are restored.
	RestoresUser string      `json:"restoresUser,omitempty"`
	Mode         policy.Mode `json:"mode"`
	Unhealthy    bool        `json:"unhealthy"` // whether a source is unhealthy
	// FeedAge is the age of the newest activity in each source, in hours.
	FeedAge map[string]float64 `json:"feedAge,omitempty"`

	// Unapproved means that the plan waits for an operator, or is on hold. The execution then only finishes changes
	// that earlier runs began. If the plan is on hold, these must return a license.
	Unapproved bool `json:"unapproved"`

	Go          bool    `json:"go"` // whether the state machine must apply the plan next, or wait and apply it again
	Round       int     `json:"round"`
	Events      int     `json:"events"` // largest number of events that the earlier rounds and the next round can write together
	WaitSeconds int     `json:"waitSeconds"`
	Batches     Batches `json:"batches"`

	// Begun is the number of changes that earlier runs began and did not finish before this run. An execution that
	// works on them counts them in Resumed.
	Begun int `json:"begun,omitempty"`
	// Stuck is the part of Begun that no run can finish now. In mode audit, these are all changes. In other modes, these
	// are the changes of runs that cannot go on.
	Stuck int `json:"stuck,omitempty"`
	// Unfinished lists at most mostUnfinished of the changes that an operator can end with a restore. These are the
	// changes in Stuck. If the execution failed before it had a plan, these are the changes that return a license, and
	// NotListed says why they are not known.
	Unfinished []Unfinished `json:"unfinished,omitempty"`
	NotListed  string       `json:"notListed,omitempty"`

	Counts  *plan.Counts `json:"counts,omitempty"`
	Changes int          `json:"changes"`
	// Results counts the plan's changes by their present status. It is nil if the plan was not applied. It is empty if an
	// applied plan has no changes of its own.
	Results map[runs.Status]int `json:"results,omitzero"`
	// Resumed counts the changes that earlier runs began, by their present status.
	Resumed       map[runs.Status]int `json:"resumed,omitempty"`
	ResumedSaving float64             `json:"resumedSaving,omitempty"` // monthly saving of the resumed changes that are done
	// Unrestored is the number of licenses that a restore did not restore.
	Unrestored    int     `json:"unrestored,omitempty"`
	Troubled      int     `json:"troubled"`          // pending changes that wait for a fault to be repaired
	Refused       string  `json:"refused,omitempty"` // reason why a safety check stops the run
	MonthlySaving float64 `json:"monthlySaving"`
	Currency      string  `json:"currency"`
	// Before has the results that the plan had before this execution. An operator can approve a plan a second time to
	// finish it.
	Before Totals `json:"before"`

	// Report is the key of the report of the run. NoReport says why the report could not be written.
	Report   string `json:"report,omitempty"`
	NoReport string `json:"noReport,omitempty"`

	// Failure is the reason why the execution failed or was refused. Notice is set when the execution ends.
	Failure *Failure `json:"failure,omitempty"`
	Notice  *Notice  `json:"notice,omitempty"`
	// Untold is the reason why the message could not be posted to the channel of the webhook. It has no names of people.
	Untold string `json:"untold,omitempty"`
}

// Totals are the results of a plan and of the plans that it resumes.
type Totals struct {
	Done          int     `json:"done"`
	Failed        int     `json:"failed"`
	MonthlySaving float64 `json:"monthlySaving"`
}

// Batches are the batches to work on, by directory.
type Batches struct {
	Entra []Batch `json:"entra"`
	AD    []Batch `json:"ad"`
}

// Batch names a batch of a plan. The plan belongs to this run, or to an earlier run that this run resumes.
type Batch struct {
	Run      string     `json:"run"`
	PlanHash string     `json:"planHash"`
	Override bool       `json:"override"` // whether the batch applies although a limit put the plan on hold
	Batch    string     `json:"batch"`
	Scope    runs.Scope `json:"scope"` // the changes of the batch to work on
}

// someUser stands for the name of a person in a command that a notice proposes.
const someUser = "USER"

// mostReasons is the largest number of hold reasons in the state. plan.json has all hold reasons.
const mostReasons = 10

// outputOf returns the state after the gate has made the plan p, or after a round of work on its changes. The parameter
// "results" is nil if no change has a result yet. The state omits batches whose changes are all final.
func outputOf(p *plan.Plan, results *runs.Results, override bool) *StepOutput {
	out := &StepOutput{
		Run: p.Run, PlanHash: p.PlanHash, Verdict: p.Verdict, Mode: p.Mode, Counts: &p.Counts, Changes: len(p.Changes),
		HoldReasons: []string{}, Overridable: p.Overridable, Restores: p.Restores, MonthlySaving: p.MonthlySaving, Currency: p.Currency,
		Batches: Batches{Entra: []Batch{}, AD: []Batch{}},
	}
	for _, why := range p.HoldReasons[:min(len(p.HoldReasons), mostReasons)] {
		out.HoldReasons = append(out.HoldReasons, plain.Nameless(why, plain.IsID))
	}
	for _, f := range p.Sources {
		out.Unhealthy = out.Unhealthy || f.State == plan.Unhealthy
	}
	if out.RestoresUser = p.RestoresUser; p.RestoresUser != "" && !plain.IsID(p.RestoresUser) {
		out.RestoresUser = someUser
	}
	stuck := p.Stuck()
	out.Begun, out.Stuck = len(p.Pending), len(stuck)
	out.list(stuck)
	if p.Restores != "" && results != nil {
		out.Unrestored = results.Unrestored() + len(p.Unreadable)
	}
	out.Batches.add(p, results, override, runs.All)
	return out
}

// Ended returns the last state of a run that a command made, without AWS Step Functions. The parameter "results" is nil
// if the plan was not applied. The parameter "resumed" counts the changes that earlier runs began, by their present
// status.
func Ended(p *plan.Plan, results *runs.Results, resumed map[runs.Status]int) *StepOutput {
	out := outputOf(p, results, results != nil && results.Override == p.PlanHash)
	if results != nil {
		out.conclude(results)
		out.Troubled = results.Troubled()
	}
	out.Resumed = resumed
	return out
}

func (o *StepOutput) unapproved() {
	o.Unapproved, o.Batches = true, Batches{Entra: []Batch{}, AD: []Batch{}}
}

func (o *StepOutput) resumed(r *runs.Result) {
	if o.Resumed == nil {
		o.Resumed = map[runs.Status]int{}
	}
	if r.Retry {
		o.Troubled++
	}
	if o.Resumed[r.Status]++; r.Status == runs.Done {
		o.ResumedSaving += r.MonthlySaving
	}
}

// The method "conclude" sets the fields Results and MonthlySaving. Only changes that are done save money.
func (o *StepOutput) conclude(results *runs.Results) {
	o.Results, o.MonthlySaving = map[runs.Status]int{}, 0
	for _, r := range results.Results {
		if o.Results[r.Status]++; r.Status == runs.Done {
			o.MonthlySaving += r.MonthlySaving
		}
	}
}

// The method "totals" returns the results of a concluded plan and of the plans that it resumes.
func (o *StepOutput) totals() Totals {
	return Totals{
		Done: o.Results[runs.Done] + o.Resumed[runs.Done], Failed: o.Results[runs.Failed] + o.Resumed[runs.Failed],
		MonthlySaving: o.MonthlySaving + o.ResumedSaving,
	}
}

// The method "add" adds the batches of a plan in which at least one change is not final.
func (all *Batches) add(p *plan.Plan, results *runs.Results, override bool, scope runs.Scope) {
	all.addWith(p, override, scope, func(c plan.Change) bool { return results == nil || !results.Final(&c) })
}

// The method "addWith" adds the batches of a plan that have at least one change for which "open" is true.
func (all *Batches) addWith(p *plan.Plan, override bool, scope runs.Scope, open func(plan.Change) bool) {
	if p.Verdict == plan.Nothing {
		return
	}
	for _, b := range p.Batches() {
		if !slices.ContainsFunc(b.Changes, open) {
			continue
		}
		one := Batch{Run: p.Run, PlanHash: p.PlanHash, Override: override, Batch: b.Name, Scope: scope}
		if strings.HasPrefix(b.Name, "ad-") {
			all.AD = append(all.AD, one)
		} else {
			all.Entra = append(all.Entra, one)
		}
	}
}

func (all *Batches) any() bool { return len(all.Entra)+len(all.AD) > 0 }

// Metrics returns the figures of a step under the names that the dashboard and the alarms use. The dashboard adds up
// the figures of all steps. An execution therefore reports its results only at the end, and omits results that an
// earlier execution reported.
func (o *StepOutput) Metrics(op string) map[string]float64 {
	flag := map[bool]float64{true: 1}
	m := map[string]float64{}
	switch op {
	case "gate", "hold":
		m["People"], m["Reclaim"], m["Undecided"] = float64(o.Counts.Users), float64(o.Counts.Reclaim), float64(o.Counts.Undecided)
		for source, age := range o.FeedAge {
			m["FeedAgeHours-"+source] = age
		}
		m["Changes"], m["FeedUnhealthy"] = float64(o.Changes), flag[o.Unhealthy]
		if o.Scheduled {
			m["Night"] = 1
		}
	case "notice":
		if m["Held"] = flag[o.Notice.Outcome == Held]; o.Failure == nil && (o.Results != nil || sum(o.Resumed) > 0) {
			now := o.totals()
			m["Done"], m["Failed"] = float64(now.Done-o.Before.Done), float64(now.Failed-o.Before.Failed)
			m["MonthlySaving"] = now.MonthlySaving - o.Before.MonthlySaving
			m["Pending"] = float64(o.Results[runs.Pending] + o.Resumed[runs.Pending])
		}
	}
	return m
}
