package gate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// Outcome is how an execution ended, for the people who receive its notice.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Nothing Outcome = "nothing" // no rule takes anything, and nothing was pending
	Planned Outcome = "planned" // in mode audit, which applies nothing
	Waiting Outcome = "waiting" // waiting for an approval
	Held    Outcome = "held"    // a safety check stopped the plan
	Waits   Outcome = "pending" // the waits are over, but the directory does not show everything yet
	Refused Outcome = "refused" // the request was refused before anything began
	Failed  Outcome = "failed"
)

// Notice is what people receive when an execution has ended. It contains figures and ids, but no names of people.
type Notice struct {
	Outcome Outcome `json:"outcome"`
	Subject string  `json:"subject"` // at most 100 ASCII characters, as SNS requires of a subject (API reference, Publish)
	Message string  `json:"message"`
}

// refusedError is the name under which functions report an error that another try would not fix.
const refusedError = "Idleseat.Refused"

// notice returns the last state of an execution, with the notice about it.
func (s *Steps) notice(in StepInput) (*StepOutput, error) {
	out := new(StepOutput)
	err := json.Unmarshal(in.State, out)
	var of struct {
		Failure *Failure `json:"failure"`
		Apply   any      `json:"apply"`   // run that an approval names
		Restore any      `json:"restore"` // run that a restore names
	}
	if again := json.Unmarshal(in.State, &of); again != nil || err != nil && of.Failure == nil {
		return nil, fmt.Errorf("%w: read the last state of the execution: %w", runs.ErrRefused, cmp.Or(again, err))
	}
	if out.Failure = of.Failure; of.Failure != nil {
		out.Failure.Cause = plain.Nameless(out.Failure.text(), plain.IsID)
		for _, named := range []any{out.Run, of.Apply, of.Restore} {
			if run, _ := named.(string); plain.IsID(run) {
				out.Run = run
				break
			}
		}
	}
	if !plain.IsID(out.Run) {
		out.Run = "" // the execution failed before it had a run, so this id came from the operator's input
	}
	n := &letter{out: out, outcome: out.outcome(), execution: in.Execution, deployment: s.Deployment, place: s.Place}
	out.Notice = &Notice{Outcome: n.outcome, Subject: n.subject(), Message: n.message()}
	return out, nil
}

// text returns the message of a failure. For a Lambda function, the cause is a JSON object that contains the message
// ("Using the Lambda runtime API" of the developer guide, "Invocation error").
func (f *Failure) text() string {
	var of struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(f.Cause), &of) == nil && of.Message != "" {
		return of.Message
	}
	return f.Cause
}

// outcome returns how an execution ended. o is the last state of the execution.
func (o *StepOutput) outcome() Outcome {
	switch {
	case o.Failure != nil && o.Failure.Error == refusedError:
		return Refused
	case o.Failure != nil:
		return Failed
	case o.Refused != "", o.Results == nil && o.Verdict == plan.Hold:
		return Held
	case o.Results == nil && o.Verdict == plan.Nothing:
		return Nothing
	case o.Results == nil && o.Mode == policy.Audit:
		return Planned
	case o.Results == nil:
		return Waiting
	case o.Results[runs.Pending]+o.Resumed[runs.Pending] > 0:
		return Waits
	}
	return Done
}

// letter writes a notice.
type letter struct {
	out        *StepOutput
	outcome    Outcome
	execution  string // ARN
	deployment string
	place      string // the store, as s3://bucket/prefix
}

func (l *letter) subject() string {
	o := l.out
	what := map[Outcome]string{
		Done:    l.done(),
		Nothing: "done, nothing to change",
		Planned: fmt.Sprintf("%s planned, none applied (mode audit)", changes(o.Changes)),
		Waiting: fmt.Sprintf("waiting for approval, %s", changes(o.Changes)),
		Held:    l.held(),
		Waits:   fmt.Sprintf("%d of %s done, %d pending", o.Results[runs.Done]+o.Resumed[runs.Done], changes(o.Changes+sum(o.Resumed)), o.Results[runs.Pending]+o.Resumed[runs.Pending]),
		Refused: "refused, nothing was begun",
		Failed:  "FAILED, start a new run",
	}[l.outcome]
	if n := o.Results[runs.Failed] + o.Resumed[runs.Failed]; n > 0 {
		what += fmt.Sprintf(", %d FAILED", n)
	}
	text := []rune(l.deployment + ": " + what)
	if over := len(text) - 100; over > 0 { // the name of a stack may have 128 characters
		text = text[over:]
	}
	return string(text)
}

// done says what an execution did that ended well.
func (l *letter) done() string {
	if l.out.Restores != "" {
		return fmt.Sprintf("restored, %s undone", changes(l.out.Results[runs.Done]))
	}
	return "done, " + changes(l.out.Results[runs.Done])
}

// held says what a safety check stopped.
func (l *letter) held() string {
	if l.out.Results != nil || sum(l.out.Resumed) > 0 {
		return "HELD by a safety check; no further change is begun"
	}
	return "HELD by a safety check; nothing was changed"
}

func changes(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprintf("%d changes", n)
}

func sum(of map[runs.Status]int) (n int) {
	for _, one := range of {
		n += one
	}
	return n
}

func (l *letter) message() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n\n", l.subject())
	for _, line := range l.facts() {
		fmt.Fprintf(&text, "%-10s %s\n", line[0], line[1])
	}
	next, steps := l.next()
	fmt.Fprintf(&text, "\nNext: %s\n", next)
	for _, s := range steps {
		fmt.Fprintf(&text, "\n%s:\n  %s\n", s.to, s.command)
	}
	return strings.TrimRight(text.String(), "\n") + "\n"
}

// facts returns what happened, as lines with a heading each.
func (l *letter) facts() (lines [][2]string) {
	o := l.out
	add := func(heading, format string, args ...any) {
		lines = append(lines, [2]string{heading, fmt.Sprintf(format, args...)})
	}
	if o.Run != "" {
		add("Run", "%s", o.Run+map[bool]string{true: ", mode " + string(o.Mode)}[o.Failure == nil])
	}
	add("Execution", "%s", l.execution)
	if c := o.Counts; c != nil && c.Users > 0 { // a restore asks nobody
		add("People", "%d; the rules gave %d verdicts: keep %d, reclaim %d, undecided %d, exempt %d", c.Users, c.Keep+c.Reclaim+c.Undecided+c.Exempt, c.Keep, c.Reclaim, c.Undecided, c.Exempt)
	}
	switch {
	case l.outcome == Refused:
		add("Why", "%s", o.Failure.Cause)
	case o.Failure != nil:
		add("Why", "%s: %s", o.Failure.Error, o.Failure.Cause)
	case o.Results != nil:
		add("Changes", "%d; %s; %s", o.Changes, statuses(o.Results), freed(o))
	case o.Changes == 0:
		add("Changes", "none")
	default:
		add("Changes", "%s, which would save %.2f %s a month", changes(o.Changes), o.MonthlySaving, o.Currency)
	}
	if sum(o.Resumed) > 0 {
		add("Earlier", "begun by earlier runs: %s", statuses(o.Resumed))
	}
	switch {
	case o.Report != "":
		add("Report", "%s", strings.TrimSuffix(l.place, "/")+"/"+o.Report)
	case o.NoReport != "":
		add("Report", "not written: %s", o.NoReport)
	}
	if o.Troubled > 0 {
		add("Trouble", "%d pending changes wait until a fault is mended", o.Troubled)
	}
	if o.Refused != "" {
		add("Why", "%s", o.Refused)
	} else if l.outcome == Held {
		for _, why := range o.HoldReasons {
			add("Why", "%s", why)
		}
	}
	return lines
}

// statuses counts changes by their status.
func statuses(of map[runs.Status]int) string {
	var parts []string
	for _, s := range []runs.Status{runs.Done, runs.Announced, runs.Pending, runs.Kept, runs.Refused, runs.Failed} {
		if of[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, of[s]))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "none done")
}

// freed describes a monthly saving. The saving of a restore is negative, and it is 0 where no price is known.
func freed(o *StepOutput) string {
	if o.Restores != "" || o.MonthlySaving < 0 {
		return fmt.Sprintf("%.2f %s a month paid again", math.Abs(o.MonthlySaving), o.Currency)
	}
	return fmt.Sprintf("%.2f %s a month freed", o.MonthlySaving, o.Currency)
}

// step is something that the reader may do, with the command to paste.
type step struct{ to, command string }

// next returns what the reader should do now, and the steps.
func (l *letter) next() (text string, steps []step) {
	o := l.out
	look := func(key string) step {
		return step{"To look", "aws s3 cp " + strings.TrimSuffix(l.place, "/") + "/" + key + " -"}
	}
	ask := func(words ...string) string { return "idleseat " + strings.Join(words, " ") + " --aws " + l.deployment }
	again := ask("plan")
	switch l.outcome {
	case Planned:
		return "Review the changes. If they are right, set mode review in the policy and plan again.", []step{look(layout.Changes(o.Run)), {"To plan again", again}}
	case Waiting:
		return "Review the changes. If they are right, approve this plan.", []step{look(layout.Changes(o.Run)), {"To approve this plan", ask("approve", o.Run, o.PlanHash)}}
	case Held:
		if o.Overridable && o.Mode != policy.Audit && o.Results == nil {
			return "Review the changes. If they are wrong, correct the policy or the source.",
				[]step{look(layout.Changes(o.Run)), {"To plan again after a correction", again}, {"To apply this plan despite the limit", ask("approve", o.Run, o.PlanHash, "--override-limits")}}
		}
		return "Look at the plan and correct what the reason names.", []step{look(layout.Plan(o.Run)), {"To plan again after a correction", again}}
	case Waits:
		approve := ask("approve", o.Run, o.PlanHash)
		if o.Batches.overridden() {
			approve += " --override-limits"
		}
		return "The next scheduled run finishes what is pending.", []step{{"To see what each change waits for", look(layout.Result(o.Run, runs.Concluded)).command}, {"To finish it now", approve}}
	case Refused:
		return "Nothing was begun, and nothing needs to be undone. Correct what the reason names, and ask again.", nil
	case Failed:
		return "Start a new run; it continues what this one began. Do not redrive the old execution: it would fail at the same point.", []step{{"To start a new run", again}}
	}
	if o.Results[runs.Failed]+o.Resumed[runs.Failed] > 0 {
		return "Look at why changes failed. The people still have what they had before.", []step{look(layout.Result(o.Run, runs.Concluded))}
	}
	if o.Results[runs.Done] > 0 && o.Restores == "" {
		return "Nothing needs to be done.", []step{{"To undo all of it", ask("restore", "--run", o.Run)}}
	}
	return "Nothing needs to be done.", nil
}
