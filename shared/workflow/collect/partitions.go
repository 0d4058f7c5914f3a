package collect

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// perPartition is the intended number of people per partition. The accounts of 8,000 people fit into little memory, and
// the number of objects stays small.
const perPartition = 8_000

// The method "partitions" returns the number of partitions of a run with the given number of people. It is the number
// of the last run, as long as a partition then has between a quarter and eleven tenths of perPartition. With another
// number, the run compares its accounts with many tables of the last run, and the relay must read everybody.
func (c *Collector) partitions(ctx context.Context, run string, people int) (int, error) {
	last, err := c.lastBegin(ctx, run, func(b *snapshot.Begin) bool { return b.Partitions > 0 })
	if err != nil {
		return 0, err
	}
	if last != nil && people >= last.Partitions*perPartition/4 && people <= last.Partitions*perPartition*11/10 {
		return last.Partitions, nil
	}
	return max(1, (people+perPartition-1)/perPartition), nil
}

// lastBegin returns the Begin of the newest readable run for everybody that the function "fits" accepts, or nil. A run
// over the snapshot of an older run does not count.
func (c *Collector) lastBegin(ctx context.Context, run string, fits func(*snapshot.Begin) bool) (*snapshot.Begin, error) {
	earlier, err := history.Before(ctx, c.Store, run, c.Now())
	if err != nil {
		return nil, err
	}
	for _, run := range earlier[:min(len(earlier), mostEarlier)] {
		b, err := snapshot.GetBegin(ctx, c.Store, run)
		switch {
		case errors.Is(err, snapshot.ErrUnknownRun), errors.Is(err, store.ErrDamaged):
		case err != nil:
			return nil, err
		case b.Copy == "" && fits(b):
			return b, nil
		}
	}
	return nil, nil
}
