// Package known keeps what later runs must remember of every account of one
// partition of a run, in the object runs/<run>/known/<partition>.gz:
//
//	{"version":1,"entra":8000,"ad":7990,"groups":["ad-direct:cn=citrix,…"],"members":3000,"tables":"…","sha256":"…"}
//
// and after this line the columns of the table, one after the other, the accounts
// of Entra ID first, then those of Active Directory, then who is in which group. Numbers are little-endian; instants are whole seconds since
// 1970. Everything is compressed by gzip. The first line is sealed and has the sum of the rest. A night with
// 1,000,000 people reads and writes two million accounts, so the table holds hashes
// in place of ids and nothing that could be looked up elsewhere.
package known

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

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
	// Back has the bit 1<<i set when Newest[i] is later than the date that this run
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
	// bits of Back from the contradictedBit on, which older versions left empty.
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

// version is that of the format.
const version = 1

// header is the first line of the object.
type header struct {
	Version int      `json:"version"`
	Entra   int      `json:"entra"` // accounts
	AD      int      `json:"ad"`
	Groups  []string `json:"groups,omitempty"`
	Members int      `json:"members,omitempty"`
	// Tables is the SHA-256, in hex, of all columns; empty in objects of versions before.
	Tables string `json:"tables,omitempty"`
}

func tableSum(tables [][]byte) string {
	sum := sha256.New()
	for _, text := range tables {
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// contradictedBit is the first of the two bits for Account.Contradicted. Those below it
// are for Account.Back.
const contradictedBit = 6

const (
	accountSize = 8 + 4*directory.ActivityDates + 1 + 4*4
	memberSize  = 8 + 4
	// maxAccounts bounds the accounts of one source: a thousand times what a
	// partition is made for.
	maxAccounts = 8_000_000
	maxObject   = maxAccounts * (2*accountSize + memberSize)
	// mostDeflated is more than gzip can make of a byte (RFC 1951: 258 bytes of two
	// bits).
	mostDeflated = 1100
)

// Put writes what a run remembers of a partition, in place of what is there.
func Put(ctx context.Context, s store.Store, run string, partition int, p *Partition) error {
	object, err := encode(layout.Known(run, partition), p)
	if err != nil {
		return fmt.Errorf("write %s: %w", layout.Known(run, partition), err)
	}
	return store.PutBytes(ctx, s, layout.Known(run, partition), object)
}

func encode(key string, p *Partition) ([]byte, error) {
	var object bytes.Buffer
	zip, err := gzip.NewWriterLevel(&object, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	tables := [][]byte{accountTable(p.Accounts[directory.Entra]), accountTable(p.Accounts[directory.AD]), memberTable(p.Members)}
	h := header{version, len(p.Accounts[directory.Entra]), len(p.Accounts[directory.AD]), p.Groups, len(p.Members), tableSum(tables)}
	first, err := store.Encode(key, h)
	if err != nil {
		return nil, err
	}
	for _, text := range append([][]byte{first, {'\n'}}, tables...) {
		if _, err := zip.Write(text); err != nil {
			return nil, err
		}
	}
	err = zip.Close()
	return object.Bytes(), err
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

func decode(key string, raw []byte) (*Partition, error) {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	defer zip.Close()
	in := bufio.NewReaderSize(zip, 64<<10)
	first, err := in.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("its first line: %w", err)
	}
	var h header
	if err := store.Decode(key, bytes.TrimSuffix(first, []byte("\n")), &h); err != nil {
		return nil, fmt.Errorf("its first line: %w", err)
	}
	room := min(maxAccounts, mostDeflated*len(raw)/memberSize)
	if h.Version != version || min(h.Entra, h.AD, h.Members) < 0 || max(h.Entra, h.AD, h.Members) > room {
		return nil, fmt.Errorf("its first line says %.80q", first)
	}
	read := func(size int) (text []byte) {
		text = make([]byte, size)
		if err == nil {
			_, err = io.ReadFull(in, text)
		}
		return text
	}
	tables := [][]byte{read(h.Entra * accountSize), read(h.AD * accountSize), read(h.Members * memberSize)}
	if err != nil {
		return nil, err
	}
	if h.Tables != "" && h.Tables != tableSum(tables) {
		return nil, errors.New("its table was altered: its SHA-256 is not that of the first line")
	}
	p := &Partition{Groups: h.Groups, Members: members(tables[2])}
	p.Accounts[directory.Entra], p.Accounts[directory.AD] = accounts(tables[0]), accounts(tables[1])
	if _, err := in.ReadByte(); err != io.EOF { // the checksum comes with the end
		return nil, fmt.Errorf("it goes on after its last account: %w", err)
	}
	return p, nil
}

// columns are the 32-bit values of an account in the order of the table.
func (a *Account) columns() [directory.ActivityDates + 4]*Second {
	return [...]*Second{&a.Newest[0], &a.Newest[1], &a.Newest[2], &a.Lost, &a.Seen, &a.Enabled, &a.Joined}
}

func accountTable(accounts []Account) []byte {
	n := len(accounts)
	text := make([]byte, n*accountSize)
	back, values := text[8*n:9*n], text[9*n:]
	for i := range accounts {
		a := &accounts[i]
		binary.LittleEndian.PutUint64(text[8*i:], a.Key)
		back[i] = a.Regressed | uint8(a.Contradicted)<<contradictedBit
		for c, v := range a.columns() {
			binary.LittleEndian.PutUint32(values[4*(c*n+i):], uint32(*v))
		}
	}
	return text
}

func accounts(text []byte) []Account {
	n := len(text) / accountSize
	list := make([]Account, n)
	back, values := text[8*n:9*n], text[9*n:]
	for i := range list {
		a := &list[i]
		a.Key, a.Regressed = binary.LittleEndian.Uint64(text[8*i:]), back[i]&(1<<contradictedBit-1)
		a.Contradicted = directory.Contradiction(back[i] >> contradictedBit)
		for c, v := range a.columns() {
			*v = Second(binary.LittleEndian.Uint32(values[4*(c*n+i):]))
		}
	}
	return list
}

func memberTable(members []Member) []byte {
	n := len(members)
	text := make([]byte, n*memberSize)
	for i, m := range members {
		binary.LittleEndian.PutUint64(text[8*i:], m.Key)
		binary.LittleEndian.PutUint32(text[8*n+4*i:], uint32(m.Since))
	}
	return text
}

func members(text []byte) []Member {
	n := len(text) / memberSize
	list := make([]Member, n)
	for i := range list {
		list[i] = Member{binary.LittleEndian.Uint64(text[8*i:]), Second(binary.LittleEndian.Uint32(text[8*n+4*i:]))}
	}
	return list
}
