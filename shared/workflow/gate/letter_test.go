package gate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// TestOutcomeAndTone: the outcome in a message says what the execution did, whatever the verdict of its plan was. The
// tone is Attention if anything failed, and Good only if nothing is left to do.
func TestOutcomeAndTone(t *testing.T) {
	t.Parallel()
	done, pending, failed := statusCounts{runs.Done: 1}, statusCounts{runs.Pending: 1}, statusCounts{runs.Failed: 1}
	for name, tc := range map[string]struct {
		out     StepOutput
		outcome Outcome
		tone    card.Tone
	}{
		"the execution failed":             {StepOutput{Failure: &Failure{Error: "E"}}, Failed, card.Attention},
		"the request was refused":          {StepOutput{Failure: &Failure{Error: RefusedError}}, Refused, card.Warning},
		"a plan waits":                     {StepOutput{Verdict: plan.Review, Mode: policy.Review}, Waiting, card.Warning},
		"a plan waits, others are done":    {StepOutput{Verdict: plan.Review, Mode: policy.Review, Resumed: done}, Waiting, card.Warning},
		"a plan waits, one failed":         {StepOutput{Verdict: plan.Review, Mode: policy.Review, Resumed: failed}, Waiting, card.Attention},
		"a plan in audit":                  {StepOutput{Verdict: plan.Apply, Mode: policy.Audit}, Planned, card.Warning},
		"a plan of nothing":                {StepOutput{Verdict: plan.Nothing}, Nothing, card.Good},
		"a plan of nothing, others pend":   {StepOutput{Verdict: plan.Nothing, Results: statusCounts{}, Resumed: pending}, Waits, card.Warning},
		"a plan of nothing, others failed": {StepOutput{Verdict: plan.Nothing, Results: statusCounts{}, Resumed: failed}, Done, card.Attention},
		"a plan on hold":                   {StepOutput{Verdict: plan.Hold}, Held, card.Warning},
		"a plan on hold, overridden":       {StepOutput{Verdict: plan.Hold, Results: done}, Done, card.Good},
		"stopped by a check":               {StepOutput{Verdict: plan.Apply, Results: pending, Refused: "another tenant"}, Held, card.Warning},
		"all is done":                      {StepOutput{Verdict: plan.Apply, Results: done, Resumed: done}, Done, card.Good},
		"done, whatever the mode was":      {StepOutput{Verdict: plan.Apply, Mode: policy.Audit, Results: done}, Done, card.Good},
		"some are refused":                 {StepOutput{Verdict: plan.Apply, Results: statusCounts{runs.Done: 1, runs.Refused: 2}}, Done, card.Warning},
		"some are kept":                    {StepOutput{Verdict: plan.Apply, Results: statusCounts{runs.Done: 1, runs.Kept: 2}}, Done, card.Good},
		"some are not restored":            {StepOutput{Verdict: plan.Review, Restores: "r0", Results: statusCounts{runs.Done: 1, runs.Refused: 1}, Unrestored: 1}, Done, card.Warning},
		"a restore goes on in another run": {StepOutput{Verdict: plan.Review, Restores: "r0", Results: statusCounts{runs.Done: 1, runs.Refused: 1}}, Done, card.Good},
		"some pend":                        {StepOutput{Verdict: plan.Apply, Results: pending}, Waits, card.Warning},
		"one failed":                       {StepOutput{Verdict: plan.Apply, Results: failed}, Done, card.Attention},
		"one of each failed":               {StepOutput{Verdict: plan.Apply, Results: failed, Resumed: failed}, Done, card.Attention},
	} {
		outcome, c := Card(&tc.out, deployed("seats", "s3://b", "", false))
		if outcome != tc.outcome || c.Tone != tc.tone {
			t.Errorf("%s: outcome %s, tone %s", name, outcome, c.Tone)
		}
	}
}

// TestFactsOfACard: a message has a line such as "Changes" or "Report" only if the output of the run has a value for
// it.
func TestFactsOfACard(t *testing.T) {
	t.Parallel()
	const key = "runs/" + aRun + "/report.html"
	run := card.Fact{Heading: "Run", Text: aRun + ", mode review"}
	none := card.Fact{Heading: "Changes", Text: "none"}
	with := func(edit func(*StepOutput)) StepOutput {
		out := StepOutput{Run: aRun, Mode: policy.Review, Verdict: plan.Nothing, Currency: "SEK"}
		edit(&out)
		return out
	}
	for name, tc := range map[string]struct {
		out   StepOutput
		place string
		want  []card.Fact
		link  string
	}{
		"nothing":                {with(func(*StepOutput) {}), "", []card.Fact{run, none}, ""},
		"a run without people":   {with(func(o *StepOutput) { o.Counts = &plan.Counts{} }), "", []card.Fact{run, none}, ""},
		"a report in a bucket":   {with(func(o *StepOutput) { o.Report = key }), "s3://b/p/", []card.Fact{run, none, {Heading: "Report", Text: "s3://b/p/" + key}}, "https://x/" + key},
		"a report in a folder":   {with(func(o *StepOutput) { o.Report = key }), "", []card.Fact{run, none, {Heading: "Report", Text: key}}, "https://x/" + key},
		"no report":              {with(func(o *StepOutput) { o.NoReport = "no room" }), "", []card.Fact{run, none, {Heading: "Report", Text: "not written: no room"}}, ""},
		"a cause without a name": {with(func(o *StepOutput) { o.Failure = &Failure{Cause: "no route"} }), "", []card.Fact{{Heading: "Run", Text: aRun}, {Heading: "Why", Text: "no route"}}, ""},
		"announced alone":        {with(func(o *StepOutput) { o.Results = statusCounts{runs.Announced: 1} }), "", []card.Fact{run, {Heading: "Changes", Text: "0; announced 1; 0.00 SEK a month freed"}}, ""},
		"a hold that was overridden": {with(func(o *StepOutput) {
			o.Verdict, o.HoldReasons, o.Changes, o.Results, o.MonthlySaving = plan.Hold, []string{"too many"}, 1, statusCounts{runs.Done: 1}, 35
		}), "", []card.Fact{run, {Heading: "Changes", Text: "1; done 1; 35.00 SEK a month freed"}}, ""},
	} {
		at := &Place{Name: "seats", Store: tc.place, Hints: hints{name: "seats", place: tc.place}, Link: func(key string) string { return "https://x/" + key }}
		_, c := Card(&tc.out, at)
		if d := cmp.Diff(tc.want, c.Facts); d != "" || c.Report != tc.link {
			t.Errorf("%s: link %q, facts (-want +got):\n%s", name, c.Report, d)
		}
	}
}

// TestFreed: the message says "freed" for the monthly amount that a run saves. It says "paid again" for a restore, and
// for a run whose restores cost more than its other changes save.
func TestFreed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		restores string
		saving   float64
		want     string
	}{
		"a run":                    {"", 35, "35.00 SEK a month freed"},
		"a run of free products":   {"", 0, "0.00 SEK a month freed"},
		"a run that gave back":     {"", -35, "35.00 SEK a month paid again"},
		"a restore":                {"r0", -35, "35.00 SEK a month paid again"},
		"a restore without prices": {"r0", 0, "0.00 SEK a month paid again"},
	} {
		if got := freed(&StepOutput{Restores: tc.restores, MonthlySaving: tc.saving, Currency: "SEK"}); got != tc.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestNoticeOfNoExecution: a run that the command made on one machine has no execution that an operator could redrive.
func TestNoticeOfNoExecution(t *testing.T) {
	t.Parallel()
	at := deployed("seats", "s3://b", "", false)
	outcome, c := Card(&StepOutput{Failure: &Failure{Error: "E", Cause: "no route"}}, at)
	if outcome != Failed || c.Next != "Start it again; the new run continues what this one began." || strings.Contains(c.Text(), "Execution") {
		t.Errorf("%s: %s", outcome, c.Text())
	}
}

// TestUnrestored: the output of a restore has the number of licenses that were not restored, here one that was refused
// and two with a damaged ledger. The output of any other run has zero.
func TestUnrestored(t *testing.T) {
	t.Parallel()
	r := &runs.Results{Results: []runs.Result{{Status: runs.Done}, {Status: runs.Refused}}}
	for restores, want := range map[string]int{"": 0, "r0": 3} {
		p := &plan.Plan{Restores: restores, Unreadable: []string{"a", "b"}}
		if got := outputOf(p, r, false).Unrestored; got != want {
			t.Errorf("of %q: %d, want %d", restores, got, want)
		}
	}
}

// TestRestoresUser: the state of a restore of one person has the person's id. It has no name.
func TestRestoresUser(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{"": "", "S-1-5-21-1": "S-1-5-21-1", "anna@x.example": someUser} {
		if got := outputOf(&plan.Plan{Restores: "r0", RestoresUser: user}, nil, false).RestoresUser; got != want {
			t.Errorf("of %q: %q, want %q", user, got, want)
		}
	}
}
