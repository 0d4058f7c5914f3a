package gate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/source/usage"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "matched" returns a run in which a rule matches people. Their names are the prefix and the numbers from,
// from+1, …, to-1.
func matched(run, prefix string, from, to int) evaluated {
	e := quiet()
	e.run = run
	for n := from; n < to; n++ {
		e.partitions[0] = append(e.partitions[0], reclaim(fmt.Sprintf("%s%03d", prefix, n), 70))
	}
	e.tallies[0].Reclaim = to - from
	return e
}

// TestOverride: an operator overrides the limits that hold a plan, and so accepts the people whom the rules matched in
// it. For 30 days, these people do not count towards the limits of later runs. The override has no effect after an edit
// of the rule, or if it does not fit the plan that it names.
func TestOverride(t *testing.T) {
	t.Parallel()
	edited := strings.Replace(text, "when: AzureAdSistaLogon.hasNoValue()", "when: AzureAdSistaLogon.earlierThan(now - days(60))", 1)
	older := func(e *evaluated) {}
	for name, tc := range map[string]struct {
		days  int
		night evaluated
		alter func(*evaluated)
		spoil func(*testing.T, store.Store, *history.Override)
		want  plan.Verdict
		why   string
	}{
		"the same people":       {3, matched("run", "a", 0, 60), older, nil, plan.Review, ""},
		"on the last day":       {30, matched("run", "a", 0, 60), older, nil, plan.Review, ""},
		"after 30 days":         {31, matched("run", "a", 0, 60), older, nil, plan.Hold, "matches 60 people, more"},
		"some of them":          {3, matched("run", "a", 30, 60), older, nil, plan.Review, ""},
		"with some others":      {3, matched("run", "a", 0, 70), older, nil, plan.Review, ""},
		"with too many others":  {3, matched("run", "a", 10, 71), older, nil, plan.Hold, "matches 11 of 100 holders (11.0 %), besides the 50 whom an override accepted"},
		"as many others":        {3, matched("run", "b", 0, 60), older, nil, plan.Hold, "matches 60 people, more"},
		"fewer others":          {3, matched("run", "b", 0, 12), older, nil, plan.Hold, "matches 12 of 100"},
		"the rule edited since": {3, matched("run", "a", 0, 60), func(e *evaluated) { e.text = edited }, nil, plan.Hold, "matches 60 people, more"},
		"of another plan":       {3, matched("run", "a", 0, 60), older, func(_ *testing.T, _ store.Store, o *history.Override) { o.PlanHash = strings.Repeat("ab", 32) }, plan.Hold, "it is for another plan"},
		"of a run without plan": {3, matched("run", "a", 0, 60), older, func(_ *testing.T, _ store.Store, o *history.Override) { o.Run = "r1" }, plan.Hold, "its plan cannot be read"},
		"of a plan that is not held": {3, matched("run", "a", 0, 60), older, func(t *testing.T, s store.Store, o *history.Override) {
			free := quiet()
			free.run = "r1"
			free.putInto(t, s)
			p, err := Run(t.Context(), s, "r1", clock)
			if err != nil {
				t.Fatal(err)
			}
			o.Run, o.PlanHash = "r1", p.PlanHash
		}, plan.Hold, "not one that limits hold"},
		"the accepted undecided": {3, matched("run", "b", 0, 12), func(e *evaluated) {
			for _, d := range matched("run", "a", 0, 60).partitions[0] {
				d.Outcome = policy.Undecided
				e.partitions[0] = append(e.partitions[0], d)
			}
		}, nil, plan.Hold, "matches 12 of 100 holders (12.0 %), more"},
		"of a plan held by doubts": {3, matched("run", "a", 0, 60), older, func(t *testing.T, s store.Store, o *history.Override) {
			doubtful := matched("r1", "a", 0, 60)
			doubtful.tallies[0].Holders, doubtful.consumed = 0, 9
			doubtful.putInto(t, s)
			p, err := Run(t.Context(), s, "r1", clock)
			if err != nil || p.Overridable {
				t.Fatalf("%+v, %v", p, err)
			}
			o.Run, o.PlanHash = "r1", p.PlanHash
		}, plan.Hold, "not one that limits hold"},
		"of an older version": {3, matched("run", "a", 0, 60), older, func(t *testing.T, s store.Store, o *history.Override) {
			p, err := runs.GetPlan(t.Context(), s, "r0")
			if err != nil {
				t.Fatal(err)
			}
			p.MatchHash = ""
			p.Bind()
			if err := runs.PutPlan(t.Context(), s, p, runs.Nobody); err != nil {
				t.Fatal(err)
			}
			o.PlanHash = p.PlanHash
		}, plan.Hold, "the plan does not say whom the rules matched, since an older version made it"},
		"people altered since": {3, matched("run", "b", 0, 60), older, func(t *testing.T, s store.Store, _ *history.Override) {
			other := matched("other", "b", 0, 60)
			other.putInto(t, s)
			resealed(t, s, "runs/other/decisions/0000.jsonl.gz", "runs/r0/decisions/0000.jsonl.gz")
		}, plan.Hold, "the people whom the rules matched were altered since"},
		"people of another run": {3, matched("run", "b", 0, 60), older, func(t *testing.T, s store.Store, _ *history.Override) {
			other := matched("other", "b", 0, 60)
			other.putInto(t, s)
			copied(t, s, "runs/other/decisions/0000.jsonl.gz", "runs/r0/decisions/0000.jsonl.gz")
		}, plan.Hold, "it was altered, or copied from another place"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := matched("r0", "a", 0, 60)
			s := first.put(t)
			p, err := Run(t.Context(), s, "r0", clock.AddDate(0, 0, -tc.days))
			if err != nil || p.Verdict != plan.Hold || !p.Overridable {
				t.Fatalf("%v, %+v", err, p)
			}
			o := &history.Override{Run: "r0", PlanHash: p.PlanHash, At: clock.AddDate(0, 0, -tc.days)}
			if tc.spoil != nil {
				tc.spoil(t, s, o)
			}
			if err := history.PutOverride(t.Context(), s, o); err != nil {
				t.Fatal(err)
			}
			night := tc.night
			night.partitions = slices.Clone(night.partitions)
			tc.alter(&night)
			night.putInto(t, s)
			p, err = Run(t.Context(), s, "run", clock)
			if err != nil || p.Verdict != tc.want || !strings.Contains(strings.Join(p.HoldReasons, "\n"), tc.why) {
				t.Errorf("verdict %s (%q), %v; want %s, %q", p.Verdict, p.HoldReasons, err, tc.want, tc.why)
			}
		})
	}
}

func copied(t *testing.T, s store.Store, from, to string) {
	t.Helper()
	raw, err := store.GetBytes(t.Context(), s, from, 1<<20)
	if err == nil {
		err = store.PutBytes(t.Context(), s, to, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The function "resealed" copies an object and seals the copy for the new key, as an attacker could.
func resealed(t *testing.T, s store.Store, from, to string) {
	t.Helper()
	err := store.PutLines(t.Context(), s, to, func(emit func(any) error) error {
		return store.GetLines(t.Context(), s, from, func(line *json.RawMessage) error { return emit(*line) })
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The function "took" returns n ledger intents for licenses that a rule took the given number of days ago.
func took(rule string, days, n int) (all []ledger.Intent) {
	for i := range n {
		all = append(all, ledger.Intent{
			Person: fmt.Sprintf("gone%03d-%d", i, days), License: "e3", Run: fmt.Sprintf("r%d", days), Rule: rule, To: "exo", Via: "direct", At: asOf.AddDate(0, 0, -days),
		})
	}
	return all
}

func named(all []ledger.Intent, license, sku string) []ledger.Intent {
	for i := range all {
		all[i].License, all[i].SKU = license, sku
	}
	return all
}

// TestDrains: the limit for the licenses of one night applies a second time, to a longer period. The licenses that a
// rule takes now, and those that were taken in the last 30 days, must together not exceed the same limit.
func TestDrains(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		taken []ledger.Intent
		user  string
		want  plan.Verdict
	}{
		"at the limit":                  {took("m365", 3, 7), "", plan.Review}, // 10 of 107 holders
		"above it":                      {took("m365", 3, 9), "", plan.Hold},
		"in several nights":             {slices.Concat(took("m365", 3, 5), took("m365", 29, 4)), "", plan.Hold},
		"more than 30 days ago":         {took("m365", 31, 30), "", plan.Review},
		"by a rule the policy had":      {took("former", 3, 9), "", plan.Hold},
		"under another name":            {named(took("m365", 3, 9), "office", "sku-e3"), "", plan.Hold},
		"a license of another product":  {named(took("m365", 3, 9), "office", "sku-exo"), "", plan.Review},
		"by a rule of another license":  {took("citrix", 3, 9), "", plan.Review},
		"a run for one person asks not": {took("m365", 3, 9), "a000", plan.Review},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := matched("run", "a", 0, 3)
			e.taken, e.user = tc.taken, tc.user
			e.tallies[0].Holders = 100
			s := e.put(t)
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil || p.Verdict != tc.want {
				t.Fatalf("verdict %s (%q), %v; want %s", p.Verdict, p.HoldReasons, err, tc.want)
			}
			if why := strings.Join(p.HoldReasons, "\n"); tc.want == plan.Hold && (!p.Overridable || !strings.Contains(why, "took 9 licenses in the last 30 days") || !strings.Contains(why, "12 of 109 (11.0 %)")) {
				t.Errorf("held by %q", why)
			}
		})
	}
}

// TestAcceptedDrain: runs have taken licenses in the last 30 days. The limit for this time does not count a license
// whose holder an override accepted, or whose holder has it again.
func TestAcceptedDrain(t *testing.T) {
	t.Parallel()
	first := matched("r0", "a", 0, 60)
	s := first.put(t)
	p, err := Run(t.Context(), s, "r0", clock.AddDate(0, 0, -3))
	if err != nil {
		t.Fatal(err)
	}
	if err := history.PutOverride(t.Context(), s, &history.Override{Run: "r0", PlanHash: p.PlanHash, At: asOf.AddDate(0, 0, -3)}); err != nil {
		t.Fatal(err)
	}
	e := matched("run", "b", 0, 3)
	again := reclaim("held", 70)
	again.Outcome, again.HeldAgain = 0, "r2"
	e.partitions[0] = append(e.partitions[0], again)
	for i := range 60 {
		e.taken = append(e.taken, ledger.Intent{Person: fmt.Sprintf("a%03d", i), License: "e3", Run: "r0", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)})
	}
	e.taken = append(e.taken, took("m365", 2, 13)...)
	e.taken = append(e.taken, ledger.Intent{Person: "held", License: "e3", Run: "r2", Rule: "m365", Via: "direct", At: asOf.AddDate(0, 0, -2)})
	e.putInto(t, s)
	if p, err = Run(t.Context(), s, "run", clock); err != nil || p.Verdict != plan.Review {
		t.Fatalf("16 of 173: verdict %s (%q), %v", p.Verdict, p.HoldReasons, err)
	}
}

// TestNotBelieved: if too many people match in a run, later runs do not judge the health of their sources by that run.
// They still use the dates that it read for each account.
func TestNotBelieved(t *testing.T) {
	t.Parallel()
	const teams, copilot = "m365.teams", "copilot"
	for matches, want := range map[int]bool{9: true, 60: false} {
		e := matched("run", "a", 0, matches)
		e.text = strings.Replace(text, "licenses:", "attributes: {teams: m365.teams, copilot: copilot.lastActivity, AzureAdSistaLogon: entra.lastActivity, LastlogonTimestamp: ad.lastLogonTimestamp}\nlicenses:", 1)
		e.text = strings.Replace(e.text, "when: AzureAdSistaLogon.hasNoValue()", "when: teams.hasNoValue() && copilot.hasNoValue() && AzureAdSistaLogon.hasNoValue()", 1)
		e.reports = []usage.Reading{{Name: "m365", Signals: map[string]usage.Facts{teams: {Freshness: healthy(directory.Entra).Freshness}}}, {Name: copilot, Failed: "no permission"}}
		s := e.put(t)
		p, err := Run(t.Context(), s, "run", clock)
		if err != nil || (p.Verdict == plan.Hold) == want {
			t.Fatalf("%v, verdict %s", err, p.Verdict)
		}
		left, err := history.GetPlanned(t.Context(), s, "run")
		if err != nil {
			t.Fatal(err)
		}
		if left.OnHold == want || (left.Feeds[0] != nil) != want || (left.Feeds[1] != nil) != want {
			t.Errorf("%d matches: held %v, baselines %v", matches, left.OnHold, left.Feeds)
		}
		var signals map[string]*plan.Baseline // the report on Copilot could not be read
		if want {
			signals = map[string]*plan.Baseline{teams: {Run: "run", Read: asOf, Freshness: healthy(directory.Entra).Freshness}}
		}
		if d := cmp.Diff(signals, left.Signals, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%d matches: baselines of reports (-want +got):\n%s", matches, d)
		}
		for source, known := range left.Known {
			if known == nil || known.Run != "run" || known.Partitions != 1 {
				t.Errorf("%d matches: of source %d later runs remember %+v", matches, source, known)
			}
		}
	}
}

// TestAsksNobody: the plan has a note about a rule whose condition "for" is false or unknown for every holder. It has
// no note if the rule has no holders or if all of them are exempt.
func TestAsksNobody(t *testing.T) {
	t.Parallel()
	rules, err := policy.Load("p", []byte(strings.Replace(text, "license: e3, when:", `license: e3, for: employeeType == "Employee", when:`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		tally plan.Tally
		want  string
	}{
		"runs.Nobody, all empty": {plan.Tally{Rule: "m365", Holders: 481, Keep: 481, Empty: map[string]int{"employeeType": 481}}, `rule m365 asks nobody: its condition "for" is not known to hold for any of the 481 holders; without a value: employeeType in 481 of 481; correct it`},
		"nobody":                 {plan.Tally{Rule: "m365", Holders: 5, Keep: 5}, "is not known to hold for any of the 5 holders; correct it"},
		"somebody":               {plan.Tally{Rule: "m365", Holders: 481, Asked: 1}, ""},
		"all exempt":             {plan.Tally{Rule: "m365", Holders: 5, Exempt: 5}, ""},
		"no holders":             {plan.Tally{Rule: "m365"}, ""},
		"asks everybody":         {plan.Tally{Rule: "citrix", Holders: 5}, ""},
	} {
		got := strings.Join(asksNobody(rules, []plan.Tally{tc.tally}), "\n")
		if (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
