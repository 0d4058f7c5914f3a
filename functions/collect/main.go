// Command collect is a Lambda function that begins a run, reads Entra ID, and seals what the run has read as a
// snapshot. One reading of Entra ID may take several calls, because each call stops before its deadline.
package main

import (
	"context"
	"time"

	"github.com/idleseat/idleseat"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
)

type settings struct {
	Store  string `env:"IDLESEAT_STORE, required"`
	Policy string `env:"IDLESEAT_POLICY, default=policy.yaml"` // the key of the policy in the store
	Relay  string `env:"IDLESEAT_RELAY, default=off"`
	// Deployment is the name of the deployment, as operators give it in --aws. Each run records this name.
	Deployment string `env:"IDLESEAT_DEPLOYMENT"`
	Entra      entra.Config
}

// margin is how long before its deadline a call requests no further page. In this time, even a slow page must arrive,
// and the call must write what it has read.
const margin = 5 * time.Minute

func main() {
	step.Start(open, step.ErrPolicy, collect.ErrPolicy, collect.ErrRequest, directory.ErrNoPerson, directory.ErrAmbiguousPerson, snapshot.ErrUnknownRun)
}

func open(ctx context.Context, env *settings) (func(context.Context, collect.StepInput) (*collect.StepOutput, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	graph, err := entra.New(env.Entra, clock.Real)
	if err != nil {
		return nil, err
	}
	steps := &collect.Steps{
		Collector: collect.Collector{Store: s, Entra: graph, Tool: idleseat.Version(), Now: time.Now},
		Policy: func(ctx context.Context) (*policy.Policy, string, error) {
			return step.Policy(ctx, s, env.Policy)
		},
		Relay: env.Relay == "on", Deployment: env.Deployment,
	}
	return func(ctx context.Context, in collect.StepInput) (*collect.StepOutput, error) {
		return steps.Do(ctx, in, step.Until(ctx, margin))
	}, nil
}
