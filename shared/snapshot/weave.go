package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/snapshot/table"
	"github.com/idleseat/idleseat/shared/store"
)

// Weave makes the tables of a run from the parts of its sources, and lists them in the manifest. The table of people
// has one row for each directory.Pair. The table of members has one row for each member of a named group. The key of a
// table contains its hash, so a second call makes the same objects. Manifest.Columns omits a column that a part of an
// older version lacks, because a missing column must not look like an empty value.
func (m *Manifest) Weave(ctx context.Context, s store.Store, partitions int) error {
	var tables, members []Part
	var h directory.Accounts
	lacking := map[string]bool{}
	for n := range partitions {
		m.begin(&h)
		if err := m.readParts(ctx, s, n, &h, lacking); err != nil {
			return fmt.Errorf("weave partition %d of run %s: %w", n, m.Run, err)
		}
		of := peopleOf(&h)
		people, err := m.put(ctx, s, "people", n, of)
		if err != nil {
			return err
		}
		people.People = len(of[0].Rows)
		columns := table.Names(of)
		of = membersOf(&h)
		in, err := m.put(ctx, s, "members", n, of)
		if err != nil {
			return err
		}
		in.Members = len(of[0].Rows)
		tables, members, m.Columns = append(tables, people), append(members, in), columns
	}
	m.People, m.Members = tables, members
	m.Columns = slices.DeleteFunc(m.Columns, func(name string) bool { return lacking[name] })
	return nil
}

func peopleOf(h *directory.Accounts) (columns []*table.Column) {
	pairs := h.Pairs()
	for i := range personColumns {
		column := &personColumns[i]
		c := &table.Column{Name: column.name, Kind: column.kind, Rows: make([]int64, 0, len(pairs))}
		for row := range pairs {
			column.add(c, &pairs[row])
		}
		columns = append(columns, c)
	}
	ofEntra, ofAD := &table.Column{Name: entraGroups}, &table.Column{Name: adGroups}
	lists := map[*string]string{} // many members share the same list
	for i := range pairs {
		id, sid := keysOf(&pairs[i])
		addGroups(ofEntra, h.Memberships[id], id, lists)
		addGroups(ofAD, h.Memberships[sid], sid, lists)
	}
	return append(columns, ofEntra, ofAD)
}

// keysOf returns the Entra id and the SID of a pair. A group lists a person under one of the two. Without an Active
// Directory account, the SID comes from the Entra account. An unknown key is empty.
func keysOf(p *directory.Pair) (id, sid string) {
	if p.Entra != nil {
		id, sid = p.Entra.ID, p.Entra.SID
	}
	if p.AD != nil {
		sid = p.AD.SID
	}
	return id, sid
}

func addGroups(c *table.Column, groups []string, member string, lists map[*string]string) {
	if member == "" || len(groups) == 0 {
		c.AddNone()
		return
	}
	text, known := lists[&groups[0]]
	if !known || len(groups) > 1 {
		text = jsonOf(groups)
		lists[&groups[0]] = text
	}
	c.AddText(text)
}

func membersOf(h *directory.Accounts) []*table.Column {
	member, group := &table.Column{Name: "member"}, &table.Column{Name: "group_key"}
	for _, id := range slices.Sorted(maps.Keys(h.Memberships)) {
		for _, key := range h.Memberships[id] {
			member.AddText(id)
			group.AddText(key)
		}
	}
	return []*table.Column{member, group}
}

func (m *Manifest) put(ctx context.Context, s store.Store, name string, partition int, columns []*table.Column) (Part, error) {
	var file bytes.Buffer
	if err := table.Write(&file, name, columns); err != nil {
		return Part{}, fmt.Errorf("write the table of %s, partition %d: %w", name, partition, err)
	}
	sum := hexSum(file.Bytes())
	part := Part{
		Key: layout.Table(m.Run, name, partition, sum), Partition: partition,
		Bytes: file.Len(), SHA256: sum,
	}
	err := s.PutIfAbsent(ctx, part.Key, bytes.NewReader(file.Bytes()))
	if err != nil && !errors.Is(err, store.ErrExists) { // an existing object with this key has the same content
		return Part{}, fmt.Errorf("put %s: %w", part.Key, err)
	}
	return part, nil
}
