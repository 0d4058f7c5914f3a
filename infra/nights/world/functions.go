package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/workflow/apply"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/evaluate"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// The type "functions" runs the product as the state machine does: it calls the code of each Lambda function step by
// step, with or without a relay. It may call a step twice with the same event, because Lambda retries after a lost
// answer.
type functions struct {
	w       *World
	collect collect.Steps
	gate    gate.Steps
	change  apply.Steps
	calls   int
}

// byFunctions returns the product's functions for a world. They use the Graph, the store and the clock of the world.
func (w *World) byFunctions() (*functions, error) {
	graph, err := entra.New(entra.Config{GraphURL: w.box.GraphURL, Auth: entra.AuthDefault}, &w.clock)
	if err != nil {
		return nil, err
	}
	text := func(context.Context) (string, error) {
		b, err := os.ReadFile(w.policy.file)
		return string(b), err
	}
	return &functions{
		w: w,
		collect: collect.Steps{
			Collector: collect.Collector{Store: w.store, Entra: graph, Tool: "world", Now: w.clock.Now},
			Relay:     w.premises != nil,
			Policy: func(ctx context.Context) (*policy.Policy, string, error) {
				b, err := text(ctx)
				if err != nil {
					return nil, "", err
				}
				p, err := policy.Load("policy.yaml", []byte(b))
				return p, b, err
			},
		},
		gate:   gate.Steps{Store: w.store, Policy: text, Now: w.clock.Now, Report: w.writeReport},
		change: apply.Steps{Applier: apply.Applier{Store: w.store, Entra: graph, Now: w.clock.Now}, Policy: text, Relay: w.premises != nil},
	}, nil
}

// mostCalls is how often one step is called at most, with all retries. The state machine has the same limit.
const mostCalls = 5

// The function "step" calls a function for one step. It repeats the call after an error and sometimes after a success.
// It does not repeat a call that a safety check refused.
func step[Out any](f *functions, what string, do func(context.Context) (Out, error)) (out Out, err error) {
	for try := range mostCalls {
		f.calls++
		if out, err = do(context.Background()); err == nil {
			if f.w.happens("a function is called again: "+what, f.calls, 0.05) {
				continue
			}
			return out, nil
		}
		if errors.Is(err, runs.ErrRefused) {
			return out, err
		}
		f.w.clock.pass(time.Duration(5<<try) * time.Second)
	}
	return out, err
}

// The method "plan" reads, evaluates and plans, as a new execution of the state machine.
func (f *functions) plan(accept bool) (p plan.Plan, err error) {
	f.w.endanger("plan")
	defer f.w.weather.Revive()
	request, at := json.RawMessage(`{}`), entrance.Plan
	if accept {
		request, at = json.RawMessage(`{"acceptFeeds":true}`), entrance.Approve
	}
	execution, started := fmt.Sprintf("night-%d-%d", f.w.night, f.calls), f.w.clock.Now()
	read := func(in collect.StepInput) (*collect.StepOutput, error) {
		return step(f, in.Op, func(ctx context.Context) (*collect.StepOutput, error) { return f.collect.Do(ctx, in, time.Time{}) })
	}
	out, err := read(collect.StepInput{Op: "begin", Entrance: at, Execution: execution, Started: started, Request: request})
	if err != nil {
		return p, err
	}
	run, begun := out.Run, out
	for call := 0; !out.Done; call++ {
		if out, err = read(collect.StepInput{Op: "entra", Run: run, Call: call}); err != nil {
			return p, err
		}
	}
	if out, err = read(collect.StepInput{Op: "seal", Run: run, AD: f.readAD(run, begun)}); err != nil {
		return p, err
	}
	for _, n := range out.Partitions {
		if _, err = step(f, "evaluate", func(ctx context.Context) (struct{}, error) { return struct{}{}, f.evaluate(ctx, run, n) }); err != nil {
			return p, err
		}
	}
	if _, err = f.decide(gate.StepInput{Op: "gate", Run: run}); err != nil {
		return p, err
	}
	planned, err := runs.GetPlan(context.Background(), &f.w.behind, run)
	if err != nil {
		return p, err
	}
	return *planned, nil
}

func (f *functions) evaluate(ctx context.Context, run string, partition int) error {
	r, err := decision.Open(ctx, f.w.store, run)
	if err != nil {
		return err
	}
	worker, err := evaluate.NewWorker(r)
	if err != nil {
		return err
	}
	return worker.Partition(ctx, partition)
}

func (f *functions) decide(in gate.StepInput) (*gate.StepOutput, error) {
	return step(f, in.Op, func(ctx context.Context) (*gate.StepOutput, error) { return f.gate.Do(ctx, in) })
}

// The method "apply" approves a plan and applies it, as a new execution of the state machine.
func (f *functions) apply(run, hash string, override bool) (r runs.Results, refused bool, err error) {
	r, err = f.execute("apply", gate.StepInput{Op: "approve", Entrance: approving(override), Request: gate.Request{Run: run, PlanHash: hash, Override: override}})
	return r, errors.Is(err, runs.ErrRefused), err
}

// The method "restore" restores a run, as a new execution of the state machine.
func (f *functions) restore(run string) {
	f.calls++
	_, err := f.execute("restore", gate.StepInput{
		Op: "restore", Entrance: entrance.Restore, Execution: fmt.Sprintf("restore-%d-%d", f.w.night, f.calls), Started: f.w.clock.Now(), Request: gate.Request{Restore: run},
	})
	f.w.logf("restore of %s: %v", run, err)
}

// mostRounds is the maximum number of rounds of an execution. In a round, the product makes the changes of all batches,
// reads the results, and waits for the directories.
const mostRounds = 12

func (f *functions) execute(what string, first gate.StepInput) (r runs.Results, err error) {
	f.w.endanger(what)
	defer f.w.weather.Revive()
	out, err := f.decide(first)
	for round := 0; err == nil && out.Go && round < mostRounds; round++ {
		for _, b := range append(out.Batches.Entra, out.Batches.AD...) {
			f.batch(b, out.Round)
		}
		if out, err = f.decide(gate.StepInput{Op: "settle", Run: out.Run, Round: out.Round}); err == nil && out.Go {
			f.w.clock.pass(time.Duration(out.WaitSeconds) * time.Second)
		}
	}
	if err != nil {
		return r, err
	}
	p, err := runs.GetPlan(context.Background(), &f.w.behind, out.Run)
	if err != nil {
		return r, err
	}
	all, err := runs.GetResults(context.Background(), &f.w.behind, p, p.Batches())
	if err != nil {
		return r, err
	}
	return *all, nil
}

// The method "batch" makes the changes of one batch. If a step fails, the method ends early. The ledger still lists the
// changes that the step began, and the next round continues.
func (f *functions) batch(b gate.Batch, round int) {
	state := &apply.BatchState{Run: b.Run, PlanHash: b.PlanHash, Override: b.Override, Approver: "world", Round: round, Batch: b.Batch, Results: []string{}}
	do := func(op string) bool {
		in := apply.StepInput{Op: op, Batch: *state}
		next, err := step(f, op, func(ctx context.Context) (*apply.BatchState, error) { return f.change.Do(ctx, in) })
		if err != nil {
			f.w.logf("%s batch %s of %s: %v", op, b.Batch, b.Run, err)
			return false
		}
		state = next
		return true
	}
	for do("prepare") {
		evidence := f.evidence(state)
		state.Evidence = &evidence
		if !do("change") || !state.Ask {
			return
		}
		written := f.write(state)
		if state.Written = &written; written.Error != "" {
			return
		}
	}
}

// The function "approving" returns the entrance for a request to apply a plan. An entrance is a state machine that
// accepts one kind of request. A request that overrides the limits has its own entrance.
func approving(override bool) entrance.Name {
	if override {
		return entrance.Override
	}
	return entrance.Approve
}
