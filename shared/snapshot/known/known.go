// Package known stores what later runs need of the accounts in one partition of a run. The object
// runs/<run>/known/<partition>.gz starts with a sealed line of JSON that has the hash of the rest:
//
// {"version":2,"entra":8000,"ad":7990,"groups":["ad/direct:cn=citrix,…"],"members":3000,"tables":"…","sha256":"…"}
//
// The columns of the table follow: first the Entra accounts, then the Active Directory accounts, then the members of
// groups. Numbers are little-endian. Instants are whole seconds since 1970. A table omits the
// last columns of instants if nothing is in them. With one more column than the oldest tables have, the first line says
// "instants":8.
//
// A night with 1,000,000 people reads and writes two million accounts, so the table has hashes instead of ids. A
// column with few different values has each value once. gzip wraps the table without compressing it, because
// compression took longer than the evaluation of all rules.
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

// Account is what is stored about one account.
type Account struct {
	// Key is the hash (KeyOf) of the Entra id or the SID.
	Key uint64
	// Newest has the newest dates of activity that any reading saw, in the order of directory.Past.Newest. In an
	// Active Directory account, the element at the index LoggedOn is directory.Past.LoggedOn.
	Newest [directory.ActivityDates]Second
	// Regressed has bit i set if Newest[i] is later than the date that this run read.
	Regressed uint8
	// Lost is when a date of the account was first missing, or first earlier than in Newest. Zero means that no date
	// is lost.
	Lost Second
	// Seen is the first reading of the latest unbroken series of readings that saw the account.
	Seen Second
	// Enabled is the first reading of the latest unbroken series of readings that saw the account enabled. Zero means
	// that the latest reading did not see it enabled. Always means that all readings saw it enabled.
	Enabled Second
	// Joined is the last reading that saw the account together with the person's other account, or with an account
	// that contradicts this account.
	Joined Second
	// Contradicted is the contradiction that the last reading of both directories showed. It is stored in the upper
	// bits of Regressed, in which older versions wrote zeros.
	Contradicted directory.Contradiction
	// Missed is the first of the latest unbroken series of readings that lacked the account. It is zero if the latest
	// reading saw the account. Seen and Enabled are zero in the entry of a missed account.
	Missed Second
	// Forgotten and Late are the fields of directory.Past with the same names.
	Forgotten, Late Second
}

// LoggedOn is the index of directory.Past.LoggedOn in Account.Newest. An Active Directory account has only one activity
// date, at the index 0, so this index is free.
const LoggedOn = 1

// Second is an instant in whole seconds since 1970, up to the year 2106. Zero means no instant.
type Second uint32

// Always stands for the time before the first reading.
const Always Second = 1

// SecondOf returns the second that contains t, or zero for the zero time.
func SecondOf(t time.Time) Second {
	if t.IsZero() {
		return 0
	}
	return Second(min(max(t.Unix(), int64(Always)), 1<<32-1))
}

// SecondOfMicro works like SecondOf for an instant given in microseconds since 1970.
func SecondOfMicro(micros int64) Second {
	return Second(min(max(micros/1e6, int64(Always)), 1<<32-1))
}

// Time returns the instant in UTC, or the zero time if s is zero.
func (s Second) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// KeyOf returns the FNV-1a hash of an Entra id or SID. The probability that two of 1,000,000 accounts have the same
// hash is one in thirty million. Two such accounts are stored as one.
func KeyOf(id string) uint64 { return hashOn(14695981039346656037, id) }

// PrintOf returns a fingerprint of a name, ignoring case. Many names share a fingerprint, so it can only show that a
// person does not have a name. It is never zero, because zero means no name.
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

// Member is what is stored about an account in a group that gives a license.
type Member struct {
	Key   uint64 // the hash (MemberKeyOf) of the account and the group
	Since Second // the first reading of the latest unbroken series that saw the account in the group, or Always
}

// MemberKeyOf returns the hash of an account and a group. The parameter "sid" is the SID, or the object id of an Entra
// account. The group is an entry of Partition.Groups.
func MemberKeyOf(sid, group string) uint64 { return MemberKey(KeyOf(sid), group) }

// MemberKey works like MemberKeyOf, but its parameter "sid" is already a hash: the KeyOf of the SID or object id.
func MemberKey(sid uint64, group string) uint64 { return hashOn(hashOn(sid, " "), group) }

// Partition is what a run stores about the accounts in one partition. It is the content of one object.
type Partition struct {
	Accounts [2][]Account // indexed by directory.Source
	// Groups has the GroupRef.Key of each group whose members are stored. If the id of the group is known, "|" and the
	// id follow, so that a group that is created again under the same name has another entry.
	Groups  []string
	Members []Member
}

// Put stores what a run keeps about the accounts in one partition. It replaces an existing object.
func Put(ctx context.Context, s store.Store, run string, partition int, p *Partition) error {
	object, err := encode(layout.Known(run, partition), p)
	if err != nil {
		return fmt.Errorf("write %s: %w", layout.Known(run, partition), err)
	}
	return store.PutBytes(ctx, s, layout.Known(run, partition), object)
}

// Get reads what Put stored. The error is store.ErrNotFound if there is no such object, and store.ErrDamaged if its
// content is not valid.
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
