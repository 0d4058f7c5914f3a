package gate

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestSame: an operator chose a change from an older plan. A decision of this run counts as the same change only if the
// rule, the license to give, the target and the restored run are equal.
func TestSame(t *testing.T) {
	t.Parallel()
	taken := plan.Decision{Rule: "m365", To: "exo", Via: plan.Direct}
	announced := plan.Decision{Rule: "m365", To: "exo", Via: plan.Direct, Notice: true}
	restored := plan.Decision{Rule: "m365", To: "exo", Via: plan.Direct, RestoreOf: "r0"}
	for name, tc := range map[string]struct {
		listed plan.Change
		d      plan.Decision
		want   bool
	}{
		"taken":                    {plan.Change{Rule: "m365", To: "exo", Via: plan.Direct}, taken, true},
		"by another rule":          {plan.Change{Rule: "other", To: "exo", Via: plan.Direct}, taken, false},
		"for another product":      {plan.Change{Rule: "m365", To: "f3", Via: plan.Direct}, taken, false},
		"in another way":           {plan.Change{Rule: "m365", To: "exo", Via: plan.EntraGroup}, taken, false},
		"announced in between":     {plan.Change{Rule: "m365", To: "exo", Via: plan.Notice}, taken, false},
		"announced":                {plan.Change{Rule: "m365", To: "exo", Via: plan.Notice}, announced, true},
		"taken, and now announced": {plan.Change{Rule: "m365", To: "exo", Via: plan.Direct}, announced, false},
		"restored":                 {plan.Change{Rule: plan.RestoreRule, To: "exo", Via: plan.Direct, RestoreOf: "r0"}, restored, true},
		"restored of another run":  {plan.Change{Rule: plan.RestoreRule, To: "exo", Via: plan.Direct, RestoreOf: "r1"}, restored, false},
		"taken, and now restored":  {plan.Change{Rule: "m365", To: "exo", Via: plan.Direct}, restored, false},
	} {
		if got := same(&tc.listed, &tc.d); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestChoiceBindsThePlan: a plan of chosen changes expires no later than the plan that the operator chose from.
func TestChoiceBindsThePlan(t *testing.T) {
	t.Parallel()
	of := &plan.Plan{Run: "r0", PlanHash: "h", Expires: clock.Add(time.Hour)}
	listed := map[snapshot.Chosen]*plan.Change{}
	for _, user := range []string{"ann", "bob", "cid"} {
		listed[snapshot.Chosen{User: user, License: "e3"}] = &plan.Change{User: user}
	}
	c := &choice{of: of, listed: listed, chosen: map[snapshot.Chosen]bool{{User: "ann", License: "e3"}: true}, later: 4}
	for expires, want := range map[time.Time]time.Time{clock.Add(2 * time.Hour): of.Expires, of.Expires: of.Expires, clock: clock} {
		p := &plan.Plan{Expires: expires, Deferred: 1}
		c.bind(p)
		if d := cmp.Diff(&plan.Chosen{From: "r0", PlanHash: "h", LeftOut: 2}, p.Chosen); d != "" || !p.Expires.Equal(want) || p.Deferred != 5 {
			t.Errorf("expires %s, want %s, %d deferred (-want +got):\n%s", p.Expires, want, p.Deferred, d)
		}
	}
}

// TestTakesOfAChoice: the method "takes" counts the licenses that the chosen changes take or announce, by rule. It
// counts no restore, and no change of a person whom an override has accepted for the rule.
func TestTakesOfAChoice(t *testing.T) {
	t.Parallel()
	takes := plan.Change{User: "ann", Rule: "m365"}
	back := plan.Change{User: "ann", Rule: "m365", RestoreOf: "r0"}
	accepts := &acceptances{all: []acceptance{{Override: history.Override{At: clock.Add(-time.Hour)}, people: map[match]bool{{"key", "ann"}: true}}}}
	for name, tc := range map[string]struct {
		plan plan.Plan
		over *acceptances
		want map[string]int
	}{
		"nothing":              {plan.Plan{}, &acceptances{}, map[string]int{}},
		"taken":                {plan.Plan{Changes: []plan.Change{takes}}, &acceptances{}, map[string]int{"m365": 1}},
		"taken and announced":  {plan.Plan{Changes: []plan.Change{takes}, Notices: []plan.Change{takes}}, &acceptances{}, map[string]int{"m365": 2}},
		"restored":             {plan.Plan{Changes: []plan.Change{back}}, &acceptances{}, map[string]int{}},
		"accepted":             {plan.Plan{Changes: []plan.Change{takes}}, accepts, map[string]int{}},
		"accepted, of another": {plan.Plan{Changes: []plan.Change{{User: "bob", Rule: "m365"}}}, accepts, map[string]int{"m365": 1}},
	} {
		j := &judgement{plan: &tc.plan, matches: &matches{keys: map[string]string{"m365": "key"}}}
		if d := cmp.Diff(tc.want, j.takes(tc.over, clock)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestChoiceWaits: an operator chose changes from an older plan. A change that the older plan does not list waits for a
// later plan.
func TestChoiceWaits(t *testing.T) {
	t.Parallel()
	listed := &choice{listed: map[snapshot.Chosen]*plan.Change{{User: "ann", License: "e3"}: {User: "ann"}}}
	planned := reclaim("ann", 70)
	other := reclaim("bob", 70)
	kept := plan.Decision{User: "bob", License: "e3", Outcome: policy.Keep}
	for name, tc := range map[string]struct {
		c    *choice
		d    plan.Decision
		want bool
	}{"no choice": {nil, other, false}, "listed": {listed, planned, false}, "not listed": {listed, other, true}, "kept": {listed, kept, false}} {
		if got := tc.c.waits(&tc.d); got != tc.want {
			t.Errorf("%s: waits %t", name, got)
		}
	}
}

// TestEnded: the last state of a run counts the results of its own changes, and separately the changes of earlier runs
// that it worked on.
func TestEnded(t *testing.T) {
	t.Parallel()
	p := &plan.Plan{Run: "run", PlanHash: "h", MonthlySaving: 70, Changes: []plan.Change{{User: "ann"}, {User: "bob"}}}
	resumed := map[runs.Status]int{runs.Done: 1}
	results := &runs.Results{Override: "h of another plan", Results: []runs.Result{{User: "ann", Status: runs.Done, MonthlySaving: 35}, {User: "bob", Status: runs.Pending, Retry: true}}}
	overridden := &runs.Results{Override: "h", Results: results.Results}
	for name, tc := range map[string]struct {
		results  *runs.Results
		saving   float64
		counts   map[runs.Status]int
		troubled int
		override bool
	}{
		"not applied": {nil, 70, nil, 0, false},
		"applied":     {results, 35, map[runs.Status]int{runs.Done: 1, runs.Pending: 1}, 1, false},
		"overridden":  {overridden, 35, map[runs.Status]int{runs.Done: 1, runs.Pending: 1}, 1, true},
	} {
		out := Ended(p, tc.results, resumed)
		overridden := slices.ContainsFunc(out.Batches.Entra, func(b Batch) bool { return b.Override })
		if d := cmp.Diff(tc.counts, out.Results); d != "" || overridden != tc.override || out.MonthlySaving != tc.saving || out.Troubled != tc.troubled || out.Resumed[runs.Done] != 1 {
			t.Errorf("%s: %+v (-want +got):\n%s", name, out, d)
		}
	}
}

// TestResumedAreCounted: the changes of earlier runs count by their status. Only those that are done save money, and
// only those that wait for a fault to be repaired are troubled.
func TestResumedAreCounted(t *testing.T) {
	t.Parallel()
	out := &StepOutput{Troubled: 1}
	for _, r := range []runs.Result{
		{Status: runs.Done, MonthlySaving: 35}, {Status: runs.Done, MonthlySaving: 4}, {Status: runs.Failed, MonthlySaving: 18},
		{Status: runs.Pending, MonthlySaving: 9, Retry: true}, {Status: runs.Pending, MonthlySaving: 9},
	} {
		out.resumed(&r)
	}
	want := &StepOutput{Resumed: statusCounts{runs.Done: 2, runs.Failed: 1, runs.Pending: 2}, ResumedSaving: 39, Troubled: 2}
	if d := cmp.Diff(want, out); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
