package report_test

import (
	"errors"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// TestStoppedAfterItBegan: a safety check stopped a run. The report says that the run had begun if a change is done, or
// if the ledger has an entry of the run, although the results do not show it. A damaged entry may be one of the run.
func TestStoppedAfterItBegan(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		statuses []runs.Status
		intent   string // the run with an open entry for the second change
		damaged  bool   // whether the entry is damaged
		want     bool
	}{
		"nothing is begun":       {[]runs.Status{runs.Pending, runs.Pending}, "", false, false},
		"one is done":            {[]runs.Status{runs.Done, runs.Pending}, "", false, true},
		"one is refused":         {[]runs.Status{runs.Refused, runs.Pending}, "", false, false},
		"one is kept":            {[]runs.Status{runs.Kept, runs.Pending}, "", false, false},
		"one is begun":           {[]runs.Status{runs.Pending, runs.Pending}, thisRun, false, true},
		"another run has begun":  {[]runs.Status{runs.Pending, runs.Pending}, "20261122T090000Z-00000002", false, false},
		"one entry is damaged":   {[]runs.Status{runs.Pending, runs.Pending}, "", true, true},
		"announced, and stopped": {[]runs.Status{runs.Announced, runs.Pending}, "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &store.Memory{}
			p := night{run: thisRun, decisions: []plan.Decision{idle("a", 70), idle("b", 80)},
				summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Reclaim: 2}, {Rule: "citrix"}}}}.put(t, s)
			all := &runs.Results{Run: p.Run, PlanHash: p.PlanHash, At: earlier.AsOf, Refused: "the policy is in mode audit"}
			for i, status := range tc.statuses {
				all.Set(runs.ResultOf(&p.Changes[i], status, ""))
			}
			second := p.Changes[1].Person()
			err := runs.PutResults(t.Context(), s, runs.Concluded, all)
			if err == nil && tc.intent != "" {
				_, err = ledger.In(s).Begin(t.Context(), ledger.Intent{Person: second, License: "e3", To: "exo", Run: tc.intent, Rule: "m365", Via: "direct", At: earlier.AsOf}, nil)
			}
			if err == nil && tc.damaged {
				err = store.PutBytes(t.Context(), s, layout.Entry(second, "e3", 1), []byte("{"))
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := gathered(t, s, thisRun).Settled; got.Begun != tc.want || got.Refused != all.Refused {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestStoppedAndNotKnown: the store fails to read the ledger of a run that a safety check stopped. The report says
// nothing, and above all not that nothing was begun.
func TestStoppedAndNotKnown(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	p := night{run: thisRun, decisions: []plan.Decision{idle("a", 70)},
		summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Reclaim: 1}, {Rule: "citrix"}}}}.put(t, s)
	all := &runs.Results{Run: p.Run, PlanHash: p.PlanHash, At: earlier.AsOf, Refused: "the policy is in mode audit", Results: []runs.Result{runs.ResultOf(&p.Changes[0], runs.Pending, "")}}
	if err := runs.PutResults(t.Context(), s, runs.Concluded, all); err != nil {
		t.Fatal(err)
	}
	if n, err := report.Gather(t.Context(), failing.Key(s, layout.License("a", "e3")), thisRun); !errors.Is(err, failing.Err) {
		t.Errorf("%+v, %v", n, err)
	}
}
