package decision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// A run may plan over the snapshot of an older run. Its digest then has readings that are newer than the snapshot. The
// run compares the snapshot with the reading before it, as the older run did. The activity dates of the newer readings
// count, too, because a person who came back since keeps the license.

// loadBefore reads the digest of the run that read the snapshot, if this run's digest has a newer reading. If the older
// digest cannot be read, a sentence says so, and the rules are undecided about everybody.
func (r *Run) loadBefore(ctx context.Context) error {
	if r.Begin.Copy == "" || len(r.newer()) == 0 {
		return nil
	}
	origin, m, err := r.origin(ctx)
	if err == nil {
		r.before, err = history.Load(ctx, r.store, m)
	}
	if err != nil && Lasts(err) {
		if !r.Begin.AcceptFeeds {
			r.unknownBefore = origin
		}
		r.memory.add(layout.Begin(origin), fmt.Sprintf("nothing says how the snapshot of run %s differs from the one before it: %v; plan over a newer reading, or with --accept-feeds", origin, err))
		return nil
	}
	return err
}

// The method "origin" returns the run that read the snapshot of this run, with its manifest.
func (r *Run) origin(ctx context.Context) (run string, m *snapshot.Manifest, err error) {
	for run = r.Begin.Copy; ; {
		b, err := snapshot.GetBegin(ctx, r.store, run)
		if err != nil {
			return run, nil, err
		}
		if b.Copy == "" {
			m, _, err = snapshot.GetManifest(ctx, r.store, run)
			return run, m, err
		}
		run = b.Copy
	}
}

// The method "newer" returns the readings in the run's digest that are newer than its snapshot.
func (r *Run) newer() map[directory.Source]*plan.Baseline {
	all := map[directory.Source]*plan.Baseline{}
	if r.History == nil {
		return all
	}
	for s, b := range r.History.Known {
		if b != nil && b.Run != "" && b.Partitions >= 1 && b.Read.After(r.Begin.Read) {
			all[directory.Source(s)] = b
		}
	}
	return all
}

// The method "heed" adds to the accounts of an old snapshot the activity dates that newer readings showed. It also does
// so if another run read the directories while this one did. If a table of a newer reading cannot be read, the rules are
// undecided about its accounts.
func (r *Run) heed(ctx context.Context, h *directory.Accounts) error {
	for s, b := range r.newer() {
		for n, g := range groupsOf(h, s, b.Partitions) {
			p, err := r.remembered(ctx, b.Run, n)
			switch {
			case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrDamaged):
				g.forget(b.Run, r.Begin.Read)
				continue
			case err != nil:
				return fmt.Errorf("read what run %s knew of accounts: %w", b.Run, err)
			}
			for i := range p.Accounts[s] {
				k := &p.Accounts[s][i]
				g.each(k.Key, func(a *account) { a.heed(k) })
			}
		}
	}
	if r.Begin.Copy == "" {
		return nil
	}
	for _, s := range []directory.Source{directory.Entra, directory.AD} {
		accountsOf(h, s, func(a account) {
			if seen := r.History.Sighting(a.id()); seen != nil && seen.At.After(r.Begin.Read) {
				a.raise(seen.Newest)
			}
			if r.unknownBefore != "" {
				a.past().Forgotten, a.past().ForgottenBy = r.Begin.Read, r.unknownBefore
			}
		})
	}
	return nil
}

func (g *group) forget(run string, at time.Time) {
	for i := range g.list {
		past := g.list[i].past()
		past.Forgotten, past.ForgottenBy = at, run
	}
}

// The method "heed" adds the later activity dates in the entry of a newer reading.
func (a *account) heed(k *known.Account) {
	var newest [directory.ActivityDates]time.Time
	for i, t := range k.Newest {
		newest[i] = t.Time()
	}
	if logon := newest[known.LoggedOn]; a.ad != nil && logon.After(newest[0]) {
		newest[0] = logon
	}
	a.raise(newest)
}

// The method "raise" replaces the activity dates of the account by the given ones where these are later.
func (a account) raise(newest [directory.ActivityDates]time.Time) {
	dates := []*time.Time{}
	if a.ad != nil {
		dates = append(dates, &a.ad.LastLogonTimestamp)
	} else {
		dates = append(dates, &a.entra.LastInteractive, &a.entra.LastNonInteractive, &a.entra.LastSuccessful)
	}
	for i, date := range dates {
		if newest[i].After(date.Add(time.Second)) { // a table has whole seconds
			*date = newest[i]
		}
	}
}
