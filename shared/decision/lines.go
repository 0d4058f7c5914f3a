package decision

import (
	"context"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// Summary is the last line of the decisions of a partition. Without it, the evaluation is not complete.
type Summary struct {
	People  int          `json:"people"`
	Tallies []plan.Tally `json:"tallies"` // one for each rule, in the order of the policy
	// Kinds has, for each kind of account other than person, the number of accounts.
	Kinds map[string]int `json:"kinds,omitempty"`
	// Converted counts the people whose account was once synced from Active Directory and is now mastered in Entra ID.
	Converted int `json:"converted,omitempty"`
	// Named lists the accounts that the policy names.
	Named []Named `json:"named,omitempty"`
	// Lost has a sentence for each table of known accounts that could not be read. The sentence says what is used
	// instead.
	Lost []string `json:"lost,omitempty"`
	// Outlooks says, for each rule, how long the holders of its license have been idle, and how many licenses the rule
	// will take if people stay away. A run of an earlier version has none.
	Outlooks []Outlook `json:"outlooks,omitempty"`
	// Turning lists the verdicts that are the first to turn to reclaim if the person stays away. The list is limited,
	// and Outlooks counts all such verdicts.
	Turning []Turning `json:"turning,omitempty"`
}

type line struct {
	*plan.Decision
	Summary *Summary `json:"summary,omitempty"`
}

// Put stores the decisions of a partition. It calls the function "write", which passes each decision to "emit" and
// returns the summary. A verdict to keep may be left out: the summary counts it, and Explain evaluates it again.
func (r *Run) Put(ctx context.Context, partition int, write func(emit func(*plan.Decision) error) (Summary, error)) error {
	k := layout.Decisions(r.Begin.Run, partition)
	err := store.PutLines(ctx, r.store, k, func(emit func(any) error) error {
		sum, err := write(func(d *plan.Decision) error { return emit(d) })
		if err != nil {
			return err
		}
		r.cutTurning(&sum)
		return emit(line{Summary: &sum})
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", k, err)
	}
	return nil
}

// Each passes the stored decisions of the run to the function, in the order of the partitions, and returns the combined
// summary. It fails if the evaluation of a partition is not complete.
func (r *Run) Each(ctx context.Context, each func(*plan.Decision) error) (Summary, error) {
	total := Summary{Tallies: make([]plan.Tally, len(r.Policy.Rules))}
	for i, rule := range r.Policy.Rules {
		total.Tallies[i].Rule = rule.Name
	}
	for n := range r.Begin.Partitions {
		k := layout.Decisions(r.Begin.Run, n)
		var sum *Summary
		err := store.GetLines(ctx, r.store, k, func(l *line) error {
			if l.Summary != nil {
				sum = l.Summary
				return nil
			}
			if l.Decision == nil {
				return fmt.Errorf("%w: a line without a decision", store.ErrDamaged)
			}
			return each(l.Decision)
		})
		if err != nil {
			return Summary{}, fmt.Errorf("read decisions of partition %d of run %s: %w", n, r.Begin.Run, err)
		}
		if sum == nil || len(sum.Tallies) != len(total.Tallies) {
			return Summary{}, fmt.Errorf("partition %d of run %s was not evaluated to its end: %w", n, r.Begin.Run, store.ErrDamaged)
		}
		total.People += sum.People
		total.Converted += sum.Converted
		total.Named = append(total.Named, sum.Named...)
		for _, why := range sum.Lost {
			if !slices.Contains(total.Lost, why) {
				total.Lost = append(total.Lost, why)
			}
		}
		for kind, n := range sum.Kinds {
			if total.Kinds == nil {
				total.Kinds = map[string]int{}
			}
			total.Kinds[kind] += n
		}
		for i := range total.Tallies {
			total.Tallies[i].Add(sum.Tallies[i])
		}
		if len(sum.Outlooks) == len(r.Policy.Rules) {
			if total.Outlooks == nil {
				total.Outlooks = r.outlooks()
			}
			for i := range total.Outlooks {
				total.Outlooks[i].add(sum.Outlooks[i])
			}
		}
		total.Turning = append(total.Turning, sum.Turning...)
	}
	return total, nil
}
