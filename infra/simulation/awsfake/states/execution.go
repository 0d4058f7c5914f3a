package states

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxData is the maximum size of an input, an output or a payload in bytes, a limit of the service.
const maxData = 256 << 10

// Names of errors (appendix A of the language's specification).
const (
	runtimeError = "States.Runtime"
	tooMuchData  = "States.DataLimitExceeded"
	timeout      = "States.Timeout"
	// tooManyFailed is the error of a Distributed Map if too many of its children failed. It does not say why they
	// failed (developer guide, "Handling errors in Step Functions workflows").
	tooManyFailed = "States.ExceedToleratedFailureThreshold"
)

// Failure is the failure of a state or of an execution.
type Failure struct{ Error, Cause string }

// Call is a call to AWS that the state machine itself makes, such as sns:Publish. Calls by the Lambda functions are not
// included.
type Call struct{ Action, Resource string }

// Event is a line in the history of an execution. It says that a state was entered, exited, failed or was retried.
type Event struct {
	State string
	Kind  string // entered, exited, failed, retried
	At    time.Time
	Note  string // the error of a failed or retried state; otherwise empty
}

// World provides what a state machine uses: functions, queues and topics.
type World struct {
	// Invoke calls a function by its ARN. If the function failed, the result "failure" is not nil.
	Invoke func(ctx context.Context, arn string, payload []byte) (answer []byte, failure *Failure)
	// Send puts a message into a queue. Ask starts a task, which fails after the time "limit", or after the time
	// "heartbeat" without a heartbeat. Ask returns the token of the task, and a function that waits for the answer.
	Send func(queueURL, body string)
	Ask  func(heartbeat, limit time.Duration) (token string, wait func(context.Context) (output []byte, failure *Failure))
	// Publish publishes a message to an SNS topic.
	Publish func(topic, subject, message string)
	// Faster makes tests fast: each wait and each time limit in the definition is divided by it. The waits of Wait
	// states are also divided by FasterWaits. Zero means 1.
	Faster, FasterWaits time.Duration
}

// Execution is an execution of a state machine.
type Execution struct {
	ARN, Name string
	Started   time.Time
	Input     any

	world World
	done  chan struct{}

	mu      sync.Mutex
	history []Event
	calls   []Call
	output  any
	failure *Failure
}

// Wait waits until the execution ends, and returns its output or its failure. It returns an error if ctx ends before.
func (e *Execution) Wait(ctx context.Context) (output any, failure *Failure, err error) {
	select {
	case <-e.done:
		return e.output, e.failure, nil
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("wait for execution %s: %w", e.Name, context.Cause(ctx))
	}
}

// History returns the events so far.
func (e *Execution) History() []Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.history)
}

// Calls returns the calls to AWS that the machine has made so far.
func (e *Execution) Calls() []Call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func (e *Execution) note(state, kind, note string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.history = append(e.history, Event{state, kind, time.Now(), note})
}

func (e *Execution) called(action, resource string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, Call{action, resource})
}

func (e *Execution) scaled(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second) / float64(max(1, e.world.Faster)))
}

// The method "run" runs the states of m, from the first to one without a next state, and returns the output or the
// failure. In a map, "item" is the item for the context object; otherwise it is nil.
func (e *Execution) run(ctx context.Context, m *states, input any, item map[string]any) (any, *Failure) {
	for name := m.StartAt; ; {
		s := m.States[name]
		if n := size(input); n > maxData {
			return nil, &Failure{tooMuchData, fmt.Sprintf("the input of %s has %d bytes", name, n)}
		}
		if ctx.Err() != nil {
			return nil, &Failure{timeout, fmt.Sprint(context.Cause(ctx))}
		}
		e.note(name, "entered", "")
		output, next, failure := e.state(ctx, name, s, input, item)
		if failure == nil && size(output) > maxData {
			failure = &Failure{tooMuchData, fmt.Sprintf("the output of %s has %d bytes", name, size(output))}
		}
		if failure != nil {
			e.note(name, "failed", failure.Error+": "+failure.Cause)
			if output, next = caught(s, input, failure); next == "" {
				return nil, failure
			}
		} else {
			e.note(name, "exited", "")
		}
		if next == "" {
			return output, nil
		}
		name, input = next, output
	}
}

// The function "caught" searches for the first catcher that handles a failure, and returns the output and the next
// state. If there is no such catcher, "next" is empty.
func caught(s *state, input any, f *Failure) (output any, next string) {
	for _, c := range s.Catch {
		if !matches(c.ErrorEquals, f.Error) {
			continue
		}
		output, failure := place(c.ResultPath, input, map[string]any{"Error": f.Error, "Cause": f.Cause})
		if failure == nil {
			return output, c.Next
		}
	}
	return nil, ""
}

// The function "matches" reports whether the names of errors in a catcher or retrier include the name of an error. The
// name States.ALL stands for all errors except States.Runtime and States.DataLimitExceeded. The name States.TaskFailed
// stands for the same errors except States.Timeout.
func matches(names []string, name string) bool {
	fatal := name == runtimeError || name == tooMuchData
	return slices.ContainsFunc(names, func(n string) bool {
		return n == name || !fatal && (n == "States.ALL" || n == "States.TaskFailed" && name != timeout)
	})
}

func (e *Execution) state(ctx context.Context, name string, s *state, input any, item map[string]any) (output any, next string, failure *Failure) {
	about := e.context(name, item)
	switch s.Type {
	case "Pass":
		result := input
		if len(s.Result) > 0 {
			result, failure = fill(s.Result, nil, nil)
		}
		if failure == nil {
			output, failure = place(s.ResultPath, input, result)
		}
		return output, s.Next, failure
	case "Choice":
		next, failure = s.choose(input, about)
		return input, next, failure
	case "Wait":
		return input, s.Next, e.wait(ctx, s, input, about)
	case "Succeed":
		if output = input; s.OutputPath != "" {
			output, failure = value(s.OutputPath, input, about)
		}
		return output, "", failure
	case "Fail":
		code, f1 := value(s.ErrorPath, input, about)
		cause, f2 := value(s.CausePath, input, about)
		if f1 != nil || f2 != nil {
			return nil, "", &Failure{runtimeError, "the paths of a Fail lead nowhere"}
		}
		return nil, "", &Failure{fmt.Sprint(code), fmt.Sprint(cause)}
	}
	result, failure := e.persistently(ctx, name, s, func(tries int) (any, *Failure) {
		about["State"].(map[string]any)["RetryCount"] = float64(tries)
		switch s.Type {
		case "Task":
			return e.task(ctx, s, input, about)
		case "Parallel":
			return e.parallel(ctx, s, input, item)
		default:
			return e.each(ctx, s, input, about)
		}
	})
	if failure == nil && len(s.ResultSelector) > 0 {
		result, failure = fill(s.ResultSelector, result, about)
	}
	if failure == nil {
		output, failure = place(s.ResultPath, input, result)
	}
	if failure == nil && s.OutputPath != "" {
		output, failure = value(s.OutputPath, output, about)
	}
	return output, s.Next, failure
}

func (e *Execution) context(name string, item map[string]any) map[string]any {
	about := map[string]any{
		"Execution": map[string]any{"Id": e.ARN, "Name": e.Name, "StartTime": e.Started.UTC().Format("2006-01-02T15:04:05.000Z"), "Input": e.Input},
		"State":     map[string]any{"Name": name, "EnteredTime": time.Now().UTC().Format(time.RFC3339), "RetryCount": 0.0},
	}
	if item != nil {
		about["Map"] = map[string]any{"Item": item}
	}
	return about
}

func (s *state) choose(input, about any) (string, *Failure) {
	for i := range s.Choices {
		ok, err := s.Choices[i].holds(input, about)
		if err != nil {
			return "", &Failure{runtimeError, err.Error()}
		}
		if ok {
			return s.Choices[i].Next, nil
		}
	}
	if s.Default == "" {
		return "", &Failure{"States.NoChoiceMatched", "no rule applies"}
	}
	return s.Default, nil
}

func (e *Execution) wait(ctx context.Context, s *state, input, about any) *Failure {
	v, failure := value(s.SecondsPath, input, about)
	seconds, ok := v.(float64)
	switch {
	case failure != nil:
		return failure
	case !ok || seconds < 0:
		return &Failure{runtimeError, fmt.Sprintf("%v is no number of seconds", v)}
	}
	select {
	case <-time.After(e.scaled(seconds) / max(1, e.world.FasterWaits)):
	case <-ctx.Done():
	}
	return nil
}

func decoded(text []byte) (v any, failure *Failure) {
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	return v, nil
}
