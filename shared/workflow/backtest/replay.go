package backtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// replay asks the trial about every kept night and returns the counts of the hits. It fills in a what is known of the
// nights. each is called with every hit when it has ended, unless it is nil; the calls are not concurrent for one
// person.
//
// A partition is always evaluated by the same worker, in the order of the nights, so what is known of its people needs
// no lock. Workers may be on different nights.
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

// replay is a replay under way.
type replay struct {
	*trial
	nights      []night
	each        func(*hit)
	tasks       []chan task
	shards      []*shard // by partition
	departments departments
}

// task is one partition of one night.
type task struct {
	night     int
	partition int
	run       *decision.Run
	shard     *shard
	done      func()
}

// hand opens the nights one after the other and gives their partitions to the workers.
func (r *replay) hand(ctx context.Context, s store.Store, progress func(done, nights int)) error {
	defer func() {
		for _, tasks := range r.tasks {
			close(tasks)
		}
	}()
	var begun errgroup.Group // open tasks
	for i := range r.nights {
		run, err := decision.OpenUnder(ctx, s, r.nights[i].run, r.policy)
		if err != nil {
			return err
		}
		r.nights[i].feeds = run.Feeds
		if n := run.Begin.Partitions; n != len(r.shards) {
			// The people are divided in another way from this night on.
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

// nights returns the nights to ask, oldest first. It names in a those that cannot be asked.
func (t *trial) nights(ctx context.Context, s store.Store, a *Answer, now time.Time) (nights []night, err error) {
	runs, err := snapshot.Runs(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(runs) {
		if snapshot.Ahead(run, now) {
			continue
		}
		switch sealed, err := snapshot.Sealed(ctx, s, run); {
		case err != nil:
			return nil, err
		case !sealed:
			continue
		}
		b, err := snapshot.GetBegin(ctx, s, run)
		switch {
		case err != nil:
			a.LeftOut = append(a.LeftOut, LeftOut{run, err.Error()})
		case b.User != "" || b.Copy != "":
			// of one person, or the same snapshot again
		case b.Tenant != t.policy.Tenant:
			a.LeftOut = append(a.LeftOut, LeftOut{run, fmt.Sprintf("it read the tenant %s, and the policy is for %s", b.Tenant, t.policy.Tenant)})
		case b.AsOf.Sub(b.Read).Abs() > mostShifted:
			a.LeftOut = append(a.LeftOut, LeftOut{run, "it was planned as of another day than it was read"})
		default:
			why, err := t.cannot(ctx, s, run)
			if err != nil {
				return nil, err
			}
			if why != "" {
				a.LeftOut = append(a.LeftOut, LeftOut{run, why})
				continue
			}
			nights = append(nights, night{run: run, asOf: b.AsOf})
		}
	}
	if len(nights) < 2 {
		err := fmt.Errorf("%w: it has %d that fit the policy", ErrNoNights, len(nights))
		for _, l := range a.LeftOut {
			err = fmt.Errorf("%w; run %s is left out: %s", err, l.Run, l.Why)
		}
		return nil, err
	}
	return nights, nil
}

// mostShifted is how far the planning time of a night may be from the time at which it was read.
const mostShifted = 36 * time.Hour

// cannot returns why a night cannot be asked under the policy of the trial, or "" if it can.
func (t *trial) cannot(ctx context.Context, s store.Store, run string) (why string, err error) {
	r, err := decision.OpenUnder(ctx, s, run, t.policy)
	var column *snapshot.ErrNoColumn
	var group *decision.ErrNotRead
	switch {
	case errors.As(err, &column), errors.As(err, &group), errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrNotFound):
		return err.Error(), nil
	case err != nil:
		return "", err
	}
	if _, err := r.Judge(r.Begin.AsOf); err != nil {
		return err.Error(), nil //nolint:nilerr // the night's tenant lacks a product of the policy
	}
	return "", nil
}

// worker evaluates partitions, one after the other.
type worker struct {
	*replay
	counts   *counts
	run      *decision.Run // of screen
	screen   *decision.Screen
	judge    *policy.Judge
	skus     map[string]string // of judge
	accounts directory.Accounts
	masks    [][]uint32 // by rule and row: a bit for each threshold that reclaims
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

// open prepares the worker for a run.
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

// visit is one partition of one night that a worker goes through.
type visit struct {
	*worker
	shard *shard
	night int
	last  bool // whether it is the last night
}

// swept goes through the people whose verdicts follow from columns.
func (v *visit) swept(swept *decision.Swept) error {
	rows := len(swept.Keys)
	for len(v.masks) < len(v.rules) {
		v.masks = append(v.masks, nil)
	}
	ats, knowns := make([][]int64, len(v.rules)), make([][]bool, len(v.rules))
	for i := range v.rules {
		r := &v.rules[i]
		v.masks[i] = masked(v.masks[i], rows, swept.Verdicts[r.first:r.first+len(r.thresholds)])
		ats[i], knowns[i] = swept.LastSeen(v.policy.Rules[r.first])
	}
	department, err := swept.Texts("entra_department")
	if err != nil {
		return err
	}
	for row, open := range swept.Open {
		if open {
			continue
		}
		slot := v.shard.find(swept.Keys[row])
		var any uint32
		for i := range v.rules {
			any |= v.masks[i][row]
		}
		if slot < 0 && any == 0 {
			continue
		}
		if slot < 0 {
			slot = v.shard.put(swept.Keys[row])
		}
		for i := range v.rules {
			v.see(slot, i, v.masks[i][row], ats[i][row], knowns[i][row], func() string { return department.Text(row) })
		}
		v.shard.present[slot] = int16(v.night)
	}
	if v.last {
		v.counts.people += len(swept.Open) - openOf(swept.Open)
	}
	return nil
}

func openOf(open []bool) (n int) {
	for _, is := range open {
		if is {
			n++
		}
	}
	return n
}

// masked sets a bit for each threshold whose verdict is to reclaim. It reuses the memory of masks.
func masked(masks []uint32, rows int, verdicts [][]policy.Plain) []uint32 {
	if cap(masks) < rows {
		masks = make([]uint32, rows)
	}
	masks = masks[:rows]
	clear(masks)
	for i, of := range verdicts {
		for row, verdict := range of {
			if verdict == policy.PlainReclaim {
				masks[row] |= 1 << i
			}
		}
	}
	return masks
}

// person goes through one person who was evaluated on their own.
func (v *visit) person(p *directory.Person) {
	if v.last {
		v.counts.people++
	}
	v.list = v.judge.Outcomes(p, v.list[:0])
	slot := v.shard.find(decision.PersonKey(p))
	for i := range v.rules {
		r := &v.rules[i]
		var mask uint32
		for k, outcome := range v.list[r.first : r.first+len(r.thresholds)] {
			if outcome == policy.Reclaim {
				mask |= 1 << k
			}
		}
		if slot < 0 && mask == 0 {
			continue
		}
		if slot < 0 {
			slot = v.shard.put(decision.PersonKey(p))
		}
		seen, known := v.judge.LastSeen(v.policy.Rules[r.first], p)
		at := int64(policy.None)
		if !seen.IsZero() {
			at = seen.UnixMicro()
		}
		v.see(slot, i, mask, at, known, func() string {
			if p.Entra == nil {
				return ""
			}
			return p.Entra.Department
		})
	}
	if slot >= 0 {
		v.shard.present[slot] = int16(v.night)
	}
}
