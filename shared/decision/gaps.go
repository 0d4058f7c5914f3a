package decision

import (
	"context"
	"errors"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// activityGap is a line of runs/<run>/dateless/<partition>.jsonl.gz: an account without an activity date. Older
// versions wrote such lines, because they had no table of known accounts.
type activityGap struct {
	Account string `json:"account"` // the Entra id or the SID
	// Since is when the dates were first missing. It is zero if the account never had one.
	Since time.Time `json:"since,omitzero"`
}

// compareGaps compares accounts with the list that a run of an older version stored: the accounts without an activity
// date (activityGap). The list has no dates and does not say whether an account was enabled. If it is gone, the run was
// deleted because of its age. The list then counts as empty, and periods of grace begin again.
func (c *recollection) compareGaps(ctx context.Context, n int, g *group, h *directory.Accounts) error {
	since := map[string]time.Time{}
	err := store.GetLines(ctx, c.store, layout.ActivityGaps(c.last.Run, n), func(l *activityGap) error {
		since[l.Account] = l.Since
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		c.graceAgain(g, h)
	} else if err != nil {
		return err
	}
	for i := range g.list {
		a := &g.list[i]
		lost, listed := since[a.id()]
		switch over := !c.doubtLasts(lost, c.now); {
		case !listed:
			c.neverSeen(a)
		case !c.dates:
		case a.noActivity() && !lost.IsZero() && !over:
			*a.lost() = lost
		}
		if listed {
			a.past().Seen = c.last.Read
		}
	}
	return nil
}
