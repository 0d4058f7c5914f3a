package backtest

import (
	"context"
	"fmt"
	"maps"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "replay" evaluates the rules of the trial on every kept night and returns the counts of the hits. It also
// puts the facts about the nights into the Answer. If "each" is not nil, replay calls it once for every hit: when the
// person comes back, or after the last night. The calls may be concurrent for hits of different people.
//
// One worker evaluates a partition on all nights in order, so the people of a partition need no lock. Different workers
// may be on different nights.
func (t *trial) replay(ctx context.Context, s store.Store, a *Answer, q *Question, each func(*hit)) (*counts, error) {
	nights, err := t.nights(ctx, s, a, q.Now)
	if err != nil {
		return nil, err
	}
	r := &replay{trial: t, nights: nights, each: each, tasks: make([]chan task, max(1, q.Workers))}
	r.departments.index = map[string]int32{}
	workers := make([]*worker, len(r.tasks))
	group, ctx := errgroup.WithContext(ctx)
	for i := range workers {
		workers[i] = &worker{replay: r, counts: newCounts(t, nights)}
		r.tasks[i] = make(chan task, 4)
		group.Go(func() error { return workers[i].work(ctx, r.tasks[i]) })
	}
	group.Go(func() error { return r.hand(ctx, s, q.Progress) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	total := newCounts(t, nights)
	total.complete = completeUntil(nights)
	for _, w := range workers {
		total.add(w.counts)
	}
	for _, shard := range all(r.shards) {
		shard.end(total, each)
	}
	total.departments = r.departments.names
	a.describe(t.policy, nights)
	a.People = total.people
	return total, nil
}

type replay struct {
	*trial
	nights      []night
	each        func(*hit)
	tasks       []chan task
	shards      []*shard // by partition
	departments departments
}

type task struct {
	night     int
	partition int
	run       *decision.Run
	shard     *shard
	done      func()
}

// The method "hand" opens one night after the other. It gives the partitions of each night to the workers.
func (r *replay) hand(ctx context.Context, s store.Store, progress func(done, nights int)) error {
	defer func() {
		for _, tasks := range r.tasks {
			close(tasks)
		}
	}()
	var begun errgroup.Group // tasks that are not done
	for i := range r.nights {
		run, err := decision.OpenUnder(ctx, s, r.nights[i].run, r.policy)
		if err != nil {
			return err
		}
		r.nights[i].feeds = run.Feeds
		if n := run.Begin.Partitions; n != len(r.shards) {
			// This night has another number of partitions. Each partition has a shard, so the shards must be divided
			// anew, and this is possible only when no task uses them.
			done := make(chan struct{})
			go func() { _ = begun.Wait(); close(done) }()
			select {
			case <-done:
			case <-ctx.Done():
				return ctx.Err()
			}
			r.shards = divided(r.trial, r.shards, n)
		}
		for n := range run.Begin.Partitions {
			finished := make(chan struct{})
			begun.Go(func() error {
				select {
				case <-finished:
				case <-ctx.Done():
				}
				return nil
			})
			select {
			case r.tasks[n%len(r.tasks)] <- task{i, n, run, r.shards[n], func() { close(finished) }}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if progress != nil {
			progress(i+1, len(r.nights))
		}
	}
	return nil
}

type worker struct {
	*replay
	counts   *counts
	run      *decision.Run // the run that the method "open" prepared last
	screen   *decision.Screen
	judge    *policy.Judge
	skus     map[string]string // the SKU ids by which judge was made
	accounts directory.Accounts
	masks    [][]uint32 // by rule and row: a bit for each threshold at which the rule reclaims
	list     []policy.Outcome
}

func (w *worker) work(ctx context.Context, tasks <-chan task) error {
	for t := range tasks {
		if err := w.one(ctx, t); err != nil {
			return fmt.Errorf("ask about partition %d of run %s: %w", t.partition, t.run.Begin.Run, err)
		}
		t.done()
	}
	return nil
}

func (w *worker) one(ctx context.Context, t task) error {
	if err := w.open(t.run); err != nil {
		return err
	}
	swept, err := w.screen.Sweep(ctx, t.partition, &w.accounts)
	if err != nil {
		return err
	}
	at := &visit{worker: w, shard: t.shard, night: t.night, last: t.night == len(w.nights)-1}
	if len(swept.Keys) > 0 {
		if err := at.swept(swept); err != nil {
			return err
		}
	}
	for p := range w.accounts.Join() {
		t.run.Met(p)
		at.person(p)
	}
	return nil
}

func (w *worker) open(r *decision.Run) (err error) {
	if w.run == r {
		return nil
	}
	if skus := r.Begin.SKUIDs(); w.judge == nil || !maps.Equal(skus, w.skus) {
		if w.judge, err = r.Judge(r.Begin.AsOf); err != nil {
			return err
		}
		w.skus = skus
	}
	r.Reuse(w.judge)
	w.run, w.screen = r, decision.NewScreen(r.Apart(), w.judge)
	return nil
}
