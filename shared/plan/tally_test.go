package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// TestTally: every verdict is counted once, and only people who are known to hold the license count as holders. The
// method Add adds up the counts of two parts of the people.
func TestTally(t *testing.T) {
	t.Parallel()
	var a, b Tally
	for outcome, n := range map[policy.Outcome]int{policy.Keep: 1, policy.Reclaim: 2, policy.Undecided: 3, policy.Exempt: 4} {
		for range n {
			a.Count(outcome, directory.Yes, directory.No)
		}
	}
	a.Count(policy.Undecided, directory.Unset, directory.Yes)
	a.Count(policy.Undecided, directory.Yes, directory.Yes)
	a.Count(policy.Undecided, directory.Yes, directory.Unset)
	a.Count(policy.Keep, directory.No, directory.No)
	a.Ask(directory.Yes, slices.Values([]string{"employeeType", "created"}))
	a.Ask(directory.No, slices.Values([]string{"employeeType"}))
	a.Ask(directory.Unset, slices.Values([]string(nil)))
	a.ExemptByAccount, a.ExemptUnknown = 3, 2 // the caller counts them
	want := Tally{Holders: 12, Keep: 2, Reclaim: 2, Undecided: 6, Exempt: 4, ExemptHolders: 4, ExemptByAccount: 3, ExemptUnknown: 2, Asked: 1, UndecidedHolders: 5, UndecidedAsked: 1, Empty: map[string]int{"employeeType": 2, "created": 1}}
	if d := cmp.Diff(want, a); d != "" {
		t.Errorf("counted (-want +got):\n%s", d)
	}
	b.Add(a)
	if d := cmp.Diff(want, b); d != "" {
		t.Errorf("added to nothing (-want +got):\n%s", d)
	}
	b.Add(a)
	want = Tally{Holders: 24, Keep: 4, Reclaim: 4, Undecided: 12, Exempt: 8, ExemptHolders: 8, ExemptByAccount: 6, ExemptUnknown: 4, Asked: 2, UndecidedHolders: 10, UndecidedAsked: 2, Empty: map[string]int{"employeeType": 4, "created": 2}}
	if d := cmp.Diff(want, b); d != "" {
		t.Errorf("added twice (-want +got):\n%s", d)
	}
	if got, want := b.Told(), "created in 2 of 24, employeeType in 4 of 24"; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestPlanned: a decision is planned if it takes or restores a license and is not refused.
func TestPlanned(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		d    Decision
		want bool
	}{
		{Decision{Outcome: policy.Reclaim}, true},
		{Decision{Outcome: policy.Reclaim, Refused: "two groups"}, false},
		{Decision{Outcome: policy.Keep}, false},
		{Decision{Outcome: policy.Undecided}, false},
		{Decision{Outcome: policy.Exempt}, false},
		{Decision{Outcome: policy.Keep, RestoreOf: "r1"}, true},
		{Decision{Outcome: policy.Keep, RestoreOf: "r1", Refused: "no seat"}, false},
	} {
		if got := tc.d.Planned(); got != tc.want {
			t.Errorf("%+v: %v", tc.d, got)
		}
	}
}

// TestHashLeavesReasonsOut: the hash does not cover why a change is pending, because the reason may differ when the
// plan is made again. It covers all other members of pending changes. Hash does not modify the plan.
func TestHashLeavesReasonsOut(t *testing.T) {
	t.Parallel()
	base := func() *Plan {
		return &Plan{Run: "r", AsOf: asOf, Pending: []Begun{{User: "u", Run: "q", Reason: "waits"}}}
	}
	p := base()
	p.Pending[0].Reason = "waits for the relay"
	if p.Hash() != base().Hash() {
		t.Error("the reason is in the hash")
	}
	if p.Pending[0].Reason != "waits for the relay" {
		t.Errorf("the plan was changed: %+v", p.Pending)
	}
	for name, change := range map[string]func(*Plan){
		"verdict":     func(p *Plan) { p.Verdict = Apply },
		"overridable": func(p *Plan) { p.Overridable = true },
		"restores":    func(p *Plan) { p.Restores = "q" },
		"resumes":     func(p *Plan) { p.Resumes = []string{"q"} },
		"pending":     func(p *Plan) { p.Pending[0].To = "exo" },
		"notices":     func(p *Plan) { p.Notices = []Change{{}} },
		"matches":     func(p *Plan) { p.Matches = map[string]int{"r": 1} },
		"who matches": func(p *Plan) { p.MatchHash = "h" },
	} {
		p := base()
		change(p)
		if p.Hash() == base().Hash() {
			t.Errorf("%s is not in the hash", name)
		}
	}
}

// TestHealthAtTheBounds: a signal is healthy if it has lost as many people or dates as are allowed. If it has lost one
// more, it is unhealthy.
func TestHealthAtTheBounds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		people, dates, peopleNow, datesNow int
		want                               FeedState
	}{
		"3 % of the dates":                        {1000, 1000, 1000, 970, Healthy},
		"more than 3 % of the dates":              {1000, 1000, 1000, 969, Unhealthy},
		"five dates of few":                       {100, 60, 100, 55, Healthy},
		"six dates of few":                        {100, 60, 100, 54, Unhealthy},
		"the dates of 50 who left, and 3 %":       {1000, 1000, 950, 920, Healthy},
		"the dates of 50 who left, and one more":  {1000, 1000, 950, 919, Unhealthy},
		"more people make no room for lost dates": {1000, 1000, 1100, 969, Unhealthy},
		"10 % of the people":                      {1000, 0, 900, 1, Healthy},
		"more than 10 % of the people":            {1000, 0, 899, 1, Unhealthy},
		"five people of few":                      {20, 0, 15, 1, Healthy},
		"six people of few":                       {20, 0, 14, 1, Unhealthy},
		"more of both":                            {100, 60, 200, 190, Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := FeedFacts{
				Freshness: directory.Freshness{Sampled: tc.peopleNow, WithActivity: tc.datesNow, Newest: asOf},
				Baseline:  &Baseline{Read: asOf, Freshness: directory.Freshness{Sampled: tc.people, WithActivity: tc.dates}},
			}
			if got := Health(directory.SignIns, f, asOf); got.State != tc.want {
				t.Errorf("%+v, want %s", got, tc.want)
			}
		})
	}
	for signal, most := range map[directory.Signal]time.Duration{directory.SignIns: 4 * 24 * time.Hour, directory.Logons: 14 * 24 * time.Hour, directory.CopilotUse: 7 * 24 * time.Hour} {
		for over, want := range map[time.Duration]FeedState{0: Healthy, time.Second: Unhealthy} {
			f := FeedFacts{Freshness: directory.Freshness{Sampled: 1, WithActivity: 1, Newest: asOf.Add(-most - over)}}
			if got := Health(signal, f, asOf); got.State != want {
				t.Errorf("%s, %s over: %+v, want %s", signal, over, got, want)
			}
		}
	}
	if got := (Feed{State: Healthy, Reason: "was stale yesterday"}).Stale(); got != "" {
		t.Errorf("a healthy feed is stale: %s", got)
	}
}

// TestLimitsAtTheBounds: the limits in percent apply only to a rule that matches at least ten holders.
func TestLimitsAtTheBounds(t *testing.T) {
	t.Parallel()
	limits := policy.Limits{StopAbovePercent: 10, StopAboveCount: 500}
	for name, tc := range map[string]struct {
		got  []string
		want []string
	}{
		"nine matches":     {Exceeded(limits, []Tally{{Rule: "r", Reclaim: 9, Holders: 50}}, nil), nil},
		"ten matches":      {Exceeded(limits, []Tally{{Rule: "r", Reclaim: 10, Holders: 50}}, nil), []string{"rule r matches 10 of 50 holders (20.0 %), more than limits.stopAbove.percent 10"}},
		"more than match":  {Exceeded(limits, []Tally{{Rule: "r", Reclaim: 3, Holders: 50}}, map[string]int{"r": 20}), nil},
		"each rule alone":  {Exceeded(limits, []Tally{{Rule: "q", Reclaim: 9, Holders: 90}, {Rule: "r", Reclaim: 11, Holders: 100}}, map[string]int{"q": 9}), []string{"rule r matches 11 of 100 holders (11.0 %), more than limits.stopAbove.percent 10"}},
		"nine in a window": {Drained(limits, []Drain{{Rule: "r", Before: 5, Now: 4, Holders: 50}}), nil},
	} {
		if d := cmp.Diff(tc.want, tc.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if got := Drained(limits, []Drain{{Rule: "q", Before: 1}, {Rule: "r", Before: 5, Now: 5, Holders: 50}}); len(got) != 1 {
		t.Errorf("ten in a window, behind a rule that takes nothing: %q", got)
	}
	for n, want := range map[int]string{1: "runs a", 5: "runs a, a, a, a, a", 6: "runs a, a, a, a, a and 1 more"} {
		if got := runList(slices.Repeat([]string{"a"}, n)); got != want {
			t.Errorf("%d runs: %q, want %q", n, got, want)
		}
	}
}

// TestStuck: the changes that nobody finishes are those of runs that the plan does not resume.
func TestStuck(t *testing.T) {
	t.Parallel()
	all := []Begun{{Run: "a", User: "x"}, {Run: "b", User: "x"}, {Run: "a", User: "y"}}
	for _, tc := range []struct {
		resumes []string
		want    []Begun
	}{{nil, all}, {[]string{"a"}, all[1:2]}, {[]string{"a", "b"}, []Begun{}}} {
		p := &Plan{Resumes: tc.resumes, Pending: all}
		if got := p.Stuck(); !slices.Equal(got, tc.want) || len(p.Pending) != 3 {
			t.Errorf("resumes %q: %+v", tc.resumes, got)
		}
	}
}

// TestReturning: Returning returns the resumed runs with a pending change that gives a license back. It returns each
// run once.
func TestReturning(t *testing.T) {
	t.Parallel()
	p := &Plan{Resumes: []string{"a", "b", "c"}, Pending: []Begun{{Run: "a"}, {Run: "b", Back: true}, {Run: "b"}, {Run: "b", Back: true}, {Run: "lost", Back: true}, {Run: "c", Back: true}}}
	if got := p.Returning(); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("%q", got)
	}
	if got := (&Plan{Resumes: []string{"a"}, Pending: []Begun{{Run: "a"}}}).Returning(); len(got) != 0 {
		t.Errorf("nothing returns: %q", got)
	}
}
