// Command evaluate is a Lambda function that applies the rules of a run to one partition, a fixed share of its people,
// and stores the decisions.
package main

import (
	"context"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/step"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
)

type settings struct {
	Store string `env:"IDLESEAT_STORE, required"`
}

type input struct {
	Run       string `json:"run"`
	Partition int    `json:"partition"`
}

func main() { step.Start(open, snapshot.ErrUnknownRun, snapshot.ErrNone, store.ErrDamaged) }

func open(ctx context.Context, env *settings) (func(context.Context, input) (struct{}, error), error) {
	s, err := store.Open(ctx, env.Store)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, in input) (none struct{}, err error) {
		run, err := decision.Open(ctx, s, in.Run)
		if err != nil {
			return none, err
		}
		worker, err := evaluate.NewWorker(run)
		if err != nil {
			return none, err
		}
		return none, worker.Partition(ctx, in.Partition)
	}, nil
}
