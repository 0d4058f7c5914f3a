package decision

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
)

// In the first night, a read of all controllers shows a logon 40 days ago. The replicated date is 50 days old. If the
// controllers later show an earlier date, the dates are in doubt, because a controller was removed or restored. The
// doubt ends 104 days after the logon: the longest span is 90 days, and a logon is replicated within 14.
func TestLoggedOnBeforeAnEarlierChange(t *testing.T) {
	t.Parallel()
	field, _ := directory.FieldNamed("ad.lastLogonTimestamp")
	logon := daysAgo(40)
	for name, tc := range map[string]struct {
		of            string // the account that the call read
		days          int    // days from the first night to the night of the change
		accept        bool   // whether an operator accepts the feeds of that night
		read, exact   int    // the age of the date in the listing, and just before the change, in days before the first night; 0 means none
		listed, asked time.Time
	}{
		"nothing changed":              {"S-a", 2, false, 50, 40, logon, logon},
		"all controllers are earlier":  {"S-a", 2, false, 50, 50, logon, time.Time{}},
		"no controller has a date":     {"S-a", 2, false, 50, 0, logon, time.Time{}},
		"later on the controllers":     {"S-a", 2, false, 50, 30, logon, daysAgo(30)},
		"replicated later":             {"S-a", 2, false, 12, 12, daysAgo(12), daysAgo(12)},
		"replicated later, and lost":   {"S-a", 2, false, 12, 30, daysAgo(12), time.Time{}},
		"the replicated date is gone":  {"S-a", 2, false, 0, 40, time.Time{}, logon},
		"the replicated date is older": {"S-a", 2, false, 60, 40, time.Time{}, logon},
		"idle since then":              {"S-a", 63, false, 50, 50, logon, time.Time{}},
		"long ago":                     {"S-a", 64, false, 50, 50, daysAgo(50), daysAgo(50)},
		"an operator accepts it":       {"S-a", 2, true, 50, 50, daysAgo(50), daysAgo(50)},
		"somebody else":                {"S-b", 2, false, 50, 50, daysAgo(50), daysAgo(50)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ann := func(days int) *directory.Accounts {
				u := directory.ADUser{SID: "S-a", Created: daysAgo(900)}
				if days > 0 {
					u.LastLogonTimestamp = daysAgo(days)
				}
				return accountsIn(nil, u)
			}
			dateOf := func(h *directory.Accounts) (at time.Time) {
				for p := range h.Join() {
					at = field.Of(p).Time
				}
				return at
			}
			know := func(r *Run) { r.sights(t, tc.of, logon.Add(time.Millisecond)) }
			r := firstNight(t)
			r.read(t, ann(50))
			r = r.nextNight(1)
			know(r)
			first := r.read(t, ann(50))
			if got := dateOf(first); tc.of == "S-a" && !got.Equal(logon) || !first.AD[0].DatesLost.IsZero() {
				t.Errorf("the night after the change: %s, lost %s", got, first.AD[0].DatesLost)
			}
			if r = r.nextNight(tc.days); tc.accept { // other runs know the logon only from the table of known accounts
				know(r)
			}
			r.Begin.AcceptFeeds = tc.accept
			listed := r.read(t, ann(tc.read))
			if got := dateOf(listed); !got.Equal(tc.listed) || listed.AD[0].DatesLost.IsZero() == tc.listed.IsZero() {
				t.Errorf("the plan uses %s, lost %s, want %s", got, listed.AD[0].DatesLost, tc.listed)
			}
			h := ann(tc.exact)
			if err := r.Recall(t.Context(), h, r.Begin.Read.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if got := dateOf(h); !got.Equal(tc.asked) {
				t.Errorf("just before the change it is %s, want %s", got, tc.asked)
			}
		})
	}
}

// Two earlier runs each read a logon just before a change. The newer logon counts, whichever was read first.
func TestLoggedOnTwice(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	user := directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(50)}
	r.read(t, accountsIn(nil, user))
	for n, seen := range []int{40, 45} {
		r = r.nextNight(1 + n)
		r.sights(t, "S-a", daysAgo(seen))
		if h := r.read(t, accountsIn(nil, user)); !h.AD[0].Past.LoggedOn.Equal(daysAgo(40)) {
			t.Errorf("after a logon %d days ago was seen: %s", seen, h.AD[0].Past.LoggedOn)
		}
	}
}

// A run for one person reads the last logon from every controller. If the newest of these dates is earlier than a logon
// that an earlier run saw, the dates are in doubt. A run for everybody reads only the replicated date, so it has no
// doubt.
func TestLoggedOnInARunForOnePerson(t *testing.T) {
	t.Parallel()
	for user, lost := range map[string]bool{"": false, "ann": true} {
		r := firstNight(t)
		r.read(t, accountsIn(nil, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(50)}))
		r = r.nextNight(1)
		r.sights(t, "S-a", daysAgo(40))
		r.Begin.User = user
		h := accountsIn(nil, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(50)})
		if err := r.addPast(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if got := !h.AD[0].DatesLost.IsZero(); got != lost {
			t.Errorf("a run for %q: lost %t", user, got)
		}
	}
}

// A date that was read just before a change counts, even if the last reading lacked the account.
func TestSightedAndThenNotListed(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	r.read(t, accountsIn([]directory.EntraUser{{ID: "b", Created: daysAgo(900), LastInteractive: daysAgo(1)}}, directory.ADUser{SID: "S-b", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)}))
	for name, tc := range map[string]struct {
		of                string
		entra, ad, accept bool // whether the dates in Entra ID are lost, whether a logon is known, whether an operator accepts the feeds
		state             plan.FeedState
	}{
		"seen in Entra ID":         {"a", true, false, false, plan.Healthy},
		"seen in Active Directory": {"S-a", false, true, false, plan.Healthy},
		"nothing seen":             {"b", false, false, false, plan.Healthy},
		"accepted":                 {"a", false, false, true, plan.Healthy},
		"the feed is in doubt":     {"a", false, false, false, plan.Unhealthy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := r.nextNight(1)
			next.sights(t, tc.of, daysAgo(10))
			next.Begin.AcceptFeeds, next.Feeds[directory.Entra].State = tc.accept, tc.state
			h := accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(50)}}, directory.ADUser{SID: "S-a", Created: daysAgo(900), LastLogonTimestamp: daysAgo(50)})
			next.read(t, h)
			if entra, ad := !h.Entra[0].DatesLost.IsZero(), !h.AD[0].Past.LoggedOn.IsZero(); entra != tc.entra || ad != tc.ad {
				t.Errorf("lost %t, logged on %t", entra, ad)
			}
		})
	}
}
