package history

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Closed says why nothing of a plan may begin any more; empty: it may. inForce is
// the text of the policy in force, empty when it is not to be compared. withdrawn
// tells that another run puts the plan's back.
func Closed(ctx context.Context, s store.Store, p *plan.Plan, b *snapshot.Begin, inForce string, now time.Time) (why string, withdrawn bool, err error) {
	if p.Restores == "" {
		by, err := Withdrawn(ctx, s, p.Run)
		if err != nil || by != "" {
			return "run " + by + " puts it back", err == nil, err
		}
	}
	switch {
	case snapshot.Ahead(p.Run, now):
		return "the plan was made by a clock that was ahead: it is named " + p.Run + ", and now it is " + now.UTC().Format(time.RFC3339) + "; set the clocks right and plan again", false, nil
	case p.Restores == "" && inForce != "" && inForce != b.Policy:
		return "the policy has changed since the plan was made; plan again", false, nil
	case now.After(p.Expires):
		return "the plan expired at " + p.Expires.Format(time.RFC3339) + "; plan again", false, nil
	case p.Restores != "" || b.User != "":
		return "", false, nil
	}
	newer, err := Newer(ctx, s, p.Run, now)
	if err != nil || newer == "" {
		return "", false, err
	}
	return "the plan of run " + newer + " superseded it; apply that one", false, nil
}

// Begun tells whether a change of a plan's run is open in the ledger. What has
// begun is finished, also when the plan is closed.
func Begun(ctx context.Context, book *ledger.Ledger, p *plan.Plan) (bool, error) {
	for _, c := range slices.Concat(p.Changes, p.Notices) {
		last, err := book.Latest(ctx, c.User, c.License)
		if errors.Is(err, ledger.ErrDamaged) {
			continue // nothing is finished there
		}
		if err != nil || last != nil && last.Run == p.Run && last.Completion == nil {
			return err == nil, err
		}
	}
	return false, nil
}
