// Package known keeps what later runs must remember of every account of one
// partition of a run, in the object runs/<run>/known/<partition>.gz:
//
//	{"version":2,"entra":8000,"ad":7990,"groups":["ad-direct:cn=citrix,…"],"members":3000,"tables":"…","sha256":"…"}
//
// and after this line the columns of the table, one after the other: the accounts of Entra
// ID first, then those of Active Directory, then who is in which group. Numbers are
// little-endian; instants are whole seconds since 1970. The first line is sealed and has the
// sum of the rest. A night with 1,000,000 people reads and writes two million accounts. So
// the table holds hashes in place of ids and nothing that could be looked up elsewhere.
// A column with few different values has each of them once. Nothing else compresses the
// table: gzip only wraps it, since deflating took longer than asking all rules.
package known

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Account is what is remembered of one account.
type Account struct {
	// Key is KeyOf its Entra id or SID.
	Key uint64
	// Newest are the newest dates of activity that any reading saw, in the order of
	// directory.Past.Newest.
	Newest [directory.ActivityDates]Second
	// Regressed has the bit 1<<i set when Newest[i] is later than the date that this run
	// read.
	Regressed uint8
	// Lost is since when a date is missing or earlier than known.
	Lost Second
	// Seen is the first reading in an unbroken series that saw the account.
	Seen Second
	// Enabled is the first reading in an unbroken series that saw it enabled. Zero:
	// this run did not see it enabled. Always: every reading saw it enabled.
	Enabled Second
	// Joined is the last reading that saw it with the person's other account, or with one
	// that it contradicts.
	Joined Second
	// Contradicted is what the last reading of both sides showed. The table has it in the
	// bits of Regressed from the contradictedBit on, which older versions left empty.
	Contradicted directory.Contradiction
}

// Second is an instant in whole seconds since 1970, until 2106; zero is none.
type Second uint32

// Always stands for the time before the first reading.
const Always Second = 1

// SecondOf rounds an instant down to a second.
func SecondOf(t time.Time) Second {
	if t.IsZero() {
		return 0
	}
	return Second(min(max(t.Unix(), int64(Always)), 1<<32-1))
}

// SecondOfMicro is SecondOf an instant that is counted in microseconds since 1970.
func SecondOfMicro(micros int64) Second {
	return Second(min(max(micros/1e6, int64(Always)), 1<<32-1))
}

// Time is the instant, in UTC; the zero time for none.
func (s Second) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// KeyOf is the hash (FNV-1a) of an Entra id or SID. Among 1,000,000 accounts two
// share one in every thirtieth million of nights, and are then remembered as one.
func KeyOf(id string) uint64 { return hashOn(14695981039346656037, id) }

// PrintOf is a fingerprint of a name without regard to case: many names have the same one.
// It is not zero.
func PrintOf(name string) uint16 {
	h := KeyOf(strings.ToLower(name))
	return max(1, uint16(h^h>>16^h>>32^h>>48))
}

func hashOn(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// Member is what is remembered of one account in one group that gives a license.
type Member struct {
	Key   uint64 // MemberKeyOf its SID and the group
	Since Second // the first reading in an unbroken series that saw it there, or Always
}

// MemberKeyOf is the hash of a SID and what Partition.Groups has of a group.
func MemberKeyOf(sid, group string) uint64 { return MemberKey(KeyOf(sid), group) }

// MemberKey is MemberKeyOf a SID of which KeyOf is known.
func MemberKey(sid uint64, group string) uint64 { return hashOn(hashOn(sid, " "), group) }

// Partition is what a run remembers of one partition.
type Partition struct {
	Accounts [2][]Account // by source
	// Groups are the groups whose members are remembered: the GroupRef.Key, and after a |
	// the objectGUID where it is known. One that is made again under its name is another.
	Groups  []string
	Members []Member
}

// Put writes what a run remembers of a partition, in place of what is there.
func Put(ctx context.Context, s store.Store, run string, partition int, p *Partition) error {
	object, err := encode(layout.Known(run, partition), p)
	if err != nil {
		return fmt.Errorf("write %s: %w", layout.Known(run, partition), err)
	}
	return store.PutBytes(ctx, s, layout.Known(run, partition), object)
}

// Get reads what a run remembers of a partition. It is store.ErrNotFound when the
// run left nothing, or nothing is left of it, and store.ErrDamaged when it cannot
// be read to its end.
func Get(ctx context.Context, s store.Store, run string, partition int) (*Partition, error) {
	raw, err := store.GetBytes(ctx, s, layout.Known(run, partition), maxObject)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", layout.Known(run, partition), err)
	}
	p, err := decode(layout.Known(run, partition), raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", store.ErrDamaged, layout.Known(run, partition), err)
	}
	return p, nil
}
