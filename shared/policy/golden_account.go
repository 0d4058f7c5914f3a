package policy

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/idleseat/idleseat/shared/directory"
)

type (
	entraUser = directory.EntraUser
	adUser    = directory.ADUser
)

// entraSetters and adSetters set fields of an account, by field name without the source. The name "synced" is short for
// onPremisesSyncEnabled. The name "enabledSince" is for the first reading in which the account was enabled again.
var (
	entraSetters = allEntraSetters()
	adSetters    = allADSetters()
)

func allEntraSetters() map[string]setter[entraUser] {
	m := settersOf(directory.EntraProperties)
	m["lastActivity"] = func(r *reader, n *yaml.Node, u *entraUser) { r.instant(n, &u.LastSuccessful) }
	m["enabledSince"] = func(r *reader, n *yaml.Node, u *entraUser) { r.instant(n, &u.Past.EnabledSince) }
	m["synced"] = func(r *reader, n *yaml.Node, u *entraUser) { u.Synced = r.flag(n, "synced") }
	return m
}

func allADSetters() map[string]setter[adUser] {
	m := settersOf(directory.ADProperties)
	m["enabledSince"] = func(r *reader, n *yaml.Node, u *adUser) { r.instant(n, &u.Past.EnabledSince) }
	return m
}

func settersOf[A any](table []directory.Property[A]) map[string]setter[A] {
	m := map[string]setter[A]{}
	for i := range table {
		if p := &table[i]; p.Name != "" {
			m[p.Name] = func(r *reader, n *yaml.Node, account *A) { r.property(n, p.Name, p.At(account)) }
		}
	}
	return m
}

// The method "property" reads a node into the field of an account to which Property.At points.
func (r *reader) property(n *yaml.Node, name string, at any) {
	switch at := at.(type) {
	case *string:
		r.word(n, at)
	case *time.Time:
		r.instant(n, at)
	case *directory.Flag:
		*at = directory.FlagOf(r.flag(n, name))
	case *bool:
		*at = r.flag(n, name)
	}
}
