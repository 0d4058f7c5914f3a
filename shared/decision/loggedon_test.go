package decision

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// In the first night, a call read from the controllers that Ann logged on 40 days ago. The replicated date is 50 days
// old. Later runs remember the logon 40 days ago. If every controller shows an earlier date, Ann's dates are in doubt,
// because a controller was removed or restored. The longest span of the policy is 90 days, and a logon is replicated
// within 14 days. Therefore the doubt ends 104 days after the logon.
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
		"replicated later":             {"S-a", 2, false, 20, 20, daysAgo(20), daysAgo(20)},
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
			know := func(r *Run) {
				before := r.History.Baselines
				r.History = sighted(t, tc.of, logon.Add(time.Millisecond))
				r.History.Baselines = before
			}
			r := firstNight(t)
			r.read(t, ann(50))
			r = r.nextNight(1)
			know(r)
			r.read(t, ann(50))
			if r = r.nextNight(tc.days); tc.accept { // other runs know the logon only from the table of known accounts
				know(r)
			}
			r.Begin.AcceptFeeds = tc.accept
			if got := dateOf(r.read(t, ann(tc.read))); !got.Equal(tc.listed) {
				t.Errorf("the plan uses %s, want %s", got, tc.listed)
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
