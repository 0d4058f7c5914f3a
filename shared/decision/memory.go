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

// The type "memory" caches the table of known accounts that was read last. The cache stays valid, because the table of
// an earlier run no longer changes.
type memory struct {
	mu    sync.Mutex
	run   string
	n     int
	table *known.Partition // nil if none was read yet, or if it cannot be read
	err   error            // why the table cannot be read: store.ErrNotFound or store.ErrDamaged
	*losses
}

// The type "losses" has a sentence for each table that could not be read, by the key of its object.
type losses struct {
	mu  sync.Mutex
	why map[string]string
}

func newMemory() *memory { return &memory{losses: &losses{}} }

// Apart returns a copy of the run for another worker. Each copy caches its own table. All copies share the list of
// unreadable tables.
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

// The method "remembered" returns the table of known accounts of a run. If the table is damaged or missing, it is made
// again from the snapshot of the run. If the snapshot cannot be read either, the error is store.ErrDamaged. The error
// is store.ErrNotFound if both are gone, or if the run is of an old version that wrote activity gaps.
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

// Losses returns a sentence for each table of an earlier run that could not be read so far. The sentence says what
// replaces the table. All tables of a run that was deleted because of its age have the same sentence.
func (r *Run) Losses() []string {
	l := r.memory.losses
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Compact(slices.Sorted(maps.Values(l.why)))
}

// readTable reads the table of known accounts that a run stored for partition n. If the table is lost, readTable
// rebuilds it from what that run read. The result "loss" is then a text about the loss, and otherwise empty.
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
		return nil, "run " + run + " was deleted because of its age, with what it knew of accounts; their periods of grace begin again, and people without a date are decided when one comes; keep runs for longer than the time between two readings of a directory (in AWS: RunRetentionDays)", store.ErrNotFound
	case Lasts(failed):
		err = fmt.Errorf("%w: %w; it cannot be made again: %w", store.ErrDamaged, err, failed)
		return nil, err.Error() + "; its people are decided from the next night on, and people without a date when one comes; to decide them now, plan with --accept-feeds", err
	}
	return nil, "", failed
}

// longestTrail limits how many runs in a row have their tables made again. To make a table again, the table of the run
// before is needed, and this table may be lost, too.
const longestTrail = 8

var errTrail = fmt.Errorf("%w: %d runs in a row have lost what they knew", store.ErrDamaged, longestTrail)

// tableAgain makes the table of a run again, from its snapshot and the table of the run before it. The result is equal
// to the table that RememberWith stored.
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
	return last.table(ctx, n, h, &Plain{})
}

// Lasts reports whether an error of reading a run would occur again at the next try: an object is missing or was
// altered, or this version cannot read it. After a downgrade, a policy that a newer version stored can have faults.
func Lasts(err error) bool {
	var newer policy.Faults
	var lacking *snapshot.ErrNoColumn
	return errors.As(err, &newer) || errors.As(err, &lacking) || errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNotFound) || errors.Is(err, snapshot.ErrNone) || errors.Is(err, snapshot.ErrUnknownRun)
}
