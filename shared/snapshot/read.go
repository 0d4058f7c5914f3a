package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Read loads the accounts of both sources of a partition into h and reuses the memory of h. If Read fails, nothing in h
// may be used. The error is store.ErrDamaged if an object of the snapshot is missing, truncated or altered, and
// ErrNoColumn if the snapshot lacks a property of accounts that this version reads.
func (m *Manifest) Read(ctx context.Context, s store.Store, partition int, h *directory.Accounts) error {
	lacking, err := m.read(ctx, s, partition, nil, h)
	if err != nil {
		return err
	}
	if names := slices.Sorted(maps.Keys(lacking)); len(names) > 0 {
		return &ErrNoColumn{m.Run, names[0]}
	}
	return nil
}

// ReadColumns works like Read but loads only the given columns, which the caller gets from ColumnsFor. Other values in
// h are empty. For a snapshot without tables, it loads everything.
func (m *Manifest) ReadColumns(ctx context.Context, s store.Store, partition int, columns []string, h *directory.Accounts) error {
	_, err := m.read(ctx, s, partition, columns, h)
	return err
}

func (m *Manifest) read(ctx context.Context, s store.Store, partition int, columns []string, h *directory.Accounts) (lacking map[string]bool, err error) {
	m.begin(h)
	lacking = map[string]bool{}
	if len(m.People) == 0 {
		return lacking, m.readParts(ctx, s, partition, h, lacking)
	}
	people, err := m.OpenPeople(ctx, s, partition, new(Memory))
	if err != nil {
		return nil, err
	}
	if columns == nil {
		columns = m.Columns
	}
	if _, err := people.Columns(columns...); err != nil {
		return nil, err
	}
	people.into(h, allOf(people.Rows))
	for i := range personColumns {
		if c := &personColumns[i]; !c.derived && people.columns[c.name] == nil {
			lacking[c.name] = true
		}
	}
	return lacking, nil
}

// The method "begin" empties h and sets the values that are the same for all partitions, such as the state of each
// source.
func (m *Manifest) begin(h *directory.Accounts) {
	*h = directory.Accounts{
		Entra: h.Entra[:0], AD: h.AD[:0], Memberships: map[string][]string{},
		EntraState: m.state(directory.Entra), ADState: m.state(directory.AD),
	}
	if entra := &m.Readings[directory.Entra]; len(entra.Loose) > 0 {
		h.Unplaced, h.Loose = entra.Unplaced, make(map[string]bool, len(entra.Loose))
		for _, id := range entra.Loose {
			h.Loose[id] = true
		}
	}
	for _, r := range m.Readings {
		h.Unreadable = append(h.Unreadable, r.Unreadable...)
	}
}

// readParts loads the parts of a partition. It adds account columns that are missing in a part to "lacking".
func (m *Manifest) readParts(ctx context.Context, s store.Store, partition int, into *directory.Accounts, lacking map[string]bool) error {
	h := &partAccounts{into, map[string][]string{}, lacking}
	for _, r := range m.Readings {
		for _, p := range r.Parts {
			if p.Partition != partition {
				continue
			}
			if err := h.readPart(ctx, s, r.Source, p); err != nil {
				return fmt.Errorf("read %s: %w", p.Key, err)
			}
		}
	}
	return nil
}

func (m *Manifest) state(src directory.Source) directory.Presence {
	if r := &m.Readings[src]; r.Absent || r.Failed != "" {
		return directory.NotRead
	}
	return directory.Present
}

// maxPart is the largest size of a part, with or without compression, in bytes. It is a hundred times the largest
// known part.
const maxPart = 1 << 30

func (h *partAccounts) readPart(ctx context.Context, s store.Store, source directory.Source, p Part) error {
	if p.Bytes < 0 || p.Bytes > maxPart || p.Size < 0 || p.Size > maxPart {
		return fmt.Errorf("%w: the manifest says it has %d bytes, %d of lines", store.ErrDamaged, p.Bytes, p.Size)
	}
	raw, err := get(ctx, s, p, nil)
	if err != nil {
		return err
	}
	var people, members int
	if layout.IsLinePart(p.Key) {
		people, members, err = h.readLines(raw, p.Size, source)
	} else {
		people, members, err = h.read(raw, source)
	}
	if err == nil && (people != p.People || members != p.Members) {
		err = fmt.Errorf("%d people and %d members, the manifest says %d and %d", people, members, p.People, p.Members)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return nil
}

// The function "get" reads the object of a part and compares its hash with the hash in the manifest. It reuses the
// memory of "memory" if this is large enough.
func get(ctx context.Context, s store.Store, p Part, memory []byte) ([]byte, error) {
	raw := slices.Grow(memory[:0], p.Bytes+1)[:p.Bytes+1] // one byte more than expected, to notice a longer object
	err := store.Read(ctx, s, p.Key, func(body io.Reader) error {
		n, err := io.ReadFull(body, raw)
		switch raw = raw[:n]; {
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
			return err
		case n != p.Bytes || hexSum(raw) != p.SHA256:
			return fmt.Errorf("%w: its size or checksum is not that of the manifest", store.ErrDamaged)
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: the object is gone", store.ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	return raw, nil
}
