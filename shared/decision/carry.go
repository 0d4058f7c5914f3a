package decision

import (
	"context"
	"errors"
	"time"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// A healthy reading may lack an account for a night. The new table then carries the entry of the account on. When the
// account is back, its dates are compared with this entry. Otherwise the account would count as new, and a date that is
// lost on the way would be believed.

// The method "doubtLasts" reports whether a doubt about dates that began at the given time still lasts at the time
// "now".
func (r *Run) doubtLasts(since, now time.Time) bool {
	return now.Before(since.Add(max(lostFor, r.Policy.LongestSpan())))
}

// The method "carry" adds to p the entries of the accounts that the last table has and this healthy reading lacks. The
// argument p is the new table of partition n. If the last table cannot be read, or if an operator accepts the feeds,
// the method adds nothing.
func (r *Run) carry(ctx context.Context, n int, p *known.Partition) error {
	if r.Begin.AcceptFeeds {
		return nil
	}
	for s, b := range r.lastReadings() {
		if r.Feeds[s].State != plan.Healthy || !recalls(b, r) {
			continue
		}
		last, err := r.remembered(ctx, b.Run, n)
		switch {
		case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
			continue
		case err != nil:
			return err
		}
		read := lookup{list: p.Accounts[s]}
		read.index()
		for _, k := range last.Accounts[s] {
			if !read.has(k.Key) && r.carries(&k) {
				p.Accounts[s] = append(p.Accounts[s], k)
			}
		}
	}
	return nil
}

// The method "carries" makes k the entry of an account that this reading lacks. It returns false if the account has been
// missed for so long that its dates no longer matter.
func (r *Run) carries(k *known.Account) bool {
	if k.Missed == 0 {
		k.Missed = known.SecondOf(r.Begin.Read)
	}
	k.Seen, k.Enabled = 0, 0
	return r.doubtLasts(k.Missed.Time(), r.Begin.Read)
}
