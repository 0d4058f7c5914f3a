package states

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
)

// mostEvents is the number of events in an answer to a call without MaxResults (AWS Step Functions API Reference,
// "GetExecutionHistory": 100).
const mostEvents = 100

type account []*Machine

// Serve makes a simulated account answer the calls StartExecution, DescribeExecution and GetExecutionHistory for the
// given machines. The answers have only the fields that this project reads. The history has only an event for each
// entered state.
func Serve(s *awsfake.Server, machines ...*Machine) {
	all := account(machines)
	s.Handle("AWSStepFunctions.StartExecution", all.startExecution)
	s.Handle("AWSStepFunctions.DescribeExecution", all.describeExecution)
	s.Handle("AWSStepFunctions.GetExecutionHistory", all.getExecutionHistory)
}

// The method "find" returns the execution with the given ARN, and its machine. It returns nil if there is none.
func (all account) find(arn string) (*Machine, *Execution) {
	for _, m := range all {
		if e := m.Find(arn); e != nil {
			return m, e
		}
	}
	return nil, nil
}

func (all account) startExecution(body []byte) (any, error) {
	var in struct{ StateMachineArn, Name, Input string }
	if err := strict(body, &in); err != nil {
		return nil, awsfake.Fail("SerializationException", err.Error())
	}
	i := slices.IndexFunc(all, func(m *Machine) bool { return m.ARN == in.StateMachineArn })
	if i < 0 {
		return nil, awsfake.Fail("StateMachineDoesNotExist", "State Machine Does Not Exist: '"+in.StateMachineArn+"'")
	}
	e, err := all[i].Start(in.Name, in.Input)
	switch {
	case errors.Is(err, ErrExists):
		return nil, awsfake.Fail("ExecutionAlreadyExists", err.Error())
	case err != nil:
		return nil, awsfake.Fail("InvalidExecutionInput", err.Error())
	}
	return map[string]any{"executionArn": e.ARN, "startDate": e.Started.Unix()}, nil
}

func (all account) describeExecution(body []byte) (any, error) {
	var in struct{ ExecutionArn string }
	if err := strict(body, &in); err != nil {
		return nil, awsfake.Fail("SerializationException", err.Error())
	}
	m, e := all.find(in.ExecutionArn)
	if e == nil {
		return nil, awsfake.Fail("ExecutionDoesNotExist", "Execution Does Not Exist: '"+in.ExecutionArn+"'")
	}
	out := map[string]any{"executionArn": e.ARN, "stateMachineArn": m.ARN, "name": e.Name, "status": "RUNNING", "startDate": e.Started.Unix()}
	select {
	case <-e.done:
	default:
		return out, nil
	}
	if e.failure != nil {
		out["status"], out["error"], out["cause"] = "FAILED", e.failure.Error, e.failure.Cause
		return out, nil
	}
	text, err := json.Marshal(e.output)
	out["status"], out["output"] = "SUCCEEDED", string(text)
	return out, err
}

func (all account) getExecutionHistory(body []byte) (any, error) {
	var in struct {
		ExecutionArn         string
		MaxResults           int
		ReverseOrder         bool
		IncludeExecutionData bool
	}
	if err := strict(body, &in); err != nil {
		return nil, awsfake.Fail("SerializationException", err.Error())
	}
	_, e := all.find(in.ExecutionArn)
	if e == nil {
		return nil, awsfake.Fail("ExecutionDoesNotExist", "Execution Does Not Exist: '"+in.ExecutionArn+"'")
	}
	events := []any{}
	for i, h := range e.History() {
		if h.Kind == "entered" {
			events = append(events, map[string]any{
				"id": i + 1, "timestamp": float64(h.At.UnixMilli()) / 1000, "type": "TaskStateEntered",
				"stateEnteredEventDetails": map[string]any{"name": h.State},
			})
		}
	}
	if in.ReverseOrder {
		slices.Reverse(events)
	}
	return map[string]any{"events": events[:min(len(events), cmp.Or(in.MaxResults, mostEvents))]}, nil
}
