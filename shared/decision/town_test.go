package decision

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

type resident struct {
	open  bool // whether the person must be read singly
	entra func(u *directory.EntraUser)
	ad    func(u *directory.ADUser)
	// The function "before" edits the accounts so that they show what the first night saw. It is nil if that night saw
	// the same.
	before func(u *directory.EntraUser, a *directory.ADUser)
}

// residents returns the people by name. Each has an Entra account, unless "entra" removes its id. Each has an account
// in Active Directory if "ad" is set.
func residents() map[string]resident {
	is := func(*directory.ADUser) {}
	busy, on := func(u *directory.EntraUser) { u.LastSuccessful = daysAgo(1) }, func(u *directory.ADUser) { u.LastLogonTimestamp = daysAgo(1) }
	only := func(u *directory.EntraUser) { u.ID = "" } // the account in Active Directory alone
	return map[string]resident{
		"cloud":              {},
		"busy-cloud":         {entra: busy},
		"never":              {entra: func(u *directory.EntraUser) { u.LastSuccessful = time.Time{} }},
		"blocked":            {entra: func(u *directory.EntraUser) { u.Enabled = directory.No }},
		"both":               {ad: is},
		"busy-both":          {ad: on},
		"on-premises":        {entra: only, ad: is},
		"half-synced":        {open: true, entra: func(u *directory.EntraUser) { u.Synced, u.SID = true, "S-1-5-21-999" }},
		"synced-no-sid":      {open: true, entra: func(u *directory.EntraUser) { u.Synced = true }},
		"wrong-anchor":       {open: true, ad: func(a *directory.ADUser) { a.GUID = "another" }},
		"no-anchor":          {open: true, entra: func(u *directory.EntraUser) { u.ImmutableID = "" }, ad: is},
		"hidden-on-premises": {open: true, entra: only, ad: func(a *directory.ADUser) { a.Unreadable = []string{"lastLogonTimestamp"} }},
		"in-doubt":           {open: true, entra: func(u *directory.EntraUser) { u.DatesInDoubt = true }},
		"hidden-logon":       {open: true, ad: func(a *directory.ADUser) { a.Unreadable = []string{"lastLogonTimestamp"} }},
		"listed-name":        {open: true},
		"listed-id":          {open: true},
		"listed-sid":         {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-700" }},
		"listed-ad-name":     {open: true, ad: func(a *directory.ADUser) { a.UserPrincipalName = "Ad-Name@corp.example" }},
		"listed-cloud-sam":   {open: true, entra: func(u *directory.EntraUser) { u.SAMAccount = "SAM702" }},
		"listed-sam":         {open: true, ad: func(a *directory.ADUser) { a.SAMAccount = "sam700" }},
		"changed":            {open: true},
		"changed-by-id":      {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-701" }},
		"changed-before":     {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-702" }},
		"sighted":            {open: true},
		"busy-was-blocked":   {entra: busy, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Enabled = directory.No }},
		"busy-new-member":    {entra: busy, ad: on, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Title = "no member" }},
		"given-lately":       {open: true, entra: func(u *directory.EntraUser) { u.Assignments[0].Updated = daysAgo(3) }},
		"shared-box":         {open: true},
		"own-box":            {},
		"new":                {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.ID = "" }},
		"date-back":          {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.LastNonInteractive = daysAgo(9) }},
		"logon-back":         {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.LastLogonTimestamp = daysAgo(9) }},
		"lost":               {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.DatesLost = daysAgo(9) }},
		"regressed":          {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Newest[0] = daysAgo(9) }},
		"contradicted":       {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Contradicted = 1 }},
		"forgotten":          {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Forgotten = daysAgo(0) }},
		"was-joined":         {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Joined = daysAgo(3) }},
		"logged-on":          {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Past.LoggedOn = daysAgo(9) }},
		"late-date":          {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.LastSuccessful = daysAgo(300) }},
		"came-late":          {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Late = daysAgo(0) }},
		"later-date":         {entra: busy, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.LastSuccessful = daysAgo(300) }},
		"was-blocked":        {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Enabled = directory.No }},
		"long-known": {before: func(u *directory.EntraUser, _ *directory.ADUser) {
			u.Past.Seen, u.Past.EnabledSince = daysAgo(300), daysAgo(200)
		}},
		"new-member": {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Title = "no member" }},
	}
}

// The function "columnTown" returns the run of the second night, which reads the residents.
func columnTown(t *testing.T, edits ...func(*world)) *Run {
	t.Helper()
	return secondNight(t, firstOf(edits...).seal(t))
}

func firstOf(edits ...func(*world)) world {
	all := residents()
	w := world{woven: true, policy: strings.Replace(text, "{users: [exempt@x.example]}", "{users: [listed-name@x.example, ID-LISTED-ID, s-1-5-21-700, Sam700, sam702, ad-name@corp.example]}", 1) + "grace: {newHolder: 14, enabledAgain: 7}\nattributes: {staff: {memberOf: {ad: \"CN=Staff,DC=corp\"}}}\n"}
	w.begin = func(b *snapshot.Begin) {
		readsCitrix(b)
		b.Mailboxes = &snapshot.Mailboxes{Kinds: map[string]string{"shared-box@x.example": "SharedMailbox", "own-box@x.example": "UserMailbox"}}
	}
	for _, name := range sortedNames(all) {
		one := all[name]
		u := accountOf(name, 200, directory.Assignment{SKU: "sku-e3", Group: "g-e3", State: "Active", Updated: daysAgo(400)})
		a := directory.ADUser{SID: "S-1-5-21-" + name, GUID: "guid-" + name, UserPrincipalName: u.UserPrincipalName, Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}
		a.SID = strings.ToUpper(a.SID)
		if one.ad != nil {
			one.ad(&a)
			u.SID, u.ImmutableID, u.Synced = a.SID, "guid-"+name, true
			w.ad, w.citrix, w.staff = append(w.ad, a), append(w.citrix, a.SID), append(w.staff, a.SID)
		}
		if one.entra != nil {
			one.entra(&u)
		}
		if u.ID != "" {
			w.entra = append(w.entra, u)
		}
	}
	for _, edit := range edits {
		edit(&w)
	}
	return w
}

// The function "secondNight" writes the table of known accounts of the first night, and returns the run of the next
// night.
func secondNight(t *testing.T, first *Run) *Run {
	t.Helper()
	h := &directory.Accounts{}
	if err := first.Read(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	for p := range h.Join() {
		first.Met(p)
	}
	before(residents(), h)
	if err := first.Remember(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	next := first.nextNight(1)
	err := store.PutLines(t.Context(), next.store, "history", func(emit func(any) error) error {
		taken := func(user string) any {
			return history.Item{User: user, License: "e3", State: history.Restored, Run: "r0", Rule: "m365", Began: daysAgo(5), At: daysAgo(5)}
		}
		seen := directory.Sighting{Account: "id-sighted", Newest: [directory.ActivityDates]time.Time{daysAgo(3)}, At: daysAgo(2)}
		return errors.Join(emit(map[string]any{"head": history.Digest{Baselines: next.History.Baselines}}),
			emit(taken("id-changed")), emit(taken("S-1-5-21-701")),
			emit(history.Item{User: "id-gone", SID: "S-1-5-21-702", License: "citrix", State: history.Restored, Run: "r0", Via: plan.ADGroup, At: daysAgo(5)}), emit(map[string]any{"sighting": seen}))
	})
	digest, loadErr := history.Load(t.Context(), next.store, &snapshot.Manifest{History: "history"})
	if err := errors.Join(err, loadErr); err != nil {
		t.Fatal(err)
	}
	next.History = digest
	return next
}

func sortedNames(all map[string]resident) (names []string) {
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// The function "before" edits the reading of the second night so that it shows what the first night saw
// (resident.before).
func before(all map[string]resident, h *directory.Accounts) {
	for name, one := range all {
		if one.before == nil {
			continue
		}
		u, a := &directory.EntraUser{}, &directory.ADUser{}
		for i := range h.Entra {
			if h.Entra[i].UserPrincipalName == name+"@x.example" {
				u = &h.Entra[i]
			}
		}
		for i := range h.AD {
			if h.AD[i].UserPrincipalName == name+"@x.example" {
				a = &h.AD[i]
			}
		}
		if one.before(u, a); a.Title != "" {
			delete(h.Memberships, a.SID)
		}
	}
	h.Entra = slices.DeleteFunc(h.Entra, func(u directory.EntraUser) bool { return u.ID == "" })
}
