package policy

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
)

// FieldRow describes a field that a policy may map to an attribute.
type FieldRow struct {
	Field string   // the full name, such as "entra.department"
	Bare  []string // the names under which conditions may use the field without mapping it, sorted
	Type  string   // text, true or false, or a kind of date
	From  string   // the property of Graph or the LDAP attribute, in Markdown for docs/policy.md
}

// FieldRows returns a row for every field, sorted by name.
func FieldRows() (rows []FieldRow) {
	for _, name := range directory.FieldNames() {
		f, _ := directory.FieldNamed(name)
		row := FieldRow{Field: name, Type: typeName(f), From: readFrom(name)}
		for own, a := range unmapped() {
			if a.source == name {
				row.Bare = append(row.Bare, own)
			}
		}
		slices.Sort(row.Bare)
		rows = append(rows, row)
	}
	return rows
}

func typeName(f *directory.Field) string {
	switch {
	case f.Kind == directory.Text:
		return "text"
	case f.Kind == directory.Bool:
		return "true or false"
	case f.Meaning == directory.Activity:
		return "date of use"
	case f.Meaning == directory.Creation:
		return "date of creation"
	}
	return "date"
}

// readFrom returns the Graph property or the LDAP attribute of a field, or else words for the origin of its value.
func readFrom(name string) string {
	source, bare, _ := strings.Cut(name, ".")
	of := "the evidence that is listed under Kinds of accounts"
	if slices.Contains(reportFields(), name) {
		return "a usage report"
	}
	switch source {
	case "entra":
		of = propertyNamed(directory.EntraProperties, bare)
	case "ad":
		of = propertyNamed(directory.ADProperties, bare)
	}
	return of
}

func propertyNamed[A any](table []directory.Property[A], name string) string {
	i := slices.IndexFunc(table, func(p directory.Property[A]) bool { return p.Name == name })
	switch {
	case i < 0:
		return "worked out from other fields"
	case table[i].Source == "":
		return "the name of the object"
	}
	return "`" + table[i].Source + "`"
}
