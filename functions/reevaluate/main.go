// Command reevaluate is the Lambda function by which an operator reads one person afresh. It starts the state machine
// for that person and waits a bounded time. It answers with what the rules say and what was changed.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/reevaluate"
)

type settings struct {
	Store        string `env:"IDLESEAT_STORE, required"`
	StateMachine string `env:"IDLESEAT_STATE_MACHINE, required"` // ARN
}

func main() { step.Start(open, reevaluate.ErrRequest) }

func open(ctx context.Context, env *settings) (func(context.Context, reevaluate.Input) (*reevaluate.Answer, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	cloud, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	r := &reevaluate.Reevaluation{Store: s, Executions: sfn.NewFromConfig(cloud), StateMachine: env.StateMachine, Every: time.Second}
	return func(ctx context.Context, in reevaluate.Input) (*reevaluate.Answer, error) {
		return r.Do(ctx, in, step.Until(ctx, step.Margin))
	}, nil
}
