package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

func (e *Execution) task(ctx context.Context, s *state, input any, about map[string]any) (any, *Failure) {
	limit := e.scaled(float64(s.TimeoutSeconds))
	if s.TimeoutSeconds == 0 {
		limit = e.scaled(60) // the time limit of this package for a state without TimeoutSeconds
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errors.New("the task took longer than its TimeoutSeconds"))
	defer cancel()
	var wait func(context.Context) ([]byte, *Failure)
	if s.Resource == sendMessage {
		beat := limit
		if s.HeartbeatSeconds > 0 {
			beat = e.scaled(float64(s.HeartbeatSeconds))
		}
		var token string
		token, wait = e.world.Ask(beat, limit)
		about["Task"] = map[string]any{"Token": token}
	}
	filled, failure := fill(s.Parameters, input, about)
	if failure != nil {
		return nil, failure
	}
	if n := size(filled); n > maxData {
		return nil, &Failure{tooMuchData, fmt.Sprintf("the parameters have %d bytes", n)}
	}
	given, _ := filled.(map[string]any)
	switch s.Resource {
	case invokeFunction:
		return e.invoke(ctx, given)
	case publish:
		return e.publish(given)
	default:
		return e.send(ctx, given, wait)
	}
}

// The function "only" returns the parameters of a task. It returns a failure if a parameter is missing, or if there is
// one that is not in the list, because the package does not implement it.
func only(given map[string]any, names ...string) (map[string]any, *Failure) {
	for _, name := range names {
		if _, there := given[name]; !there {
			return nil, &Failure{runtimeError, "the parameter " + name + " is missing"}
		}
	}
	if len(given) != len(names) {
		return nil, &Failure{runtimeError, fmt.Sprintf("of the parameters %v only %v are implemented", given, names)}
	}
	return given, nil
}

func (e *Execution) invoke(ctx context.Context, given map[string]any) (any, *Failure) {
	p, failure := only(given, "FunctionName", "Payload")
	if failure != nil {
		return nil, failure
	}
	arn := fmt.Sprint(p["FunctionName"])
	e.called("lambda:InvokeFunction", arn)
	payload, err := json.Marshal(p["Payload"])
	if err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	answer, failure := e.world.Invoke(ctx, arn, payload)
	switch {
	case ctx.Err() != nil:
		return nil, &Failure{timeout, fmt.Sprint(context.Cause(ctx))}
	case failure != nil:
		return nil, failure
	case len(answer) > maxData:
		return nil, &Failure{tooMuchData, fmt.Sprintf("%s answered with %d bytes", arn, len(answer))}
	}
	v, failure := decoded(answer)
	return map[string]any{"StatusCode": 200.0, "ExecutedVersion": "$LATEST", "Payload": v}, failure
}

func (e *Execution) publish(given map[string]any) (any, *Failure) {
	p, failure := only(given, "TopicArn", "Subject", "Message")
	if failure != nil {
		return nil, failure
	}
	e.called("sns:Publish", fmt.Sprint(p["TopicArn"]))
	e.world.Publish(fmt.Sprint(p["TopicArn"]), fmt.Sprint(p["Subject"]), fmt.Sprint(p["Message"]))
	return map[string]any{"MessageId": "simulated"}, nil
}

func (e *Execution) send(ctx context.Context, given map[string]any, wait func(context.Context) ([]byte, *Failure)) (any, *Failure) {
	p, failure := only(given, "QueueUrl", "MessageBody")
	if failure != nil {
		return nil, failure
	}
	body, err := json.Marshal(p["MessageBody"])
	if err != nil {
		return nil, &Failure{runtimeError, err.Error()}
	}
	url := fmt.Sprint(p["QueueUrl"])
	e.called("sqs:SendMessage", url)
	e.world.Send(url, string(body))
	answer, failure := wait(ctx)
	if failure != nil {
		return nil, failure
	}
	return decoded(answer)
}

// The method "parallel" runs all branches of a Parallel state at the same time. The first failure cancels the other
// branches.
func (e *Execution) parallel(ctx context.Context, s *state, input any, item map[string]any) (any, *Failure) {
	return together(ctx, len(s.Branches), len(s.Branches), func(ctx context.Context, i int) (any, *Failure) {
		return e.run(ctx, &s.Branches[i], input, item)
	})
}

func (e *Execution) each(ctx context.Context, s *state, input any, about map[string]any) (any, *Failure) {
	v, failure := value(s.ItemsPath, input, about)
	items, ok := v.([]any)
	if failure != nil {
		return nil, failure
	}
	if !ok {
		return nil, &Failure{runtimeError, fmt.Sprintf("%s is no array", s.ItemsPath)}
	}
	if s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED" {
		e.called("states:StartExecution", "child")
	}
	results, failure := together(ctx, len(items), s.MaxConcurrency, func(ctx context.Context, i int) (any, *Failure) {
		item := map[string]any{"Index": float64(i), "Value": items[i]}
		given := items[i]
		if len(s.ItemSelector) > 0 {
			context := e.context("", item)
			var failure *Failure
			if given, failure = fill(s.ItemSelector, input, context); failure != nil {
				return nil, failure
			}
		}
		return e.run(ctx, &s.ItemProcessor.states, given, item)
	})
	if failure != nil && s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED" {
		failure = &Failure{tooManyFailed, "The specified tolerated failure threshold was exceeded"}
	}
	return results, failure
}

// The function "together" calls "work" with each index from 0 to n-1. At most atOnce calls run at the same time; if
// atOnce is 0, all do. The first failure cancels the other calls.
func together(ctx context.Context, n, atOnce int, work func(ctx context.Context, i int) (any, *Failure)) (any, *Failure) {
	if atOnce == 0 {
		atOnce = max(1, n)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make([]any, n)
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	var once sync.Once
	var first *Failure
	for i := range n {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-slots }()
			var failure *Failure
			if results[i], failure = work(ctx, i); failure != nil {
				once.Do(func() { first = failure; cancel() })
			}
		})
	}
	running.Wait()
	if first == nil && ctx.Err() != nil {
		first = &Failure{timeout, fmt.Sprint(context.Cause(ctx))}
	}
	return results, first
}
