package snapshot

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// The derived columns. Their values are computed from other columns. An evaluation of everybody reads a derived column
// in place of those others, because that is faster.
const (
	// Plain is true if directory.Pair.Plain is true, the Entra id is in lower case and the SID is in upper case. In
	// another spelling, an id would have another hash (known.KeyOf).
	Plain = "plain"
	// Anchors has the names that directory.Pair.Anchors returns, separated by spaces.
	Anchors = "anchors"
	// EntraKey and ADKey have the hashes (known.KeyOf) of the ids. They have no value if the person lacks the account.
	EntraKey = "entra_key"
	ADKey    = "ad_key"
	// NameKey has the hash (known.KeyOf) of the user principal name in Entra ID, in lower case, by which usage reports
	// identify people. It has no value if the account has no name.
	NameKey = "entra_name_key"
	// Names has the fingerprints (known.PrintOf) of up to four names of the accounts, sixteen bits each, starting with
	// the lowest bits.
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

// addList appends names as one text, separated by spaces. No name contains a space.
func addList(c *table.Column, names []string) {
	if len(names) == 0 {
		c.AddNone()
		return
	}
	c.AddText(strings.Join(names, " "))
}

// Derives reports whether the tables of people have all derived columns.
func (m *Manifest) Derives() bool {
	for i := range derived {
		if !slices.Contains(m.Columns, derived[i].name) {
			return false
		}
	}
	return true
}
