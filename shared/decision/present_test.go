package decision

import (
	"strings"
	"testing"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// A license has another name in the policy than before. The earlier changes of the license are found by its product or
// by its group.
func TestPastUnderAnotherName(t *testing.T) {
	t.Parallel()
	const guid = "11111111-0000-0000-0000-000000000001"
	citrixKey := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(false)
	item := func(license, to string, s history.State, days int, id, toID history.LicenseID) *history.Item {
		return &history.Item{User: "id-p", SID: "S-1-5-21-7", License: license, To: to, State: s, Run: "r0", Rule: "x", Via: plan.Direct, Began: daysAgo(days), At: daysAgo(days), ID: id, ToID: toID}
	}
	e3, exo, none := history.LicenseID{SKU: "sku-e3"}, history.LicenseID{SKU: "sku-exo"}, history.LicenseID{}
	inAD := func(id history.LicenseID) *history.Item {
		i := item("old", "", history.Restored, 3, id, none)
		i.Via = plan.ADGroup
		return i
	}
	byDN := history.LicenseID{Group: strings.ToUpper(citrixDN)}
	madeAgain := history.LicenseID{Group: citrixDN, GUID: "11111111-0000-0000-0000-0000000000ff"}
	byGUID := history.LicenseID{Group: "CN=Moved,DC=corp", GUID: guid}
	known := func(w *world) {
		w.manifest = func(m *snapshot.Manifest) { m.Readings[directory.AD].Groups = map[string]string{citrixKey: guid} }
	}
	earlier := func(w *world) {
		w.begin = func(b *snapshot.Begin) {
			b.Earlier = &directory.Earlier{Groups: map[string]directory.EarlierGroup{citrixKey: {ID: guid}}}
		}
	}
	takenInAD := inAD(madeAgain)
	takenInAD.State, takenInAD.Began, takenInAD.At = history.Taken, daysAgo(30), daysAgo(30)
	const cooling = "cooling down: restored on 2026-11-20, and not taken again"
	for name, tc := range map[string]struct {
		past  *history.Item
		rule  string
		edit  func(*world)
		want  policy.Outcome
		why   string // start of Refused
		again string // Decision.HeldAgain
	}{
		"restored":                      {item("old", "", history.Restored, 3, e3, none), "m365-long", nil, policy.Keep, cooling, ""},
		"of another license":            {item("old", "", history.Restored, 3, exo, none), "m365-long", nil, policy.Reclaim, "", ""},
		"unknown which":                 {item("old", "", history.Restored, 3, none, none), "m365-long", nil, policy.Keep, "cooling down: restored on 2026-11-20 as old, which", ""},
		"of none that the policy has":   {item("old", "", history.Restored, 3, history.LicenseID{SKU: "sku-f3"}, none), "m365-long", nil, policy.Keep, "cooling down: restored on 2026-11-20 as old, which", ""},
		"given back by somebody":        {item("old", "", history.Taken, 30, e3, none), "m365-long", nil, policy.Keep, "cooling down: restored by somebody else after run r0 took it", "r0"},
		"under way":                     {item("old", "", history.Open, 3, e3, none), "m365-long", nil, policy.Reclaim, "pending: run r0 began to change this license", ""},
		"another license, under way":    {item("old", "", history.Open, 3, exo, none), "m365-long", nil, policy.Reclaim, "", ""},
		"its target, under way":         {item("older", "old", history.Open, 3, exo, e3), "m365-long", nil, policy.Reclaim, "pending: run r0 is changing e3 of the person", ""},
		"given in place of another":     {item("exo", "old", history.Taken, 3, exo, e3), "m365-long", nil, policy.Keep, "cooling down: given in place of exo on 2026-11-20", ""},
		"the name means another now":    {item("exo", "", history.Restored, 3, e3, none), "m365-long", nil, policy.Keep, cooling, ""},
		"the name meant another":        {item("e3", "", history.Restored, 3, exo, none), "m365-long", nil, policy.Reclaim, "", ""},
		"the same name, another group":  {item("e3", "", history.Restored, 3, history.LicenseID{Group: "g-gone"}, none), "m365-long", nil, policy.Keep, cooling, ""},
		"by the group of Entra ID":      {item("old", "", history.Restored, 3, history.LicenseID{Group: "g-e3"}, none), "m365-long", nil, policy.Keep, cooling, ""},
		"in Active Directory, by DN":    {inAD(byDN), "citrix", nil, policy.Keep, cooling, ""},
		"by GUID":                       {inAD(byGUID), "citrix", known, policy.Keep, cooling, ""},
		"the group was created again":   {inAD(madeAgain), "citrix", known, policy.Keep, cooling, ""},
		"created again, and given back": {takenInAD, "citrix", known, policy.Keep, "cooling down: restored by somebody else after run r0 took it", "r0"},
		"by GUID of an earlier run":     {inAD(byGUID), "citrix", earlier, policy.Keep, cooling, ""},
		"by a GUID nobody knows":        {inAD(byGUID), "citrix", nil, policy.Keep, "cooling down: restored on 2026-11-20 as old, which", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := holder(tc.past)
			w.entra[0].SID, w.entra[0].ImmutableID, w.entra[0].Synced = "S-1-5-21-7", "g", true
			w.ad = []directory.ADUser{{SID: "S-1-5-21-7", GUID: "g", LastLogonTimestamp: daysAgo(100)}, {SID: "S-1-5-21-9", GUID: "g9", LastLogonTimestamp: daysAgo(1)}}
			w.citrix = []string{"S-1-5-21-7"}
			if tc.edit != nil {
				tc.edit(&w)
			}
			got := w.seal(t).asked(t, tc.rule)
			if got.Outcome != tc.want || got.HeldAgain != tc.again || (tc.why == "") != (got.Refused == "") || !strings.HasPrefix(got.Refused, tc.why) {
				t.Errorf("%s (%s), refused %q, held again %q; want %s, %q, %q", got.Outcome, got.Reason, got.Refused, got.HeldAgain, tc.want, tc.why, tc.again)
			}
		})
	}
}

// A license was taken, and since then the policy has given the license another name. A run does not restore the
// license. The refusal names the command that does: idleseat restore.
func TestReturnedUnderAnotherName(t *testing.T) {
	t.Parallel()
	past := &history.Item{
		User: "id-p", License: "office", To: "mail", State: history.Taken, Run: "r0", Rule: "m365", Via: plan.EntraGroup, Began: daysAgo(30), At: daysAgo(30),
		ID: history.LicenseID{SKU: "sku-e3", Group: "g-e3"}, ToID: history.LicenseID{SKU: "sku-exo", Group: "g-exo"},
	}
	w := world{
		entra:  []directory.EntraUser{accountOf("p", 5), accountOf("busy", 1)},
		policy: strings.Replace(text, "{changeTo: exo}", "{changeTo: exo, onReturn: restore}", 1), past: []any{past},
	}
	r := w.seal(t)
	got := r.asked(t, "m365")
	if want := "not restored: the policy has other names for its licenses than when it was taken; `idleseat restore p@x.example` does it"; got.RestoreOf != "r0" || got.Refused != want {
		t.Errorf("back %q, refused %q", got.RestoreOf, got.Refused)
	}
	if i := r.Past("id-p", "", "e3"); i == nil || i.InLedger() != "office" || i.License != "e3" || i.To != "exo" {
		t.Errorf("%+v", i)
	}
	if i := r.Past("id-p", "", "office"); i != nil {
		t.Errorf("%+v", i)
	}
	if r.Present(nil) != nil {
		t.Error("nothing has a name")
	}
}
