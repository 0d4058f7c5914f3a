package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/store"
)

// Read loads both halves of one partition into h, reusing its memory. Nothing
// of it may be used when the error is not nil: a part that is missing,
// truncated or altered is store.ErrDamaged.
func (m *Manifest) Read(ctx context.Context, s store.Store, partition int, h *directory.Accounts) error {
	return m.ReadColumns(ctx, s, partition, nil, h)
}

// ReadColumns is Read of nothing but the columns of ColumnsFor. What other columns have is
// empty in h.
func (m *Manifest) ReadColumns(ctx context.Context, s store.Store, partition int, columns []string, h *directory.Accounts) error {
	m.begin(h)
	if len(m.People) == 0 {
		return m.readParts(ctx, s, partition, h)
	}
	people, err := m.readPeople(ctx, s, partition, columns)
	if err != nil {
		return err
	}
	rows := make([]int, people.Rows)
	for row := range rows {
		rows[row] = row
	}
	people.into(h, rows)
	return nil
}

// begin empties h but for what the manifest says of the sources.
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

// readParts loads the parts of a partition.
func (m *Manifest) readParts(ctx context.Context, s store.Store, partition int, h *directory.Accounts) error {
	groups := map[string][]string{} // one list of each group's key, for all who are in no other
	for _, r := range m.Readings {
		for _, p := range r.Parts {
			if p.Partition != partition {
				continue
			}
			if err := readPart(ctx, s, r.Source, p, h, groups); err != nil {
				return fmt.Errorf("read %s: %w", p.Key, err)
			}
		}
	}
	return nil
}

// state of a source as a whole.
func (m *Manifest) state(src directory.Source) directory.Presence {
	if r := &m.Readings[src]; r.Absent || r.Failed != "" {
		return directory.NotRead
	}
	return directory.Present
}

// maxPart bounds a part, compressed and not, in bytes: a hundred times what
// the largest is.
const maxPart = 1 << 30

func readPart(ctx context.Context, s store.Store, src directory.Source, p Part, h *directory.Accounts, groups map[string][]string) error {
	if p.Bytes < 0 || p.Bytes > maxPart || p.Size < 0 || p.Size > maxPart {
		return fmt.Errorf("%w: the manifest says it has %d bytes, %d of lines", store.ErrDamaged, p.Bytes, p.Size)
	}
	raw, err := get(ctx, s, p)
	if err != nil {
		return err
	}
	lines, err := inflate(raw, p.Size)
	if err == nil && src == directory.AD {
		h.AD, err = readLines(lines, p, adColumns, h.AD, h.Memberships, groups)
	} else if err == nil {
		h.Entra, err = readLines(lines, p, entraColumns, h.Entra, h.Memberships, groups)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return nil
}

// get reads the object of a part, which must be the one of the manifest.
func get(ctx context.Context, s store.Store, p Part) ([]byte, error) {
	body, err := s.Get(ctx, p.Key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: the object is gone", store.ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	raw := make([]byte, p.Bytes+1) // a byte more than there should be
	n, err := io.ReadFull(body, raw)
	switch {
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF):
		return nil, err
	case n != p.Bytes || hexSum(raw[:n]) != p.SHA256:
		return nil, fmt.Errorf("%w: its size or checksum is not that of the manifest", store.ErrDamaged)
	}
	return raw[:n], nil
}

// inflate gives the lines of a part, in one piece of memory that the strings
// of all its records share.
func inflate(raw []byte, size int) (string, error) {
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	defer zip.Close()
	var lines strings.Builder
	lines.Grow(size)
	if n, err := io.Copy(&lines, io.LimitReader(zip, int64(size)+1)); err != nil || n != int64(size) {
		return "", fmt.Errorf("%d bytes of lines, the manifest says %d: %w", n, size, err)
	}
	return lines.String(), nil
}

// readLines appends the people of a part to people, and notes memberships.
func readLines[T any](lines string, p Part, columns []column[T], people []T, members map[string][]string, groups map[string][]string) ([]T, error) {
	first, lines, _ := strings.Cut(lines, "\n")
	columns, err := ordered(columns, first)
	if err != nil {
		return people, err
	}
	before, membersRead := len(people), 0
	var l line
	for lines != "" {
		var text string
		text, lines, _ = strings.Cut(lines, "\n")
		l.begin(text)
		if strings.HasPrefix(text, "[") {
			people = slices.Grow(people, 1)[:len(people)+1]
			clear(people[len(people)-1:]) // the memory held somebody of another partition
			if err := decode(&l, columns, &people[len(people)-1]); err != nil {
				return people, err
			}
			continue
		}
		if err := addMembership(&l, members, groups); err != nil {
			return people, err
		}
		membersRead++
	}
	if got := len(people) - before; got != p.People || membersRead != p.Members {
		return people, fmt.Errorf("%d people and %d members, the manifest says %d and %d", got, membersRead, p.People, p.Members)
	}
	return people, nil
}

func addMembership(l *line, members map[string][]string, groups map[string][]string) error {
	var m membership
	text := l.rest
	if !m.read(l) {
		return fmt.Errorf("a line is neither a person nor a membership: %.40q", text)
	}
	if groups[m.Group] == nil {
		groups[m.Group] = []string{m.Group}
	}
	if of, some := members[m.Member]; some {
		members[m.Member] = append(of[:len(of):len(of)], groups[m.Group]...)
	} else {
		members[m.Member] = groups[m.Group]
	}
	return nil
}
