package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestSavesNothingIsSaid: the plan names the licenses that its monthly saving omits, and gives the reason.
func TestSavesNothingIsSaid(t *testing.T) {
	t.Parallel()
	p, err := policy.Load("p", []byte(strings.Replace(text, ", model: user", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	change := func(license, nothing, back string) plan.Change {
		return plan.Change{License: license, SavesNothing: nothing, RestoreOf: back}
	}
	const said = "license citrix: 2 changes are counted as saving nothing: it is not known whether a seat becomes free"
	for name, tc := range map[string]struct {
		changes []plan.Change
		want    string
	}{
		"two":                       {[]plan.Change{change("citrix", "x", ""), change("citrix", "y", ""), change("citrix", "", ""), change("citrix", "x", "r0"), change("e3", "x", "")}, said},
		"none":                      {[]plan.Change{change("citrix", "", "")}, ""},
		"restored":                  {[]plan.Change{change("citrix", "x", "r0")}, ""},
		"a license that frees them": {[]plan.Change{change("e3", "in error", "")}, ""},
	} {
		got := strings.Join(savesNothing(p, tc.changes), "\n")
		if (tc.want == "") != (got == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestFirstRunKnowsNoEarlierOne: a plan has FirstRun set only if the store has neither an earlier plan nor a license
// that was taken.
func TestFirstRunKnowsNoEarlierOne(t *testing.T) {
	t.Parallel()
	taken := quiet()
	taken.taken = took("m365", 3, 1)
	s := quiet().put(t)
	if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "a run before"}, true); err != nil {
		t.Fatal(err)
	}
	after := quiet()
	after.run, after.taken = "run after", nil
	key, err := history.MakeDigest(t.Context(), s, after.run, asOf)
	if err != nil {
		t.Fatal(err)
	}
	after.history = key
	after.putInto(t, s)
	for name, tc := range map[string]struct {
		plan func() (*plan.Plan, error)
		want bool
	}{
		"the first": {func() (*plan.Plan, error) { return Run(t.Context(), quiet().put(t), "run", clock) }, true},
		"a past of nothing": {func() (*plan.Plan, error) {
			e := quiet()
			fresh := e.put(t)
			key, err := history.MakeDigest(t.Context(), fresh, "later", asOf)
			if err != nil {
				t.Fatal(err)
			}
			e.run, e.history = "later", key
			e.putInto(t, fresh)
			return Run(t.Context(), fresh, "later", clock)
		}, true},
		"a license was taken":       {func() (*plan.Plan, error) { return Run(t.Context(), taken.put(t), "run", clock) }, false},
		"a run before, and nothing": {func() (*plan.Plan, error) { return Run(t.Context(), s, after.run, clock) }, false},
	} {
		p, err := tc.plan()
		if err != nil || p.FirstRun != tc.want {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestOpenCounts: the number of licenses taken in the last 30 days includes an open change, unless this change is a
// restore.
func TestOpenCounts(t *testing.T) {
	t.Parallel()
	item := func(rule string, began time.Time) ledger.Intent {
		return ledger.Intent{Person: "a", License: "e3", Run: "r1", Rule: rule, Via: "direct", At: began}
	}
	window := clock.Add(-plan.Window)
	for name, tc := range map[string]struct {
		intent ledger.Intent
		done   ledger.Outcome // empty: the change is open
		before int
	}{
		"taken":                  {item("m365", asOf.AddDate(0, 0, -3)), ledger.Done, 1},
		"being taken":            {item("m365", asOf.AddDate(0, 0, -3)), "", 1},
		"announced":              {item("m365", asOf.AddDate(0, 0, -3)), ledger.Announced, 0},
		"restored":               {item("m365", asOf.AddDate(0, 0, -3)), ledger.Restored, 0},
		"by a rule that is gone": {item("former", asOf.AddDate(0, 0, -3)), ledger.Done, 1},
		"of another license, by a rule that is gone": {func() ledger.Intent { in := item("former", asOf.AddDate(0, 0, -3)); in.License = "citrix"; return in }(), ledger.Done, 0},
		"being restored":  {item(plan.RestoreRule, asOf.AddDate(0, 0, -3)), "", 0},
		"30 days ago":     {item("m365", window), ledger.Done, 1},
		"a second before": {item("m365", window.Add(-time.Second)), ledger.Done, 0},
	} {
		s := quiet().put(t)
		e, err := ledger.In(s).Begin(t.Context(), tc.intent, nil)
		if err == nil && tc.done != "" {
			err = ledger.In(s).Complete(t.Context(), e, ledger.Completion{Outcome: tc.done, At: tc.intent.At})
		}
		if err != nil {
			t.Fatal(err)
		}
		key, err := history.MakeDigest(t.Context(), s, "later", asOf)
		if err != nil {
			t.Fatal(err)
		}
		night := quiet()
		night.run, night.history = "later", key
		night.putInto(t, s)
		r, err := decision.Open(t.Context(), s, "later")
		if err != nil {
			t.Fatal(err)
		}
		j := &judgement{Run: r, plan: &plan.Plan{Changes: []plan.Change{{User: "b", Rule: "m365"}, {User: "c", Rule: "citrix"}, {User: "d", Rule: "m365", RestoreOf: "r0"}}}, sum: decision.Summary{Tallies: make([]plan.Tally, 2)}}
		got := j.drains(&acceptances{}, clock)[0]
		want := plan.Drain{Rule: "m365", Before: tc.before, Now: 1, Holders: tc.before}
		if tc.before > 0 {
			want.Runs = []string{"r1"}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		accepts := &acceptances{all: []acceptance{{Override: history.Override{At: asOf}, people: map[match]bool{{r.Policy.Rules[0].Key(), "b"}: true}}}}
		if got := j.drains(accepts, clock)[0]; got.Now != 0 {
			t.Errorf("%s, and all of tonight accepted: %+v", name, got)
		}
		j.again = []history.Touch{{User: "a", License: "e3", Run: "r1"}}
		if got := j.drains(&acceptances{}, clock)[0]; got.Before != 0 || got.Holders != 0 {
			t.Errorf("%s, and held again: %+v", name, got)
		}
	}
}
