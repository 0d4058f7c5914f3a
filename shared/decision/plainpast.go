package decision

import (
	"context"
	"errors"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// The type "lookup" finds accounts in the table of known accounts that the last healthy reading of a source left.
type lookup struct {
	table *known.Partition // nil if no table is used
	list  []known.Account
	at    []int32 // a hash table; a free slot has 0; any other slot has an index into list plus 1, negated if list has the account twice
	twice bool    // list has at least one account twice
	next  int     // probable index of the next account; accounts have nearly the same order each night
	shown int64   // a new date before this instant, in microseconds since 1970, comes late

	// The map "groups" has each group that gives a license, by the key of the group. A value is an entry of
	// known.Partition.Groups, which has the key and, if known, the id of the group.
	groups map[string]string
	since  map[uint64]known.Second
}

// The method "lookup" returns a lookup for a source. The lookup has no table if the source has no earlier healthy
// reading. The method fails if the table cannot be read, or if a group was deleted and created again. All people must
// then be read singly.
func (s *Screen) lookup(ctx context.Context, partition int, source directory.Source) (*lookup, error) {
	b := s.run.lastReadings()[source]
	if !recalls(b, s.run) {
		return &lookup{}, nil
	}
	p, err := s.run.remembered(ctx, b.Run, partition)
	if err != nil {
		return nil, err
	}
	l := &lookup{table: p, list: p.Accounts[source], shown: shownSince(source, b, &known.Account{}).UnixMicro(), groups: map[string]string{}}
	l.index()
	for _, key := range s.run.Policy.GivingGroups(source) {
		entry, is := s.run.entryOf(p.Groups, key)
		if !is {
			continue
		}
		if s.run.remade(key, entry) {
			return nil, errRemade
		}
		l.groups[key] = entry
	}
	if len(l.groups) > 0 {
		l.since = make(map[uint64]known.Second, len(p.Members))
		for _, m := range p.Members {
			l.since[m.Key] = m.Since
		}
	}
	return l, nil
}

var errRemade = errors.New("a group was made again")

// The method "index" builds the hash table. The method "of" does not find an account that is in the list twice.
func (l *lookup) index() {
	size := 16
	for size < 2*len(l.list) {
		size *= 2
	}
	l.at = make([]int32, size)
	for i := range l.list {
		slot := l.slot(l.list[i].Key)
		if l.at[slot] != 0 {
			l.at[slot], l.twice = -abs(l.at[slot]), true
		} else {
			l.at[slot] = int32(i + 1)
		}
	}
}

func abs(i int32) int32 { return max(i, -i) }

// The method "slot" returns the slot of the hash table that has the key, or a free slot. It computes no hash, because a
// key is a hash.
func (l *lookup) slot(key uint64) int {
	slot := int(key) & (len(l.at) - 1)
	for l.at[slot] != 0 && l.list[abs(l.at[slot])-1].Key != key {
		slot = (slot + 1) & (len(l.at) - 1)
	}
	return slot
}

// The method "has" reports whether the table has the account.
func (l *lookup) has(key uint64) bool { return l.at[l.slot(key)] != 0 }

// The constant "near" limits how far the field "next" may jump ahead. Otherwise one account out of order would move
// "next" away from the accounts that follow.
const near = 16

// The method "of" returns the entry of an account in the table. It returns nil if the table lacks the account, or has
// it twice.
func (l *lookup) of(key uint64) *known.Account {
	if l.next < len(l.list) && l.list[l.next].Key == key && !l.twice {
		l.next++
		return &l.list[l.next-1]
	}
	i := int(l.at[l.slot(key)])
	if i <= 0 {
		return nil
	}
	if ahead := i - l.next; ahead > 0 && ahead <= near { // otherwise the account is out of order
		l.next = i
	}
	return &l.list[i-1]
}

// dateColumns has the columns of activity dates, in the order of known.Account.Newest.
var dateColumns = [2][]string{
	directory.Entra: {"entra_last_interactive_sign_in", "entra_last_non_interactive_sign_in", "entra_last_successful_sign_in"},
	directory.AD:    {"ad_last_logon_timestamp"},
}

// The method "recall" compares the accounts with the table of known accounts that the last healthy reading left, as the
// type "recollection" does. A row must be evaluated singly if that table lacks one of its accounts, if a date is now
// missing or earlier, or if the table gives another reason for doubt. The method sets p.open for such a row. For any
// other row, it writes the entries for this run's own table of known accounts to Screen.kept.
func (p *screening) recall() error {
	expired := func(int) bool { return false }
	if p.run.Manifest.Has("ad_expires") {
		ends, err := p.people.Columns("ad_expires")
		if err != nil {
			return err
		}
		read := p.run.Begin.Read.UnixMicro()
		expired = func(row int) bool { at := ends[0].Rows[row]; return at != table.None && at <= read }
	}
	for _, source := range []directory.Source{directory.Entra, directory.AD} {
		columns, err := p.people.Columns(append([]string{source.String() + "_account_enabled"}, dateColumns[source]...)...)
		if err != nil {
			return err
		}
		keys, others := p.keys[source].Rows, p.keys[1-source].Rows
		for row, open := range p.open {
			if !open && keys[row] != table.None {
				p.compare(row, source, others[row] != table.None, columns[0].Rows[row] == 1 && !(source == directory.AD && expired(row)), columns[1:])
			}
		}
	}
	return nil
}

func (p *screening) compare(row int, source directory.Source, joined, enabled bool, dates []*table.Column) {
	l, now := p.past[source], known.SecondOf(p.run.Begin.Read)
	next := &p.kept[source][row]
	*next = known.Account{Key: uint64(p.keys[source].Rows[row]), Seen: now}
	before := &known.Account{Enabled: known.Always}
	if l.table != nil {
		if before = l.of(next.Key); before == nil {
			p.open[row] = true
			return
		}
		if before.Seen != 0 {
			next.Seen = before.Seen
		}
	}
	if before.Missed != 0 || before.Forgotten != 0 || before.Late != 0 || before.Regressed != 0 || before.Lost != 0 || before.Contradicted != 0 || !joined && before.Joined != 0 {
		p.open[row] = true
		return
	}
	for i, c := range dates {
		date := c.Rows[row]
		if before.Newest[i] != 0 && int64(before.Newest[i])*1e6 > date {
			p.open[row] = true
			return
		}
		if date == table.None {
			continue
		}
		if next.Newest[i] = known.SecondOfMicro(date); l.table != nil && next.Newest[i] > before.Newest[i] && date < l.shown { // it comes late
			p.open[row] = true
			return
		}
	}
	for _, other := range before.Newest[len(dates):] {
		if other != 0 { // a logon that was read just before a change; the columns do not have it
			p.open[row] = true
			return
		}
	}
	if joined {
		next.Joined = now
	}
	switch {
	case !enabled:
	case before.Enabled == 0:
		next.Enabled = now
	default:
		next.Enabled = before.Enabled
	}
}

// The type "giving" is a group that gives a license, and whose members the tables of known accounts record.
type giving struct {
	key     string
	entry   string // the entry in the previous table; empty if there is none
	written string // the entry in the next table
}

// The method "remember" counts the people whose verdicts the screening has decided (their rows are not open). It also
// collects the entries of their accounts and memberships for this run's table of known accounts. It collects nothing
// from a source that is not healthy.
func (p *screening) remember() {
	for _, open := range p.open {
		if !open {
			p.People++
		}
	}
	p.members = p.membersMemory[:0]
	for source, f := range p.run.Feeds[:directory.Sources] {
		if f.State != plan.Healthy {
			continue
		}
		p.accounts[source] = p.kept[source][:0] // the accounts whose rows are not open move to the front
		var groups []giving
		for _, key := range p.run.Policy.GivingGroups(directory.Source(source)) {
			groups = append(groups, giving{key, p.past[source].groups[key], p.run.identified(key)})
		}
		column, lists := p.people.Groups(directory.Source(source))
		given := make([][]giving, len(lists)) // for each list in lists: its groups that grant a license
		for word, list := range lists {
			for _, key := range list {
				if i := slices.IndexFunc(groups, func(g giving) bool { return g.key == key }); i >= 0 {
					given[word] = append(given[word], groups[i])
				}
			}
		}
		for row, open := range p.open {
			k := p.kept[source][row]
			if open || p.states[source][row] != policy.Here {
				continue
			}
			p.accounts[source] = append(p.accounts[source], k)
			if word := column.Rows[row]; word != table.None {
				for _, g := range given[word] {
					p.members = append(p.members, p.past[source].member(k.Key, g, known.SecondOf(p.run.Begin.Read)))
				}
			}
		}
	}
	p.membersMemory = p.members
}

// The method "member" returns the entry for a membership in the group g. Since comes from the previous table. If that
// table has the group without this member, Since is "now". If that table lacks the group, Since is known.Always.
func (l *lookup) member(account uint64, g giving, now known.Second) known.Member {
	m := known.Member{Key: known.MemberKey(account, g.written), Since: known.Always}
	if g.entry == "" {
		return m
	}
	before, seen := m.Key, false
	if g.entry != g.written {
		before = known.MemberKey(account, g.entry)
	}
	if m.Since, seen = l.since[before]; !seen {
		m.Since = now
	}
	return m
}
