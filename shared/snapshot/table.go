package snapshot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/table"
	"github.com/idleseat/idleseat/shared/store"
)

// People is the table of people of a partition. It reads its columns on demand.
type People struct {
	Rows    int
	key     string
	file    *table.File
	columns map[string]*table.Column

	licenses      [][]directory.Assignment // the list for each different text in licensesColumn
	ofEntra, ofAD [][]string               // the list for each different text in entraGroups and in adGroups
}

// ErrNoColumn is the error for a snapshot that lacks a column that the policy needs.
type ErrNoColumn struct{ Run, Column string }

func (e *ErrNoColumn) Error() string {
	return fmt.Sprintf("the snapshot of run %s has no column %s, which the policy needs, since an older version wrote it; read again, with relays of this version, too", e.Run, e.Column)
}

// laterColumns lists columns with the dates of hiring and of expiry, which grace periods use. A snapshot from a relay
// of an older version lacks them. That is an error only if the policy names them.
var laterColumns = []string{"entra_hired", "ad_expires"}

// Has reports whether the tables of people have a column.
func (m *Manifest) Has(column string) bool { return slices.Contains(m.Columns, column) }

// ColumnsFor returns the columns for a policy that names the given fields, such as "entra.department". The error is
// ErrNoColumn if the snapshot lacks one, because a missing column must not look like an empty value. For a snapshot
// without tables, it returns nil, which stands for all columns.
func (m *Manifest) ColumnsFor(fields []string) (columns []string, err error) {
	if len(m.People) == 0 {
		return nil, m.partsHave(fields)
	}
	for i := range personColumns {
		c := &personColumns[i]
		named := slices.Contains(fields, c.field)
		if older := slices.Contains(laterColumns, c.name) && !m.Has(c.name); named || c.always && !older {
			columns = append(columns, c.name)
		}
	}
	columns = append(columns, entraGroups, adGroups)
	for _, name := range columns {
		if !slices.Contains(m.Columns, name) {
			return nil, &ErrNoColumn{m.Run, name}
		}
	}
	return columns, nil
}

// Columns returns the named columns of the table, in the order of "names". The error is store.ErrDamaged if a column
// cannot be read or does not exist.
func (p *People) Columns(names ...string) ([]*table.Column, error) {
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.columns[name] != nil })
	read, err := p.file.Read(missing)
	if err == nil {
		err = p.add(read)
	}
	if err != nil {
		return nil, p.damaged(err)
	}
	columns := make([]*table.Column, len(names))
	for i, name := range names {
		columns[i] = p.columns[name]
	}
	return columns, nil
}

// FieldColumn returns the name of the column for a field such as "entra.department", or "".
func FieldColumn(field string) string { return columnOf[field] }

var columnOf = func() map[string]string {
	names := map[string]string{}
	for i := range personColumns {
		if c := &personColumns[i]; c.field != "" {
			names[c.field] = c.name
		}
	}
	return names
}()

// Groups returns the column with the groups of the accounts of a source. A row of the column is an index into the
// second result, or table.None.
func (p *People) Groups(s directory.Source) (*table.Column, [][]string) {
	if s == directory.AD {
		return p.columns[adGroups], p.ofAD
	}
	return p.columns[entraGroups], p.ofEntra
}

// Licenses returns the column of the license assignments. A row of the column is an index into the second result, or
// table.None.
func (p *People) Licenses() (*table.Column, [][]directory.Assignment) {
	return p.columns[licensesColumn], p.licenses
}

// Put replaces the content of h with the accounts in the given rows, which must be in ascending order. Only the values
// of the given columns are set.
func (m *Manifest) Put(h *directory.Accounts, p *People, rows []int, columns []string) error {
	m.begin(h)
	some, err := p.pick(columns, rows)
	if err != nil {
		return err
	}
	some.into(h, allOf(len(rows)))
	return nil
}

// Memory has the buffers for the table of one partition. Callers that read several tables, one after the other, use
// the same Memory.
type Memory struct {
	raw   []byte
	table table.Memory
}

// OpenPeople opens the table of people of a partition, and decodes its lists of licenses and groups. An earlier table
// in the memory "in" becomes invalid.
func (m *Manifest) OpenPeople(ctx context.Context, s store.Store, partition int, in *Memory) (*People, error) {
	at := slices.IndexFunc(m.People, func(p Part) bool { return p.Partition == partition })
	if at < 0 {
		return nil, fmt.Errorf("%w: the manifest has no table of partition %d", store.ErrDamaged, partition)
	}
	part := m.People[at]
	if part.Bytes < 0 || part.Bytes > maxPart {
		return nil, fmt.Errorf("%w: the manifest says that %s has %d bytes", store.ErrDamaged, part.Key, part.Bytes)
	}
	raw, err := get(ctx, s, part, in.raw)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", part.Key, err)
	}
	in.raw = raw
	p := &People{Rows: part.People, key: part.Key, columns: map[string]*table.Column{}}
	if p.file, err = in.table.Open(raw); err == nil && p.file.Rows() != part.People {
		err = fmt.Errorf("it does not have the %d people that the manifest says", part.People)
	}
	if err != nil {
		return nil, p.damaged(err)
	}
	if _, err := p.Columns(licensesColumn, entraGroups, adGroups); err != nil {
		return nil, err
	}
	if err := p.parse(); err != nil {
		return nil, p.damaged(err)
	}
	return p, nil
}

func (p *People) damaged(err error) error {
	return fmt.Errorf("%w: %s: %w", store.ErrDamaged, p.key, err)
}

func (p *People) pick(names []string, rows []int) (*People, error) {
	some := &People{Rows: len(rows), columns: map[string]*table.Column{}, licenses: p.licenses, ofEntra: p.ofEntra, ofAD: p.ofAD}
	var missing []string
	for _, name := range names {
		if c := p.columns[name]; c != nil {
			some.columns[name] = c.Pick(rows)
		} else {
			missing = append(missing, name)
		}
	}
	columns, err := p.file.Pick(missing, rows)
	if err == nil {
		err = some.add(columns)
	}
	if err != nil {
		return nil, p.damaged(err)
	}
	return some, nil
}

// The method "add" adds columns to the table. It fails if a column does not have the type that this version writes.
func (p *People) add(columns []*table.Column) error {
	for _, c := range columns {
		if kind := kindOfColumn(c.Name); kind != c.Kind {
			return fmt.Errorf("column %s is of another type", c.Name)
		}
		p.columns[c.Name] = c
	}
	return nil
}

// kindOfColumn returns the type of a column. It is Text for each column that is not in personColumns: those with
// groups, and those of the parts with members.
func kindOfColumn(name string) table.Kind {
	if i := slices.IndexFunc(personColumns, func(c personColumn) bool { return c.name == name }); i >= 0 {
		return personColumns[i].kind
	}
	return table.Text
}

// The method "parse" decodes the columns with lists of licenses and of groups. It decodes equal lists only once.
func (p *People) parse() (err error) {
	if p.licenses, err = parsed[directory.Assignment](p.columns[licensesColumn]); err != nil {
		return err
	}
	if p.ofEntra, err = parsed[string](p.columns[entraGroups]); err != nil {
		return err
	}
	p.ofAD, err = parsed[string](p.columns[adGroups])
	return err
}

func parsed[T any](c *table.Column) (lists [][]T, err error) {
	lists = make([][]T, len(c.Words))
	for i, word := range c.Words {
		if err := json.Unmarshal([]byte(word), &lists[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return lists, nil
}

func allOf(rows int) []int {
	all := make([]int, rows)
	for row := range all {
		all[row] = row
	}
	return all
}

func (p *People) into(h *directory.Accounts, rows []int) {
	entra, ad := make([]int, 0, len(rows)), make([]int, 0, len(rows)) // the rows with an Entra account, and the rows with an Active Directory account
	ids, sids := p.columns[entraKey], p.columns[adKey]
	for _, row := range rows {
		if ids.Rows[row] != table.None {
			entra = append(entra, row)
		}
		if sids.Rows[row] != table.None {
			ad = append(ad, row)
		}
	}
	users, accounts := len(h.Entra), len(h.AD) // the numbers of accounts from parts that were read earlier
	h.Entra = slices.Grow(h.Entra, len(entra))[:users+len(entra)]
	h.AD = slices.Grow(h.AD, len(ad))[:accounts+len(ad)]
	newEntra, newAD := h.Entra[users:], h.AD[accounts:]
	clear(newEntra) // the memory may hold people of another partition
	clear(newAD)
	licenses := p.columns[licensesColumn]
	for i, row := range entra {
		if word := licenses.Rows[row]; word != table.None {
			newEntra[i].Assignments = slices.Clone(p.licenses[word])
		}
	}
	for i := range personColumns {
		column := &personColumns[i]
		c := p.columns[column.name]
		if c == nil || column.set == nil {
			continue
		}
		var pair directory.Pair
		if column.source == directory.AD {
			for i, row := range ad {
				pair.AD = &newAD[i]
				column.set(c, row, &pair)
			}
			continue
		}
		for i, row := range entra {
			pair.Entra = &newEntra[i]
			column.set(c, row, &pair)
		}
	}
	for i, row := range entra {
		p.join(h, newEntra[i].ID, p.columns[entraGroups].Rows[row], p.ofEntra)
		p.join(h, newEntra[i].SID, p.columns[adGroups].Rows[row], p.ofAD)
	}
	for i, row := range ad {
		p.join(h, newAD[i].SID, p.columns[adGroups].Rows[row], p.ofAD)
	}
}

func (p *People) join(h *directory.Accounts, member string, word int64, lists [][]string) {
	if member != "" && word != table.None {
		h.Memberships[member] = lists[word]
	}
}
