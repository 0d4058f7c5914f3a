package gate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// Outcome is the way in which an execution ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Nothing Outcome = "nothing" // no rule takes a license, and no change was pending
	Planned Outcome = "planned" // mode audit: the changes are planned and never applied
	Waiting Outcome = "waiting" // waiting for an approval
	Held    Outcome = "held"    // a safety check stopped the plan
	Waits   Outcome = "pending" // the run waits no longer, but the directory does not show every change yet
	Refused Outcome = "refused" // the request was refused before anything began
	Failed  Outcome = "failed"
)

// Notice is the message to operators about the end of an execution. It contains figures and ids, but no names of
// people.
type Notice struct {
	Outcome Outcome `json:"outcome"`
	Subject string  `json:"subject"` // at most 100 ASCII characters, as SNS requires of a subject (API reference, Publish)
	Message string  `json:"message"`
}

// RefusedError is the Error of a Failure if another attempt would not help.
const RefusedError = "Idleseat.Refused"

// The method "notice" reads the last state of an execution and adds a notice about how the execution ended. It also
// posts the message of the notice to the channel if a webhook is set up. If the post fails, the message gets a line
// about this, and the method does not fail.
func (s *Steps) notice(ctx context.Context, in StepInput) (*StepOutput, error) {
	out := new(StepOutput)
	err := json.Unmarshal(in.State, out)
	var of struct {
		Failure *Failure `json:"failure"`
		Apply   any      `json:"apply"`   // run that an approval names
		Restore any      `json:"restore"` // run that a restore names
		User    any      `json:"user"`    // person whom the request is about
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
		out.Run = "" // the execution failed before it had a run, so an operator typed this text
	}
	if of.Failure != nil && out.PlanHash == "" && !isText(of.Apply) && !isText(of.Restore) && !isText(of.User) {
		out.Left(HalfWay(ctx, s.Store, s.Now()))
	}
	outcome, message := Card(out, deployed(s.Deployment, s.Place, in.Execution, of.User != nil))
	if s.Tell != nil {
		if err := s.Tell(ctx, message); err != nil {
			out.Untold = plain.Nameless(err.Error(), plain.IsID)
			message.Facts = append(message.Facts, card.Fact{Heading: "Webhook", Text: out.Untold})
		}
	}
	out.Notice = &Notice{Outcome: outcome, Subject: message.Subject, Message: message.Text()}
	return out, nil
}

func isText(v any) bool {
	text, _ := v.(string)
	return text != ""
}

// The method "text" returns the message of a failure. If a Lambda function failed, the cause is a JSON object that
// contains the message ("Using the Lambda runtime API" of the developer guide, "Invocation error").
func (f *Failure) text() string {
	var of struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal([]byte(f.Cause), &of) == nil && of.Message != "" {
		return of.Message
	}
	return f.Cause
}

func (o *StepOutput) outcome() Outcome {
	switch {
	case o.Failure != nil && o.Failure.Error == RefusedError:
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
