package decision

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// A directory does not take back an activity date. A date that is missing now, or is earlier than in a previous healthy
// reading, was lost on the way. A few lost dates do not make the signal unhealthy, so idleseat looks for lost dates in
// each account.

// lostFor is the minimum time for which an account with lost dates stays in doubt. It is longer if a rule has a longer
// span. After that time, even a use on the day on which the dates were first missing is too old to keep a license.
const lostFor = 90 * 24 * time.Hour

// joinedFor is how long a person counts as having two accounts after both were last read, if the other directory is read
// or is no longer set up. Entra ID keeps a deleted account for 30 days (Microsoft Entra documentation, "Recover from
// deletions"). A directory that does not answer shows no deletion.
const joinedFor = 30 * 24 * time.Hour

// The type "recollection" compares accounts with the table of known accounts that the last healthy reading of their
// source left.
type recollection struct {
	*Run
	source directory.Source
	last   *plan.Baseline
	now    time.Time // when the accounts were read
	// The field "accepted" means that an operator confirms the present data of the source (--accept-feeds).
	accepted bool
	dates    bool // whether activity dates are compared too
	exact    bool // whether the last logons come from every controller, and not from the replicated date

	groups    map[int]*group // the accounts, by partition of the last run
	strangers []*account     // accounts whose entries may be in another table of the last run
}

// The method "recall" adds facts from the last healthy reading of each source to the accounts of h, which were read at
// the time "now", and sets h.Silent. It also marks hire dates in doubt. The parameter "exact" says that the last logons come from every controller.
func (r *Run) recall(ctx context.Context, h *directory.Accounts, last [2]*plan.Baseline, now time.Time, exact bool) error {
	r.doubtHired(h)
	h.Silent = h.ADState == directory.NotRead && r.Feeds[directory.AD].State != plan.Absent
	var sources []*recollection
	partitions := map[int]bool{}
	for s, b := range last {
		if b == nil || b.Run == "" || b.Partitions < 1 || b.Read.After(now) {
			continue
		}
		c := &recollection{Run: r, source: directory.Source(s), last: b, now: now, accepted: r.accepts(b), exact: exact}
		c.dates = !c.accepted && r.Feeds[s].State == plan.Healthy
		c.groups = groupsOf(h, c.source, b.Partitions)
		for n := range c.groups {
			partitions[n] = true
		}
		sources = append(sources, c)
	}
	for n := range partitions {
		for _, c := range sources {
			if err := c.compare(ctx, n, h); err != nil {
				return err
			}
		}
	}
	for _, c := range sources {
		if err := c.search(ctx); err != nil {
			return c.unread(err)
		}
	}
	return nil
}

func (c *recollection) unread(err error) error {
	return fmt.Errorf("read what run %s knew of accounts (plan with --accept-feeds to go on without): %w", c.last.Run, err)
}

// The method "compare" reads partition n of the table of known accounts, and compares the accounts of this partition
// with it. If the table is missing or damaged, compareGaps or "forget" handles the accounts. It leaves an account that
// may have moved to c.strangers.
func (c *recollection) compare(ctx context.Context, n int, h *directory.Accounts) error {
	g := c.groups[n]
	if g == nil {
		return nil
	}
	p, err := c.remembered(ctx, c.last.Run, n)
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = c.compareGaps(ctx, n, g, h)
	case errors.Is(err, store.ErrDamaged):
		c.forget(g, h)
		return nil
	}
	if err != nil && !c.accepted {
		return c.unread(err)
	}
	if p == nil {
		return nil
	}
	for i := range p.Accounts[c.source] {
		k := &p.Accounts[c.source][i]
		g.each(k.Key, func(a *account) { a.before = k })
	}
	for i := range g.list {
		if a := &g.list[i]; c.moved(a) {
			c.strangers = append(c.strangers, a)
		} else {
			c.decide(a)
		}
	}
	c.members(p, g, h)
	return nil
}

// The method "decide" adds the facts of the last run to an account. If the last run lacks the account, the account is
// new.
func (c *recollection) decide(a *account) {
	if a.before != nil {
		c.recognize(a, a.before)
		return
	}
	if a.enabled(c.now) { // the account is new, or enabled again
		a.past().EnabledSince = c.now
	}
	c.neverSeen(a)
	if c.dates {
		if c.sighted(a); a.back() != 0 {
			*a.lost() = c.now
		}
	}
}

// The method "forget" handles accounts whose table of known accounts cannot be read any more. It sets Forgotten, so the
// rules are undecided about these people in this night. Their grace begins again. If an old account has no activity
// date, its dates count as lost. If an operator accepts the feeds, the method does nothing.
func (c *recollection) forget(g *group, h *directory.Accounts) {
	if c.accepted {
		return
	}
	c.graceAgain(g, h)
	for i := range g.list {
		a := &g.list[i]
		c.forgets(a)
		c.neverSeen(a)
	}
}

func (c *recollection) forgets(a *account) {
	a.past().Forgotten, a.past().ForgottenBy = c.now, c.last.Run
}

// The method "graceAgain" begins all periods of grace again: nothing that is stored says any more since when an account
// is enabled, or is in a group. If an operator accepts the feeds, the method does nothing.
func (c *recollection) graceAgain(g *group, h *directory.Accounts) {
	if c.accepted {
		return
	}
	giving := c.Policy.GivingGroups(c.source)
	for i := range g.list {
		a := &g.list[i]
		if a.enabled(c.now) {
			a.past().EnabledSince = c.now
		}
		for _, key := range h.Memberships[a.id()] {
			if slices.Contains(giving, key) {
				a.past().MemberOf(key, c.now)
			}
		}
	}
}

// The method "members" records since when accounts are members of the groups that give a license. It skips groups that
// the last table lacks. If a group could not be read now, its memberships in the last table are kept for the next
// table.
func (c *recollection) members(p *known.Partition, g *group, h *directory.Accounts) {
	watched := map[string]string{} // entry in the table, by key of the group
	for _, key := range c.Policy.GivingGroups(c.source) {
		if entry, is := c.entryOf(p.Groups, key); is {
			watched[key] = entry
		}
	}
	if len(watched) == 0 {
		return
	}
	since := make(map[uint64]known.Second, len(p.Members))
	for _, m := range p.Members {
		since[m.Key] = m.Since
	}
	for key, entry := range watched {
		if unread := slices.Contains(h.Unreadable, key); !unread {
			c.membersOf(key, entry, since, g, h.Memberships)
			continue
		}
		if !slices.Contains(h.Remembered, entry) {
			h.Remembered = append(h.Remembered, entry)
		}
		for _, a := range g.list {
			if at, seen := since[known.MemberKeyOf(a.id(), entry)]; seen {
				a.past().WasMemberOf(entry, at.Time())
			}
		}
	}
}

// membersOf records the begin of each membership in a group that was read. If the group was deleted and created again,
// its memberships begin now.
func (c *recollection) membersOf(key, entry string, since map[uint64]known.Second, g *group, memberships map[string][]string) {
	remade := c.remade(key, entry)
	for _, a := range g.list {
		if !slices.Contains(memberships[a.id()], key) {
			continue
		}
		switch at, seen := since[known.MemberKeyOf(a.id(), entry)]; {
		case remade || !seen:
			a.past().MemberOf(key, c.now)
		case at != known.Always:
			a.past().MemberOf(key, at.Time())
		}
	}
}

func (c *recollection) recognize(a *account, k *known.Account) {
	a.past().Seen = k.Seen.Time()
	switch {
	case !a.enabled(c.now) || k.Enabled == known.Always:
	case k.Enabled == 0:
		a.past().EnabledSince = c.now
	default:
		a.past().EnabledSince = k.Enabled.Time()
	}
	other := c.Feeds[1-c.source]
	if joined := k.Joined.Time(); !c.accepted && (other.Incomplete || c.now.Before(joined.Add(joinedFor))) {
		a.past().Joined = joined
	}
	// In an earlier reading, the accounts of the person in the two directories contradicted each other. With
	// --accept-feeds, an operator ends this doubt if the other directory was read now, or is no longer set up (Absent).
	// If the other directory could not be read, the doubt stays.
	if !c.accepted || other.State != plan.Absent {
		a.past().Contradicted = k.Contradicted
	}
	if since := k.Forgotten.Time(); !c.accepted && !since.IsZero() && !directory.Apart(since, c.now) {
		a.past().Forgotten = since
	}
	if !c.dates {
		return
	}
	forgotten := k.Lost != 0 && !c.doubtLasts(k.Lost.Time(), c.now)
	newest := k.Newest
	if c.source == directory.AD {
		c.loggedOn(a, newest[known.LoggedOn].Time())
		newest[known.LoggedOn] = 0
	}
	for i, t := range newest {
		if !forgotten || k.Regressed&(1<<i) == 0 {
			a.past().Newest[i] = t.Time()
		}
	}
	c.sighted(a)
	c.late(a, k)
	switch back := a.back(); {
	case back&^k.Regressed != 0: // a date went back, and had not gone back in the last reading
		*a.lost() = c.now
	case back != 0, k.Lost != 0 && !forgotten && a.noActivity():
		*a.lost() = k.Lost.Time()
	}
}

// The method "sighted" adds activity dates that an earlier run read just before a change. Hours later, a directory
// sometimes shows an older date again. Such a date counts as lost. If an operator accepts the feeds, the method ignores
// what was read before the accepted reading.
func (c *recollection) sighted(a *account) {
	seen := c.History.Sighting(a.id())
	if seen != nil && c.Begin.AcceptFeeds && !seen.At.After(c.Begin.Read) {
		seen = nil
	}
	switch {
	case c.source == directory.AD:
		if seen != nil {
			c.loggedOn(a, seen.Newest[0])
		}
		if c.exact && a.past().LoggedOn.After(a.past().Newest[0]) {
			a.past().Newest[0] = a.past().LoggedOn
		}
	case seen != nil:
		for i, t := range seen.Newest {
			if t = t.Truncate(time.Second); t.After(a.past().Newest[i]) {
				a.past().Newest[i] = t
			}
		}
	}
}

// The method "loggedOn" adds to an account a logon that an earlier run read from the controllers just before a change.
// The replicated date may rightly be earlier than this logon, so only an exact reading can show that the date went
// back. The logon is dropped after the longest span of the rules plus 14 days: no rule keeps a license because of it
// any more, and later logons have been replicated.
func (c *recollection) loggedOn(a *account, at time.Time) {
	at = at.Truncate(time.Second)
	if at.After(a.past().LoggedOn) && c.now.Before(at.Add(c.Policy.LongestSpan()+directory.Logons.Stalled())) {
		a.past().LoggedOn = at
	}
}

// neverSeen handles an account that the last table lacks. If the account existed at the last reading and has no
// activity date now, it may have had one. So its dates count as lost.
func (c *recollection) neverSeen(a *account) {
	if c.dates && a.noActivity() && !a.created().After(c.last.Read) {
		*a.lost() = c.now
	}
}
