package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// A choice has the changes that an operator chose for a run from the plan of another run. It is nil for a run without a
// choice.
type choice struct {
	of     *plan.Plan
	listed map[snapshot.Chosen]*plan.Change // changes and notices of the other run's plan
	chosen map[snapshot.Chosen]bool
	later  int // number of planned decisions that the other run's plan does not list
}

// choiceOf reads the plan from which an operator chose the changes of a run. It returns nil if the run has no choice.
// It returns runs.ErrRefused if the plan is not the one that the operator saw, or does not list a chosen change.
func choiceOf(ctx context.Context, s store.Store, b *snapshot.Begin) (*choice, error) {
	if b.Choice == nil {
		return nil, nil
	}
	p, err := runs.GetPlan(ctx, s, b.Choice.From)
	if err != nil {
		return nil, err
	}
	if p.PlanHash != b.Choice.PlanHash {
		return nil, fmt.Errorf("%w: changes were chosen from the plan %s, and run %s has the plan %s", runs.ErrRefused, b.Choice.PlanHash, p.Run, p.PlanHash)
	}
	c := &choice{of: p, listed: map[snapshot.Chosen]*plan.Change{}, chosen: chosenIn(b)}
	for _, listed := range slices.Concat(p.Changes, p.Notices) {
		c.listed[snapshot.Chosen{User: listed.User, License: listed.License}] = &listed
	}
	for one := range c.chosen {
		if c.listed[one] == nil {
			return nil, fmt.Errorf("%w: the plan of run %s has no change of %s for %s", runs.ErrRefused, p.Run, one.License, one.User)
		}
	}
	return c, nil
}

// chosenIn returns the changes that an operator chose for a run, or nil if the run has no choice.
func chosenIn(b *snapshot.Begin) map[snapshot.Chosen]bool {
	if b.Choice == nil {
		return nil
	}
	chosen := map[snapshot.Chosen]bool{}
	for _, one := range b.Choice.Changes {
		chosen[one] = true
	}
	return chosen
}

// The method "refusal" returns the reason why the choice keeps a decision out of the plan, or "". A decision that the
// other run's plan does not list gets no reason, because it only waits for a later run.
func (c *choice) refusal(d *plan.Decision) string {
	if c == nil || !d.Planned() {
		return ""
	}
	key := snapshot.Chosen{User: d.User, License: d.License}
	listed := c.listed[key]
	switch {
	case listed == nil:
		return ""
	case !c.chosen[key]:
		return "left out by the operator, who chose other changes from the plan of run " + c.of.Run
	case !same(listed, d):
		return "the plan of run " + c.of.Run + " lists another change of this license"
	}
	return ""
}

// The method "waits" reports whether a decision can be carried out but is not listed in the plan that the operator
// chose from. Such a decision waits for a later run, because a choice can only leave out changes of that plan.
func (c *choice) waits(d *plan.Decision) bool {
	return c != nil && d.Planned() && c.listed[snapshot.Chosen{User: d.User, License: d.License}] == nil
}

// The function "same" reports whether a decision leads to the change that a plan lists.
func same(c *plan.Change, d *plan.Decision) bool {
	rule, via := d.Rule, d.Via
	switch {
	case d.RestoreOf != "":
		rule = plan.RestoreRule
	case d.Notice:
		via = plan.Notice
	}
	return c.Rule == rule && c.To == d.To && c.Via == via && c.RestoreOf == d.RestoreOf
}

// The method "takes" returns, by rule, the number of licenses that the plan takes or announces to take. It omits people
// whom an override accepts.
func (j *judgement) takes(a *acceptances, now time.Time) map[string]int {
	n := map[string]int{}
	for _, c := range slices.Concat(j.plan.Changes, j.plan.Notices) {
		if c.RestoreOf == "" && !a.has(j.matches.keys[c.Rule], c.User, now) {
			n[c.Rule]++
		}
	}
	return n
}

// The method "bind" stores in p which plan the operator chose from. Both plans are made from the same data, so p
// expires no later than that plan.
func (c *choice) bind(p *plan.Plan) {
	p.Chosen = &plan.Chosen{From: c.of.Run, PlanHash: c.of.PlanHash, LeftOut: len(c.listed) - len(c.chosen)}
	if c.of.Expires.Before(p.Expires) {
		p.Expires = c.of.Expires
	}
	p.Deferred += c.later
}
