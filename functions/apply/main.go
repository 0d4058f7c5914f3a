// Command apply is a Lambda function that works on one batch of the changes of a plan: it prepares the batch, or makes
// its changes. No other function can write to Entra ID.
package main

import (
	"context"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/apply"
)

type settings struct {
	Store  string `env:"IDLESEAT_STORE, required"`
	Policy string `env:"IDLESEAT_POLICY, default=policy.yaml"` // the key of the policy in the store
	Relay  string `env:"IDLESEAT_RELAY, default=off"`
	Entra  entra.Config
}

func main() {
	step.Start(open, runs.ErrRefused, step.ErrPolicy, runs.ErrNoPlan, snapshot.ErrUnknownRun)
}

func open(ctx context.Context, env *settings) (func(context.Context, apply.StepInput) (*apply.BatchState, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	graph, err := entra.New(env.Entra, clock.Real)
	if err != nil {
		return nil, err
	}
	steps := &apply.Steps{
		Applier: apply.Applier{Store: s, Entra: graph, Now: time.Now},
		Policy:  step.PolicyText(s, env.Policy),
		Relay:   env.Relay == "on",
	}
	return func(ctx context.Context, in apply.StepInput) (*apply.BatchState, error) {
		if until := step.Until(ctx, step.Margin); !until.IsZero() {
			var stop context.CancelFunc
			ctx, stop = context.WithDeadline(ctx, until)
			defer stop()
		}
		return steps.Do(ctx, in)
	}, nil
}
