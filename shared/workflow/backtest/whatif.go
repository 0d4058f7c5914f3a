package backtest

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// Difference compares the verdicts of a run's own policy and of another policy on one snapshot.
type Difference struct {
	Run      string       `json:"run"`
	AsOf     time.Time    `json:"asOf"`
	Currency string       `json:"currency"`
	Rules    []RuleChange `json:"rules"` // in the order of the other policy, then rules that the other policy lacks
}

// RuleChange compares one rule in two policies.
type RuleChange struct {
	Rule    string `json:"rule"`
	License string `json:"license"`
	To      string `json:"to,omitempty"`
	// Now has the verdicts of the run's own policy. Then has the verdicts of the other policy. Each is nil if its
	// policy lacks the rule.
	Now  *Verdicts `json:"now"`
	Then *Verdicts `json:"then"`
	// Added has the people from whom only the other policy reclaims. Removed has the people from whom only the run's
	// own policy reclaims.
	Added   []Person `json:"added"`
	Removed []Person `json:"removed"`
}

// Verdicts counts the verdicts of a rule.
type Verdicts struct {
	Keep          int     `json:"keep"`
	Reclaim       int     `json:"reclaim"`
	Undecided     int     `json:"undecided"`
	Exempt        int     `json:"exempt"`
	MonthlySaving float64 `json:"monthlySaving"` // for Reclaim, before the safety checks of a plan
}

// Person is a person in a snapshot.
type Person struct {
	User              string `json:"user"` // object id in Entra ID, or SID
	UserPrincipalName string `json:"userPrincipalName"`
	DisplayName       string `json:"displayName,omitempty"`
	Department        string `json:"department,omitempty"`
}

// WhatIf compares the policy of a run with the other policy in "text", on the run's snapshot and at its planning time.
// It stores nothing.
func WhatIf(ctx context.Context, s store.Store, run, name string, text []byte) (*Difference, error) {
	other, err := policy.Load(name, text)
	if err != nil {
		return nil, err
	}
	now, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	then, err := decision.OpenUnder(ctx, s, run, other)
	if err != nil {
		return nil, err
	}
	before, err := verdictsOf(ctx, now)
	if err != nil {
		return nil, err
	}
	after, err := verdictsOf(ctx, then)
	if err != nil {
		return nil, err
	}
	d := &Difference{Run: run, AsOf: now.Begin.AsOf, Currency: other.Currency, Rules: []RuleChange{}}
	for i, r := range other.Rules {
		d.Rules = append(d.Rules, changeOf(r, before.named(r.Name), &after.rules[i]))
	}
	for i, r := range now.Policy.Rules {
		if other.RuleNamed(r.Name) == nil {
			d.Rules = append(d.Rules, changeOf(r, &before.rules[i], nil))
		}
	}
	return d, nil
}

type outcomes struct {
	policy *policy.Policy
	rules  []ruleOutcomes
}

type ruleOutcomes struct {
	Verdicts
	reclaimed map[uint64]Person // by decision.PersonKey
}

func (o *outcomes) named(rule string) *ruleOutcomes {
	for i, r := range o.policy.Rules {
		if r.Name == rule {
			return &o.rules[i]
		}
	}
	return nil
}

func changeOf(r *policy.Rule, now, then *ruleOutcomes) RuleChange {
	c := RuleChange{Rule: r.Name, License: r.License.Name, Added: []Person{}, Removed: []Person{}}
	if r.ChangeTo != nil {
		c.To = r.ChangeTo.Name
	}
	c.Added, c.Removed = onlyIn(then, now), onlyIn(now, then)
	if now != nil {
		c.Now = &now.Verdicts
	}
	if then != nil {
		c.Then = &then.Verdicts
	}
	return c
}

// onlyIn returns the people from whom policy a reclaims and policy b does not, sorted by name.
func onlyIn(a, b *ruleOutcomes) []Person {
	list := []Person{}
	if a == nil {
		return list
	}
	for key, p := range a.reclaimed {
		if b == nil {
			list = append(list, p)
		} else if _, both := b.reclaimed[key]; !both {
			list = append(list, p)
		}
	}
	sortPeople(list)
	return list
}

func verdictsOf(ctx context.Context, r *decision.Run) (*outcomes, error) {
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		return nil, err
	}
	o := &outcomes{policy: r.Policy, rules: make([]ruleOutcomes, len(r.Policy.Rules))}
	for i := range o.rules {
		o.rules[i].reclaimed = map[uint64]Person{}
	}
	screen := decision.NewScreen(r, judge)
	var h directory.Accounts
	var list []policy.Outcome
	for n := range r.Begin.Partitions {
		swept, err := screen.Sweep(ctx, n, &h)
		if err == nil {
			err = o.addSwept(swept)
		}
		if err != nil {
			return nil, fmt.Errorf("ask about partition %d of run %s: %w", n, r.Begin.Run, err)
		}
		for p := range h.Join() {
			r.Met(p)
			list = judge.Outcomes(p, list[:0])
			for i, outcome := range list {
				o.rules[i].add(outcome, 1)
				if outcome == policy.Reclaim {
					o.rules[i].reclaimed[decision.PersonKey(p)] = personOf(p)
				}
			}
		}
	}
	for i, rule := range r.Policy.Rules {
		o.rules[i].MonthlySaving = float64(o.rules[i].Reclaim) * price(rule)
	}
	return o, nil
}

func (v *Verdicts) add(o policy.Outcome, n int) {
	switch o {
	case policy.Keep:
		v.Keep += n
	case policy.Reclaim:
		v.Reclaim += n
	case policy.Undecided:
		v.Undecided += n
	case policy.Exempt:
		v.Exempt += n
	}
}
