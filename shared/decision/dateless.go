package decision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// dateless is an account in which no date of activity was read: one line of
// runs/<run>/dateless/<partition>.jsonl.gz. Directories never take such a date
// back. So an account that has none now and is older than the last healthy
// reading has lost it on the way here when it is not among the dateless accounts
// of that reading, however few they are for the health of the feed to notice.
type dateless struct {
	Account string           `json:"account"` // Entra id or SID
	Source  directory.Source `json:"source"`
	// Since is when its dates were first missing; zero: it never had any.
	Since time.Time `json:"since,omitzero"`
}

// undated is what counts here of an account without a date, in either source.
type undated struct {
	id, key string // key decides its partition
	created time.Time
	lost    *time.Time // its DatesLost
}

// lostFor is how long an account whose dates were lost stays in doubt, at least:
// then it is as if it had been used on the day they were first missing.
const lostFor = 90 * 24 * time.Hour

func listKey(run string, partition int) string {
	return fmt.Sprintf("runs/%s/dateless/%04d.jsonl.gz", run, partition)
}

// datelessIn calls each with every account of h that has no date of a source.
func datelessIn(h *directory.Halves, s directory.Source, each func(undated) error) error {
	if s == directory.AD {
		for i := range h.AD {
			if u := &h.AD[i]; u.LastLogonTimestamp.IsZero() && !u.DatesInDoubt {
				if err := each(undated{u.SID, u.SID, u.Created, &u.DatesLost}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for i := range h.Entra {
		if u := &h.Entra[i]; u.LastActivity().IsZero() && !u.DatesInDoubt {
			if err := each(undated{u.ID, u.PartitionKey(), u.Created, &u.DatesLost}); err != nil {
				return err
			}
		}
	}
	return nil
}

// doubtLost marks the accounts of h whose dates were lost.
func (r *Run) doubtLost(ctx context.Context, h *directory.Halves) error {
	if r.History == nil || r.Begin.AcceptFeeds {
		return nil
	}
	lasts := max(lostFor, r.Policy.LongestSpan())
	lists := map[string]map[string]time.Time{}
	for s, b := range r.History.Baselines {
		if b == nil || b.Run == "" || b.Partitions < 1 || b.Read.After(r.Begin.Read) || r.Feeds[s].State != plan.Healthy {
			continue
		}
		err := datelessIn(h, directory.Source(s), func(a undated) error {
			if a.created.After(b.Read) {
				return nil // too new to be on the list
			}
			key := listKey(b.Run, directory.Partition(a.key, b.Partitions))
			if lists[key] == nil {
				known, err := r.listed(ctx, key)
				if err != nil {
					return fmt.Errorf("read which accounts had no date in run %s (plan with --accept-feeds to go on without): %w", b.Run, err)
				}
				lists[key] = known
			}
			switch since, listed := lists[key][a.id]; {
			case !listed:
				*a.lost = r.Begin.Read
			case !since.IsZero() && r.Begin.Read.Before(since.Add(lasts)):
				*a.lost = since
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// listed reads a list by account. One that is gone, its time being over, knows of
// no account that never had a date.
func (r *Run) listed(ctx context.Context, key string) (map[string]time.Time, error) {
	known := map[string]time.Time{}
	err := store.GetLines(ctx, r.store, key, func(l *dateless) error {
		known[l.Account] = l.Since
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return known, err
}

// PutDateless notes for later runs which accounts of a partition have no date. h is
// the partition as Read gave it.
func (r *Run) PutDateless(ctx context.Context, partition int, h *directory.Halves) error {
	if r.Begin.User != "" {
		return nil // later runs look at those for everybody
	}
	key := listKey(r.Begin.Run, partition)
	err := store.PutLines(ctx, r.store, key, func(emit func(any) error) error {
		for s, f := range r.Feeds {
			if f.State != plan.Healthy {
				continue // what later runs look at is an earlier one
			}
			err := datelessIn(h, directory.Source(s), func(a undated) error {
				return emit(dateless{Account: a.id, Source: directory.Source(s), Since: *a.lost})
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
