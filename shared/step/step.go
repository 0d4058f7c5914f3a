// Package step has the code that all Lambda functions share. It reads the settings and the policy file, and writes
// metrics. Its errors name no people and have the types that the state machine distinguishes.
package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/sethvargo/go-envconfig"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// Refused is the type of errors that a retry cannot fix, such as a policy with faults, a person who does not exist,
// and a plan that may not be applied.
const Refused = "Idleseat.Refused"

// The constant "failed" is the type of all errors that are not of the type Refused. After such an error, the state
// machine tries the step again.
const failed = "Idleseat.Failed"

// Start serves a Lambda function until its execution environment ends. It fills the settings from environment
// variables, and passes them to "open" once. The function that "open" returns handles every request. An error that
// matches one of the errors in "final" gets the type Refused.
func Start[S, In, Out any](open func(context.Context, *S) (func(context.Context, In) (Out, error), error), final ...error) {
	log := slog.New(slog.NewJSONHandler(plain.JSON(os.Stderr), nil))
	limitMemory(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	var settings S
	err := envconfig.Process(context.Background(), &settings)
	var do func(context.Context, In) (Out, error)
	if err == nil {
		do, err = open(context.Background(), &settings)
	}
	if err != nil {
		log.Error("the function cannot start: check its environment", "error", public(err, nil))
		os.Exit(1)
	}
	lambda.Start(func(ctx context.Context, in In) (Out, error) {
		begun := time.Now()
		out, err := careful(ctx, in, do)
		took := time.Since(begun).Milliseconds()
		told := Metrics{"Duration": float64(took)}.Emit(os.Stdout, os.Getenv("IDLESEAT_DEPLOYMENT"), begun)
		if told != nil {
			log.Warn("the duration was not told", "error", told.Error())
		}
		if err != nil {
			log.Error("the step failed", "milliseconds", took, "error", public(err, in))
			return out, named(err, in, final)
		}
		log.Info("the step is done", "milliseconds", took)
		return out, nil
	})
}

// The function "careful" runs a step and turns a panic into an error, because the Lambda runtime would log the value
// of the panic.
func careful[In, Out any](ctx context.Context, in In, do func(context.Context, In) (Out, error)) (out Out, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = errors.New(plain.Fault(value))
		}
	}()
	return do(ctx, in)
}

// limitMemory makes the garbage collector work harder once the process uses three quarters of the memory of its
// execution environment. Lambda kills a process that uses more than all of it. The parameter "sandbox" is the size of
// the memory in MB. If it is no positive number, there is no limit.
func limitMemory(sandbox string) {
	if mb, err := strconv.ParseInt(sandbox, 10, 64); err == nil && mb > 0 {
		debug.SetMemoryLimit(mb << 20 * 3 / 4)
	}
}

// Margin is the time between the end of a function's work and its deadline, in which the function stores its results.
const Margin = 30 * time.Second

// Until returns the time by which a step must end: the deadline of ctx minus the margin, or the zero time without a
// deadline.
func Until(ctx context.Context, margin time.Duration) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Time{}
	}
	return deadline.Add(-margin)
}

const maxPolicy = 1 << 20

// Policy reads and checks the policy file at a key of the store, and returns the policy and its text. The error wraps
// ErrPolicy if the file has faults.
func Policy(ctx context.Context, s store.Store, key string) (*policy.Policy, string, error) {
	text, err := store.GetBytes(ctx, s, key, maxPolicy)
	if err != nil {
		return nil, "", fmt.Errorf("read the policy %s of the bucket: %w", key, err)
	}
	p, err := policy.Load(key, text)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return p, string(text), nil
}

// PolicyText returns a function. Each call of this function reads the policy file at the key, checks the file, and
// returns its text.
func PolicyText(s store.Store, key string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		_, text, err := Policy(ctx, s, key)
		return text, err
	}
}

// ErrPolicy is returned for a policy file with faults.
var ErrPolicy = errors.New("the policy file has faults; correct it (idleseat policy check) and put it into the bucket again")

// Metrics has the figures of one step. The keys are the names of the metrics on the dashboard and in the alarms.
type Metrics map[string]float64

// Emit writes the metrics as one line in CloudWatch's embedded metric format (Embedded metric format specification,
// version 0).
func (m Metrics) Emit(to io.Writer, deployment string, now time.Time) error {
	type unit struct{ Name string }
	line := map[string]any{"Deployment": deployment}
	units := []unit{}
	for name, value := range m {
		line[name] = value
		units = append(units, unit{name})
	}
	line["_aws"] = map[string]any{
		"Timestamp": now.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": "Idleseat", "Dimensions": [][]string{{"Deployment"}}, "Metrics": units,
		}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	_, err = to.Write(append(text, '\n'))
	return err
}
