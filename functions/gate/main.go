// Command gate is a Lambda function that makes and checks plans, sums up results, and writes the notices to the
// operators.
package main

import (
	"context"
	"os"
	"time"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/secret"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/gate"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

type settings struct {
	Store      string `env:"IDLESEAT_STORE, required"`
	Policy     string `env:"IDLESEAT_POLICY, default=policy.yaml"` // the key of the policy in the store
	Deployment string `env:"IDLESEAT_DEPLOYMENT, default=idleseat"`
	Webhook    string `env:"IDLESEAT_WEBHOOK_SECRET"` // ARN of the secret that contains the address of the webhook; empty: no message is posted
}

func main() {
	step.Start(open, runs.ErrRefused, restore.ErrNothing, step.ErrPolicy, runs.ErrNoPlan, snapshot.ErrUnknownRun)
}

func open(ctx context.Context, env *settings) (func(context.Context, gate.StepInput) (*gate.StepOutput, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	steps := &gate.Steps{Store: s, Policy: step.PolicyText(s, env.Policy), Now: time.Now, Deployment: env.Deployment, Place: env.Store}
	if env.Webhook != "" {
		steps.Tell = (&teller{secret: env.Webhook, read: secret.Read}).tell
	}
	return func(ctx context.Context, in gate.StepInput) (*gate.StepOutput, error) {
		out, err := steps.Do(ctx, in)
		if err != nil {
			return nil, err
		}
		return out, step.Metrics(out.Metrics(in.Op)).Emit(os.Stdout, env.Deployment, time.Now())
	}, nil
}
