// Command reevaluate is a Lambda function that starts the state machine for one person, waits for its end, and answers
// with the verdicts and the changes. If the execution outlasts the call, the answer has only its ARN and its status.
package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
)

type settings struct {
	Store        string `env:"IDLESEAT_STORE, required"`
	StateMachine string `env:"IDLESEAT_STATE_MACHINE, required"` // ARN
}

func main() { step.Start(open, errRequest) }

func open(ctx context.Context, env *settings) (func(context.Context, input) (*answer, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	cloud, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	r := &reevaluation{store: s, executions: sfn.NewFromConfig(cloud), machine: env.StateMachine}
	return func(ctx context.Context, in input) (*answer, error) {
		return r.do(ctx, in, step.Until(ctx, step.Margin))
	}, nil
}
