package decision

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// Met stores in the accounts of a person whether this run read both accounts, and whether they contradict each other.
func (r *Run) Met(p *directory.Person) { p.Met(r.Begin.Read) }

// Remember writes the table of known accounts of a partition for later runs. Read must have filled h, and Met must have
// been called for each person. A run for one person writes nothing.
func (r *Run) Remember(ctx context.Context, partition int, h *directory.Accounts) error {
	return r.RememberWith(ctx, partition, h, &Plain{})
}

// RememberWith is like Remember, but also writes the accounts in "plain". These are the accounts of people whose
// verdicts the columns settle (see Screen), so they need not be in h.
func (r *Run) RememberWith(ctx context.Context, partition int, h *directory.Accounts, plain *Plain) error {
	if r.Begin.User != "" {
		return nil // later runs compare only with runs for everybody
	}
	p, err := r.table(ctx, partition, h, plain)
	if err == nil {
		err = known.Put(ctx, r.store, r.Begin.Run, partition, p)
	}
	if err != nil {
		return fmt.Errorf("remember the accounts of partition %d of run %s: %w", partition, r.Begin.Run, err)
	}
	return nil
}

// The method "table" returns the table of known accounts of partition n: the accounts that this run read, and those that
// it missed.
func (r *Run) table(ctx context.Context, n int, h *directory.Accounts, plain *Plain) (*known.Partition, error) {
	p := r.entries(h, plain)
	return p, r.carry(ctx, n, p)
}

func (r *Run) entries(h *directory.Accounts, plain *Plain) *known.Partition {
	p := &known.Partition{Accounts: plain.accounts, Members: plain.members}
	for s, f := range r.Feeds[:directory.Sources] {
		if f.State != plan.Healthy {
			continue // later runs compare with an earlier, healthy reading
		}
		accountsOf(h, directory.Source(s), func(a account) {
			if a.inDoubt() && a.past().Seen.IsZero() {
				return // it is unknown whether dates are missing
			}
			p.Accounts[s] = append(p.Accounts[s], remembered(a, r.Begin.Read))
		})
		r.rememberGroups(p, directory.Source(s), h)
	}
	return p
}

// The method "identified" returns the text that stands for a group in a table of known accounts: the key of the group
// and, if known, the objectGUID or object id, such as "key|id".
func (r *Run) identified(key string) string {
	for _, q := range r.Policy.MemberQueries() {
		id := r.ADGroup(q.Ref)
		if q.Ref.Source == directory.Entra {
			id = r.Begin.Group(q.Ref).ID
		}
		if id != "" && q.Ref.Key(q.Direct) == key {
			return key + "|" + id
		}
	}
	return key
}

func identifies(entry, key string) bool {
	guid, of := strings.CutPrefix(entry, key)
	return of && (guid == "" || guid[0] == '|')
}

// The function "idOf" returns the objectGUID or object id in the text of a group, or "" if the text has none.
func idOf(entry string) string {
	i := strings.LastIndexByte(entry, '|')
	if i < 0 {
		return ""
	}
	return entry[i+1:]
}

// The method "entryOf" returns the text by which a table knows the group with this key. A policy may name a group in
// another way than before, such as by the object id. The method then finds the text by the id of the group.
func (r *Run) entryOf(groups []string, key string) (entry string, known bool) {
	i := slices.IndexFunc(groups, func(entry string) bool { return identifies(entry, key) })
	if i < 0 {
		id := idOf(r.identified(key))
		i = slices.IndexFunc(groups, func(entry string) bool { return id != "" && strings.EqualFold(idOf(entry), id) })
	}
	if i < 0 {
		return "", false
	}
	return groups[i], true
}

// The method "remade" reports whether the group with this key now has another id than in the entry: it was deleted and
// created again. It returns false if either id is unknown.
func (r *Run) remade(key, entry string) bool {
	now, before := idOf(r.identified(key)), idOf(entry)
	return now != "" && before != "" && !strings.EqualFold(now, before)
}

// rememberGroups stores when each membership in a group that gives a license began. For a group that was not read, the
// memberships come from an earlier reading.
func (r *Run) rememberGroups(p *known.Partition, source directory.Source, h *directory.Accounts) {
	read := map[string]string{} // entry in the new table, by key
	var unread []string         // entries in the earlier table
	for _, key := range r.Policy.GivingGroups(source) {
		if !slices.Contains(h.Unreadable, key) {
			read[key] = r.identified(key)
			p.Groups = append(p.Groups, read[key])
			continue
		}
		if entry, is := r.entryOf(h.Remembered, key); is {
			unread = append(unread, entry)
		}
	}
	if p.Groups = append(p.Groups, unread...); len(read)+len(unread) == 0 {
		return
	}
	accountsOf(h, source, func(a account) {
		for _, entry := range unread {
			if since, was := a.past().MemberBefore[entry]; was {
				p.Members = append(p.Members, memberOf(a, entry, since))
			}
		}
		for _, key := range h.Memberships[a.id()] {
			if entry, is := read[key]; is {
				p.Members = append(p.Members, memberOf(a, entry, a.past().MemberSince[key]))
			}
		}
	})
}

func memberOf(a account, entry string, since time.Time) known.Member {
	return known.Member{Key: known.MemberKeyOf(a.id(), entry), Since: max(known.Always, known.SecondOf(since))}
}

// The function "remembered" returns the entry of an account for the table of known accounts. The account was read at
// the time "read".
func remembered(a account, read time.Time) known.Account {
	k := known.Account{
		Key: known.KeyOf(a.id()), Regressed: a.back(), Lost: known.SecondOf(*a.lost()),
		Seen: known.SecondOf(a.past().Seen), Joined: known.SecondOf(a.past().Joined),
		Contradicted: a.past().Contradicted, Forgotten: known.SecondOf(a.past().Forgotten), Late: known.SecondOf(a.past().Late),
	}
	if k.Seen == 0 {
		k.Seen = known.SecondOf(read)
	}
	if a.enabled(read) {
		k.Enabled = max(known.Always, known.SecondOf(a.past().EnabledSince))
	}
	dates := a.dates()
	for i, t := range a.past().Newest {
		if dates[i].After(t) && !a.inDoubt() {
			t = dates[i]
		}
		k.Newest[i] = known.SecondOf(t)
	}
	if a.ad != nil {
		k.Newest[known.LoggedOn] = known.SecondOf(a.past().LoggedOn)
	}
	return k
}

// lastReadings returns the last healthy reading of each source before this run, or nil.
func (r *Run) lastReadings() (last [2]*plan.Baseline) {
	if r.History == nil {
		return last
	}
	for s := range last { // a digest of an earlier version has only the field Baselines
		last[s] = cmp.Or(r.History.Known[s], r.History.Baselines[s])
		if b := last[s]; r.before != nil && b != nil && b.Read.After(r.Begin.Read) {
			last[s] = cmp.Or(r.before.Known[s], r.before.Baselines[s])
		}
	}
	return last
}

// Recall adds facts from earlier readings to accounts that a caller has just read again. The facts of a source come
// from the newest healthy reading of everybody: the run's own reading, or a newer one that Learn found, or else the last
// one of an earlier run.
func (r *Run) Recall(ctx context.Context, h *directory.Accounts, now time.Time) error {
	last := r.lastReadings()
	for s, b := range r.newer() {
		last[s] = b
	}
	for s, f := range r.Feeds[:directory.Sources] {
		own := f.State == plan.Healthy && r.Begin.User == ""
		if own && (last[s] == nil || !last[s].Read.After(r.Begin.Read)) {
			last[s] = &plan.Baseline{Run: r.Begin.Run, Partitions: r.Begin.Partitions, Read: r.Begin.Read}
		}
	}
	return r.recall(ctx, h, last, now, true)
}
