// Package backtest shows the effect that another number of days in a rule would have had on past nights.
//
// It evaluates the rules of a policy on the kept snapshots with policy.Judge, as plans do. Each night is evaluated at
// its own planning time, with the values and doubts of that night. A hit is the first night on which a rule reclaims
// from a person who is not hit already. The package counts the hits, and the hits after which the person came back. It
// also compares two policies on one snapshot. It writes nothing to the store.
package backtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrQuestion is the error for a question that cannot be asked of the policy, such as an unknown rule.
var ErrQuestion = errors.New("the question does not fit the policy")

// ErrNoNights is the error for a store without two snapshots that can be compared.
var ErrNoNights = errors.New("the store has no two snapshots of everybody to compare")

// Windows are the numbers of days after a hit within which returns are counted.
var Windows = [...]int{7, 30, 90}

const mostThresholds = 32

// Question is the input of a backtest.
type Question struct {
	PolicyName string
	Policy     []byte // text of the policy, which policy.Load accepted before
	Rule       string // name of the rule to try; empty: every rule
	Days       []int  // the thresholds to try, in days; each rule's own number of days is added
	// Constant says which calls of days in the rule get the thresholds: those whose present number is Constant. For
	// example, 60 means the calls days(60). It may be 0 if all calls in the rule have the same number.
	Constant int
	Regret   float64 // the largest accepted regret: the share of hits after which the person comes back, from 0 to 1
	Within   int     // days after a hit within which a return counts for the recommendation; one of Windows
	Now      time.Time
	Workers  int // partitions that are evaluated at the same time; at least 1
	// Progress is called after each night, unless it is nil.
	Progress func(done, nights int)
}

// Answer is the result of a backtest.
type Answer struct {
	From     time.Time  `json:"from"` // the planning time of the first night
	To       time.Time  `json:"to"`
	Last     string     `json:"lastRun"`
	Nights   int        `json:"nights"`
	Gap      int        `json:"longestGapDays"` // the longest time between two nights, in whole days
	People   int        `json:"people"`         // in the last snapshot
	LeftOut  []LeftOut  `json:"leftOut"`
	Doubted  []Doubted  `json:"doubted"`
	Currency string     `json:"currency"`
	Accepted float64    `json:"acceptedRegret"`
	Within   int        `json:"within"`
	Rules    []Rule     `json:"rules"`
	NotTried []NotTried `json:"notTried"`
}

// LeftOut is a snapshot that the backtest could not use.
type LeftOut struct {
	Run string `json:"run"`
	Why string `json:"why"`
}

// Doubted is a signal of the policy that was unhealthy or absent on some nights. On these nights, the dates of the
// signal are unknown.
type Doubted struct {
	Signal string `json:"signal"`
	Nights int    `json:"nights"`
	Reason string `json:"reason"` // the reason on the last of these nights
}

// NotTried is a rule that the backtest could not try.
type NotTried struct {
	Rule string `json:"rule"`
	Why  string `json:"why"`
}

// Rule is the result for one rule.
type Rule struct {
	Name       string      `json:"rule"`
	License    string      `json:"license"`
	Words      []string    `json:"words"` // the conditions "for" and "when" of the policy
	To         string      `json:"to,omitempty"`
	Days       int         `json:"days"`       // the number of days in the policy
	SeatPrice  float64     `json:"seatPrice"`  // monthly saving of one seat in the currency of the policy
	Thresholds []Threshold `json:"thresholds"` // ascending
	Choice     Choice      `json:"recommendation"`
}

// Threshold is the result of a rule with one number of days. A hit is the first night on which the rule reclaims from a
// person who is not hit already. A hit ends when a snapshot shows that the person was active again.
type Threshold struct {
	Days    int  `json:"days"`
	InForce bool `json:"inForce"` // whether the policy in the question has this number of days
	People  int  `json:"people"`  // people with at least one hit
	// Seats is the number of people from whom the rule reclaims on the last night.
	Seats         int     `json:"seats"`
	MonthlySaving float64 `json:"monthlySaving"` // for Seats
	// Stock has the hits of the first night. These people may have been idle for any length of time. Flow has the hits
	// of all later nights: people who became idle long enough in that night. After its first run, a rule meets only
	// such people, so Flow shows how many of them would come back.
	Stock Group `json:"stock"`
	Flow  Group `json:"flow"`
	// Older has the hits of Flow in the older half of the nights, and Newer those in the newer half. In Older, a return
	// counts only if a snapshot of the older half shows it.
	Older       Group        `json:"older"`
	Newer       Group        `json:"newer"`
	Departments []Department `json:"departments"` // all hits by department, most hits first
}

// Department has the hits of one department. Name is empty for people without a department.
type Department struct {
	Name string `json:"department"`
	Group
}

// Run answers a question from all kept snapshots of everybody. A snapshot of one person is not used.
func Run(ctx context.Context, s store.Store, q Question) (*Answer, error) {
	if !slices.Contains(Windows[:], q.Within) {
		return nil, fmt.Errorf("%w: a return is counted within 7, 30 or 90 days, not %d", ErrQuestion, q.Within)
	}
	t, err := newTrial(&q)
	if err != nil {
		return nil, err
	}
	a := &Answer{LeftOut: []LeftOut{}, Doubted: []Doubted{}, Currency: t.policy.Currency, Accepted: q.Regret, Within: q.Within, NotTried: t.notTried}
	counts, err := t.replay(ctx, s, a, &q, nil)
	if err != nil {
		return nil, err
	}
	for i := range t.rules {
		a.Rules = append(a.Rules, counts.rule(i, a))
	}
	return a, nil
}

// trial is a policy that has one variant per threshold for each rule of the question.
type trial struct {
	policy   *policy.Policy
	rules    []tried
	notTried []NotTried
}

type tried struct {
	*policy.Rule       // the rule of the policy
	days         int   // the rule's own number of days
	thresholds   []int // ascending
	first        int   // index of the rule's first variant among the rules of the trial
}

func newTrial(q *Question) (*trial, error) {
	p, err := policy.LoadKept(q.PolicyName, q.Policy)
	if err != nil {
		return nil, err
	}
	if q.Rule != "" && p.RuleNamed(q.Rule) == nil {
		return nil, fmt.Errorf("%w: it has no rule %q; its rules are %s", ErrQuestion, q.Rule, ruleNames(p))
	}
	t := &trial{notTried: []NotTried{}}
	var variants []policy.Variant
	for _, r := range p.Rules {
		if q.Rule != "" && r.Name != q.Rule {
			continue
		}
		days, why := constant(r, q.Constant)
		if why != "" {
			t.notTried = append(t.notTried, NotTried{r.Name, why})
			continue
		}
		one := tried{Rule: r, days: days, first: len(variants), thresholds: slices.Clone(q.Days)}
		one.thresholds = append(one.thresholds, days)
		slices.Sort(one.thresholds)
		one.thresholds = slices.Compact(one.thresholds)
		if len(one.thresholds) > mostThresholds {
			return nil, fmt.Errorf("%w: %d thresholds are too many; at most %d are tried at once", ErrQuestion, len(one.thresholds), mostThresholds)
		}
		for _, n := range one.thresholds {
			variants = append(variants, policy.Variant{Rule: r.Name, From: days, To: n})
		}
		t.rules = append(t.rules, one)
	}
	if len(t.rules) == 0 {
		var all []string
		for _, n := range t.notTried {
			all = append(all, "rule "+n.Rule+": "+n.Why)
		}
		return nil, fmt.Errorf("%w: %s", ErrQuestion, strings.Join(all, "; "))
	}
	if t.policy, err = policy.Trial(q.PolicyName, q.Policy, variants); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrQuestion, err)
	}
	return t, nil
}

func ruleNames(p *policy.Policy) string {
	var names []string
	for _, r := range p.Rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// The function "constant" returns the number of days that the thresholds replace in a rule. The parameter "chosen" is
// Question.Constant. If the backtest cannot try the rule, "why" gives the reason.
func constant(r *policy.Rule, chosen int) (days int, why string) {
	list := r.DayNumbers()
	var calls []string
	for _, n := range list {
		calls = append(calls, fmt.Sprintf("days(%d)", n))
	}
	switch {
	case !r.ReadsActivity():
		return 0, `its condition "when" reads no date of use, so nobody can be seen to come back`
	case len(list) == 0:
		return 0, `its condition "when" has no days(n), so there is nothing to try`
	case chosen != 0 && !slices.Contains(list, chosen):
		return 0, fmt.Sprintf(`its condition "when" has no days(%d); it has %s`, chosen, strings.Join(calls, ", "))
	case chosen != 0:
		return chosen, ""
	case len(list) > 1:
		return 0, fmt.Sprintf(`its condition "when" has %s; say which of them to replace: --constant %d`, strings.Join(calls, ", "), list[0])
	}
	return list[0], ""
}

func price(r *policy.Rule) (saves float64) {
	if r.License.FreesNothing() == "" {
		saves = r.License.MonthlyPrice
	}
	if r.ChangeTo != nil {
		saves -= r.ChangeTo.MonthlyPrice
	}
	return saves
}

func doubted(p *policy.Policy, nights []night) (all []Doubted) {
	all = []Doubted{}
	for _, s := range p.Signals() {
		d := Doubted{Signal: s.String()}
		for i := range nights {
			if f := nights[i].feeds[s]; f.State != plan.Healthy {
				d.Nights, d.Reason = d.Nights+1, f.Reason
			}
		}
		if d.Nights > 0 {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b Doubted) int { return cmp.Compare(b.Nights, a.Nights) })
	return all
}

type night struct {
	run   string
	asOf  time.Time
	feeds [directory.Signals]plan.Feed
}
