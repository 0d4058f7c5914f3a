package snapshot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/snapshot/table"
)

func TestDerived(t *testing.T) {
	t.Parallel()
	entra := func(change func(*directory.EntraUser)) *directory.EntraUser {
		u := &directory.EntraUser{ID: "id-1", UserPrincipalName: "Anna@x.example", SID: "S-1", SAMAccount: "anna", Synced: true, ImmutableID: "guid"}
		if change != nil {
			change(u)
		}
		return u
	}
	ad := func(change func(*directory.ADUser)) *directory.ADUser {
		a := &directory.ADUser{SID: "S-1", GUID: "guid", ConsistencyGUID: "other", SAMAccount: "anna", UserPrincipalName: "anna@x.example"}
		if change != nil {
			change(a)
		}
		return a
	}
	for name, tc := range map[string]struct {
		pair    directory.Pair
		plain   bool
		anchors string
	}{
		"both":                     {directory.Pair{Entra: entra(nil), AD: ad(nil), Clear: true}, true, "objectGUID eitherGUID"},
		"another counts":           {directory.Pair{Entra: entra(nil), AD: ad(nil)}, false, "objectGUID eitherGUID"},
		"by the other GUID":        {directory.Pair{Entra: entra(nil), AD: ad(func(a *directory.ADUser) { a.GUID, a.ConsistencyGUID = "other", "guid" }), Clear: true}, true, "mS-DS-ConsistencyGuid eitherGUID"},
		"by none":                  {directory.Pair{Entra: entra(nil), AD: ad(func(a *directory.ADUser) { a.GUID = "" }), Clear: true}, true, ""},
		"none is compared":         {directory.Pair{Entra: entra(func(u *directory.EntraUser) { u.Synced, u.ImmutableID = false, "" }), AD: ad(nil), Clear: true}, true, "any"},
		"Entra alone":              {directory.Pair{Entra: entra(func(u *directory.EntraUser) { u.SID = "" }), Clear: true}, true, "any"},
		"Entra alone, with a SID":  {directory.Pair{Entra: entra(nil), Clear: true}, false, "any"},
		"Active Directory alone":   {directory.Pair{AD: ad(nil), Clear: true}, true, "any"},
		"hidden":                   {directory.Pair{AD: ad(func(a *directory.ADUser) { a.Unreadable = []string{"title"} }), Clear: true}, false, "any"},
		"logons in doubt":          {directory.Pair{AD: ad(func(a *directory.ADUser) { a.DatesInDoubt = true }), Clear: true}, false, "any"},
		"sign-ins in doubt":        {directory.Pair{Entra: entra(func(u *directory.EntraUser) { u.DatesInDoubt = true }), AD: ad(nil), Clear: true}, false, "objectGUID eitherGUID"},
		"a guest":                  {directory.Pair{Entra: entra(func(u *directory.EntraUser) { u.UserType = "guest" }), AD: ad(nil), Clear: true}, false, "objectGUID eitherGUID"},
		"a room":                   {directory.Pair{Entra: entra(nil), AD: ad(func(a *directory.ADUser) { a.RecipientType = "16" }), Clear: true}, false, "objectGUID eitherGUID"},
		"an id in capital letters": {directory.Pair{Entra: entra(func(u *directory.EntraUser) { u.ID = "ID-1" }), AD: ad(nil), Clear: true}, false, "objectGUID eitherGUID"},
		"a SID in small letters":   {directory.Pair{AD: ad(func(a *directory.ADUser) { a.SID = "s-1" }), Clear: true}, false, "any"},
	} {
		columns := map[string]*table.Column{}
		for i := range derived {
			c := &table.Column{Name: derived[i].name, Kind: derived[i].kind}
			derived[i].add(c, &tc.pair)
			columns[c.Name] = c
		}
		keys, names := [2]int64{table.None, table.None}, int64(0)
		if u := tc.pair.Entra; u != nil {
			keys[0] = int64(known.KeyOf(u.ID))
			names |= int64(known.PrintOf("ANNA@X.EXAMPLE")) | int64(known.PrintOf("Anna"))<<16
		}
		if a := tc.pair.AD; a != nil {
			keys[1] = int64(known.KeyOf(a.SID))
			names |= int64(known.PrintOf("ANNA@X.EXAMPLE"))<<32 | int64(known.PrintOf("Anna"))<<48
		}
		got := []any{columns[Plain].Rows[0] == 1, columns[Anchors].Text(0), columns[EntraKey].Rows[0], columns[ADKey].Rows[0], columns[Names].Rows[0]}
		if d := cmp.Diff([]any{tc.plain, tc.anchors, keys[0], keys[1], names}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
