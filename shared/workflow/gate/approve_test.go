package gate

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// TestApproveOnlyWhatMayBe: an operator cannot approve a plan in mode audit. A plan on hold needs an override, and
// limits must be the only reasons for the hold.
func TestApproveOnlyWhatMayBe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change   func(*evaluated)
		override bool
		want     string // part of the refusal; empty: the run goes on
	}{
		"reviewed":           {func(*evaluated) {}, false, ""},
		"reviewed, override": {func(*evaluated) {}, true, ""},
		"audit":              {func(e *evaluated) { e.text = strings.Replace(text, "mode: review", "mode: audit", 1) }, true, "the policy is in mode audit"},
		"limits":             {func(e *evaluated) { e.tallies[0].Reclaim = 11 }, false, "the plan is held: rule m365 matches 11 of 100"},
		"limits, override":   {func(e *evaluated) { e.tallies[0].Reclaim = 11 }, true, ""},
		"doubts, override":   {func(e *evaluated) { e.tallies[0].Holders, e.consumed = 0, 9 }, true, "the plan is held: license e3: Graph counts 9 seats"},
		"nothing":            {func(e *evaluated) { e.partitions[0] = nil }, true, "the plan changes nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			e.partitions[0] = []plan.Decision{reclaim("a", 70)}
			tc.change(&e)
			s := steps(t, e)
			planned := s.gated(t, false)
			out, err := s.Do(t.Context(), StepInput{Op: "approve", Entrance: approving(tc.override), Request: Request{Run: "run", PlanHash: planned.PlanHash, Override: tc.override}})
			if tc.want == "" {
				want := []Batch{{Run: "run", PlanHash: planned.PlanHash, Override: tc.override, Batch: "entra-0001"}}
				if err != nil || !out.Go {
					t.Fatalf("%+v, %v", out, err)
				}
				if d := cmp.Diff(want, out.Batches.Entra); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				return
			}
			if out != nil || !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%+v, %v; want %q", out, err, tc.want)
			}
		})
	}
}

// TestScheduleNeverAppliesAgainstAHold: the step "gate" applies no plan that is on hold or in mode audit.
func TestScheduleNeverAppliesAgainstAHold(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*evaluated){
		"audit":  func(e *evaluated) { e.text = strings.Replace(text, "mode: review", "mode: audit", 1) },
		"limits": func(e *evaluated) { e.text, e.tallies[0].Reclaim = enforced(text), 11 },
		"doubts": func(e *evaluated) { e.text, e.tallies[0].Holders, e.consumed = enforced(text), 0, 9 },
	} {
		e := quiet()
		e.partitions[0], e.scheduled = []plan.Decision{reclaim("a", 70)}, true
		change(&e)
		if out := steps(t, e).gated(t, true); out.Go {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

// TestWhatBecame: the ledger usually decides what happened to a change. In two cases, the results of the batches
// decide: the ledger has no entry of the run, or a call may have taken the license after the entry was rolled back.
func TestWhatBecame(t *testing.T) {
	t.Parallel()
	c := plan.Change{User: "ann", License: "e3", Rule: "m365"}
	entry := func(run string, o ledger.Outcome) func(*testing.T, *ledger.Ledger) {
		return func(t *testing.T, book *ledger.Ledger) {
			e, err := book.Begin(t.Context(), ledger.Intent{Person: "ann", License: "e3", Run: run, At: asOf}, nil)
			if err == nil && o != "" {
				err = book.Complete(t.Context(), e, ledger.Completion{Outcome: o, Note: "of the ledger"})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func(o ledger.Outcome) func(*testing.T, *ledger.Ledger) {
		return func(t *testing.T, book *ledger.Ledger) {
			entry("run", o)(t, book)
			e, err := book.Latest(t.Context(), "ann", "e3")
			if err == nil {
				_, _, err = book.Leave(t.Context(), e, asOf)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	none := func(*testing.T, *ledger.Ledger) {}
	for name, tc := range map[string]struct {
		ledger func(*testing.T, *ledger.Ledger)
		said   runs.Status // status in the results of the batches; empty: none
		want   runs.Status
		note   string
		again  bool
	}{
		"done":                              {entry("run", ledger.Done), runs.Pending, runs.Done, "of the ledger", false},
		"rolled back":                       {entry("run", ledger.RolledBack), runs.Done, runs.Kept, "of the ledger", false},
		"restored":                          {entry("run", ledger.Restored), "", runs.Kept, "of the ledger", false},
		"announced":                         {entry("run", ledger.Announced), "", runs.Announced, "of the ledger", false},
		"failed":                            {entry("run", ledger.Failed), "", runs.Failed, "of the ledger", false},
		"rolled back, said to wait":         {entry("run", ledger.RolledBack), runs.Pending, runs.Kept, "of the ledger", false},
		"rolled back, and taken since":      {left(ledger.RolledBack), runs.Pending, runs.Pending, "said", false},
		"rolled back, and taken for good":   {left(ledger.RolledBack), runs.Failed, runs.Failed, "said", false},
		"rolled back, said to be kept":      {left(ledger.RolledBack), runs.Kept, runs.Kept, "of the ledger", false},
		"taken, said to wait":               {left(ledger.Done), runs.Pending, runs.Done, "of the ledger", false},
		"open, nothing said":                {entry("run", ""), "", runs.Pending, "begun, and not finished yet", false},
		"open, said to wait":                {entry("run", ""), runs.Pending, runs.Pending, "said", false},
		"open, said to be done":             {entry("run", ""), runs.Done, runs.Pending, "begun, and not finished yet", false},
		"open of another run, refused":      {entry("other", ""), runs.Refused, runs.Refused, "said", false},
		"open of another run, nothing said": {entry("other", ""), "", runs.Pending, "not begun", true},
		"done by another run, nothing said": {entry("other", ledger.Done), "", runs.Pending, "not begun", true},
		"not begun, kept":                   {none, runs.Kept, runs.Kept, "said", false},
		"not begun, nothing said":           {none, "", runs.Pending, "not begun", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			book := ledger.In(quiet().put(t))
			tc.ledger(t, book)
			said := &runs.Results{Run: "run"}
			if tc.said != "" {
				said.Set(runs.ResultOf(&c, tc.said, "said"))
			}
			r, err := became(t.Context(), book, &c, "run", said)
			if err != nil || r.Status != tc.want || r.Note != tc.note || r.Retry != tc.again {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	s := steps(t, quiet())
	if err := putText(t, s, "ledger/ann/e3/000001.json", "{"); err != nil {
		t.Fatal(err)
	}
	if r, err := became(t.Context(), ledger.In(s.Store), &c, "run", &runs.Results{}); err != nil || r.Status != runs.Refused || !strings.Contains(r.Note, "ledger/ann/e3/000001.json") {
		t.Errorf("damaged: %+v, %v", r, err)
	}
	now := c
	now.User, now.TakenAs = "ann-now", c.User // the ledger has the person under the former id
	if r, err := became(t.Context(), ledger.In(s.Store), &now, "run", &runs.Results{}); err != nil || r.Status != runs.Refused {
		t.Errorf("damaged, another id: %+v, %v", r, err)
	}
}

// TestStateThatIsHandedOn: the state that a step returns has the figures of the plan and, by directory, the batches
// that are not final.
func TestStateThatIsHandedOn(t *testing.T) {
	t.Parallel()
	entra, ad, notice := plan.Change{User: "a", License: "e3", Via: plan.Direct}, plan.Change{User: "b", License: "citrix", Via: plan.ADGroup}, plan.Change{User: "c", License: "e3", Via: plan.Notice}
	over := func(changes ...plan.Change) *runs.Results {
		r := &runs.Results{}
		for i := range changes {
			r.Set(runs.ResultOf(&changes[i], runs.Done, ""))
		}
		return r
	}
	one := func(name string, override bool) Batch {
		return Batch{Run: "run", PlanHash: "h", Override: override, Batch: name}
	}
	for name, tc := range map[string]struct {
		verdict  plan.Verdict
		results  *runs.Results
		override bool
		want     Batches
	}{
		"nothing known":     {plan.Review, nil, false, Batches{Entra: []Batch{one("entra-0001", false), one("notice-0001", false)}, AD: []Batch{one("ad-0001", false)}}},
		"overridden":        {plan.Hold, nil, true, Batches{Entra: []Batch{one("entra-0001", true), one("notice-0001", true)}, AD: []Batch{one("ad-0001", true)}}},
		"one is over":       {plan.Apply, over(entra), false, Batches{Entra: []Batch{one("notice-0001", false)}, AD: []Batch{one("ad-0001", false)}}},
		"all are over":      {plan.Apply, over(entra, ad, notice), false, Batches{}},
		"a plan of nothing": {plan.Nothing, nil, false, Batches{}},
	} {
		p := &plan.Plan{Run: "run", PlanHash: "h", Verdict: tc.verdict, Changes: []plan.Change{entra, ad}, Notices: []plan.Change{notice}, MonthlySaving: 7, Currency: "SEK", HoldReasons: make([]string, 12), Overridable: tc.override}
		out := outputOf(p, tc.results, tc.override)
		if d := cmp.Diff(tc.want, out.Batches, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if out.Changes != 2 || out.Overridable != tc.override || out.MonthlySaving != 7 || out.Currency != "SEK" || len(out.HoldReasons) != mostReasons || out.Unhealthy || out.Batches.Entra == nil || out.Batches.AD == nil {
			t.Errorf("%s: %+v", name, out)
		}
	}
	for state, want := range map[plan.FeedState]bool{plan.Healthy: false, plan.Absent: false, plan.Unhealthy: true} {
		for range 20 { // the order of sources in a map is random
			sources := map[string]plan.Feed{"entra": {State: state}, "ad": {State: plan.Healthy}}
			if out := outputOf(&plan.Plan{Sources: sources}, nil, false); out.Unhealthy != want {
				t.Errorf("%s: unhealthy %t", state, out.Unhealthy)
			}
		}
	}
}

// TestSeatsOfWhatIsNotMade: announced changes and refused changes use no seat.
func TestSeatsOfWhatIsNotMade(t *testing.T) {
	t.Parallel()
	seat := func(d plan.Decision) plan.Decision { d.Seat = "exo"; return d }
	announced, refused := seat(reclaim("announced", 60)), seat(reclaim("refused", 60))
	announced.Notice, refused.Refused = true, "held twice"
	e := quiet()
	e.partitions[0], e.seats = []plan.Decision{seat(reclaim("a", 90)), seat(reclaim("b", 80)), announced, refused}, [2]int{1, 0}
	s := e.put(t)
	p, err := Run(t.Context(), s, "run", clock)
	if err != nil || users(p.Changes) != "a" || users(p.Notices) != "announced" {
		t.Fatalf("%+v, %v", p, err)
	}
	if d := cmp.Diff([]string{"no free seat of exo is left for it, beside the 0 that are kept free; buy some, or free some first", "held twice"}, listedIn(t, s, "refused")); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
}

// TestAnnouncedAlone: a plan with only an announcement gets the same verdict as a plan with a change. Announcements
// beyond the limit perRun wait for a later run.
func TestAnnouncedAlone(t *testing.T) {
	t.Parallel()
	announced := func(user string) plan.Decision { d := reclaim(user, 80); d.Notice = true; return d }
	for name, tc := range map[string]struct {
		decisions []plan.Decision
		want      plan.Verdict
		deferred  int
	}{
		"one announced":             {[]plan.Decision{announced("n")}, plan.Review, 0},
		"one of each":               {[]plan.Decision{announced("n"), reclaim("a", 70)}, plan.Review, 0},
		"four of each, perRun is 3": {[]plan.Decision{announced("n"), announced("o"), announced("p"), announced("q"), reclaim("a", 70), reclaim("b", 70), reclaim("c", 70), reclaim("d", 70)}, plan.Review, 2},
	} {
		e := quiet()
		e.partitions[0] = tc.decisions
		p, err := Run(t.Context(), e.put(t), "run", clock)
		if err != nil || p.Verdict != tc.want || p.Deferred != tc.deferred {
			t.Errorf("%s: %s, %d deferred, %v", name, p.Verdict, p.Deferred, err)
		}
		if _, matched := p.Matches["citrix"]; matched {
			t.Errorf("%s: a rule without matches is named", name)
		}
	}
}

// TestRunForOnePersonLeavesNoMeasure: later runs do not compare their figures with a run for one person, because it
// reads only a sample of the other people.
func TestRunForOnePersonLeavesNoMeasure(t *testing.T) {
	t.Parallel()
	for user, everybody := range map[string]bool{"": true, "a": false} {
		e := quiet()
		e.user = user
		s := e.put(t)
		if _, err := Run(t.Context(), s, "run", clock); err != nil {
			t.Fatal(err)
		}
		left, err := history.GetPlanned(t.Context(), s, "run")
		if err != nil || (left.Feeds[0] != nil) != everybody || (left.Feeds[1] != nil) != everybody || (left.Earlier != nil) != everybody {
			t.Errorf("%q: %+v, %v", user, left, err)
		}
		if newest, err := history.Newest(t.Context(), s, clock); (newest == "run") != everybody || err != nil {
			t.Errorf("%q: the newest run for everybody is %q, %v", user, newest, err)
		}
	}
	e := quiet()
	e.ad = snapshot.Reading{Source: directory.AD, Failed: "no route"}
	s := e.put(t)
	if _, err := Run(t.Context(), s, "run", clock); err != nil {
		t.Fatal(err)
	}
	if left, err := history.GetPlanned(t.Context(), s, "run"); err != nil || left.Feeds[0] == nil || left.Feeds[1] != nil {
		t.Errorf("one source was down: %+v, %v", left, err)
	}
}

func approving(override bool) entrance.Name {
	if override {
		return entrance.Override
	}
	return entrance.Approve
}

// TestEntrances: an approval, an override and a restore each have an entrance of their own, which is a state machine.
// Any other entrance refuses the request.
func TestEntrances(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		op   string
		in   Request
		want entrance.Name
	}{
		"approve":  {"approve", Request{Run: "none", PlanHash: "x"}, entrance.Approve},
		"override": {"approve", Request{Run: "none", PlanHash: "x", Override: true}, entrance.Override},
		"restore":  {"restore", Request{Restore: "none"}, entrance.Restore},
	} {
		for _, n := range []entrance.Name{"", entrance.Plan, entrance.Nightly, entrance.Approve, entrance.Override, entrance.Restore} {
			s := steps(t, quiet())
			_, err := s.Do(t.Context(), StepInput{Op: tc.op, Entrance: n, Started: clock, Request: tc.in})
			if refused := errors.Is(err, entrance.ErrElsewhere); err == nil || refused != (n != tc.want) || refused && !errors.Is(err, runs.ErrRefused) {
				t.Errorf("%s at %q: %v", name, n, err)
			}
		}
	}
}

// TestMisspelledRequest: a request with an unknown field restores nothing and applies nothing.
func TestMisspelledRequest(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"op":"restore","entrance":"restore","request":{"restore":"earlier","usr":"ann"}}`,
		`{"op":"restore","entrance":"restore","request":{"restore":"earlier","user":7}}`,
		`{"op":"approve","entrance":"approve","request":{"apply":"run","planHash":"x","overide":true}}`,
	} {
		var in StepInput
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		s := steps(t, quiet())
		if _, err := s.Do(t.Context(), in); !errors.Is(err, runs.ErrRefused) || !strings.Contains(err.Error(), "json: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
