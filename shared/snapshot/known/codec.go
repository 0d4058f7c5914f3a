package known

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// The versions of the format. The older version stores every value of every column, and compresses the table.
const (
	older   = 1
	version = 2
)

// The type "header" is the first line of an object.
type header struct {
	Version int      `json:"version"`
	Entra   int      `json:"entra"` // number of accounts
	AD      int      `json:"ad"`
	Groups  []string `json:"groups,omitempty"`
	Members int      `json:"members,omitempty"`
	// Tables is the SHA-256 of all columns, in hex. It is empty in objects of earlier versions.
	Tables string `json:"tables,omitempty"`
	// Instants is the number of columns of instants per account. Zero means leastInstants.
	Instants int `json:"instants,omitempty"`
}

func sumOf(tables []byte) string {
	sum := sha256.Sum256(tables)
	return hex.EncodeToString(sum[:])
}

// One byte of an account holds Account.Regressed in the lower bits, and Account.Contradicted in the two bits from the
// index contradictedBit on.
const contradictedBit = 6

const (
	keySize     = 8
	valueSize   = 4
	accountSize = keySize + 1 + valueSize*mostInstants
	memberSize  = keySize + valueSize
	// maxAccounts is the largest number of accounts per source, a thousand times the number in an ordinary partition.
	maxAccounts = 8_000_000
	maxObject   = maxAccounts * (2*accountSize + memberSize)
)

func decode(key string, raw []byte) (*Partition, error) {
	text, err := inflate(raw)
	if err != nil {
		return nil, err
	}
	first, tables, whole := bytes.Cut(text, []byte("\n"))
	var h header
	if err := store.Decode(key, first, &h); err != nil || !whole {
		return nil, fmt.Errorf("its first line: %w", errors.Join(err, errShort(whole)))
	}
	room := min(maxAccounts, len(tables)/keySize)
	if h.Version != older && h.Version != version || min(h.Entra, h.AD, h.Members) < 0 || max(h.Entra, h.AD, h.Members) > room {
		return nil, fmt.Errorf("its first line says %.80q", first)
	}
	if h.Tables != "" && h.Tables != sumOf(tables) {
		return nil, errors.New("its table was altered: its SHA-256 is not that of the first line")
	}
	instants := cmp.Or(h.Instants, leastInstants)
	if instants < leastInstants || instants > mostInstants {
		return nil, fmt.Errorf("its first line says %.80q", first)
	}
	r := &reader{rest: tables, instants: instants, plain: h.Version == older}
	p := &Partition{Groups: h.Groups}
	p.Accounts[directory.Entra], p.Accounts[directory.AD] = r.accounts(h.Entra), r.accounts(h.AD)
	p.Members = r.members(h.Members)
	if r.failed || len(r.rest) > 0 {
		return nil, fmt.Errorf("its table does not end with its last account: %d bytes are left", len(r.rest))
	}
	return p, nil
}

func errShort(whole bool) error {
	if whole {
		return nil
	}
	return io.ErrUnexpectedEOF
}

func inflate(raw []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	defer zip.Close()
	var text bytes.Buffer
	text.Grow(len(raw) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(zip, maxObject)); err != nil { // gzip checks the checksum only at the end of the object
		return nil, err
	}
	return text.Bytes(), nil
}

// An account has leastInstants columns of instants in every table. The further columns, up to mostInstants, are omitted
// from the end if they have only zeros. Older versions did not have these columns.
const (
	leastInstants = directory.ActivityDates + 4
	mostInstants  = leastInstants + 3
)

// The method "instants" returns the instants of an account in the order of the columns.
func (a *Account) instants() [mostInstants]*Second {
	return [...]*Second{&a.Newest[0], &a.Newest[1], &a.Newest[2], &a.Lost, &a.Seen, &a.Enabled, &a.Joined, &a.Missed, &a.Forgotten, &a.Late}
}

// The type "reader" reads the columns of a table, one after the other. The field "failed" is set if the table is
// shorter than its first line says, or if an index is out of range.
type reader struct {
	rest     []byte
	instants int  // number of columns of instants per account
	plain    bool // whether the table is of the older version
	failed   bool
}

// The method "take" returns the next "size" bytes of the table, or zeros if there are fewer.
func (r *reader) take(size int) []byte {
	if size > len(r.rest) {
		r.failed = true
		return make([]byte, size)
	}
	piece := r.rest[:size]
	r.rest = r.rest[size:]
	return piece
}

func (r *reader) accounts(n int) []Account {
	list := make([]Account, n)
	keys := r.take(n * keySize)
	column := make([]Second, n)
	r.bits(column)
	for i := range list {
		a := &list[i]
		a.Key, a.Regressed = binary.LittleEndian.Uint64(keys[keySize*i:]), uint8(column[i])&(1<<contradictedBit-1)
		a.Contradicted = directory.Contradiction(uint8(column[i]) >> contradictedBit)
	}
	for c := range r.instants {
		r.column(column)
		for i := range list {
			*list[i].instants()[c] = column[i]
		}
	}
	return list
}

func (r *reader) members(n int) []Member {
	list := make([]Member, n)
	keys := r.take(n * keySize)
	column := make([]Second, n)
	r.column(column)
	for i := range list {
		list[i] = Member{binary.LittleEndian.Uint64(keys[keySize*i:]), column[i]}
	}
	return list
}

// The method "bits" reads a column of flags. In the older version, such a column has one byte per row.
func (r *reader) bits(column []Second) {
	if !r.plain {
		r.column(column)
		return
	}
	for i, b := range r.take(len(column)) {
		column[i] = Second(b)
	}
}

// The method "column" reads a column that encoder.column wrote.
func (r *reader) column(column []Second) {
	count := 0
	if !r.plain {
		count = int(binary.LittleEndian.Uint16(r.take(2)))
	}
	if count == 0 {
		r.values(column)
		return
	}
	if count > mostWords {
		r.failed = true
		return
	}
	words := make([]Second, mostWords)
	r.values(words[:count])
	if count == 1 {
		for i := range column {
			column[i] = words[0]
		}
		return
	}
	for i, word := range r.take(len(column)) {
		column[i] = words[word]
		r.failed = r.failed || int(word) >= count
	}
}

func (r *reader) values(column []Second) {
	text := r.take(valueSize * len(column))
	for i := range column {
		column[i] = Second(binary.LittleEndian.Uint32(text[valueSize*i:]))
	}
}
