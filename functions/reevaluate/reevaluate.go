package main

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

	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/story"
)

var errRequest = errors.New("not a request")

type input struct {
	User  string `json:"user"`  // userPrincipalName, object id, SID or account name
	Apply bool   `json:"apply"` // whether to make the changes that the rules ask for
}

// The type "answer" is the result of a request. The field People is nil if the execution is running, or if it failed or
// refused the request.
type answer struct {
	Execution string         `json:"execution"` // ARN of the execution
	Status    string         `json:"status"`    // for example RUNNING or SUCCEEDED
	Failed    string         `json:"failed,omitempty"`
	Refused   string         `json:"refused,omitempty"` // the reason for a refusal; a retry does not help
	Run       string         `json:"run,omitempty"`
	Verdict   plan.Verdict   `json:"verdict,omitempty"`
	People    []*story.Story `json:"people,omitempty"`
	Results   []runs.Result  `json:"results,omitempty"`
}

// The type "reevaluation" starts executions, waits until they end, and reads their verdicts and results from the store.
type reevaluation struct {
	store      store.Store
	executions *sfn.Client
	machine    string // ARN of the state machine
}

// The constant "interval" is the time between two checks of an execution.
const interval = time.Second

// The method "do" starts an execution for one person, and waits until it ends. It returns earlier, with an answer
// without people, when ctx is done or when less than a second is left until the time "until". A zero "until" is no
// limit.
func (r *reevaluation) do(ctx context.Context, in input, until time.Time) (*answer, error) {
	if strings.TrimSpace(in.User) == "" {
		return nil, fmt.Errorf("%w: name the user, as {\"user\":\"anna@contoso.example\",\"apply\":false}", errRequest)
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	started, err := r.executions.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: &r.machine, Input: aws.String(string(text))})
	if err != nil {
		return nil, fmt.Errorf("start the state machine for one person: %w", err)
	}
	a := &answer{Execution: aws.ToString(started.ExecutionArn)}
	for {
		now, err := r.executions.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &a.Execution})
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
		case !until.IsZero() && time.Now().Add(interval).After(until):
			return a, nil
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return a, nil
		}
	}
}

// The method "explain" adds the verdicts and the results of an execution to the answer a. If the execution refused the
// request, the method sets only a.Refused.
func (r *reevaluation) explain(ctx context.Context, a *answer, user, output string) error {
	var out struct {
		Run     string
		Failure *struct{ Error, Cause string }
	}
	if err := json.Unmarshal([]byte(output), &out); err != nil {
		return fmt.Errorf("read the output of %s: %w", a.Execution, err)
	}
	if out.Failure != nil {
		a.Refused = out.Failure.Cause
		return nil
	}
	a.Run = out.Run
	p, err := runs.GetPlan(ctx, r.store, a.Run)
	if err != nil {
		return err
	}
	results, err := runs.GetResults(ctx, r.store, p, p.Batches())
	if err != nil {
		return err
	}
	a.Verdict, a.Results = p.Verdict, results.Results
	a.People, err = story.Of(ctx, r.store, story.Question{Run: a.Run, User: user, Now: time.Now(), Deployment: r.deployment()})
	return err
}

func (r *reevaluation) deployment() string {
	name := r.machine[strings.LastIndex(r.machine, ":")+1:]
	return strings.TrimSuffix(name, entrance.Approve.Machine(""))
}
