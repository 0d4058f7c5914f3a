package decision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// memory keeps the table that was read last. A table never changes once later runs read it.
type memory struct {
	mu    sync.Mutex
	run   string
	n     int
	table *known.Partition // nil if none was read yet, or if it cannot be read
	err   error            // why the table cannot be read: store.ErrNotFound or store.ErrDamaged
	*losses
}

// losses says of each table that could not be read what is used instead, by the key of its object.
type losses struct {
	mu  sync.Mutex
	why map[string]string
}

func newMemory() *memory { return &memory{losses: &losses{}} }

// Apart returns the run for one more worker. Each worker keeps the table that it read last, and all of them know the
// same losses.
func (r *Run) Apart() *Run {
	own := *r
	own.memory = &memory{losses: r.memory.losses}
	return &own
}

func (l *losses) add(key, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		l.why = map[string]string{}
	}
	l.why[key] = why
}

// remembered returns what a run remembered about a partition, but reads the same table only once. It makes a damaged
// or missing table again from the snapshot of the run. If that cannot be read either, it fails with store.ErrDamaged.
// It fails with store.ErrNotFound if there is neither a table nor a snapshot, as after their time of storage, and for a
// run of a version that wrote activity gaps instead.
func (r *Run) remembered(ctx context.Context, run string, n int) (*known.Partition, error) {
	m := r.memory
	m.mu.Lock()
	table, err := m.table, m.err
	if m.run != run || m.n != n {
		table, err = nil, nil
	}
	m.mu.Unlock()
	if table != nil || err != nil {
		return table, err
	}
	table, loss, err := r.readTable(ctx, run, n)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrDamaged) {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.run, m.n, m.table, m.err = run, n, table, err
	if loss != "" {
		m.add(layout.Known(run, n), loss)
	}
	return table, err
}

// Losses says of each table of an earlier run that could not be read so far what is used instead.
func (r *Run) Losses() []string {
	l := r.memory.losses
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Values(l.why))
}

// readTable reads a table or makes it again. loss describes the loss, and is empty if there is none.
func (r *Run) readTable(ctx context.Context, run string, n int) (table *known.Partition, loss string, err error) {
	table, err = known.Get(ctx, r.store, run, n)
	gone := errors.Is(err, store.ErrNotFound)
	if !gone && !errors.Is(err, store.ErrDamaged) {
		return table, "", err
	}
	if gone {
		gaps, err := r.store.Get(ctx, layout.ActivityGaps(run, n))
		if err == nil {
			return nil, "", errors.Join(store.ErrNotFound, gaps.Close())
		}
		if !errors.Is(err, store.ErrNotFound) {
			return nil, "", err
		}
	}
	table, failed := r.tableAgain(ctx, run, n)
	switch {
	case failed == nil:
		return table, fmt.Sprintf("%v; it was made again from what run %s read", err, run), nil
	case gone && errors.Is(failed, snapshot.ErrUnknownRun):
		return nil, "", store.ErrNotFound
	case lasts(failed):
		err = fmt.Errorf("%w: %w; it cannot be made again: %w", store.ErrDamaged, err, failed)
		return nil, err.Error() + "; its people are decided from the next run on, and people without a date when one comes; to decide them now, plan with --accept-feeds", err
	}
	return nil, "", failed
}

// longestTrail is how many runs in a row may have lost their tables until one is no longer made again.
const longestTrail = 8

var errTrail = fmt.Errorf("%w: %d runs in a row have lost what they knew", store.ErrDamaged, longestTrail)

// tableAgain makes the table of a run again, as RememberWith made it: from the snapshot of that run and the table of
// the run before it. So no date that the run saw is lost.
func (r *Run) tableAgain(ctx context.Context, run string, n int) (*known.Partition, error) {
	if r.trail >= longestTrail {
		return nil, errTrail
	}
	last, err := Open(ctx, r.store, run)
	if err != nil {
		return nil, err
	}
	last.trail = r.trail + 1
	h := &directory.Accounts{}
	if err := last.Read(ctx, n, h); err != nil {
		return nil, err
	}
	for p := range h.Join() {
		last.Met(p)
	}
	return last.table(h, &Plain{}), nil
}

// lasts reports whether reading a run again would fail again.
func lasts(err error) bool {
	var faults policy.Faults
	return errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) || errors.Is(err, snapshot.ErrNone) || errors.Is(err, snapshot.ErrUnknownRun) || errors.As(err, &faults)
}
