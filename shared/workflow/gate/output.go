package gate

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// StepOutput is the state that one step passes to the next. It is the output of the execution at the end. It has only
// numbers and names of batches, and no names of people.
type StepOutput struct {
	Run         string       `json:"run"`
	PlanHash    string       `json:"planHash"`
	Verdict     plan.Verdict `json:"verdict"`
	HoldReasons []string     `json:"holdReasons"`
	Mode        policy.Mode  `json:"mode"`
	Unhealthy   bool         `json:"unhealthy"` // a source is unhealthy
	// FeedAge is how old the newest activity of each source is, in hours.
	FeedAge map[string]float64 `json:"feedAge,omitempty"`

	Go          bool    `json:"go"` // apply the plan, or wait and apply it again
	Round       int     `json:"round"`
	WaitSeconds int     `json:"waitSeconds"`
	Batches     Batches `json:"batches"` // the batches to work on

	Counts  *plan.Counts        `json:"counts,omitempty"` // counts of people and verdicts
	Changes int                 `json:"changes"`
	Results map[runs.Status]int `json:"results,omitempty"`
	// Resumed counts the changes that earlier runs began, by their status now.
	Resumed       map[runs.Status]int `json:"resumed,omitempty"`
	Troubled      int                 `json:"troubled"`          // pending changes that need more than waiting
	Refused       string              `json:"refused,omitempty"` // why a safety check stops the run
	MonthlySaving float64             `json:"monthlySaving"`
	Currency      string              `json:"currency"`
}

// Batches are the batches to work on, by directory.
type Batches struct {
	Entra []Batch `json:"entra"`
	AD    []Batch `json:"ad"`
}

// Batch names a batch of a plan. The plan is of this run, or of an earlier run that is resumed.
type Batch struct {
	Run      string `json:"run"`
	PlanHash string `json:"planHash"`
	Override bool   `json:"override"` // the limits that hold the plan are set aside
	Batch    string `json:"batch"`
}

// mostReasons bounds the hold reasons in the state. plan.json has all of them.
const mostReasons = 10

// outputOf returns the state after a plan was made or worked on. It leaves out batches that are final.
func outputOf(p *plan.Plan, results *runs.Results, override bool) *StepOutput {
	out := &StepOutput{
		Run: p.Run, PlanHash: p.PlanHash, Verdict: p.Verdict, Mode: p.Mode, Counts: &p.Counts, Changes: len(p.Changes),
		HoldReasons: p.HoldReasons[:min(len(p.HoldReasons), mostReasons)], MonthlySaving: p.MonthlySaving, Currency: p.Currency,
		Batches: Batches{Entra: []Batch{}, AD: []Batch{}},
	}
	for _, f := range p.Sources {
		out.Unhealthy = out.Unhealthy || f.State == plan.Unhealthy
	}
	out.Batches.add(p, results, override)
	return out
}

func (o *StepOutput) resumed(s runs.Status) {
	if o.Resumed == nil {
		o.Resumed = map[runs.Status]int{}
	}
	o.Resumed[s]++
}

// add adds the batches of a plan that are not final.
func (all *Batches) add(p *plan.Plan, results *runs.Results, override bool) {
	if p.Verdict == plan.Nothing {
		return
	}
	for _, b := range p.Batches() {
		if !slices.ContainsFunc(b.Changes, func(c plan.Change) bool { return results == nil || !results.Final(&c) }) {
			continue
		}
		one := Batch{Run: p.Run, PlanHash: p.PlanHash, Override: override, Batch: b.Name}
		if strings.HasPrefix(b.Name, "ad-") {
			all.AD = append(all.AD, one)
		} else {
			all.Entra = append(all.Entra, one)
		}
	}
}

func (all *Batches) any() bool { return len(all.Entra)+len(all.AD) > 0 }

// Metrics returns the figures of a step, by the names that the dashboard and the alarms use. Every run reports its end
// once. It ends in a hold, in a gate that leaves nothing to do, or in a settle that leaves nothing pending.
func (o *StepOutput) Metrics(op string) map[string]float64 {
	flag := map[bool]float64{true: 1}
	m := map[string]float64{"RunEnded": flag[!o.Go]}
	switch op {
	case "gate", "hold":
		m["People"], m["Reclaim"], m["Undecided"] = float64(o.Counts.Users), float64(o.Counts.Reclaim), float64(o.Counts.Undecided)
		for source, age := range o.FeedAge {
			m["FeedAgeHours-"+source] = age
		}
		m["Changes"], m["Held"], m["FeedUnhealthy"] = float64(o.Changes), flag[o.Verdict == plan.Hold], flag[o.Unhealthy]
	case "settle":
		m["Held"] = flag[!o.Go && o.Refused != ""]
		m["Done"], m["Pending"], m["Failed"] = float64(o.Results[runs.Done]), float64(o.Results[runs.Pending]), float64(o.Results[runs.Failed]+o.Resumed[runs.Failed])
		m["MonthlySaving"] = o.MonthlySaving
	}
	return m
}
