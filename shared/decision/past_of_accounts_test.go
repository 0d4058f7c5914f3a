package decision

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot/known"
)

// EnabledSince is the first reading that saw the account enabled after one that did not. It is zero for an account that
// was enabled in each reading, or is not enabled now.
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

// An expired account of Active Directory is not enabled. It is enabled again when accountExpires is moved to the
// future.
func TestEnabledSinceTheEndWasMoved(t *testing.T) {
	t.Parallel()
	night := func(n int) time.Time { return asOf.AddDate(0, 0, n) }
	never, over, later := time.Time{}, asOf, night(90)
	for name, tc := range map[string]struct {
		ends []time.Time // accountExpires, by night
		want time.Time
	}{
		"never expires":        {[]time.Time{never, never, never}, never},
		"expires later":        {[]time.Time{later, later, later}, never},
		"has expired":          {[]time.Time{over, over, over}, never},
		"expires tonight":      {[]time.Time{later, later, night(2)}, never},
		"is extended":          {[]time.Time{over, over, later}, night(2)},
		"was extended":         {[]time.Time{over, later, later}, night(1)},
		"never expires again":  {[]time.Time{over, never, never}, night(1)},
		"extended beforehand":  {[]time.Time{night(2), later, later}, never},
		"expired, and was not": {[]time.Time{never, over, later}, night(2)},
	} {
		r := firstNight(t)
		var h *directory.Accounts
		for n, ends := range tc.ends {
			if n > 0 {
				r = r.nextNight(n)
			}
			h = accountsIn(nil, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1), Enabled: directory.Yes, Expires: ends})
			r.read(t, h)
		}
		if got := h.AD[0].Past.EnabledSince; !got.Equal(tc.want) {
			t.Errorf("%s: enabled since %s, want %s", name, got, tc.want)
		}
	}
}

// Past.Seen is the time of the first reading that saw the account, if every reading since then saw it, too. A reading
// without the account ends the series.
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

// The table of known accounts of a run lacks the accounts of an unhealthy source. So later runs compare with the last
// healthy reading before this run.
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

// TestJoinedWhileTheOtherDirectoryIsNotRead: an account counts as one of two for 30 days after both were read. A directory
// that is set up and not read cannot show that its account is gone, so it ends nothing, however long it is silent.
func TestJoinedWhileTheOtherDirectoryIsNotRead(t *testing.T) {
	t.Parallel()
	silent := plan.Feed{State: plan.Unhealthy, Reason: "no route", Incomplete: true}
	for name, tc := range map[string]struct {
		other  plan.Feed
		accept bool
		nights []int // the days of the nights after the first one
		joined bool  // whether it is known in the last night
	}{
		"silent for 29 days":          {silent, false, []int{29}, true},
		"silent for 31 days":          {silent, false, []int{31}, true},
		"silent for 400 days":         {silent, false, []int{20, 40, 400}, true},
		"accepted":                    {silent, true, []int{1}, false},
		"dates are stale for 29 days": {plan.Feed{State: plan.Unhealthy}, false, []int{29}, true},
		"dates are stale for 31 days": {plan.Feed{State: plan.Unhealthy}, false, []int{31}, false},
		"not set up for 29 days":      {plan.Feed{State: plan.Absent}, false, []int{29}, true},
		"not set up for 31 days":      {plan.Feed{State: plan.Absent}, false, []int{31}, false},
	} {
		for _, source := range []directory.Source{directory.Entra, directory.AD} {
			both := func() *directory.Accounts {
				return accountsIn([]directory.EntraUser{{ID: "a", SID: "S-a", ImmutableID: "guid", Synced: true, Created: daysAgo(900), LastInteractive: daysAgo(1)}},
					directory.ADUser{SID: "S-a", GUID: "guid", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
			}
			r, h := firstNight(t), both()
			r.read(t, h)
			for _, day := range tc.nights {
				r, h = r.nextNight(day), both()
				r.Feeds[1-source], r.Begin.AcceptFeeds = tc.other, tc.accept
				if source == directory.Entra {
					h.AD, h.ADState = nil, directory.NotRead
				} else {
					h.Entra, h.EntraState = nil, directory.NotRead
				}
				r.read(t, h)
			}
			var joined time.Time
			for p := range h.Join() {
				joined = p.Past(source).Joined
			}
			if got := !joined.IsZero(); got != tc.joined {
				t.Errorf("%s, account of %s: joined %t, want %t", name, source, got, tc.joined)
			}
		}
	}
}

// If an account has a date in the future (DatesInDoubt), the table of known accounts keeps its earlier dates.
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

// An account existed when the last reading was made, and the reading lacked the account. If the account has no dates
// now, its dates count as lost. An account that was created after that reading may have no dates yet.
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
