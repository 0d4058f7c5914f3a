package decision

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// EnabledSince is the time of the first reading that saw the account enabled after a reading that did not. It is zero
// for an account that was enabled in every reading, or is not enabled now. This applies to both directories.
func TestEnabledSince(t *testing.T) {
	t.Parallel()
	const yes, no, unset, absent = directory.Yes, directory.No, directory.Unset, directory.Flag(99)
	for name, tc := range map[string]struct {
		nights []directory.Flag // whether the account is enabled, by night
		want   int              // index of the night, or -1 if there is none
	}{
		"always":                 {[]directory.Flag{yes, yes, yes}, -1},
		"enabled later":          {[]directory.Flag{no, yes, yes}, 1},
		"enabled tonight":        {[]directory.Flag{no, no, yes}, 2},
		"blocked":                {[]directory.Flag{yes, yes, no}, -1},
		"blocked all the time":   {[]directory.Flag{no, no, no}, -1},
		"blocked in between":     {[]directory.Flag{yes, no, yes}, 2},
		"not told in between":    {[]directory.Flag{yes, unset, yes}, 2},
		"new":                    {[]directory.Flag{absent, yes, yes}, 1},
		"new tonight":            {[]directory.Flag{absent, absent, yes}, 2},
		"new, and blocked":       {[]directory.Flag{absent, absent, no}, -1},
		"back from where it was": {[]directory.Flag{yes, absent, yes}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			var h *directory.Accounts
			for night, enabled := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				h = accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)})
				if enabled != absent {
					h.Entra = append(h.Entra, directory.EntraUser{ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(1), Enabled: enabled})
					h.AD = append(h.AD, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1), Enabled: enabled})
				}
				r.read(t, h)
			}
			want := time.Time{}
			if tc.want >= 0 {
				want = asOf.AddDate(0, 0, tc.want)
			}
			if d := cmp.Diff([]time.Time{want, want}, []time.Time{h.Entra[1].Past.EnabledSince, h.AD[1].Past.EnabledSince}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// Seen is the time of the first reading in an unbroken series of readings that saw the account.
func TestSeenSince(t *testing.T) {
	t.Parallel()
	user := []directory.EntraUser{{ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(1)}}
	r := firstNight(t)
	r.read(t, accountsIn(user))
	for _, night := range []int{1, 2} {
		r = r.nextNight(night)
		if h := r.read(t, accountsIn([]directory.EntraUser{user[0]})); !h.Entra[0].Past.Seen.Equal(asOf) {
			t.Errorf("night %d: seen since %s", night, h.Entra[0].Past.Seen)
		}
	}
	r = r.nextNight(3)
	r.read(t, accountsIn(nil))
	if h := r.nextNight(4).read(t, accountsIn([]directory.EntraUser{user[0]})); !h.Entra[0].Past.Seen.IsZero() {
		t.Errorf("after a night without it: seen since %s", h.Entra[0].Past.Seen)
	}
}

// MemberSince is the time of the first reading that saw the account in a group that grants a license.
func TestMemberSince(t *testing.T) {
	t.Parallel()
	ref := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	key := ref.Key(true)
	const graced = "grace: {newHolder: 14}" + text
	for name, tc := range map[string]struct {
		policy string
		// Each string is the reading of one night. The account is a member ("in"), is not a member ("out"), or is
		// missing ("gone"). The word "unread" means that the group could not be read. A number after the word stands
		// for the objectGUID of the group.
		nights []string
		want   int // index of the night, or -1 if there is none
	}{
		"always":                   {graced, []string{"in", "in", "in"}, -1},
		"given later":              {graced, []string{"out", "in", "in"}, 1},
		"given tonight":            {graced, []string{"out", "out", "in"}, 2},
		"given to a new account":   {graced, []string{"gone", "gone", "in"}, 2},
		"taken and given":          {graced, []string{"in", "out", "in"}, 2},
		"not a member":             {graced, []string{"in", "in", "out"}, -1},
		"never a member":           {graced, []string{"out", "out"}, -1},
		"given, and taken":         {graced, []string{"out", "in", "out"}, -1},
		"given while unread":       {graced, []string{"out", "unread", "in"}, 2},
		"unread for long":          {graced, []string{"out", "unread", "unread", "in", "in"}, 3},
		"a member while unread":    {graced, []string{"in", "unread", "in"}, -1},
		"unread after it is given": {graced, []string{"out", "in", "unread", "in"}, 1},
		"in a group made again":    {graced, []string{"in 1", "unread 2", "in 2"}, 2},
		"made again, long unread":  {graced, []string{"in 1", "unread 2", "unread 2", "in 2", "in 2"}, 3},
		"made again, unnoticed":    {graced, []string{"in 1", "in 2"}, 1},
		"another one for a night":  {graced, []string{"in 1", "unread 2", "in 1"}, -1},
		"an older table":           {graced, []string{"in", "in 1"}, -1},
		"an older one, then again": {graced, []string{"in", "in 1", "in 2"}, 2},
		"the GUID is not read":     {graced, []string{"in 1", "in"}, -1},
		"never read before":        {graced, []string{"unread", "in", "in"}, -1},
		"the policy has no grace":  {text, []string{"out", "out", "in"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			var err error
			if r.Policy, err = policy.Load("p", []byte(tc.policy)); err != nil {
				t.Fatal(err)
			}
			var h *directory.Accounts
			for night, state := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				state, guid, _ := strings.Cut(state, " ")
				m := *r.Manifest
				m.Readings[directory.AD].Groups = map[string]string{ref.Key(false): guid}
				r.Manifest = &m
				h = accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
				h.Memberships = map[string][]string{"S-busy": {key, "ad:other"}}
				switch state {
				case "in":
					h.Memberships["S-a"] = []string{"ad:other", key}
				case "unread":
					h.Memberships, h.Unreadable = nil, []string{key}
				case "gone":
					h.AD = h.AD[:1]
				}
				r.read(t, h)
			}
			want := map[string]time.Time(nil)
			if tc.want >= 0 {
				want = map[string]time.Time{key: asOf.AddDate(0, 0, tc.want)}
			}
			if d := cmp.Diff(want, h.AD[1].Past.MemberSince); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// MemberSince has the same meaning for an Entra group as for an Active Directory group, if membership in the group is a
// license.
func TestMemberSinceInEntra(t *testing.T) {
	t.Parallel()
	const graced = "grace: {newHolder: 14}" + text
	p, err := policy.Load("p", []byte(strings.Replace(graced, "exempt:", "  app: {group: {entra: APP}}\nexempt:", 1)))
	if err != nil {
		t.Fatal(err)
	}
	key := directory.GroupRef{Name: "APP"}.Key(true)
	for name, tc := range map[string]struct {
		nights []string
		want   int // index of the night, or -1 if there is none
	}{
		"always":                {[]string{"in", "in", "in"}, -1},
		"given later":           {[]string{"out", "in", "in"}, 1},
		"taken and given":       {[]string{"in", "out", "in"}, 2},
		"given while unread":    {[]string{"out", "unread", "in"}, 2},
		"a member while unread": {[]string{"in", "unread", "in"}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			r.Policy = p
			var h *directory.Accounts
			for night, state := range tc.nights {
				if night > 0 {
					r = r.nextNight(night)
				}
				h = accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}, {ID: "a", Created: daysAgo(900), LastSuccessful: daysAgo(1)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)})
				h.Memberships = map[string][]string{"busy": {key}}
				switch state {
				case "in":
					h.Memberships["a"] = []string{key}
				case "unread":
					h.Memberships, h.Unreadable = nil, []string{key}
				}
				r.read(t, h)
			}
			want := map[string]time.Time(nil)
			if tc.want >= 0 {
				want = map[string]time.Time{key: asOf.AddDate(0, 0, tc.want)}
			}
			if d := cmp.Diff(want, h.Entra[1].Past.MemberSince); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// If a group cannot be read now, the next table names the group only once, even if its members come from several
// tables.
func TestGroupIsRememberedOnce(t *testing.T) {
	t.Parallel()
	key := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	on := directory.ADUser{SID: "S-on", Created: daysAgo(900), LastLogonTimestamp: daysAgo(2)}
	first := world{partitions: 2, entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{on}}.seal(t)
	var err error
	if first.Policy, err = policy.Load("p", []byte("grace: {newHolder: 14}"+text)); err != nil {
		t.Fatal(err)
	}
	all := accountsIn(nil)
	all.Memberships = map[string][]string{}
	for n := range 2 {
		h := accountsIn(nil)
		h.Memberships = all.Memberships
		for i := range 9 {
			a := directory.ADUser{SID: fmt.Sprint("S-1-5-21-", i), Created: daysAgo(900), LastLogonTimestamp: daysAgo(30)}
			if all.Memberships[a.SID] = []string{key}; directory.Partition(a.SID, 2) == n {
				h.AD = append(h.AD, a)
			}
		}
		if err := first.Remember(t.Context(), n, h); err != nil {
			t.Fatal(err)
		}
		if all.AD = append(all.AD, h.AD...); len(h.AD) == 0 {
			t.Fatalf("nobody is in partition %d", n)
		}
	}
	next := night(first, "next", asOf.AddDate(0, 0, 1))
	all.Memberships, all.Unreadable = nil, []string{key}
	if err := next.recall(t.Context(), all, next.lastReadings(), next.Begin.Read, false); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{key}, all.Remembered); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, a := range all.AD {
		if _, was := a.Past.MemberBefore[key]; !was {
			t.Errorf("%s is no member of before", a.SID)
		}
	}
}

// The table of a run has no accounts of an unhealthy source. Later runs therefore compare with the last healthy reading
// before this run.
func TestUnhealthyNightIsNotRemembered(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	var err error
	if r.Policy, err = policy.Load("p", []byte("grace: {newHolder: 14}"+text)); err != nil {
		t.Fatal(err)
	}
	h := accountsIn([]directory.EntraUser{{ID: "a", LastSuccessful: daysAgo(1)}}, directory.ADUser{SID: "S-a", LastLogonTimestamp: daysAgo(1)})
	for _, tc := range []struct {
		entra, ad plan.FeedState
		want      [2]int // number of accounts remembered
	}{{plan.Healthy, plan.Healthy, [2]int{1, 1}}, {plan.Unhealthy, plan.Healthy, [2]int{0, 1}}, {plan.Healthy, plan.Unhealthy, [2]int{1, 0}}, {plan.Healthy, plan.Absent, [2]int{1, 0}}} {
		r.Feeds = [directory.Signals]plan.Feed{{State: tc.entra}, {State: tc.ad}}
		if err := r.Remember(t.Context(), 0, h); err != nil {
			t.Fatal(err)
		}
		p, err := known.Get(t.Context(), r.store, "run", 0)
		if err != nil {
			t.Fatal(err)
		}
		if groups := len(p.Groups) + len(p.Members); (groups > 0) != (tc.ad == plan.Healthy) {
			t.Errorf("%s, %s: groups %v, members %v", tc.entra, tc.ad, p.Groups, p.Members)
		}
		if got := [2]int{len(p.Accounts[0]), len(p.Accounts[1])}; got != tc.want {
			t.Errorf("%s, %s: %v accounts, want %v", tc.entra, tc.ad, got, tc.want)
		}
	}
}

// An account with a date in the future is remembered with its earlier dates.
func TestDoubtfulDateOfAKnownAccount(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9)}
	r.read(t, accountsIn([]directory.EntraUser{user}))
	doubtful := user
	doubtful.LastInteractive, doubtful.LastNonInteractive, doubtful.DatesInDoubt = time.Time{}, daysAgo(1), true
	second := r.nextNight(1)
	second.read(t, accountsIn([]directory.EntraUser{doubtful}))
	h := second.nextNight(2).read(t, accountsIn([]directory.EntraUser{user}))
	if got := h.Entra[0].Past; !got.Seen.Equal(asOf) || !got.Newest[0].Equal(daysAgo(9)) || !got.Newest[1].IsZero() || !h.Entra[0].DatesLost.IsZero() {
		t.Errorf("%+v, lost %s", got, h.Entra[0].DatesLost)
	}
}

// If paging listed an account twice, both entries get the same Past.
func TestAnAccountMetTwice(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9)}
	r.read(t, accountsIn([]directory.EntraUser{user}))
	user.LastInteractive = time.Time{}
	next := r.nextNight(1)
	h := accountsIn([]directory.EntraUser{user, {ID: "b", Created: daysAgo(900), LastInteractive: daysAgo(1)}, user, user})
	if err := next.recall(t.Context(), h, next.lastReadings(), next.Begin.Read, false); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false, true, true} {
		if u := &h.Entra[i]; u.DatesLost.IsZero() == want || want && (!u.Past.Seen.Equal(asOf) || !u.Past.Newest[0].Equal(daysAgo(9))) {
			t.Errorf("reading %d: lost %s, past %+v", i, u.DatesLost, u.Past)
		}
	}
}

// The last reading did not see an account that now has no dates. If the account was created before the last reading or
// at exactly its time, its dates are in doubt. This applies to both directories.
func TestCreatedAtTheReading(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration]bool{-time.Second: true, 0: true, time.Second: false} {
		r := firstNight(t)
		r.read(t, accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(1)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}))
		h := accountsIn([]directory.EntraUser{{ID: "a", Created: asOf.Add(after)}}, directory.ADUser{SID: "S-a", Created: asOf.Add(after)})
		r.nextNight(1).read(t, h)
		if entra, ad := !h.Entra[0].DatesLost.IsZero(), !h.AD[0].DatesLost.IsZero(); entra != want || ad != want {
			t.Errorf("created %s after the reading: in doubt %t and %t, want %t", after, entra, ad, want)
		}
	}
}
