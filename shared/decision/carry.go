package decision

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
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

// The method "carry" adds to p the entries of the accounts that the last tables have and this healthy reading lacks. The
// argument p is the new table of partition n. If the last run had another number of partitions, its tables are shared out
// among the new ones. If a last table cannot be read, the method adds nothing. An operator who accepts the feeds accepts
// what they show, and not what they lack, so the entries are carried then, too.
func (r *Run) carry(ctx context.Context, n int, p *known.Partition) error {
	for s, b := range r.lastReadings() {
		if r.Feeds[s].State != plan.Healthy || !recalls(b, r) {
			continue
		}
		for of := n; of < b.Partitions; of += r.Begin.Partitions {
			missed, err := r.missed(ctx, b.Run, of, directory.Source(s), p)
			if err == nil && b.Partitions != r.Begin.Partitions {
				missed, err = r.unlisted(ctx, directory.Source(s), missed)
			}
			if err != nil {
				return err
			}
			p.Accounts[s] = append(p.Accounts[s], missed...)
		}
	}
	return nil
}

// The method "missed" returns new entries of the accounts that are in partition n of an earlier run, and not in p.
func (r *Run) missed(ctx context.Context, run string, n int, s directory.Source, p *known.Partition) ([]known.Account, error) {
	last, err := r.remembered(ctx, run, n)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	read := lookup{list: p.Accounts[s]}
	read.index()
	var missed []known.Account
	for _, k := range last.Accounts[s] {
		if !read.has(k.Key) && r.carries(&k) {
			missed = append(missed, k)
		}
	}
	return missed, nil
}

// The method "unlisted" removes from the entries the accounts that this run read in any partition. It reads one partition
// at a time. A run of an older version, without a table of people, carries no entries.
func (r *Run) unlisted(ctx context.Context, s directory.Source, missed []known.Account) ([]known.Account, error) {
	if len(r.Manifest.People) == 0 || !r.Manifest.Derives() {
		return nil, nil
	}
	var memory snapshot.Memory
	listed := map[uint64]bool{}
	for _, k := range missed {
		listed[k.Key] = false
	}
	for n := range r.Begin.Partitions {
		people, err := r.Manifest.OpenPeople(ctx, r.store, n, &memory)
		if err != nil {
			return nil, err
		}
		keys, err := people.Columns(accountKeys[s])
		if err != nil {
			return nil, err
		}
		for _, key := range keys[0].Rows {
			if _, is := listed[uint64(key)]; is && key != table.None {
				listed[uint64(key)] = true
			}
		}
	}
	return slices.DeleteFunc(missed, func(k known.Account) bool { return listed[k.Key] }), nil
}

// accountKeys has the columns with the keys of the accounts.
var accountKeys = [2]string{directory.Entra: snapshot.EntraKey, directory.AD: snapshot.ADKey}

// The method "carries" makes k the entry of an account that this reading lacks. It returns false if the account has been
// missed for so long that its dates no longer matter.
func (r *Run) carries(k *known.Account) bool {
	if k.Missed == 0 {
		k.Missed = known.SecondOf(r.Begin.Read)
	}
	k.Seen, k.Enabled = 0, 0
	return r.doubtLasts(k.Missed.Time(), r.Begin.Read)
}
