package decision

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The SID chooses the partition of an account, or the Entra id if there is no SID. An Entra account that gets, loses or
// changes its SID belongs to another partition, so its entry is in another table of the last run. Without this entry,
// the account would count as new, and a date that is lost on the way would be believed.

// The method "moved" reports whether the entry of an account may be in another table of the last run: its own table
// lacks the account, or says that it is missed, and the account existed at the last reading.
func (c *recollection) moved(a *account) bool {
	lacks := a.before == nil || a.before.Missed != 0
	return c.source == directory.Entra && lacks && c.last.Partitions > 1 && !c.accepted && !a.created().After(c.last.Read)
}

// The method "search" looks for the accounts in c.strangers in all tables of the last run, and reads one table at a
// time. If a table cannot be read, it may have had the entry, so an account that is not found is forgotten.
func (c *recollection) search(ctx context.Context) error {
	if len(c.strangers) == 0 {
		return nil
	}
	at := map[uint64][]*account{}
	for _, a := range c.strangers {
		key := known.KeyOf(a.id())
		at[key] = append(at[key], a)
	}
	lost := ""
	for n := range c.last.Partitions {
		p, err := c.tableOf(ctx, n)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDamaged) {
			lost = layout.Known(c.last.Run, n)
			continue
		}
		if err != nil {
			return err
		}
		for i := range p.Accounts[c.source] {
			k := &p.Accounts[c.source][i]
			for _, a := range at[k.Key] {
				if a.before == nil || later(k, a.before) {
					kept := *k // the rest of the table is not needed any more
					a.before = &kept
				}
			}
		}
	}
	for _, a := range c.strangers {
		if c.decide(a); lost != "" && a.before == nil {
			c.forgets(a)
			c.memory.add("moved from "+lost, lost+" cannot be read, and may have had an account that moved to another partition; this account is decided on another night")
		}
	}
	return nil
}

// The function "later" reports whether k was seen later than "other". Both are entries of one account.
func later(k, other *known.Account) bool {
	return other.Missed != 0 && (k.Missed == 0 || k.Missed > other.Missed)
}

// The method "tableOf" returns table n of the last run. A lost table of another partition is not made again, because each
// partition of this run would make it again.
func (c *recollection) tableOf(ctx context.Context, n int) (*known.Partition, error) {
	if c.groups[n] != nil {
		return c.remembered(ctx, c.last.Run, n)
	}
	return known.Get(ctx, c.store, c.last.Run, n)
}
