package decision

import (
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/policy"
)

// A policy may rename a license. The history and the ledger keep the old name. The product or the group shows which
// license of the policy is meant.

// The type "present" has the items of the history whose licenses now have other names in the policy.
type present struct {
	of map[*history.Item]*history.Item // copies with the names of the policy, by item of the history
	by map[history.Touch]*history.Item // the same copies, by their present license; the field User of a key may be a SID
}

func (r *Run) follow() {
	r.present = present{map[*history.Item]*history.Item{}, map[history.Touch]*history.Item{}}
	for i := range r.History.All() {
		named := r.Present(i)
		if named == i {
			continue
		}
		r.present.of[i] = named
		for _, user := range []string{i.User, i.HolderSID()} {
			if key := (history.Touch{User: user, License: named.License}); user != "" {
				r.present.by[key] = history.Later(r.present.by[key], named)
			}
		}
	}
}

// Present returns the item with the names that its licenses have in the present policy. If no name differs, it returns
// i.
func (r *Run) Present(i *history.Item) *history.Item {
	if i == nil {
		return nil
	}
	license, to := r.nameOf(i.License, i.ID), r.nameOf(i.To, i.ToID)
	if license == i.License && to == i.To {
		return i
	}
	named := *i
	named.License, named.To, named.Recorded = license, to, i.InLedger()
	return &named
}

// nameOf returns the name in the policy of the license with the given product or group. It returns the recorded name if
// the policy has no such license, or several. It returns "" if the recorded name is empty.
func (r *Run) nameOf(name string, id history.LicenseID) string {
	var found []string
	for _, is := range []func(*policy.License) bool{
		func(l *policy.License) bool { return id.SKU != "" && r.Tenant.SKUIDs[l.SKU] == id.SKU },
		func(l *policy.License) bool {
			return slices.ContainsFunc(l.Groups(), func(ref directory.GroupRef) bool { return r.isGroup(ref, id) })
		},
		// Somebody may have deleted the group and created it again. The new group has the DN and another GUID.
		func(l *policy.License) bool {
			return slices.ContainsFunc(l.Groups(), func(ref directory.GroupRef) bool { return hasDN(ref, id) })
		},
	} {
		for _, l := range r.Policy.Licenses {
			if is(l) {
				found = append(found, l.Name)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	if name == "" || len(found) != 1 || slices.Contains(found, name) {
		return name
	}
	return found[0]
}

func (r *Run) isGroup(ref directory.GroupRef, id history.LicenseID) bool {
	if ref.Source == directory.Entra {
		return id.Group != "" && r.Tenant.Groups[ref].ID == id.Group
	}
	guid := r.ADGroup(ref)
	if known := r.Begin.Earlier.Group(ref); guid == "" && known != nil {
		guid = known.ID
	}
	if guid != "" && id.GUID != "" {
		return guid == id.GUID
	}
	return hasDN(ref, id)
}

func hasDN(ref directory.GroupRef, id history.LicenseID) bool {
	return ref.Source == directory.AD && id.Group != "" && strings.EqualFold(ref.Name, id.Group)
}
