package decision

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "resident" is a person of the town whose columns may be enough to decide.
type resident struct {
	open  bool // whether the person must be read singly
	entra func(u *directory.EntraUser)
	ad    func(u *directory.ADUser)
	// before changes what the last night knew of the accounts. It is nil if the last night saw the same as tonight.
	before func(u *directory.EntraUser, a *directory.ADUser)
}

// residents returns the people by name. Each has an Entra account, and also one in Active Directory if ad is set.
func residents() map[string]resident {
	is := func(*directory.ADUser) {}
	busy, on := func(u *directory.EntraUser) { u.LastSuccessful = daysAgo(1) }, func(u *directory.ADUser) { u.LastLogonTimestamp = daysAgo(1) }
	only := func(u *directory.EntraUser) { u.ID = "" } // the account in Active Directory alone
	return map[string]resident{
		"cloud":            {},
		"busy-cloud":       {entra: busy},
		"never":            {entra: func(u *directory.EntraUser) { u.LastSuccessful = time.Time{} }},
		"blocked":          {entra: func(u *directory.EntraUser) { u.Enabled = directory.No }},
		"both":             {ad: is},
		"busy-both":        {ad: on},
		"on-premises":      {entra: only, ad: is},
		"half-synced":      {open: true, entra: func(u *directory.EntraUser) { u.Synced, u.SID = true, "S-1-5-21-999" }},
		"wrong-anchor":     {open: true, ad: func(a *directory.ADUser) { a.GUID = "another" }},
		"no-anchor":        {open: true, entra: func(u *directory.EntraUser) { u.ImmutableID = "" }, ad: is},
		"in-doubt":         {open: true, entra: func(u *directory.EntraUser) { u.DatesInDoubt = true }},
		"hidden-logon":     {open: true, ad: func(a *directory.ADUser) { a.Unreadable = []string{"lastLogonTimestamp"} }},
		"listed-name":      {open: true},
		"listed-id":        {open: true},
		"listed-sid":       {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-700" }},
		"listed-sam":       {open: true, ad: func(a *directory.ADUser) { a.SAMAccount = "sam700" }},
		"changed":          {open: true},
		"changed-by-id":    {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-701" }},
		"changed-before":   {open: true, ad: func(a *directory.ADUser) { a.SID = "S-1-5-21-702" }},
		"sighted":          {open: true},
		"busy-was-blocked": {entra: busy, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Enabled = directory.No }},
		"busy-new-member":  {entra: busy, ad: on, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Title = "no member" }},
		"given-lately":     {open: true, entra: func(u *directory.EntraUser) { u.Assignments[0].Updated = daysAgo(3) }},
		"shared-box":       {open: true},
		"own-box":          {},
		"new":              {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.ID = "" }},
		"date-back":        {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.LastNonInteractive = daysAgo(9) }},
		"logon-back":       {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.LastLogonTimestamp = daysAgo(9) }},
		"lost":             {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.DatesLost = daysAgo(9) }},
		"regressed":        {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Newest[0] = daysAgo(9) }},
		"contradicted":     {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Contradicted = 1 }},
		"was-joined":       {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Past.Joined = daysAgo(3) }},
		"logged-on":        {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Past.LoggedOn = daysAgo(9) }},
		"later-date":       {before: func(u *directory.EntraUser, _ *directory.ADUser) { u.LastSuccessful = daysAgo(300) }},
		"was-blocked":      {open: true, before: func(u *directory.EntraUser, _ *directory.ADUser) { u.Enabled = directory.No }},
		"long-known": {before: func(u *directory.EntraUser, _ *directory.ADUser) {
			u.Past.Seen, u.Past.EnabledSince = daysAgo(300), daysAgo(200)
		}},
		"new-member": {open: true, ad: is, before: func(_ *directory.EntraUser, a *directory.ADUser) { a.Title = "no member" }},
	}
}

// The function "columnTown" returns the second night of the residents. The store has the table of the first night.
func columnTown(t *testing.T) *Run {
	t.Helper()
	all := residents()
	w := world{woven: true, policy: strings.Replace(text, "{users: [exempt@x.example]}", "{users: [listed-name@x.example, ID-LISTED-ID, s-1-5-21-700, Sam700]}", 1) + "grace: {newHolder: 14, enabledAgain: 7}\n"}
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
			w.ad, w.citrix = append(w.ad, a), append(w.citrix, a.SID)
		}
		if one.entra != nil {
			one.entra(&u)
		}
		if u.ID != "" {
			w.entra = append(w.entra, u)
		}
	}
	first := w.seal(t)
	h := &directory.Accounts{}
	if err := first.Read(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	for p := range h.Join() {
		first.Met(p)
	}
	before(all, h)
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

// The function "before" turns the reading of tonight into the reading of the last night.
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

// The type "answers" has the outcomes of the rules for each person who is read singly, by name.
type answers map[string][]policy.Outcome

func (r *Run) answers(t *testing.T, judge *policy.Judge, h *directory.Accounts) answers {
	t.Helper()
	all := answers{}
	for p := range h.Join() {
		r.Met(p)
		name, _, _ := strings.Cut(p.UserPrincipalName(), "@")
		for _, v := range judge.AskAll(p) {
			all[name] = append(all[name], v.Outcome)
		}
	}
	return all
}

func sortedTable(p *known.Partition) *known.Partition {
	for _, list := range p.Accounts {
		slices.SortFunc(list, func(a, b known.Account) int { return cmp.Compare(a.Key, b.Key) })
	}
	slices.SortFunc(p.Members, func(a, b known.Member) int { return cmp.Compare(a.Key, b.Key) })
	return p
}

// The columns settle the verdicts on a person only if nothing about the person is in doubt and no earlier run knows more
// of the person. The verdicts, their counts and the table for later runs are the same as if everybody were read singly.
func TestWhomTheColumnsSettle(t *testing.T) {
	t.Parallel()
	r := columnTown(t)
	judge, err := r.Judge(r.Begin.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	single := &directory.Accounts{}
	if err := r.Read(t.Context(), 0, single); err != nil {
		t.Fatal(err)
	}
	want, wantTable := r.answers(t, judge, single), sortedTable(r.table(single, &Plain{}))
	for _, again := range []bool{false, true} { // a Screen reuses its memory
		screen := NewScreen(r, judge)
		h := &directory.Accounts{}
		plain, err := screen.Read(t.Context(), 0, h)
		if again && err == nil {
			plain, err = screen.Read(t.Context(), 0, h)
		}
		if err != nil {
			t.Fatal(err)
		}
		open, reclaimed := map[string]bool{}, map[string]int{}
		for p := range h.Join() {
			name, _, _ := strings.Cut(p.UserPrincipalName(), "@")
			rules, settled := plain.Reclaimed(p)
			if open[name] = !settled; settled {
				for _, i := range rules {
					reclaimed[name]++
					if want[name][i] != policy.Reclaim {
						t.Errorf("%s: the columns reclaim by rule %d, and the judge says %s", name, i, want[name][i])
					}
				}
			}
		}
		people := 0
		tallies := make([]plan.Tally, len(r.Policy.Rules))
		for name, one := range residents() {
			if open[name] != one.open {
				t.Errorf("%s is read singly: %t", name, open[name])
			}
			if one.open {
				continue
			}
			people++
			takes := 0
			for i, outcome := range want[name] {
				switch outcome {
				case policy.Keep:
					tallies[i].Holders++
					tallies[i].Keep++
				case policy.Reclaim:
					takes++
				}
			}
			if takes != reclaimed[name] {
				t.Errorf("%s: the columns reclaim %d licenses, and the judge %d", name, reclaimed[name], takes)
			}
		}
		if plain.People != people {
			t.Errorf("%d people are settled, want %d", plain.People, people)
		}
		for i, got := range plain.Tallies {
			if got.Holders != tallies[i].Holders || got.Keep != tallies[i].Keep {
				t.Errorf("%s: %d holders and %d kept, want %+v", got.Rule, got.Holders, got.Keep, tallies[i])
			}
		}
		for p := range h.Join() {
			r.Met(p)
		}
		if d := gocmp.Diff(wantTable, sortedTable(r.table(h, plain))); d != "" {
			t.Errorf("the table (-singly +columns):\n%s", d)
		}
	}
}
