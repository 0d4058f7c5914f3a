package judge

import "testing"

// TestEnabledByDirectory: an account was blocked for some days, and not every directory was read in these days. After
// the block, the account counts as enabled again for a license only if a night during the block read the directory of
// the license.
func TestEnabledByDirectory(t *testing.T) {
	t.Parallel()
	apps := Rule{License: "citrix", Idle: 60 * oneDay, EnabledAgain: 14 * oneDay}
	without := func(license string, day int) Event {
		return Event{What: Night, At: on(day), Text: "nothing", Unread: []string{license}}
	}
	citrix := func(what What, day int) Event {
		e := anna(what, day, true)
		e.License = "citrix"
		return e
	}
	tests := map[string]struct {
		before  []Event // nights before the account is blocked
		unread  string  // the license whose directory the tool does not read during the block
		removed string  // the license that the tool takes
		want    int     // faults
	}{
		"the license's directory was read":                    {nil, "citrix", "e3", 1},
		"only the other directory was read":                   {nil, "e3", "e3", 0},
		"the other license's directory was read":              {nil, "e3", "citrix", 1},
		"only the license's, the other was read less often":   {[]Event{without("citrix", 80)}, "citrix", "e3", 1},
		"only the other directory, which was read less often": {[]Event{without("citrix", 80)}, "e3", "e3", 0},
	}
	for name, tc := range tests {
		j := New(mail, apps)
		hear(t, j, first...)
		hear(t, j, citrix(Holding, -900), citrix(Planned, 1), seen(70))
		hear(t, j, tc.before...)
		hear(t, j, anna(Enabled, 94, false), without(tc.unread, 95), anna(Enabled, 96, true))
		removed := anna(Removed, 100, true)
		removed.License = tc.removed
		hear(t, j, removed)
		if got := j.Faults(); len(got) != tc.want {
			t.Errorf("%s: faults %v, want %d", name, got, tc.want)
		}
	}
}
