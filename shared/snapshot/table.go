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

// People is the table of people of one partition, as far as it was read.
type People struct {
	Rows    int
	columns map[string]*table.Column

	licenses      [][]directory.Assignment // by word of licensesColumn
	ofEntra, ofAD [][]string               // by word of entraGroups and adGroups
}

// ErrNoColumn is returned for a snapshot that lacks what a policy asks for.
type ErrNoColumn struct{ Run, Column string }

func (e *ErrNoColumn) Error() string {
	return fmt.Sprintf("the snapshot of run %s has no column %s, which the policy needs, since an older version wrote it; read anew, with relays of this version, too", e.Run, e.Column)
}

// ColumnsFor are the columns that a policy needs which names fields by their full names,
// "entra.department". The error is ErrNoColumn when the snapshot lacks one: nobody may
// take that for an empty value. They are nil, which stands for all, for a snapshot that
// has parts alone.
func (m *Manifest) ColumnsFor(fields []string) (columns []string, err error) {
	if len(m.People) == 0 {
		return nil, m.partsHave(fields)
	}
	for i := range personColumns {
		if c := &personColumns[i]; c.always || slices.Contains(fields, c.field) {
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

// Column is a column that was read; nil when it was not.
func (p *People) Column(name string) *table.Column { return p.columns[name] }

// FieldColumn is the column of a field by its full name, "entra.department"; nil when it
// was not read.
func (p *People) FieldColumn(field string) *table.Column { return p.columns[columnOf[field]] }

var columnOf = func() map[string]string {
	names := map[string]string{}
	for i := range personColumns {
		if c := &personColumns[i]; c.field != "" {
			names[c.field] = c.name
		}
	}
	return names
}()

// Groups are the columns of the groups that the accounts of a source are in, and the list
// of each word.
func (p *People) Groups(s directory.Source) (*table.Column, [][]string) {
	if s == directory.AD {
		return p.columns[adGroups], p.ofAD
	}
	return p.columns[entraGroups], p.ofEntra
}

// Licenses is the column of the paths to licenses, and the list of each word.
func (p *People) Licenses() (*table.Column, [][]directory.Assignment) {
	return p.columns[licensesColumn], p.licenses
}

// ReadPeople reads the table of people of a partition as ReadColumns does.
func (m *Manifest) ReadPeople(ctx context.Context, s store.Store, partition int, names []string) (*People, error) {
	return m.readPeople(ctx, s, partition, names)
}

// Put empties h and puts the accounts of rows into it.
func (m *Manifest) Put(h *directory.Accounts, p *People, rows []int) {
	m.begin(h)
	p.into(h, rows)
}

// readPeople reads columns of the table of a partition. Without names it reads all that
// the table and this version have in common.
func (m *Manifest) readPeople(ctx context.Context, s store.Store, partition int, names []string) (*People, error) {
	at := slices.IndexFunc(m.People, func(p Part) bool { return p.Partition == partition })
	if at < 0 {
		return nil, fmt.Errorf("%w: the manifest has no table of partition %d", store.ErrDamaged, partition)
	}
	part := m.People[at]
	if part.Bytes < 0 || part.Bytes > maxPart {
		return nil, fmt.Errorf("%w: the manifest says that %s has %d bytes", store.ErrDamaged, part.Key, part.Bytes)
	}
	raw, err := get(ctx, s, part)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", part.Key, err)
	}
	if names == nil {
		names = m.Columns
	}
	columns, err := table.Read(raw, names)
	if err == nil && (len(columns) == 0 || len(columns[0].Rows) != part.People) {
		err = fmt.Errorf("it does not have the %d people that the manifest says", part.People)
	}
	p := &People{Rows: part.People, columns: map[string]*table.Column{}}
	for _, c := range columns {
		p.columns[c.Name] = c
	}
	if err == nil {
		err = p.parse()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", store.ErrDamaged, part.Key, err)
	}
	return p, nil
}

// parse reads the lists, each different one once.
func (p *People) parse() (err error) {
	for i := range personColumns {
		if c := p.columns[personColumns[i].name]; c != nil && c.Kind != personColumns[i].kind {
			return fmt.Errorf("column %s is of another type", c.Name)
		}
	}
	for _, name := range []string{entraKey, adKey, licensesColumn, entraGroups, adGroups} {
		if c := p.columns[name]; c == nil || c.Kind != table.Text {
			return fmt.Errorf("it has no column %s of texts", name)
		}
	}
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

// into appends the accounts of rows to h, with the groups that they are in.
func (p *People) into(h *directory.Accounts, rows []int) {
	entra, ad := make([]int, 0, len(rows)), make([]int, 0, len(rows)) // rows by account
	ids, sids := p.columns[entraKey], p.columns[adKey]
	for _, row := range rows {
		if ids.Rows[row] != table.None {
			entra = append(entra, row)
		}
		if sids.Rows[row] != table.None {
			ad = append(ad, row)
		}
	}
	users, accounts := len(h.Entra), len(h.AD) // of other parts
	h.Entra = slices.Grow(h.Entra, len(entra))[:users+len(entra)]
	h.AD = slices.Grow(h.AD, len(ad))[:accounts+len(ad)]
	newEntra, newAD := h.Entra[users:], h.AD[accounts:]
	clear(newEntra) // the memory held people of another partition
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

// join notes the groups that a member is in.
func (p *People) join(h *directory.Accounts, member string, word int64, lists [][]string) {
	if member != "" && word != table.None {
		h.Memberships[member] = lists[word]
	}
}
