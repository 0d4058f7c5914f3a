package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// Columns of a part that the table of people lacks. A row of a part is either an account or a member of a group that
// the policy names. Only rows of members have values in these columns.
const (
	memberColumn = "member"    // Entra id or SID
	groupColumn  = "group_key" // directory.GroupRef.Key
)

// The type "row" is one row of a part. Exactly one of Entra, AD and Member is set.
type row struct {
	Entra         *directory.EntraUser
	AD            *directory.ADUser
	Member, Group string
}

// accountColumns returns the columns of the accounts of a source, which parts and the table of people share.
func accountColumns(source directory.Source) (all []*personColumn) {
	for i := range personColumns {
		if c := &personColumns[i]; c.source == source && !c.derived {
			all = append(all, c)
		}
	}
	return all
}

// keyColumn returns the column in which every account of a source has a value.
func keyColumn(source directory.Source) string {
	if source == directory.AD {
		return adKey
	}
	return entraKey
}

type partTable struct {
	of            []*personColumn
	columns       []*table.Column // parallel to the field "of"
	member, group *table.Column
}

func newPartTable(source directory.Source) *partTable {
	t := &partTable{of: accountColumns(source), member: &table.Column{Name: memberColumn}, group: &table.Column{Name: groupColumn}}
	for _, c := range t.of {
		t.columns = append(t.columns, &table.Column{Name: c.name, Kind: c.kind})
	}
	return t
}

func (t *partTable) add(r *row) {
	pair := directory.Pair{Entra: r.Entra, AD: r.AD}
	for i, c := range t.of {
		c.add(t.columns[i], &pair)
	}
	if r.Entra != nil || r.AD != nil {
		t.member.AddNone()
		t.group.AddNone()
		return
	}
	t.member.AddText(r.Member)
	t.group.AddText(r.Group)
}

func (t *partTable) write(w io.Writer, name string) error {
	return table.WriteSmall(w, name, append(slices.Clip(t.columns), t.member, t.group))
}

type partAccounts struct {
	*directory.Accounts
	groups map[string][]string // one shared list for each group, for all members who are in no other group
	// The field "lacking" has the account columns that a part of another version lacks.
	lacking map[string]bool
}

// The method "read" appends the content of a part to h, and returns the numbers of accounts and members in the part.
func (h *partAccounts) read(raw []byte, source directory.Source) (people, members int, err error) {
	file, err := table.Open(raw)
	if err != nil {
		return 0, 0, err
	}
	has, names := file.Names(), []string{memberColumn, groupColumn}
	for _, c := range accountColumns(source) {
		if slices.Contains(has, c.name) || c.name == keyColumn(source) {
			names = append(names, c.name)
		} else {
			h.lacking[c.name] = true
		}
	}
	columns, err := file.Read(names)
	if err != nil {
		return 0, 0, err
	}
	p := &People{Rows: file.Rows(), columns: map[string]*table.Column{}}
	if err := errors.Join(p.add(columns), p.complete()); err != nil {
		return 0, 0, err
	}
	return h.take(p, source)
}

// The method "complete" adds each key column and list column that the part lacks, without values. A part belongs to
// one source, so it lacks the columns of the other.
func (p *People) complete() error {
	for _, name := range []string{entraKey, adKey, licensesColumn, entraGroups, adGroups} {
		if p.columns[name] == nil {
			c := &table.Column{Name: name}
			for range p.Rows {
				c.AddNone()
			}
			p.columns[name] = c
		}
	}
	return p.parse()
}

func (h *partAccounts) take(p *People, source directory.Source) (people, members int, err error) {
	member, group := p.columns[memberColumn], p.columns[groupColumn]
	key := p.columns[keyColumn(source)]
	var accounts []int
	for n := range p.Rows {
		switch isMember := member.Rows[n] != table.None && group.Rows[n] != table.None; {
		case isMember == (key.Rows[n] != table.None):
			return 0, 0, fmt.Errorf("row %d is neither an account nor a membership", n)
		case isMember:
			h.addMember(member.Text(n), group.Text(n))
			members++
		default:
			accounts = append(accounts, n)
		}
	}
	p.into(h.Accounts, accounts)
	return len(accounts), members, nil
}

func (h *partAccounts) addMember(member, group string) {
	if h.groups[group] == nil {
		h.groups[group] = []string{group}
	}
	if of, some := h.Memberships[member]; some {
		h.Memberships[member] = append(of[:len(of):len(of)], h.groups[group]...)
	} else {
		h.Memberships[member] = h.groups[group]
	}
}

// encodePart returns the object of a part. It calls "next" for each row, until next returns io.EOF.
func encodePart(source directory.Source, next func(*row) error) ([]byte, error) {
	t := newPartTable(source)
	for {
		var r row
		err := next(&r)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		t.add(&r)
	}
	var file bytes.Buffer
	if err := t.write(&file, source.String()); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}
