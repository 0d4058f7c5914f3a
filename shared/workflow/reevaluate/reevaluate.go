// Package reevaluate makes the state machine read and evaluate one person again, and returns the result. It reads
// objects and follows an execution. It does not ask a directory itself.
package reevaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrRequest is returned when the input is not a valid request.
var ErrRequest = errors.New("not a request")

// Input is an operator's request.
type Input struct {
	User  string `json:"user"`  // userPrincipalName, object id, SID or account name
	Apply bool   `json:"apply"` // also make the changes that the rules decide
}

// Answer is the result. When People is nil, the execution is still running, or failed for the reason in Failed.
type Answer struct {
	Execution string                  `json:"execution"` // ARN of the execution, to follow it
	Status    string                  `json:"status"`    // of the execution
	Failed    string                  `json:"failed,omitempty"`
	Run       string                  `json:"run,omitempty"`
	Verdict   plan.Verdict            `json:"verdict,omitempty"`
	People    []*decision.Explanation `json:"people,omitempty"`
	Results   []runs.Result           `json:"results,omitempty"`
}

// Executions is what this package needs from Step Functions.
type Executions interface {
	StartExecution(context.Context, *sfn.StartExecutionInput, ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error)
	DescribeExecution(context.Context, *sfn.DescribeExecutionInput, ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error)
}

// Reevaluation starts and follows executions.
type Reevaluation struct {
	Store        store.Store
	Executions   Executions
	StateMachine string        // ARN
	Every        time.Duration // time between two requests for the status
}

// Do starts an execution for the person and follows it until it ends, or until the deadline (zero: none).
func (r *Reevaluation) Do(ctx context.Context, in Input, until time.Time) (*Answer, error) {
	if strings.TrimSpace(in.User) == "" {
		return nil, fmt.Errorf("%w: name the user, as {\"user\":\"anna@contoso.example\",\"apply\":false}", ErrRequest)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	started, err := r.Executions.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &r.StateMachine, Input: aws.String(string(text))})
	if err != nil {
		return nil, fmt.Errorf("start the state machine for one person: %w", err)
	}
	a := &Answer{Execution: aws.ToString(started.ExecutionArn)}
	for {
		now, err := r.Executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &a.Execution})
		if err != nil {
			return nil, fmt.Errorf("follow %s, which goes on: %w", a.Execution, err)
		}
		a.Status = string(now.Status)
		switch {
		case now.Status == types.ExecutionStatusSucceeded:
			return a, r.explain(ctx, a, in.User, aws.ToString(now.Output))
		case now.Status != types.ExecutionStatusRunning:
			a.Failed = aws.ToString(now.Error) + ": " + aws.ToString(now.Cause)
			return a, nil
		case !until.IsZero() && time.Now().Add(r.Every).After(until):
			return a, nil
		}
		select {
		case <-time.After(r.Every):
		case <-ctx.Done():
			return a, nil
		}
	}
}

// explain adds what the rules say about the person, from the run of the execution.
func (r *Reevaluation) explain(ctx context.Context, a *Answer, user, output string) error {
	var out struct{ Run string }
	if err := json.Unmarshal([]byte(output), &out); err != nil {
		return fmt.Errorf("read the output of %s: %w", a.Execution, err)
	}
	a.Run = out.Run
	run, err := decision.Open(ctx, r.Store, a.Run)
	if err != nil {
		return err
	}
	p, err := runs.GetPlan(ctx, r.Store, a.Run)
	if err != nil {
		return err
	}
	results, err := runs.GetResults(ctx, r.Store, p, p.Batches())
	if err != nil {
		return err
	}
	a.Verdict, a.Results = p.Verdict, results.Results
	return run.Find(ctx, user, func(person *directory.Person) error {
		e, err := run.Explain(person, run.Begin.AsOf)
		a.People = append(a.People, e)
		return err
	})
}
