package decision

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "remembering" seals a run with people of different histories, and writes its table of known accounts.
func remembering(t *testing.T) (*Run, *known.Partition) {
	t.Helper()
	disabled := accountOf("off", 300)
	disabled.Enabled = directory.No
	r := world{
		policy: text + "grace: {newHolder: 14}\n",
		entra: []directory.EntraUser{
			accountOf("busy", 1), accountOf("idle", 200, e3ByGroup), disabled, {ID: "never", Created: daysAgo(900)},
			{ID: "joined", SID: "S-3", ImmutableID: "guid", Synced: true, Created: daysAgo(900), LastSuccessful: daysAgo(1)},
			{ID: "contradicted", SID: "S-4", ImmutableID: "guid", Synced: true, Created: daysAgo(900), LastSuccessful: daysAgo(1)},
		},
		ad:     []directory.ADUser{{SID: "S-3", GUID: "guid", Created: daysAgo(900)}, {SID: "S-4", GUID: "other", Created: daysAgo(900)}, {SID: "S-1", Created: daysAgo(900), Enabled: directory.Yes, LastLogonTimestamp: daysAgo(3)}, {SID: "S-2", Created: daysAgo(30)}},
		citrix: []string{"S-1"},
		past:   []any{&history.Item{User: "id-idle", License: "citrix", State: history.Announced, Run: "r0", Rule: "citrix", At: daysAgo(3)}},
	}.seal(t)
	h := &directory.Accounts{}
	if err := r.Read(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	for p := range h.Join() {
		r.Met(p)
	}
	if err := r.Remember(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	table, err := known.Get(t.Context(), r.store, "run", 0)
	if err != nil {
		t.Fatal(err)
	}
	return r, table
}

// A damaged or missing table of known accounts is made again from the snapshot of its run.
func TestTableIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(s *store.Memory) error{
		"damaged": func(s *store.Memory) error {
			return store.PutBytes(t.Context(), s, "runs/run/known/0000.gz", []byte("half"))
		},
		"missing": func(s *store.Memory) error {
			objects := s.Objects()
			delete(objects, "runs/run/known/0000.gz")
			s.Become(objects)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, want := remembering(t)
			if err := spoil(r.store.(*store.Memory)); err != nil {
				t.Fatal(err)
			}
			got, err := r.nextNight(1).remembered(t.Context(), "run", 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("the table (-as it was +made again):\n%s", d)
			}
		})
	}
}

// TestTableIsLost: both the table of known accounts of the first night and the manifest from which it could be made
// again are damaged. On the second night, the rules are undecided about all people of the table, unless the run has
// --accept-feeds. The third night compares the dates with those of the second night.
func TestTableIsLost(t *testing.T) {
	t.Parallel()
	r, _ := remembering(t)
	for _, key := range []string{"runs/run/known/0000.gz", "runs/run/manifest.json"} {
		if err := store.PutBytes(t.Context(), r.store, key, []byte("half")); err != nil {
			t.Fatal(err)
		}
	}
	people := func() *directory.Accounts {
		h := accountsIn([]directory.EntraUser{accountOf("idle", 200, e3ByGroup), {ID: "never", Created: daysAgo(900), Enabled: directory.Yes}},
			directory.ADUser{SID: "S-1", Created: daysAgo(900), Enabled: directory.Yes, LastLogonTimestamp: daysAgo(3)})
		h.Entra = append(h.Entra, directory.EntraUser{ID: "off", Created: daysAgo(900), LastSuccessful: daysAgo(1), Enabled: directory.No})
		h.Memberships = map[string][]string{"S-1": {directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true), "ad:other"}}
		return h
	}
	second := r.nextNight(1)
	h := second.read(t, people())
	for p := range h.Join() {
		if f, _ := directory.FieldNamed("entra.lastActivity"); p.Entra != nil && f.Of(p).State != directory.Unknown {
			t.Errorf("%s: the date is believed", p.ID())
		}
		if f, _ := directory.FieldNamed("ad.lastLogonTimestamp"); p.AD != nil && f.Of(p).State != directory.Unknown || !strings.Contains(p.Doubt, "what run run knew of it cannot be read any more") {
			t.Errorf("%s: the logon is believed, or the doubt is %q", p.ID(), p.Doubt)
		}
	}
	if !h.Entra[0].Past.EnabledSince.Equal(second.Begin.Read) || len(h.AD[0].Past.MemberSince) != 1 {
		t.Errorf("periods of grace do not begin again: %+v, %+v", h.Entra[0].Past, h.AD[0].Past)
	}
	if !h.Entra[2].Past.EnabledSince.IsZero() {
		t.Errorf("a disabled account is enabled since %s", h.Entra[2].Past.EnabledSince)
	}
	if got := second.Losses(); len(got) != 1 || !strings.Contains(got[0], "known/0000.gz") || !strings.Contains(got[0], "manifest") {
		t.Errorf("losses %q", got)
	}

	accepting := r.nextNight(1)
	accepting.Begin.AcceptFeeds = true
	h = people()
	if got := lost(t, accepting, h); len(got) > 0 || !h.Entra[0].Past.Forgotten.IsZero() {
		t.Errorf("an operator accepts the feeds: %v, %+v", got, h.Entra[0].Past)
	}

	again := night(second, "again", second.Begin.Read.Add(10*time.Minute)) // over the same data
	for p := range again.read(t, people()).Join() {
		if f, _ := directory.FieldNamed("entra.lastActivity"); p.Entra != nil && f.Of(p).State != directory.Unknown || !strings.Contains(p.Doubt, "what an earlier run knew of it cannot be read any more") {
			t.Errorf("ten minutes later, %s: the date is believed, or the doubt is %q", p.ID(), p.Doubt)
		}
	}
	accepting = night(again, "accepting", again.Begin.Read)
	accepting.Begin.AcceptFeeds = true
	if h = people(); len(lost(t, accepting, h)) > 0 || !h.Entra[0].Past.Forgotten.IsZero() {
		t.Errorf("an operator accepts the feeds ten minutes later: %+v", h.Entra[0].Past)
	}

	third := night(again, "third", second.Begin.Read.Add(20*time.Hour))
	h = people()
	if d := cmp.Diff(map[string]time.Time{"never": second.Begin.Read}, lost(t, third, h)); d != "" || !h.Entra[0].Past.Forgotten.IsZero() {
		t.Errorf("the night after (-want +got):\n%s\n%+v", d, h.Entra[0].Past)
	}
	h = people()
	h.Entra[0].LastSuccessful = daysAgo(400)
	if got := lost(t, third, h); got["id-idle"].IsZero() {
		t.Errorf("a date that went back since the night before is believed: %v", got)
	}
}

// TestWhichTablesAreMadeAgain: a table of known accounts cannot be read because of a temporary error, or because its
// run was deleted when it was old. Neither counts as damage, and no table is made again.
func TestWhichTablesAreMadeAgain(t *testing.T) {
	t.Parallel()
	r, _ := remembering(t)
	r.damages(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := r.nextNight(1)
	if _, err := ended.remembered(ctx, "run", 0); err == nil || errors.Is(err, store.ErrDamaged) || len(ended.Losses()) > 0 {
		t.Errorf("the context ended: %v, %q", err, ended.Losses())
	}
	gone := r.nextNight(1)
	for n := range 2 {
		if _, err := gone.remembered(t.Context(), "r0", n); !errors.Is(err, store.ErrNotFound) || len(gone.Losses()) != 1 || !strings.HasPrefix(gone.Losses()[0], "run r0 was deleted because of its age") {
			t.Errorf("no such run: %v, %q", err, gone.Losses())
		}
	}
	gone.History.Baselines[0] = &plan.Baseline{Run: "r0", Partitions: 1, Read: daysAgo(1)}
	if got := lost(t, gone, accountsIn([]directory.EntraUser{accountOf("busy", 1)})); len(got) > 0 {
		t.Errorf("the data of the run were deleted because of their age: %v", got)
	}
}

// The run that last read Active Directory was deleted because of its age. Nothing says any more since when an account is
// enabled or in a group, so grace begins again. The next run remembers when. The rules decide about the accounts.
func TestGraceWhenTheMemoryExpired(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	people := func() *directory.Accounts {
		h := accountsIn([]directory.EntraUser{accountOf("busy", 1)},
			directory.ADUser{SID: "S-back", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(400)},
			directory.ADUser{SID: "S-off", Enabled: directory.No, Created: daysAgo(900), LastLogonTimestamp: daysAgo(400)},
			directory.ADUser{SID: "S-none", Enabled: directory.Yes, Created: daysAgo(900)})
		h.Memberships = map[string][]string{"S-back": {key, "ad:other"}}
		return h
	}
	r, _ := remembering(t)
	second := r.nextNight(1)
	second.History.Baselines[directory.AD] = &plan.Baseline{Run: "expired", Partitions: 1, Read: daysAgo(100)}
	h := second.read(t, people())
	back, off, none := h.AD[0], h.AD[1], h.AD[2]
	if at := second.Begin.Read; !back.Past.EnabledSince.Equal(at) || len(back.Past.MemberSince) != 1 || !back.Past.MemberSince[key].Equal(at) || !back.DatesLost.IsZero() || !back.Past.Forgotten.IsZero() {
		t.Errorf("an account with a date: %+v", back)
	}
	if !off.Past.EnabledSince.IsZero() || off.Past.MemberSince != nil {
		t.Errorf("a disabled account: %+v", off.Past)
	}
	if !none.DatesLost.Equal(second.Begin.Read) {
		t.Errorf("an account without a date: %+v", none)
	}
	third := second.nextNight(2)
	if h = third.read(t, people()); !h.AD[0].Past.EnabledSince.Equal(second.Begin.Read) || !h.AD[0].Past.MemberSince[key].Equal(second.Begin.Read) {
		t.Errorf("the night after: %+v", h.AD[0].Past)
	}

	accepting := r.nextNight(1)
	accepting.History.Baselines[directory.AD] = &plan.Baseline{Run: "expired", Partitions: 1, Read: daysAgo(100)}
	accepting.Begin.AcceptFeeds = true
	if h = accepting.read(t, people()); !h.AD[0].Past.EnabledSince.IsZero() || !h.AD[2].DatesLost.IsZero() {
		t.Errorf("an operator accepts the feeds: %+v, %+v", h.AD[0], h.AD[2])
	}
}
