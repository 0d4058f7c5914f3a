package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
	"github.com/idleseat/idleseat/shared/store"
)

type profile struct{ principal, display, department string }

// The variable "profiled" has the names of the columns of a profile, for the account in Active Directory and for the
// account in Entra ID. The first column is the id. The others are in the order of the fields of profile.
var profiled = [2][]string{
	{"ad_sid", "ad_user_principal_name", "ad_display_name", "ad_department"},
	{"entra_id", "entra_user_principal_name", "entra_display_name", "entra_department"},
}

// The method "named" adds names and departments from the snapshot. A snapshot of an earlier version has no table of
// people. The lists then keep the names in the plan.
func (g *gathering) named(ctx context.Context) error {
	if !g.run.Manifest.Derives() || len(g.run.Manifest.People) == 0 {
		return nil
	}
	found, err := profiles(ctx, g.store, g.run, g.wanted())
	if err != nil {
		return err
	}
	g.turners(found)
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

func (g *gathering) wanted() map[uint64]bool {
	keys := map[uint64]bool{}
	for _, list := range g.lists() {
		for i := range list.Rows {
			keys[known.KeyOf(list.Rows[i].User)] = true
		}
	}
	for _, t := range g.turning {
		keys[t.Key] = true
	}
	for i := range g.Earlier.Rows {
		keys[known.KeyOf(g.Earlier.Rows[i].User)] = true
	}
	return keys
}

// The function "profiles" returns the profiles of accounts, by the id of the account. The argument "wanted" has hashes
// of ids (known.KeyOf). If it has the hash of one account of a person, the result has both accounts.
func profiles(ctx context.Context, s store.Store, r *decision.Run, wanted map[uint64]bool) (map[string]profile, error) {
	found := map[string]profile{}
	var memory snapshot.Memory
	for n := range r.Begin.Partitions {
		if len(wanted) == 0 {
			break
		}
		people, err := r.Manifest.OpenPeople(ctx, s, n, &memory)
		if err != nil {
			return nil, err
		}
		keys, err := people.Columns(snapshot.EntraKey, snapshot.ADKey)
		if err != nil {
			return nil, err
		}
		columns, err := profileColumns(r, people)
		if err != nil {
			return nil, err
		}
		for row := range people.Rows {
			if slices.ContainsFunc(keys, func(c *table.Column) bool { k := c.Rows[row]; return k != table.None && wanted[uint64(k)] }) {
				for _, c := range columns {
					if id := c[0].Text(row); id != "" {
						// Without a copy, a text would keep all texts of its page in memory.
						found[strings.Clone(id)] = profile{strings.Clone(c[1].Text(row)), strings.Clone(c[2].Text(row)), strings.Clone(c[3].Text(row))}
					}
				}
			}
		}
	}
	return found, nil
}

// profileColumns returns the columns of the variable "profiled". A column that the snapshot lacks has no values.
func profileColumns(r *decision.Run, people *snapshot.People) (of [2][]*table.Column, err error) {
	for i, names := range profiled {
		for _, name := range names {
			c := []*table.Column{{Rows: slices.Repeat([]int64{table.None}, people.Rows)}}
			if slices.Contains(r.Manifest.Columns, name) {
				if c, err = people.Columns(name); err != nil {
					return of, err
				}
			}
			of[i] = append(of[i], c[0])
		}
	}
	return of, nil
}
