package gate

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	aRun  = "20261129T020000Z-1a2b3c4d"
	aHash = "2d9327dc93102f653257b92b24376af6f2121619e08de17d059fd1fc8927008a"
)

func (s *Steps) told(t *testing.T, state any) *StepOutput {
	t.Helper()
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	return s.toldAt(t, "", text)
}

func (s *Steps) toldAt(t *testing.T, at entrance.Name, state []byte) *StepOutput {
	t.Helper()
	execution := "arn:e"
	if at != "" {
		execution = "arn:aws:states:r:1:execution:" + at.Machine(s.Deployment) + ":e"
	}
	out, err := s.Do(t.Context(), StepInput{Op: "notice", Execution: execution, State: state})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStartAgain: the notice of a failed execution usually has the command that makes the same request again. If the
// request is about one person, the notice must not name the person. It then has the command that shows the request. The
// notice of a failed night says that the next night continues the work, and that a new plan can continue it now.
func TestStartAgain(t *testing.T) {
	t.Parallel()
	s := &Steps{Store: &store.Memory{}, Now: func() time.Time { return clock }, Deployment: "seats", Place: "s3://b"}
	const approval, failure = `"apply":"` + aRun + `","planHash":"` + aHash + `"`, `"failure":{"Error":"States.Timeout","Cause":""}}`
	const input = "aws stepfunctions describe-execution --query input --output text --execution-arn arn:aws:states:r:1:execution:"
	for _, tt := range []struct {
		at          entrance.Name
		state, want string
	}{
		{entrance.Plan, `{`, "idleseat plan --aws seats"},
		{entrance.Nightly, `{"run":"` + aRun + `","planHash":"` + aHash + `",`, "idleseat plan --aws seats"},
		{entrance.Plan, `{"user":"anna",`, input + "seats:e"},
		{entrance.Approve, `{` + approval + `,`, "idleseat approve " + aRun + " " + aHash + " --aws seats"},
		{entrance.Approve, `{"run":"` + aRun + `","planHash":"` + aHash + `",`, "idleseat approve " + aRun + " " + aHash + " --aws seats"},
		{entrance.Approve, `{"apply":"` + aRun + `","planHash":"anna berg",`, input + "seats-approve:e"},
		{entrance.Approve, `{"apply":"anna","planHash":"` + aHash + `",`, input + "seats-approve:e"},
		{entrance.Approve, `{"user":"anna","apply":true,`, input + "seats-approve:e"},
		{entrance.Override, `{` + approval + `,"override":true,`, "idleseat approve " + aRun + " " + aHash + " --override-limits --aws seats"},
		{entrance.Restore, `{"restore":"` + aRun + `","user":"anna",`, input + "seats-restore:e"},
		{entrance.Restore, `{"run":"` + aRun + `","planHash":"` + aHash + `","restores":"` + aRun + `",`, input + "seats-restore:e"},
	} {
		message := s.toldAt(t, tt.at, []byte(tt.state+failure)).Notice.Message
		steps := strings.Split(strings.TrimSpace(message), "\n\n")
		_, command, _ := strings.Cut(steps[len(steps)-1], ":\n  ")
		how := "Start it again; the new run continues what this one began."
		switch tt.at {
		case entrance.Plan:
			how = "Start it again. A plan changes nothing."
		case entrance.Nightly:
			how = "The next night continues what this one began. To continue now, plan again and approve that plan."
		}
		if !strings.Contains(message, "Next: "+how) {
			t.Errorf("%s %s: want %q in %s", tt.at, tt.state, how, message)
		}
		if command != tt.want || strings.Contains(message, "anna") || !strings.Contains(message, "get-execution-history") {
			t.Errorf("%s %s: %q, want %q", tt.at, tt.state, command, tt.want)
		}
	}
}

type statusCounts = map[runs.Status]int

func TestNotice(t *testing.T) {
	t.Parallel()
	s := &Steps{Store: &store.Memory{}, Now: func() time.Time { return clock }, Deployment: "seats", Place: "s3://b/p/"}
	planned := StepOutput{Run: aRun, PlanHash: aHash, Mode: policy.Review, Verdict: plan.Review, Changes: 3, MonthlySaving: 105, Currency: "USD", Counts: &plan.Counts{Users: 9, Keep: 4, Reclaim: 3, Undecided: 1, Exempt: 1}}
	with := func(edit func(*StepOutput)) StepOutput { out := planned; edit(&out); return out }
	failed := func(text string) any { return json.RawMessage(text) }
	for name, tt := range map[string]struct {
		state         any
		outcome       Outcome
		subject       string
		parts, absent []string
	}{
		"waiting": {planned, Waiting, "seats: waiting for approval, 3 changes", []string{
			"Run        " + aRun + ", mode review", "Execution  arn:e", "People     9; the rules gave 9 verdicts: keep 4, reclaim 3, undecided 1, exempt 1", "Changes    3 changes, which would save 105.00 USD a month",
			"  aws s3 cp s3://b/p/runs/" + aRun + "/changes.csv -", "  idleseat approve " + aRun + " " + aHash + " --aws seats"}, []string{"Why", "Earlier"}},
		"audit":   {with(func(o *StepOutput) { o.Mode = policy.Audit }), Planned, "seats: 3 changes planned, none applied (mode audit)", []string{"set mode review", "To plan again:\n  idleseat plan --aws seats"}, []string{"approve"}},
		"nothing": {with(func(o *StepOutput) { o.Verdict, o.Changes = plan.Nothing, 0 }), Nothing, "seats: done, nothing to change", []string{"Nothing needs to be done."}, []string{"idleseat "}},
		"nothing new, and some wait": {with(func(o *StepOutput) { o.Verdict, o.Changes, o.Begun = plan.Nothing, 0, 2 }), Nothing, "seats: nothing new to change, 2 of earlier runs not finished", []string{
			"Earlier    begun by earlier runs and not finished: 2 changes", "The next scheduled run finishes these changes.", "idleseat approve " + aRun + " " + aHash + " --aws seats"}, []string{"Nothing needs to be done."}},
		"nothing new, and some wait in audit": {with(func(o *StepOutput) {
			o.Verdict, o.Changes, o.Begun, o.Stuck, o.Mode = plan.Nothing, 0, 2, 2, policy.Audit
		}), Nothing, "seats: nothing new to change, 2 of earlier runs not finished", []string{
			"In mode audit nothing is written", "idleseat show " + aRun}, []string{"Nothing needs to be done.", "approve"}},
		"waiting, and some wait": {with(func(o *StepOutput) { o.Begun = 1 }), Waiting, "seats: waiting for approval, 3 changes", []string{"Earlier    begun by earlier runs and not finished: 1 change\n"}, nil},
		"a limit": {with(func(o *StepOutput) {
			o.Verdict, o.Overridable, o.HoldReasons = plan.Hold, true, []string{"too many", "far too many"}
		}), Held, "seats: HELD by a safety check; nothing was changed", []string{"Why        too many\nWhy        far too many\n", "approve " + aRun + " " + aHash + " --override-limits --aws seats"}, nil},
		"a limit in audit":             {with(func(o *StepOutput) { o.Verdict, o.Overridable, o.Mode = plan.Hold, true, policy.Audit }), Held, "seats: HELD by a safety check; nothing was changed", []string{"idleseat show " + aRun + " --store s3://b/p\n", "idleseat plan --aws seats"}, []string{"override"}},
		"a feed that is unhealthy":     {with(func(o *StepOutput) { o.Verdict, o.Unhealthy = plan.Hold, true }), Held, "seats: HELD by a safety check; nothing was changed", []string{"To examine the sources, with your own sign-in:\n  idleseat doctor --aws seats"}, []string{"override"}},
		"a feed":                       {with(func(o *StepOutput) { o.Verdict, o.HoldReasons = plan.Hold, []string{"ad is unhealthy"} }), Held, "seats: HELD by a safety check; nothing was changed", []string{"Why        ad is unhealthy"}, []string{"override", "doctor"}},
		"a hold after earlier changes": {with(func(o *StepOutput) { o.Verdict, o.Resumed = plan.Hold, statusCounts{runs.Done: 1} }), Held, "seats: HELD by a safety check; no further change is begun", nil, nil},
		"a check while it is applied": {with(func(o *StepOutput) {
			o.Verdict, o.Overridable, o.Results, o.Refused = plan.Hold, true, statusCounts{runs.Pending: 3}, "another tenant"
		}), Held, "seats: HELD by a safety check; no further change is begun", []string{"Why        another tenant"}, []string{"override"}},
		"a check after some are done": {with(func(o *StepOutput) {
			o.Verdict, o.Results, o.Refused = plan.Apply, statusCounts{runs.Done: 90, runs.Pending: 10}, "the policy is in mode audit"
		}), Held, "seats: HELD by a safety check; no further change is begun", []string{"done 90, pending 10", "To restore what was taken:\n  idleseat restore --run " + aRun + " --aws seats"}, nil},
		"a check while a restore goes on": {with(func(o *StepOutput) {
			o.Results, o.Restores, o.Refused = statusCounts{runs.Done: 2, runs.Pending: 1}, aRun, "another tenant"
		}), Held, "seats: HELD by a safety check; no further change is begun", nil, []string{"idleseat restore"}},
		"done": {with(func(o *StepOutput) {
			o.Results, o.Resumed = statusCounts{runs.Done: 2, runs.Kept: 1}, statusCounts{runs.Done: 1}
		}), Done, "seats: done, 2 changes", []string{"Changes    3; done 2, kept 1; 105.00 USD a month freed", "Earlier    begun by earlier runs: done 1", "idleseat restore --run " + aRun + " --aws seats"}, nil},
		"some failed": {with(func(o *StepOutput) { o.Results = statusCounts{runs.Done: 1, runs.Failed: 2} }), Done, "seats: done, 1 change, 2 FAILED", []string{"/results/settled.json -", "still have what they had"}, nil},
		"one of each failed": {with(func(o *StepOutput) {
			o.Results, o.Resumed = statusCounts{runs.Done: 2, runs.Failed: 1}, statusCounts{runs.Failed: 1}
		}), Done, "seats: done, 2 changes, 2 FAILED", []string{"Look at why changes failed."}, []string{"Nothing needs to be done."}},
		"superseded midway":  {with(func(o *StepOutput) { o.Results = statusCounts{runs.Done: 2, runs.Refused: 18} }), Done, "seats: done, 2 changes, 18 refused", []string{"Look at why changes were refused.", "/results/settled.json -", "idleseat restore --run " + aRun}, []string{"Nothing needs to be done."}},
		"superseded at once": {with(func(o *StepOutput) { o.Results = statusCounts{runs.Refused: 20} }), Done, "seats: done, 0 changes, 20 refused", []string{"Look at why changes were refused."}, []string{"Nothing needs to be done.", "idleseat restore"}},
		"a restore that refuses": {with(func(o *StepOutput) {
			o.Results, o.Restores, o.Unrestored = statusCounts{runs.Done: 14, runs.Refused: 5}, aRun, 6
		}), Done, "seats: restored, 14 changes, 6 not restored", []string{"Trouble    not restored: 6 licenses", "Look at why licenses were not restored", "/results/settled.json -", "To restore again:\n  idleseat restore --run " + aRun + " --aws seats\n"}, []string{"Nothing needs to be done."}},
		"a restore of one that refuses": {with(func(o *StepOutput) {
			o.Results, o.Restores, o.RestoresUser, o.Unrestored = statusCounts{runs.Done: 1, runs.Refused: 1}, aRun, "S-1-5-21-1", 1
		}), Done, "seats: restored, 1 change, 1 not restored", []string{"To restore again:\n  idleseat restore --run " + aRun + " S-1-5-21-1 --aws seats\n"}, []string{"--run " + aRun + " --aws"}},
		"a restore of a name that fails": {with(func(o *StepOutput) {
			o.Results, o.Restores, o.RestoresUser = statusCounts{runs.Failed: 1}, aRun, someUser
		}), Done, "seats: restored, 0 changes, 1 FAILED", []string{"To restore again, with the person in place of USER:\n  idleseat restore --run " + aRun + " USER --aws seats\n"}, []string{"--run " + aRun + " --aws"}},
		"a restore": {with(func(o *StepOutput) {
			o.Results, o.Restores, o.MonthlySaving = statusCounts{runs.Done: 3}, aRun, -105
		}), Done, "seats: restored, 3 changes", []string{"105.00 USD a month paid again", "Nothing needs to be done."}, []string{"To restore"}},
		"pending": {with(func(o *StepOutput) {
			o.Results, o.Troubled, o.Batches = statusCounts{runs.Done: 1, runs.Pending: 2}, 1, Batches{Entra: []Batch{{Run: aRun}}}
		}), Waits, "seats: 1 of 3 changes done, 2 pending", []string{"Trouble    pending until a fault is mended: 1 change\n", "mend it. The next scheduled run then finishes them", "To finish it now:\n  idleseat", "idleseat approve " + aRun + " " + aHash + " --aws seats"}, []string{"override"}},
		"pending of an override": {with(func(o *StepOutput) {
			o.Verdict, o.Overridable, o.Results = plan.Hold, true, statusCounts{runs.Pending: 3}
		}), Waits, "seats: 0 of 3 changes done, 3 pending", []string{"idleseat approve " + aRun + " " + aHash + " --override-limits --aws seats"}, nil},
		"pending of an earlier override": {with(func(o *StepOutput) {
			o.Results, o.Resumed, o.Batches = statusCounts{runs.Done: 3}, statusCounts{runs.Pending: 1}, Batches{Entra: []Batch{{Run: "earlier", Override: true}}}
		}), Waits, "seats: 3 of 4 changes done, 1 pending", []string{"idleseat approve " + aRun + " " + aHash + " --aws seats"}, []string{"override"}},
		"pending of an earlier run": {with(func(o *StepOutput) {
			o.Results, o.Resumed = statusCounts{runs.Done: 3}, statusCounts{runs.Pending: 1}
		}), Waits, "seats: 3 of 4 changes done, 1 pending", []string{"The directory does not show every change yet. The next scheduled run finishes what is pending."}, []string{"mend", "Trouble"}},
		"failed": {failed(`{"run":"` + aRun + `","failure":{"Error":"Idleseat.Failed","Cause":"{\"errorMessage\":\"the store of \\\"Anna Berg\\\" is down\",\"errorType\":\"Idleseat.Failed\"}"}}`),
			Failed, "seats: FAILED, start it again", []string{"Run        " + aRun + "\n", "Why        Idleseat.Failed: the store of (name left out) is down", "Next: Start it again; the new run continues what this one began. Do not redrive this execution", "describe-execution"}, []string{"Anna", "Changes"}},
		"failed without a message": {failed(`{"run":"` + aRun + `","apply":"20261128T020000Z-00000000","failure":{"Error":"E","Cause":"{\"errorType\":\"E\"}"}}`),
			Failed, "seats: FAILED, start it again", []string{"Run        " + aRun + "\n", "Why        E: {"}, nil},
		"failed with a name as a run": {failed(`{"run":"anna.berg","failure":{"Error":"E","Cause":""}}`), Failed, "seats: FAILED, start it again", nil, []string{"anna", "Run  "}},
		"failed before it had a run": {failed(`{"user":"anna@contoso.example","run":5,"failure":{"Error":"States.Timeout","Cause":""}}`),
			Failed, "seats: FAILED, start it again", []string{"Execution  arn:e", "Why        States.Timeout: "}, []string{"anna", "Run  "}},
		"refused": {failed(`{"apply":"` + aRun + `","planHash":"x","failure":{"Error":"Idleseat.Refused","Cause":"{\"errorMessage\":\"no\"}"}}`),
			Refused, "seats: refused, nothing was begun", []string{"Run        " + aRun + "\n", "Why        no", "To see what was asked:\n  aws stepfunctions describe-execution"}, []string{"idleseat "}},
		"refused a name as a run": {failed(`{"restore":"anna.berg","failure":{"Error":"Idleseat.Refused","Cause":"no"}}`), Refused, "seats: refused, nothing was begun", nil, []string{"anna", "Run  "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := s.told(t, tt.state).Notice
			if d := cmp.Diff(Notice{tt.outcome, tt.subject, n.Message}, *n); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for _, part := range append(tt.parts, tt.subject+"\n", "\nNext: ") {
				if !strings.Contains(n.Message, part) {
					t.Errorf("without %q:\n%s", part, n.Message)
				}
			}
			for _, part := range tt.absent {
				if strings.Contains(n.Message, part) {
					t.Errorf("with %q:\n%s", part, n.Message)
				}
			}
		})
	}
}

// TestRegionOfAnExecution: the link to a report names the region of the execution, if the ARN of the execution has one.
func TestRegionOfAnExecution(t *testing.T) {
	t.Parallel()
	for execution, want := range map[string]string{
		"arn:aws:states:eu-north-1:1:execution:seats:e": "https://eu-north-1.console.aws.amazon.com/s3/object/b?prefix=k&region=eu-north-1",
		"arn:aws:states:eu-north-1":                     "https://eu-north-1.console.aws.amazon.com/s3/object/b?prefix=k&region=eu-north-1",
		"arn:aws:states":                                "https://console.aws.amazon.com/s3/object/b?prefix=k",
		"":                                              "https://console.aws.amazon.com/s3/object/b?prefix=k",
	} {
		if got := deployed("seats", "s3://b", execution, false).Link("k"); got != want {
			t.Errorf("%q: %s, want %s", execution, got, want)
		}
	}
}

// TestSubject: a subject has at most 100 ASCII characters, even for a stack with the longest possible name.
func TestSubject(t *testing.T) {
	t.Parallel()
	s := &Steps{Store: &store.Memory{}, Now: func() time.Time { return clock }, Deployment: strings.Repeat("x", 128)}
	got := s.told(t, StepOutput{Results: statusCounts{runs.Done: 100_000, runs.Failed: 100_000}, Changes: 200_000}).Notice.Subject
	if len(got) != 100 || !strings.HasSuffix(got, "x: done, 100000 changes, 100000 FAILED") {
		t.Errorf("%d: %s", len(got), got)
	}
}

// TestNoticeOfNoState: the step "notice" rejects a last state that it cannot decode.
func TestNoticeOfNoState(t *testing.T) {
	t.Parallel()
	for _, state := range []string{`[]`, `{"run":5}`, `{"failure":{"Error":5}}`, ``} {
		if out, err := new(Steps).Do(t.Context(), StepInput{Op: "notice", State: json.RawMessage(state)}); !errors.Is(err, runs.ErrRefused) {
			t.Errorf("%s: %+v, %v", state, out, err)
		}
	}
}

// TestMetrics: an execution reports its results once, at its end.
func TestMetrics(t *testing.T) {
	t.Parallel()
	gate := StepOutput{Counts: &plan.Counts{Users: 9, Reclaim: 2, Undecided: 3}, FeedAge: map[string]float64{"entra": 1.5}, Changes: 2, Verdict: plan.Hold, Unhealthy: true, Scheduled: true}
	ended := StepOutput{Results: statusCounts{runs.Done: 5, runs.Pending: 2, runs.Failed: 1}, Resumed: statusCounts{runs.Failed: 2, runs.Done: 9, runs.Pending: 1}, MonthlySaving: 70, ResumedSaving: 9, Notice: &Notice{}}
	again := ended
	again.Before = Totals{Done: 4, Failed: 1, MonthlySaving: 35}
	held := StepOutput{Verdict: plan.Hold, MonthlySaving: 70, Notice: &Notice{Outcome: Held}}
	failed := ended
	failed.Failure = &Failure{}
	for name, tc := range map[string]struct {
		op   string
		out  StepOutput
		want map[string]float64
	}{
		"gate":           {"gate", gate, map[string]float64{"Night": 1, "People": 9, "Reclaim": 2, "Undecided": 3, "FeedAgeHours-entra": 1.5, "Changes": 2, "FeedUnhealthy": 1}},
		"hold":           {"hold", StepOutput{Counts: &plan.Counts{}}, map[string]float64{"People": 0, "Reclaim": 0, "Undecided": 0, "Changes": 0, "FeedUnhealthy": 0}},
		"settle":         {"settle", ended, map[string]float64{}},
		"approve":        {"approve", gate, map[string]float64{}},
		"ended":          {"notice", ended, map[string]float64{"Held": 0, "Done": 14, "Pending": 3, "Failed": 3, "MonthlySaving": 79}},
		"approved again": {"notice", again, map[string]float64{"Held": 0, "Done": 10, "Pending": 3, "Failed": 2, "MonthlySaving": 44}},
		"held":           {"notice", held, map[string]float64{"Held": 1}},
		"failed":         {"notice", failed, map[string]float64{"Held": 0}},
	} {
		if d := cmp.Diff(tc.want, tc.out.Metrics(tc.op)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestPartitionNotEvaluated: a partition that could not be evaluated puts the run on hold.
func TestPartitionNotEvaluated(t *testing.T) {
	t.Parallel()
	s := steps(t, busy())
	failed := Evaluated{Partition: 7, Failure: &Failure{"Sandbox.Timedout", `{"errorMessage":"timed out"}`}}
	for _, all := range [][]Evaluated{{failed}, {failed, {}}, {{}, failed}} {
		out, err := s.Do(t.Context(), StepInput{Op: "gate", Run: "run", Evaluated: all})
		if err != nil || out.Verdict != plan.Hold || out.HoldReasons[0] != "not everybody could be evaluated (Sandbox.Timedout): partition 7: timed out" {
			t.Errorf("%+v: %+v, %v", all, out, err)
		}
	}
}

// TestNoticeToAChannel: the channel gets the same message as the subscribers of the notice, and a link to the report.
// If the channel rejects the message, the step still succeeds.
func TestNoticeToAChannel(t *testing.T) {
	t.Parallel()
	var told []*card.Card
	var answer error
	s := &Steps{Store: &store.Memory{}, Now: func() time.Time { return clock }, Deployment: "seats", Place: "s3://b/p/", Tell: func(_ context.Context, c *card.Card) error {
		told = append(told, &card.Card{Subject: c.Subject, Tone: c.Tone, Facts: slices.Clone(c.Facts), Next: c.Next, Steps: c.Steps, Report: c.Report})
		return answer
	}}
	state := StepOutput{Run: aRun, Mode: policy.Enforce, Verdict: plan.Apply, Changes: 3, Results: statusCounts{runs.Done: 2, runs.Failed: 1}, Report: "runs/" + aRun + "/report.html", Currency: "USD"}
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	in := StepInput{Op: "notice", Execution: "arn:aws:states:eu-north-1:1:execution:seats:e", State: text}
	for _, answer = range []error{nil, errors.New(`Slack did not take the message of "Anna Berg"`)} {
		told = nil
		out, err := s.Do(t.Context(), in)
		if err != nil || len(told) != 1 {
			t.Fatalf("%v, told %d", err, len(told))
		}
		if want := "https://eu-north-1.console.aws.amazon.com/s3/object/b?prefix=p%2Fruns%2F" + aRun + "%2Freport.html&region=eu-north-1"; told[0].Report != want || told[0].Tone != card.Attention {
			t.Errorf("report %s, tone %s", told[0].Report, told[0].Tone)
		}
		if (answer == nil) != (out.Untold == "") {
			t.Errorf("after %v the state says %q", answer, out.Untold)
		}
		if answer != nil {
			told[0].Facts = append(told[0].Facts, card.Fact{Heading: "Webhook", Text: "Slack did not take the message of (name left out)"})
		}
		if d := cmp.Diff(told[0].Text(), out.Notice.Message); d != "" || out.Notice.Subject != told[0].Subject {
			t.Errorf("after %v, %s (-channel +notice):\n%s", answer, out.Notice.Subject, d)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	for _, tc := range [][4]string{
		{"s3://b", "eu-north-1", "runs/r/report.html", "https://eu-north-1.console.aws.amazon.com/s3/object/b?prefix=runs%2Fr%2Freport.html&region=eu-north-1"},
		{"s3://b/a b/", "", "k", "https://console.aws.amazon.com/s3/object/b?prefix=a+b%2Fk"},
		{"s3://b", "cn-north-1", "k", "https://console.amazonaws.cn/s3/object/b?prefix=k&region=cn-north-1"},
		{"s3://b", "us-gov-west-1", "k", "https://console.amazonaws-us-gov.com/s3/object/b?prefix=k&region=us-gov-west-1"},
		{"/home/anna/store", "eu-north-1", "k", ""},
		{"", "", "k", ""},
	} {
		if got := Console(tc[0], tc[1], tc[2]); got != tc[3] {
			t.Errorf("%v: %s", tc, got)
		}
	}
}
