package report_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// The type "night" is a run with decisions, in the state after the step evaluate.
type night struct {
	run       string
	decisions []plan.Decision
	summary   decision.Summary
	earlier   []ledger.Intent // licenses that earlier runs took
}

const thisRun = "20261123T090000Z-00000001"

func reading(s directory.Source) snapshot.Reading {
	return snapshot.Reading{Source: s, People: 100, Freshness: directory.Freshness{Sampled: 100, WithActivity: 90, Newest: earlier.AsOf.Add(-time.Hour)}}
}

func (n night) put(t *testing.T, s store.Store) *plan.Plan {
	t.Helper()
	ctx := t.Context()
	b := &snapshot.Begin{Run: n.run, Read: earlier.AsOf, AsOf: earlier.AsOf, Tenant: earlier.Tenant, Tool: "v1", Policy: earlier.Policy, Partitions: 1,
		SKUs: []directory.SKU{{ID: "sku-e3", PartNumber: "SPE_E3"}, {ID: "sku-exo", PartNumber: "EXCHANGESTANDARD"}}}
	if err := snapshot.PutBegin(ctx, s, b); err != nil {
		t.Fatal(err)
	}
	m := &snapshot.Manifest{Run: n.run, Readings: [2]snapshot.Reading{reading(directory.Entra), reading(directory.AD)}}
	book := ledger.In(s)
	for _, in := range n.earlier {
		e, err := book.Begin(ctx, in, nil)
		if err == nil {
			err = book.Complete(ctx, e, ledger.Completion{Outcome: ledger.Done, At: in.At})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if m.History, err = history.MakeDigest(ctx, s, n.run, earlier.AsOf); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Seal(ctx, s, m); err != nil {
		t.Fatal(err)
	}
	r, err := decision.Open(ctx, s, n.run)
	if err != nil {
		t.Fatal(err)
	}
	err = r.Put(ctx, 0, func(emit func(*plan.Decision) error) (decision.Summary, error) {
		for i := range n.decisions {
			if err := emit(&n.decisions[i]); err != nil {
				return decision.Summary{}, err
			}
		}
		return n.summary, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := gate.Run(ctx, s, n.run, earlier.AsOf.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func gathered(t *testing.T, s store.Store, run string) *report.Night {
	t.Helper()
	n, err := report.Gather(t.Context(), s, run)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func decided(user string, outcome policy.Outcome, reason string) plan.Decision {
	return plan.Decision{User: user, UserPrincipalName: user + "@x.example", Rule: "m365", License: "e3", To: "exo", Outcome: outcome, Reason: reason,
		Created: earlier.AsOf.AddDate(-3, 0, 0)}
}

func idle(user string, days int) plan.Decision {
	d := decided(user, policy.Reclaim, fmt.Sprintf("no sign-in since %d days", days))
	d.IdleSince, d.Via = earlier.AsOf.AddDate(0, 0, -days), plan.Direct
	d.Evidence = []policy.Evidence{{Attribute: "AzureAdSistaLogon", Value: "none"}}
	return d
}

func refused(user, why string) plan.Decision {
	d := idle(user, 400)
	d.Via, d.Refused = "", why
	return d
}

// TestGather gathers the data of a night. Its plan takes a license from some people, and leaves out others for
// different reasons.
func TestGather(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	cooling := refused("cool", "cooling down: restored on 2026-11-01")
	cooling.Outcome = policy.Keep
	p := night{
		run: thisRun,
		decisions: []plan.Decision{
			idle("a", 70), idle("b", 80), idle("c", 90), idle("d", 100), refused("e", "held twice"), refused("f", "held twice"), cooling,
			decided("g", policy.Undecided, "AzureAdSistaLogon went back: since 2026-11-01 it is 2026-10-01"),
			decided("h", policy.Undecided, "AzureAdSistaLogon went back: since 2026-11-02 it is 2026-10-07"),
			decided("i", policy.Exempt, "exempt: is listed"),
		},
		summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Asked: 80, Keep: 81, Reclaim: 6, Undecided: 3, UndecidedHolders: 2, UndecidedAsked: 1, Exempt: 1}, {Rule: "citrix"}}},
		earlier: []ledger.Intent{{Person: "old", License: "e3", To: "exo", Run: "20261101T020000Z-00000000", Rule: "m365", Via: "direct", At: earlier.AsOf.AddDate(0, 0, -22)}},
	}.put(t, s)

	got := gathered(t, s, thisRun)
	rule := report.Rule{Name: "m365", License: "e3", To: "exo", Words: []string{"", "AzureAdSistaLogon.hasNoValue()"}, MonthlyPrice: 39,
		Holders: 90, Asked: 80, Keep: 81, Idle: 6, Exempt: 1, Undecided: 3, UndecidedHolders: 2, UndecidedAsked: 1, Refused: 3, Deferred: 1, Changed: 3}
	if d := cmp.Diff(rule, got.Rules[0]); d != "" {
		t.Errorf("rule (-want +got):\n%s", d)
	}
	row := report.Row{User: "d", UserPrincipalName: "d@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.Direct, Reason: "no sign-in since 100 days",
		IdleSince: p.Changes[0].IdleSince, Created: earlier.AsOf.AddDate(-3, 0, 0), Evidence: []string{"AzureAdSistaLogon = none"}, MonthlySaving: 35}
	if d := cmp.Diff(row, got.Changes.Rows[0]); d != "" {
		t.Errorf("longest idle (-want +got):\n%s", d)
	}
	reasons := []report.ReasonCount{
		{Rule: "m365", Outcome: policy.Undecided, Reason: "AzureAdSistaLogon went back: since … it is …", Code: "dateWentBack", Remedy: "dates", People: 2},
		{Rule: "m365", Outcome: policy.Reclaim, Reason: "held twice", People: 2},
		{Rule: "m365", Outcome: policy.Reclaim, Reason: "cooling down: restored on 2026-11-01", Code: "coolingDown", Remedy: "cooling", People: 1},
	}
	if d := cmp.Diff(reasons, got.Reasons); d != "" {
		t.Errorf("reasons (-want +got):\n%s", d)
	}
	past := report.List[report.Past]{Total: 1, Rows: []report.Past{{User: "old", Rule: "m365", License: "e3", To: "exo", Run: "20261101T020000Z-00000000", At: earlier.AsOf.AddDate(0, 0, -22)}}}
	if d := cmp.Diff(past, got.Earlier); d != "" {
		t.Errorf("earlier (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]report.Point{{Run: thisRun, AsOf: earlier.AsOf, Verdict: plan.Review, Idle: 6, Undecided: 3}}, got.Trend); d != "" {
		t.Errorf("trend (-want +got):\n%s", d)
	}
	if got.Settled != nil || got.Undecided.Total != 2 || got.Refused.Total != 3 || len(got.Signals) != 2 || !got.Signals[0].Named || got.Signals[0].Dated != 90 {
		t.Errorf("settled %v, %d undecided, %d refused, signals %+v", got.Settled, got.Undecided.Total, got.Refused.Total, got.Signals)
	}
}

// TestGatherEnded: after the end of the run, the report has the result of each change.
func TestGatherEnded(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	p := night{run: thisRun, decisions: []plan.Decision{idle("a", 70), idle("b", 80)},
		summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Reclaim: 2}, {Rule: "citrix"}}}}.put(t, s)
	ended(t.Context(), t, s, p, runs.Failed, runs.Done)
	got := gathered(t, s, thisRun)
	want := &report.Settled{At: earlier.AsOf, Statuses: map[runs.Status]int{runs.Done: 1, runs.Failed: 1}}
	if d := cmp.Diff(want, got.Settled); d != "" {
		t.Errorf("settled (-want +got):\n%s", d)
	}
	if got.Changes.Rows[0].Status != runs.Failed || got.Changes.Rows[1].Status != runs.Done || got.Rules[0].Changed != 1 || got.Trend[0].Done != 1 {
		t.Errorf("changes %+v, rule %+v, trend %+v", got.Changes.Rows, got.Rules[0], got.Trend)
	}
}

// The function "ended" stores the results of a run. The changes get the given statuses, in order.
func ended(ctx context.Context, t *testing.T, s store.Store, p *plan.Plan, statuses ...runs.Status) {
	t.Helper()
	all := &runs.Results{Run: p.Run, PlanHash: p.PlanHash, At: earlier.AsOf}
	for i, status := range statuses {
		all.Set(runs.ResultOf(&p.Changes[i], status, ""))
	}
	if err := runs.PutResults(ctx, s, runs.Concluded, all); err != nil {
		t.Fatal(err)
	}
}

// TestPut: if the report cannot be written, or if the renderer panics, Put returns an error and writes no object.
func TestPut(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	night{run: thisRun, decisions: []plan.Decision{idle("a", 70)},
		summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Reclaim: 1}, {Rule: "citrix"}}}}.put(t, s)
	for name, tc := range map[string]struct {
		write func(io.Writer, *report.Night) error
		want  string // a part of the error; if empty, Put writes the report
	}{
		"written": {func(w io.Writer, n *report.Night) error { _, err := io.WriteString(w, n.Run); return err }, ""},
		"fails":   {func(io.Writer, *report.Night) error { return errors.New("no template") }, "no template"},
		"panics":  {func(io.Writer, *report.Night) error { panic("oh") }, "idleseat has a fault"},
	} {
		t.Run(name, func(t *testing.T) {
			inner := &store.Memory{}
			inner.Become(s.Objects())
			s := inner
			err := report.Put(t.Context(), s, thisRun, tc.write)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want %q", err, tc.want)
			}
			written, getErr := store.GetBytes(t.Context(), s, layout.Report(thisRun), store.MaxJSON)
			if (getErr == nil) != (err == nil) || err == nil && string(written) != thisRun {
				t.Errorf("report %q, %v", written, getErr)
			}
			var point report.Point
			if err == nil {
				getErr = store.GetJSON(t.Context(), s, layout.Point(thisRun), &point)
			}
			if err == nil && (getErr != nil || point.Idle != 1) {
				t.Errorf("point %+v, %v", point, getErr)
			}
		})
	}
}

// TestTrend: the figures of an earlier night in the trend come from its stored point, or else from its plan.
func TestTrend(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	idleBy := map[string]int{}
	for i, run := range []string{"20261121T090000Z-00000001", "20261122T090000Z-00000002", thisRun} {
		n := night{run: run, summary: decision.Summary{People: 100, Tallies: []plan.Tally{{Rule: "m365", Holders: 90, Reclaim: i + 1}, {Rule: "citrix"}}}}
		for d := range i + 1 {
			n.decisions = append(n.decisions, idle(fmt.Sprintf("p%d", d), 70))
		}
		n.put(t, s)
		idleBy[run] = i + 1
		if i == 0 {
			if err := report.Put(t.Context(), s, run, func(io.Writer, *report.Night) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]int{}
	for _, p := range gathered(t, s, thisRun).Trend {
		got[p.Run] = p.Idle
	}
	if d := cmp.Diff(idleBy, got); d != "" {
		t.Errorf("idle by run (-want +got):\n%s", d)
	}
}
