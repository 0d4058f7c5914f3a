package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

type personColumn struct {
	name   string
	source directory.Source
	field  string // the name in policies, such as "entra.department"; empty if policies cannot use the column
	kind   table.Kind
	always bool
	// The field "derived" says that the column is computed from the whole row and belongs to no account.
	derived bool
	add     func(c *table.Column, p *directory.Pair)
	// The function "set" stores the row's value in the account of the column, which must exist. It is nil for a
	// derived column, and for licensesColumn, which People.into reads.
	set func(c *table.Column, row int, p *directory.Pair)
}

// The key columns of the accounts. They have no value if the person lacks the account.
const (
	entraKey = "entra_id"
	adKey    = "ad_sid"
)

// licensesColumn has the license assignments without dates, as a JSON list of directory.Assignment.
const licensesColumn = "entra_licenses"

// The columns with the groups of an account, as JSON lists of keys of groups (GroupRef.Key).
const (
	entraGroups = "entra_groups"
	adGroups    = "ad_groups"
)

// personColumns lists the columns of the table of people, except entraGroups and adGroups.
var personColumns = allPersonColumns()

func allPersonColumns() []personColumn {
	all := slices.Clone(derived)
	all = append(all, columnsOf(directory.Entra, directory.EntraProperties, func(p *directory.Pair) *directory.EntraUser { return p.Entra })...)
	all = append(all, columnsOf(directory.AD, directory.ADProperties, func(p *directory.Pair) *directory.ADUser { return p.AD })...)
	return append(all,
		personColumn{name: licensesColumn, always: true, add: addLicenses}, // read by People.into
		personColumn{name: "entra_licenses_changed", always: true, add: addChanged, set: setChanged},
		personColumn{name: "ad_unreadable", source: directory.AD, always: true,
			add: func(c *table.Column, p *directory.Pair) {
				if p.AD == nil {
					c.AddNone()
					return
				}
				addList(c, p.AD.Unreadable) // LDAP names
			},
			set: func(c *table.Column, row int, p *directory.Pair) {
				if text := c.Text(row); text != "" {
					p.AD.Unreadable = strings.Fields(text)
				}
			}})
}

func columnsOf[A any](source directory.Source, properties []directory.Property[A], account func(*directory.Pair) *A) (all []personColumn) {
	for i := range properties {
		p := &properties[i]
		c := personColumn{name: source.String() + "_" + p.Column, source: source, always: p.Always, kind: kindOf(p.Kind)}
		if p.Name != "" {
			c.field = source.String() + "." + p.Name
		}
		key := c.name == entraKey || c.name == adKey
		c.add = func(c *table.Column, pair *directory.Pair) {
			if a := account(pair); a != nil {
				addValue(c, p.At(a), key)
			} else {
				c.AddNone()
			}
		}
		c.set = func(c *table.Column, row int, pair *directory.Pair) {
			if c.Rows[row] != table.None {
				setValue(c, row, p.At(account(pair)))
			}
		}
		all = append(all, c)
	}
	return all
}

func kindOf(k directory.Kind) table.Kind {
	switch k {
	case directory.Date:
		return table.Instant
	case directory.Bool:
		return table.Flag
	}
	return table.Text
}

// addValue appends a value of an account. An empty value is written as no value, unless "key" is set.
func addValue(c *table.Column, at any, key bool) {
	switch at := at.(type) {
	case *string:
		if *at != "" || key {
			c.AddText(*at)
			return
		}
	case *time.Time:
		if !at.IsZero() {
			c.AddInstant(*at)
			return
		}
	case *directory.Flag:
		if *at != directory.Unset {
			c.AddFlag(*at == directory.Yes)
			return
		}
	case *bool:
		c.AddFlag(*at)
		return
	}
	c.AddNone()
}

func setValue(c *table.Column, row int, at any) {
	switch at := at.(type) {
	case *string:
		*at = c.Text(row)
	case *time.Time:
		*at = c.Instant(row)
	case *directory.Flag:
		value, _ := c.Flag(row)
		*at = directory.FlagOf(value)
	case *bool:
		*at, _ = c.Flag(row)
	}
}

// addLicenses appends the license assignments without their dates. Without dates, many people have equal lists, which
// are stored once.
func addLicenses(c *table.Column, p *directory.Pair) {
	if p.Entra == nil || len(p.Entra.Assignments) == 0 {
		c.AddNone()
		return
	}
	paths := slices.Clone(p.Entra.Assignments)
	for i := range paths {
		paths[i].Updated = time.Time{}
	}
	c.AddText(jsonOf(paths))
}

// addChanged appends the date at which each license assignment last changed, in the order of the assignments. The dates
// are separated by spaces. An unknown date is notKnown.
func addChanged(c *table.Column, p *directory.Pair) {
	if p.Entra == nil || len(p.Entra.Assignments) == 0 {
		c.AddNone()
		return
	}
	dates := make([]string, 0, len(p.Entra.Assignments))
	for _, a := range p.Entra.Assignments {
		if a.Updated.IsZero() {
			dates = append(dates, notKnown)
			continue
		}
		dates = append(dates, a.Updated.UTC().Format(time.RFC3339Nano))
	}
	c.AddText(strings.Join(dates, " "))
}

const notKnown = "-"

func setChanged(c *table.Column, row int, p *directory.Pair) {
	i := 0
	for date := range strings.FieldsSeq(c.Text(row)) {
		if i < len(p.Entra.Assignments) && date != notKnown {
			p.Entra.Assignments[i].Updated, _ = time.Parse(time.RFC3339Nano, date) // a date that does not parse stays unknown
		}
		i++
	}
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a list cannot be encoded: %v", err)) // unreachable
	}
	return string(text)
}
