package snapshot

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// The columns that say of a row what would take several others to find out. Asking
// everybody reads them in place of names, ids and anchors.
const (
	// Plain: directory.Pair.Plain, and the ids are written as the directories do: so letter
	// case does not matter when they are looked for by their keys.
	Plain = "plain"
	// Anchors are the anchors of directory.Pair.Anchors, with blanks between.
	Anchors = "anchors"
	// EntraKey and ADKey are known.KeyOf the ids. They have no value where a person has no
	// account.
	EntraKey = "entra_key"
	ADKey    = "ad_key"
	// NameKey is known.KeyOf the user principal name in Entra ID in lower case, by which usage
	// reports know people. It has no value where there is no name.
	NameKey = "entra_name_key"
	// Names are known.PrintOf the names of the accounts, sixteen bits each, beginning with
	// the lowest.
	Names = "names"
)

var derived = []personColumn{
	{name: Plain, kind: table.Flag, derived: true, add: func(c *table.Column, p *directory.Pair) { c.AddFlag(p.Plain() && plainIDs(p)) }},
	{name: Anchors, derived: true, add: func(c *table.Column, p *directory.Pair) { addList(c, p.Anchors()) }},
	{name: EntraKey, kind: table.Number, derived: true, add: func(c *table.Column, p *directory.Pair) {
		if p.Entra == nil {
			c.AddNone()
			return
		}
		c.AddNumber(int64(known.KeyOf(table.Valid(p.Entra.ID))))
	}},
	{name: ADKey, kind: table.Number, derived: true, add: func(c *table.Column, p *directory.Pair) {
		if p.AD == nil {
			c.AddNone()
			return
		}
		c.AddNumber(int64(known.KeyOf(table.Valid(p.AD.SID))))
	}},
	{name: NameKey, kind: table.Number, derived: true, add: func(c *table.Column, p *directory.Pair) {
		if p.Entra == nil || p.Entra.UserPrincipalName == "" {
			c.AddNone()
			return
		}
		c.AddNumber(int64(known.KeyOf(strings.ToLower(table.Valid(p.Entra.UserPrincipalName)))))
	}},
	{name: Names, kind: table.Number, derived: true, add: func(c *table.Column, p *directory.Pair) { c.AddNumber(printsOf(p)) }},
}

func plainIDs(p *directory.Pair) bool {
	return (p.Entra == nil || p.Entra.ID == strings.ToLower(p.Entra.ID)) && (p.AD == nil || p.AD.SID == strings.ToUpper(p.AD.SID))
}

func printsOf(p *directory.Pair) (prints int64) {
	var names [4]string
	if p.Entra != nil {
		names[0], names[1] = p.Entra.UserPrincipalName, p.Entra.SAMAccount
	}
	if p.AD != nil {
		names[2], names[3] = p.AD.UserPrincipalName, p.AD.SAMAccount
	}
	for i, name := range names {
		if name != "" {
			prints |= int64(known.PrintOf(table.Valid(name))) << (16 * i)
		}
	}
	return prints
}

// addList writes names, which have no blanks, with blanks between.
func addList(c *table.Column, names []string) {
	if len(names) == 0 {
		c.AddNone()
		return
	}
	c.AddText(strings.Join(names, " "))
}

// Derives tells that the tables have the columns that are derived.
func (m *Manifest) Derives() bool {
	for i := range derived {
		if !slices.Contains(m.Columns, derived[i].name) {
			return false
		}
	}
	return true
}
