// Package evaluate evaluates every rule of a run for every person in a partition and writes the decisions. Partitions
// are independent, so they may be evaluated in any order, in parallel and repeatedly.
package evaluate

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// Worker evaluates partitions of a run one after the other and reuses its memory. It is not safe for concurrent use.
type Worker struct {
	run      *decision.Run
	judge    *policy.Judge
	names    *policy.Names
	read     func(ctx context.Context, n int, h *directory.Accounts) (*decision.Plain, error)
	accounts directory.Accounts
}

// NewWorker returns a worker for a run whose snapshot is complete.
func NewWorker(r *decision.Run) (*Worker, error) {
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		return nil, err
	}
	r = r.Apart()
	return &Worker{run: r, judge: judge, names: r.Names(), read: decision.NewScreen(r, judge).Read}, nil
}

// Partition evaluates one partition and writes its decisions. It also writes the table of known accounts, with which
// later runs compare their readings.
func (w *Worker) Partition(ctx context.Context, n int) error {
	plain, err := w.read(ctx, n, &w.accounts)
	if err != nil {
		return fmt.Errorf("evaluate partition %d: %w", n, err)
	}
	err = w.run.Put(ctx, n, func(emit func(*plan.Decision) error) (decision.Summary, error) {
		sum := w.run.NewSummary(plain)
		for p := range w.accounts.Join() {
			if err := ctx.Err(); err != nil {
				return sum, err
			}
			if rules, settled := plain.Reclaimed(p); settled {
				if err := w.reclaim(p, rules, &sum, emit); err != nil {
					return sum, err
				}
				continue
			}
			sum.People++
			if p.Converted {
				sum.Converted++
			}
			w.run.Met(p)
			sum.Named = append(sum.Named, decision.NamedAs(w.names, p)...)
			if kind, _ := p.Kind(); kind != directory.KindPerson {
				if sum.Kinds == nil {
					sum.Kinds = map[string]int{}
				}
				sum.Kinds[kind]++
			}
			if err := w.person(p, &sum, emit); err != nil {
				return sum, err
			}
		}
		sum.Lost = w.run.Losses()
		return sum, nil
	})
	if err != nil {
		return err
	}
	return w.run.RememberWith(ctx, n, &w.accounts, plain)
}

// The method "reclaim" makes the decisions on a person whose verdicts all follow from the columns of the snapshot. The
// parameter "rules" has the indexes of the rules that reclaim a license. The history must have no change of these
// licenses for the person. The other rules take nothing, and get no decision.
func (w *Worker) reclaim(p *directory.Person, rules []int, sum *decision.Summary, emit func(*plan.Decision) error) error {
	var taken decision.Conflicts
	for _, i := range rules {
		rule := w.run.Policy.Rules[i]
		d := w.run.Decide(w.judge, rule, p, w.judge.Reclaims(rule, p), nil, taken)
		sum.Tallies[i].Count(d.Outcome, directory.Yes, directory.Yes)
		taken.Add(&d)
		if err := emit(&d); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) person(p *directory.Person, sum *decision.Summary, emit func(*plan.Decision) error) error {
	var taken decision.Conflicts
	tallies := sum.Tallies
	i := -1
	for rule, v := range w.judge.AskAll(p) {
		i++
		if v.Holder == directory.Yes {
			tallies[i].Ask(v.Asked, w.judge.Empty(rule, p))
			if v.ByAccount {
				tallies[i].ExemptByAccount++
			}
		}
		if v.ExemptOpen {
			tallies[i].ExemptUnknown++
		}
		var past *history.Item
		if w.run.History.Len() > 0 {
			past = w.run.Past(p.ID(), p.SID(), rule.License.Name)
		}
		if past == nil && (v.Outcome == policy.NotHolder || v.Outcome == policy.Keep) {
			tallies[i].Count(v.Outcome, v.Holder, v.Asked)
			if v.Holder == directory.Yes {
				d := plan.Decision{User: p.ID(), SID: p.SID(), License: rule.License.Name, Outcome: v.Outcome}
				w.run.Look(sum, w.judge, i, p, &v, &d, nil)
			}
			continue
		}
		d := w.run.Decide(w.judge, rule, p, v, past, taken)
		tallies[i].Count(d.Outcome, v.Holder, v.Asked)
		taken.Add(&d)
		if v.Holder == directory.Yes {
			w.run.Look(sum, w.judge, i, p, &v, &d, past)
		}
		if plain := d.Outcome == policy.NotHolder || d.Outcome == policy.Keep; plain && d.Refused == "" && d.RestoreOf == "" && d.HeldAgain == "" {
			continue
		}
		if err := emit(&d); err != nil {
			return err
		}
	}
	return nil
}
