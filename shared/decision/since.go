package decision

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
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
