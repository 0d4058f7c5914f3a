package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "matches" computes a hash over the people whom the rules of a run match. The plan contains this hash, so the
// hash of the plan covers these people too.
type matches struct {
	keys   map[string]string // keys of the rules by name; an edit of a rule changes the key
	sum    hash.Hash
	counts map[string]int           // people by the name of the rule
	only   map[snapshot.Chosen]bool // changes that an operator chose; nil: all changes
}

func newMatches(p *policy.Policy, only map[snapshot.Chosen]bool) *matches {
	m := &matches{keys: map[string]string{}, sum: sha256.New(), counts: map[string]int{}, only: only}
	for _, rule := range p.Rules {
		m.keys[rule.Name] = rule.Key()
	}
	return m
}

// The method "add" adds a decision to the hash if the rule reclaims the license, and reports whether it did so. If an
// operator chose changes, it adds only the chosen ones, so that an override of the plan accepts nobody else.
func (m *matches) add(d *plan.Decision) bool {
	if d.Outcome != policy.Reclaim || m.only != nil && !m.only[snapshot.Chosen{User: d.User, License: d.License}] {
		return false
	}
	m.counts[d.Rule]++
	fmt.Fprintf(m.sum, "%q %q\n", m.keys[d.Rule], d.User)
	return true
}

func (m *matches) hash() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// A match is a person whom a rule matched. The field "rule" is the key of the rule. The key changes when somebody edits
// the conditions of the rule.
type match struct{ rule, user string }

type acceptance struct {
	history.Override
	people map[match]bool
}

// The type "acceptances" has the overrides that count. An override is an operator's request to apply a plan although
// limits put it on hold. The field "void" has a note for each override that does not count.
type acceptances struct {
	all  []acceptance
	void []string
}

// acceptancesAt reads the overrides that were in force at any time within plan.Window before now.
func acceptancesAt(ctx context.Context, s store.Store, now time.Time) (*acceptances, error) {
	overrides, err := history.Overrides(ctx, s, now.Add(-plan.Window-history.OverrideLasts), now)
	if err != nil {
		return nil, err
	}
	a := &acceptances{}
	for _, o := range overrides {
		people, why, err := peopleOf(ctx, s, &o)
		if err != nil {
			return nil, err
		}
		if why != "" {
			a.void = append(a.void, fmt.Sprintf("the override of run %s counts for nothing: %s", o.Run, why))
			continue
		}
		a.all = append(a.all, acceptance{o, people})
	}
	return a, nil
}

// peopleOf reads the people whom the rules of an overridden plan matched. If the override does not count, the result
// "why" is the reason.
func peopleOf(ctx context.Context, s store.Store, o *history.Override) (people map[match]bool, why string, err error) {
	p, err := runs.GetPlan(ctx, s, o.Run)
	if runs.Gone(err) {
		return nil, "its plan cannot be read: " + err.Error(), nil
	}
	switch {
	case err != nil:
		return nil, "", err
	case o.PlanHash != p.PlanHash:
		return nil, "it is for another plan than the run has", nil
	case p.Verdict != plan.Hold || !p.Overridable:
		return nil, "the plan is not one that limits hold", nil
	case p.MatchHash == "":
		return nil, "the plan does not say whom the rules matched, since an older version made it; override a new one", nil
	}
	r, err := decision.Open(ctx, s, o.Run)
	if err == nil {
		m := newMatches(r.Policy, chosenIn(r.Begin))
		people = map[match]bool{}
		_, err = r.Each(ctx, func(d *plan.Decision) error {
			if m.add(d) {
				people[match{m.keys[d.Rule], d.User}] = true
			}
			return nil
		})
		if err == nil && m.hash() != p.MatchHash {
			return nil, "the people whom the rules matched were altered since", nil
		}
	}
	if runs.Gone(err) {
		return nil, "its data cannot be read: " + err.Error(), nil
	}
	return people, "", err
}

// The method "has" reports whether an override in force at the given time covers a person whom a rule matches. The
// parameter "rule" is the key of the rule.
func (a *acceptances) has(rule, user string, at time.Time) bool {
	return slices.ContainsFunc(a.all, func(o acceptance) bool { return o.Holds(at) && o.people[match{rule, user}] })
}

// drains adds up, for each rule, the licenses that the rule took within plan.Window and the licenses that the plan
// takes. It omits restored licenses and licenses that an override accepts. If the policy no longer has a rule, the
// licenses that this rule took count for every rule of the same license.
func (j *judgement) drains(a *acceptances, now time.Time) []plan.Drain {
	back := map[history.Touch]bool{}
	for _, t := range j.again {
		back[history.Touch{User: t.User, License: t.License}] = true
	}
	drains := make([]plan.Drain, len(j.Policy.Rules))
	for i, rule := range j.Policy.Rules {
		d, runs := &drains[i], map[string]bool{}
		d.Rule, d.Holders = rule.Name, j.sum.Tallies[i].Holders
		for item := range j.History.All() {
			item = j.Present(item)
			taken := item.State == history.Taken || item.State == history.Open && item.Rule != plan.RestoreRule
			ours := item.Rule == rule.Name || j.Policy.RuleNamed(item.Rule) == nil
			if !taken || !ours || item.License != rule.License.Name || now.Sub(item.Began) > plan.Window || back[history.Touch{User: item.User, License: item.InLedger()}] {
				continue
			}
			d.Holders++
			if !a.has(rule.Key(), item.User, item.Began) {
				d.Before++
				runs[item.Run] = true
			}
		}
		for _, c := range j.plan.Changes {
			if c.RestoreOf == "" && c.Rule == rule.Name && !a.has(rule.Key(), c.User, now) {
				d.Now++
			}
		}
		d.Runs = slices.Sorted(maps.Keys(runs))
	}
	return drains
}

// The method "exceeded" returns a sentence for each limit that puts the plan on hold. After these sentences come notes
// about overrides that do not count. If an operator chose the changes, some limits no longer apply, and the method
// records these limits in the plan.
func (j *judgement) exceeded(ctx context.Context, now time.Time) ([]string, error) {
	a, err := acceptancesAt(ctx, j.store, now)
	if err != nil {
		return nil, err
	}
	accepted := map[string]int{}
	if len(a.all) > 0 {
		_, err := j.Each(ctx, func(d *plan.Decision) error {
			if d.Outcome == policy.Reclaim && a.has(j.matches.keys[d.Rule], d.User, now) {
				accepted[d.Rule]++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var reasons []string
	if j.choice == nil {
		reasons = plan.Exceeded(j.Policy.Limits, j.sum.Tallies, accepted)
	} else {
		all := len(j.plan.Changes) + len(j.plan.Notices)
		reasons, j.plan.Chosen.Lifted = plan.ExceededByChoice(j.Policy.Limits, j.sum.Tallies, accepted, j.takes(a, now), all)
	}
	if j.Begin.User == "" { // no limit over 30 days for one person, as the operator looks at the plan
		reasons = append(reasons, plan.Drained(j.Policy.Limits, j.drains(a, now))...)
	}
	if len(reasons) > 0 {
		reasons = append(reasons, a.void...)
	}
	return reasons, nil
}
