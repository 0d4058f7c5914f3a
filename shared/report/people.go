package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

// profile is what the lists show of a person besides the decision.
type profile struct{ principal, display, department string }

// profiled lists the columns from which profiles are made.
var profiled = []string{
	"entra_id", "entra_user_principal_name", "entra_display_name", "entra_department",
	"ad_sid", "ad_user_principal_name", "ad_display_name", "ad_department",
}

// named adds names and departments from the snapshot to the people of the lists. A snapshot of an earlier version has
// no tables to look them up in, so that the lists keep what the plan has.
func (g *gathering) named(ctx context.Context) error {
	if !g.run.Manifest.Derives() || len(g.run.Manifest.People) == 0 {
		return nil
	}
	found, err := g.profiles(ctx, g.wanted())
	if err != nil {
		return err
	}
	for _, list := range g.lists() {
		for i := range list.Rows {
			r := &list.Rows[i]
			p := found[r.User]
			r.UserPrincipalName, r.DisplayName, r.Department = cmp.Or(r.UserPrincipalName, p.principal), p.display, p.department
		}
	}
	for i := range g.Earlier.Rows {
		g.Earlier.Rows[i].UserPrincipalName = found[g.Earlier.Rows[i].User].principal
	}
	return nil
}

func (g *gathering) lists() []*List[Row] {
	return []*List[Row]{&g.Changes, &g.Notices, &g.Undecided, &g.Refused, &g.Returned, &g.Pending}
}

// wanted returns the keys of everybody in the lists.
func (g *gathering) wanted() map[uint64]bool {
	keys := map[uint64]bool{}
	for _, list := range g.lists() {
		for i := range list.Rows {
			keys[known.KeyOf(list.Rows[i].User)] = true
		}
	}
	for i := range g.Earlier.Rows {
		keys[known.KeyOf(g.Earlier.Rows[i].User)] = true
	}
	return keys
}

// profiles reads the profiles of the accounts with the given keys, by the id of the account.
func (g *gathering) profiles(ctx context.Context, wanted map[uint64]bool) (map[string]profile, error) {
	columns := slices.DeleteFunc(slices.Clone(profiled), func(name string) bool { return !slices.Contains(g.run.Manifest.Columns, name) })
	found := map[string]profile{}
	var memory snapshot.Memory
	var h directory.Accounts
	for n := range g.run.Begin.Partitions {
		if len(wanted) == 0 {
			break
		}
		people, err := g.run.Manifest.OpenPeople(ctx, g.store, n, &memory)
		if err != nil {
			return nil, err
		}
		keys, err := people.Columns(snapshot.EntraKey, snapshot.ADKey)
		if err != nil {
			return nil, err
		}
		var rows []int
		for row := range people.Rows {
			for _, c := range keys {
				if k := c.Rows[row]; k != table.None && wanted[uint64(k)] {
					rows = append(rows, row)
					break
				}
			}
		}
		if err := g.run.Manifest.Put(&h, people, rows, columns); err != nil {
			return nil, err
		}
		for i := range h.AD {
			a := &h.AD[i]
			found[a.SID] = profile{a.UserPrincipalName, a.DisplayName, a.Department}
		}
		for i := range h.Entra {
			u := &h.Entra[i]
			found[u.ID] = profile{u.UserPrincipalName, u.DisplayName, u.Department}
		}
	}
	return found, nil
}
