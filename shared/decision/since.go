package decision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/usage"
)

// Learn adds to the run's history what newer runs have learned up to the time "now". Apply calls it before it evaluates
// a person again.
func (r *Run) Learn(ctx context.Context, now time.Time) error {
	since, err := r.History.Since(ctx, r.store, r.Begin.Run, now)
	if err != nil {
		return fmt.Errorf("run %s: %w", r.Begin.Run, err)
	}
	r.History = since
	return nil
}

// The method "accepts" reports whether the operator of a run with --accept-feeds accepted that the present data differ
// from the reading b. Nobody accepted a reading that is newer than the run's own.
func (r *Run) accepts(b *plan.Baseline) bool {
	return r.Begin.AcceptFeeds && b.Run != r.Begin.Run && !b.Read.After(r.Begin.Read)
}

// LaterReports returns the usage reports of the newest reading that another run made since this run read the
// directories. There are none if no run did, or if that run read no report. The error is store.ErrDamaged or
// store.ErrNotFound if what that run stored is lost.
func (r *Run) LaterReports(ctx context.Context) (usage.Tables, error) {
	b := r.newer()[directory.Entra]
	if b == nil {
		return nil, nil
	}
	m, _, err := snapshot.GetManifest(ctx, r.store, b.Run)
	if errors.Is(err, snapshot.ErrNone) { // the run was deleted because of its age
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tablesOf(ctx, r.store, m)
}
