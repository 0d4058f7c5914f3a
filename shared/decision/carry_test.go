package decision

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// A healthy reading lacks an account for some nights. Then the account is back. Its dates are compared with those from
// before, until even a use in the first of these nights is too old to keep a license.
func TestAccountIsMissedAndBack(t *testing.T) {
	t.Parallel()
	date, older, none := daysAgo(5), daysAgo(400), time.Time{}
	for name, tc := range map[string]struct {
		before, back time.Time
		nights       []int // the nights that lack the account
		returns      int   // the night on which the account is back
		lost         bool
	}{
		"with its date":                 {date, date, []int{1}, 2, false},
		"with an older date":            {date, older, []int{1}, 2, true},
		"without a date":                {date, none, []int{1}, 2, true},
		"after two nights":              {date, older, []int{1, 2}, 3, true},
		"after the longest doubt":       {date, older, []int{1, 90}, 91, true},
		"after more than that":          {date, older, []int{1, 91}, 92, false},
		"it never had a date":           {none, none, []int{1}, 2, false},
		"it never had a date, twice":    {none, none, []int{1, 2}, 3, false},
		"its first date":                {none, date, []int{1}, 2, false},
		"nobody looked in the meantime": {date, older, nil, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := func(date time.Time, there bool) *directory.Accounts {
				h := accountsIn([]directory.EntraUser{accountOf("busy", 1)}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(1)})
				if there {
					h.Entra = append(h.Entra, directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: date, Enabled: directory.Yes})
					h.AD = append(h.AD, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: date, Enabled: directory.Yes})
				}
				return h
			}
			r := firstNight(t)
			r.read(t, at(tc.before, true))
			for _, night := range tc.nights {
				r = r.nextNight(night)
				r.read(t, at(none, false))
			}
			r = r.nextNight(tc.returns)
			h := r.read(t, at(tc.back, true))
			want := map[string]bool{"Entra": tc.lost, "AD": tc.lost}
			if d := cmp.Diff(want, map[string]bool{"Entra": !h.Entra[1].DatesLost.IsZero(), "AD": !h.AD[1].DatesLost.IsZero()}); d != "" {
				t.Errorf("lost (-want +got):\n%s", d)
			}
			begun := r.Begin.Read
			if tc.nights == nil {
				begun = time.Time{}
			}
			if past := h.Entra[1].Past; !past.EnabledSince.Equal(begun) || past.SeenOnce(r.Begin.Read) != (tc.nights != nil) {
				t.Errorf("the series that saw the account goes on: %+v", past)
			}
		})
	}
}

// An operator accepts a reading that lacks an account. When the account is back with an older date, the date is in doubt
// until an operator accepts a reading that shows it.
func TestMissedAccountIsAccepted(t *testing.T) {
	t.Parallel()
	read := func(last time.Time) *directory.Accounts {
		return accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: last}})
	}
	r := firstNight(t)
	r.read(t, read(daysAgo(5)))
	r = r.nextNight(1)
	r.Begin.AcceptFeeds = true
	r.read(t, accountsIn(nil))
	r = r.nextNight(2)
	r.Begin.AcceptFeeds = false
	if h := r.read(t, read(daysAgo(400))); h.Entra[0].DatesLost.IsZero() {
		t.Error("the date of an account that was missing when an operator accepted the feeds is believed")
	}
	r = r.nextNight(3)
	r.Begin.AcceptFeeds = true
	if h := r.read(t, read(daysAgo(400))); !h.Entra[0].DatesLost.IsZero() {
		t.Error("the date that an operator accepted is in doubt")
	}
}

// A second night lacks an account of the first. If its table is lost, the table is made again with the entry of this
// account.
func TestMissedAccountIsMadeAgain(t *testing.T) {
	t.Parallel()
	third := lostNights(t, 2)
	first, err := third.tableAgain(t.Context(), "run", 0)
	if err != nil {
		t.Fatal(err)
	}
	gone := known.Account{Key: known.KeyOf("gone"), Newest: [directory.ActivityDates]known.Second{5}, Seen: 3, Enabled: known.Always, Joined: 2}
	first.Accounts[directory.Entra] = append(first.Accounts[directory.Entra], gone)
	if err := known.Put(t.Context(), third.store, "run", 0, first); err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), third.store, third.History.Baselines[0].Run)
	if err != nil {
		t.Fatal(err)
	}
	h := &directory.Accounts{}
	if err := errors.Join(second.Read(t.Context(), 0, h), second.Remember(t.Context(), 0, h)); err != nil {
		t.Fatal(err)
	}
	want, err := known.Get(t.Context(), second.store, second.Begin.Run, 0)
	if err != nil {
		t.Fatal(err)
	}
	gone.Seen, gone.Enabled, gone.Missed = 0, 0, known.SecondOf(second.Begin.Read)
	if d := cmp.Diff(gone, want.Accounts[directory.Entra][1]); d != "" {
		t.Errorf("the missed account (-want +got):\n%s", d)
	}
	again, err := third.tableAgain(t.Context(), second.Begin.Run, 0)
	if d := cmp.Diff(want, again, cmpopts.EquateEmpty()); d != "" || err != nil {
		t.Errorf("%v, the table (-as it was +made again):\n%s", err, d)
	}
}

// The number of partitions changes in the night that lacks an account. One of the new tables carries its entry, and no
// table carries the entry of an account that is in another partition now. When the account is back, its dates are
// compared.
func TestAccountIsMissedWhileThePartitionsChange(t *testing.T) {
	t.Parallel()
	for _, change := range [][2]int{{2, 3}, {3, 2}, {1, 3}, {3, 1}, {2, 4}, {2, 2}} {
		t.Run(fmt.Sprint(change), func(t *testing.T) {
			t.Parallel()
			people := make([]directory.EntraUser, 12)
			for i := range people {
				people[i] = accountOf(fmt.Sprint(i), 1)
			}
			gone := accountOf("gone", 1)
			r := world{partitions: change[1], woven: true, entra: people}.seal(t)
			tables := make([]known.Partition, change[0])
			for _, u := range append(people, gone) {
				p := &tables[directory.Partition(u.PartitionKey(), change[0])]
				p.Accounts[directory.Entra] = append(p.Accounts[directory.Entra], remembered(account{entra: &u}, daysAgo(1)))
			}
			for n := range tables {
				if err := known.Put(t.Context(), r.store, "before", n, &tables[n]); err != nil {
					t.Fatal(err)
				}
			}
			r.History = &history.Digest{Baselines: [2]*plan.Baseline{{Run: "before", Partitions: change[0], Read: daysAgo(1)}}}
			carried, entries := 0, map[uint64]int{}
			for n := range change[1] {
				h := &directory.Accounts{}
				if err := errors.Join(r.Read(t.Context(), n, h), r.Remember(t.Context(), n, h)); err != nil {
					t.Fatal(err)
				}
				p, err := known.Get(t.Context(), r.store, "run", n)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range p.Accounts[directory.Entra] {
					if entries[k.Key]++; k.Missed != 0 {
						carried++
					}
				}
			}
			if carried != 1 || entries[known.KeyOf(gone.ID)] != 1 || len(entries) != len(people)+1 {
				t.Errorf("%d entries are carried, and %d accounts have one", carried, len(entries))
			}
			gone.LastSuccessful = daysAgo(400)
			if got := lost(t, r.nextNight(1), accountsIn([]directory.EntraUser{gone})); len(got) != 1 {
				t.Errorf("lost %v", got)
			}
		})
	}
}
