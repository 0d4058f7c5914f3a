package decision

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The method "read" adds the facts of earlier runs to the accounts, and writes the run's table of known accounts.
func (r *Run) read(t *testing.T, h *directory.Accounts) *directory.Accounts {
	t.Helper()
	if err := r.recall(t.Context(), h, r.lastReadings(), r.Begin.Read, r.Begin.User != ""); err != nil {
		t.Fatal(err)
	}
	for p := range h.Join() {
		r.Met(p)
	}
	if err := r.Remember(t.Context(), 0, h); err != nil {
		t.Fatal(err)
	}
	return h
}

func (r *Run) nextNight(days int) *Run {
	return night(r, "run-"+time.Duration(days).String(), asOf.AddDate(0, 0, days))
}

func firstNight(t *testing.T) *Run {
	t.Helper()
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-busy", LastLogonTimestamp: daysAgo(1)}}}.seal(t)
	r.Begin.Read = asOf
	return r
}

// A date is in doubt if a reading shows an earlier date than the table of known accounts.
func TestDatesGoBack(t *testing.T) {
	t.Parallel()
	fields := map[string]*directory.Field{}
	for _, name := range []string{"entra.lastInteractiveSignIn", "entra.lastNonInteractiveSignIn", "entra.lastActivity"} {
		fields[name], _ = directory.FieldNamed(name)
	}
	unknown := func(h *directory.Accounts) (names []string) {
		for p := range h.Join() {
			for _, name := range []string{"entra.lastInteractiveSignIn", "entra.lastNonInteractiveSignIn", "entra.lastActivity"} {
				if fields[name].Of(p).State == directory.Unknown {
					names = append(names, strings.TrimPrefix(name, "entra."))
				}
			}
		}
		return names
	}
	type reading struct {
		after                       int // days since the first night
		interactive, nonInteractive int // dates, in days before the first night
		unknown                     []string
		lost                        int // day on which the date is lost, or 0 if it is not lost
	}
	const none = -1000
	for name, readings := range map[string][]reading{
		"one field, the other is newer": {{0, 5, 9, nil, 0}, {1, none, 0, []string{"lastInteractiveSignIn"}, 1}, {2, none, 0, []string{"lastInteractiveSignIn"}, 1}, {3, 5, 0, nil, 0}},
		"the newest field":              {{0, 5, 9, nil, 0}, {1, none, 9, []string{"lastInteractiveSignIn", "lastActivity"}, 1}, {90, 400, 9, []string{"lastInteractiveSignIn", "lastActivity"}, 1}, {91, 400, 9, nil, 0}},
		"one field, then the other":     {{0, 5, 9, nil, 0}, {1, 5, none, []string{"lastNonInteractiveSignIn"}, 1}, {80, 400, none, []string{"lastInteractiveSignIn", "lastNonInteractiveSignIn", "lastActivity"}, 80}, {95, 400, none, []string{"lastInteractiveSignIn", "lastNonInteractiveSignIn", "lastActivity"}, 80}},
		"a newer date comes":            {{0, 5, 9, nil, 0}, {1, 400, 9, []string{"lastInteractiveSignIn", "lastActivity"}, 1}, {2, -2, 9, nil, 0}, {3, -1, 9, []string{"lastInteractiveSignIn", "lastActivity"}, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := firstNight(t)
			at := func(days int) time.Time {
				if days == none {
					return time.Time{}
				}
				return daysAgo(days)
			}
			for i, x := range readings {
				if i > 0 {
					r = r.nextNight(x.after)
				}
				h := r.read(t, accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: at(x.interactive), LastNonInteractive: at(x.nonInteractive)}}))
				if d := cmp.Diff(x.unknown, unknown(h)); d != "" {
					t.Errorf("after %d days, unknown (-want +got):\n%s", x.after, d)
				}
				want := time.Time{}
				if x.lost > 0 {
					want = asOf.AddDate(0, 0, x.lost)
				}
				if got := h.Entra[0].DatesLost; !got.Equal(want) {
					t.Errorf("after %d days, lost since %s, want %s", x.after, got, want)
				}
			}
		})
	}
}

// The method "sights" gives the run a digest with a sighting: just before a change of the first night, the account was
// read again and had the activity date "at".
func (r *Run) sights(t *testing.T, account string, at time.Time) {
	t.Helper()
	s := &store.Memory{}
	err := store.PutLines(t.Context(), s, "seen", func(emit func(any) error) error {
		seen := directory.Sighting{Account: account, Newest: [directory.ActivityDates]time.Time{at}, At: asOf.Add(2 * time.Hour)}
		return errors.Join(emit(map[string]any{"head": history.Digest{}}), emit(map[string]any{"sighting": seen}))
	})
	st, loadErr := history.Load(t.Context(), s, &snapshot.Manifest{History: "seen"})
	if err := errors.Join(err, loadErr); err != nil {
		t.Fatal(err)
	}
	st.Baselines = r.History.Baselines
	r.History = st
}

// A newer date was read just before a change. If the next reading shows the older one again, the dates are in doubt.
func TestSightedAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		of   string // the account that was read just before the change
		read time.Time
		lost bool
		knew time.Time // the date in the first night; zero means 400 days ago
		seen time.Time // the date that was read just before the change; if knew is zero, the test sets it to an hour after the first night
	}{
		"the older date again":   {"a", daysAgo(400), true, time.Time{}, time.Time{}},
		"no date":                {"a", time.Time{}, true, time.Time{}, time.Time{}},
		"the date that was seen": {"a", asOf.Add(time.Hour), false, time.Time{}, time.Time{}},
		"a later one":            {"a", asOf.Add(3 * time.Hour), false, time.Time{}, time.Time{}},
		"it saw an older one":    {"a", daysAgo(5), true, daysAgo(1), daysAgo(10)},
		"somebody else was seen": {"b", daysAgo(400), false, time.Time{}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := func(last time.Time) *directory.Accounts {
				return accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: last}})
			}
			r := firstNight(t)
			if tc.knew.IsZero() {
				tc.knew, tc.seen = daysAgo(400), asOf.Add(time.Hour+time.Millisecond)
			}
			r.read(t, read(tc.knew))
			r = r.nextNight(1)
			r.sights(t, tc.of, tc.seen)
			h := r.read(t, read(tc.read))
			if got := !h.Entra[0].DatesLost.IsZero(); got != tc.lost {
				t.Errorf("in doubt: %t", got)
			}
			if r = r.nextNight(2); tc.lost { // the next table has the newer date
				if h = r.read(t, read(daysAgo(400))); h.Entra[0].DatesLost.IsZero() {
					t.Error("a night later it is forgotten")
				}
			}
		})
	}
}

// A run misses one of a person's two accounts. For 30 days, the state of this account is Missing, because the account
// may come back. After that, it is NoAccount.
func TestMissedAccount(t *testing.T) {
	t.Parallel()
	both := func() *directory.Accounts {
		return accountsIn([]directory.EntraUser{{ID: "a", SID: "S-a", ImmutableID: "guid", Synced: true, Created: daysAgo(900), LastInteractive: daysAgo(1)}},
			directory.ADUser{SID: "S-a", GUID: "guid", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)},
			directory.ADUser{SID: "S-b", GUID: "other", Created: daysAgo(900), LastLogonTimestamp: daysAgo(1)})
	}
	for days, want := range map[int]directory.Presence{1: directory.Missing, 29: directory.Missing, 30: directory.NoAccount} {
		first := firstNight(t)
		first.read(t, both())
		h := both()
		h.Entra = nil
		for p := range first.nextNight(days).read(t, h).Join() {
			state := want
			if p.AD.SID == "S-b" { // the person had only one account
				state = directory.NoAccount
			}
			if p.EntraState != state || (p.Doubt != "") != (state == directory.Missing) {
				t.Errorf("%s after %d days: Entra %d, want %d, doubt %q", p.AD.SID, days, p.EntraState, state, p.Doubt)
			}
		}
		second := first.nextNight(days)
		h = both()
		h.AD, h.Entra[0].Synced = nil, false
		for p := range second.read(t, h).Join() {
			if p.ADState != want {
				t.Errorf("after %d days: AD %d, want %d, doubt %q", days, p.ADState, want, p.Doubt)
			}
		}
		h = both()
		h.Entra, second.Begin.AcceptFeeds = nil, true
		for p := range second.read(t, h).Join() {
			if p.EntraState != directory.NoAccount {
				t.Errorf("accepted after %d days: Entra %d, doubt %q", days, p.EntraState, p.Doubt)
			}
		}
	}
}

// A rule may reclaim because an account has no date. In mode enforce, a scheduled run then takes no license on the
// first day on which a run reads the account, because the date may only be missing in this reading. On another day it
// may take the license. A run that an operator starts may take it at once.
func TestFirstReadingWaits(t *testing.T) {
	t.Parallel()
	edited := strings.Replace(text, "AzureAdSistaLogon.earlierThan(now - days(60)), then: {changeTo", "AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo", 1)
	tests := map[string]struct {
		mode      string
		scheduled bool
		hours     int // hours since the first reading of the account
		dated     bool
		ad        string // the account in Active Directory: "new", or "stalled" if its dates cannot be trusted; empty: none
		marked    bool
		refused   string
	}{
		"review, by the schedule":  {"review", true, 0, false, "", true, ""},
		"enforce, by an operator":  {"enforce", false, 0, false, "", true, ""},
		"enforce, by the schedule": {"enforce", true, 0, false, "", true, "first reading: no run of an earlier day saw the account"},
		"the same day":             {"enforce", true, 19, false, "", true, "first reading"},
		"another day":              {"enforce", true, 20, false, "", false, ""},
		"with a date":              {"enforce", true, 0, true, "", false, ""},

		"new in Active Directory":                   {"enforce", true, 20, false, "new", true, "first reading"},
		"the dates of Active Directory are stale":   {"enforce", true, 20, false, "stalled", false, ""},
		"they are stale, and it is new in Entra ID": {"enforce", true, 0, false, "stalled", true, "first reading"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{entra: []directory.EntraUser{accountOf("p", 70, e3ByGroup), accountOf("busy", 1)}}.seal(t)
			var err error
			if r.Policy, err = policy.Load("p", []byte("mode: "+tc.mode+"\n"+edited)); err != nil {
				t.Fatal(err)
			}
			r.Begin.Scheduled = tc.scheduled
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
			if !tc.dated {
				p.Entra.LastSuccessful = time.Time{}
			}
			if tc.ad != "" {
				p.AD, p.ADState = &directory.ADUser{SID: "S-p", Enabled: directory.Yes}, directory.Present
			}
			r.Feeds[directory.AD] = plan.Feed{State: plan.Healthy}
			if tc.ad == "stalled" {
				r.Feeds[directory.AD] = plan.Feed{State: plan.Unhealthy, Reason: "stalled"}
			}
			if tc.hours > 0 {
				p.Entra.Past.Seen = asOf.Add(-time.Duration(tc.hours) * time.Hour)
			}
			d := r.Decide(judge, rule, p, judge.Ask(rule, p), nil, nil)
			if d.Outcome != policy.Reclaim || d.FirstReading != tc.marked || strings.Contains(d.Reason, "first reading") != tc.marked {
				t.Errorf("%s, marked %t: %s", d.Outcome, d.FirstReading, d.Reason)
			}
			if (tc.refused == "") != (d.Refused == "") || !strings.HasPrefix(d.Refused, tc.refused) {
				t.Errorf("refused %q, want %q", d.Refused, tc.refused)
			}
		})
	}
}

// A run of an older version wrote no table of known accounts, but a list of accounts without a date (activityGap). The
// next run uses this list.
func TestListsOfOlderRuns(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	err := store.PutLines(t.Context(), r.store, "runs/run/dateless/0000.jsonl.gz", func(emit func(any) error) error {
		for _, line := range []string{`{"account":"never","source":"entra"}`, `{"account":"lost","source":"entra","since":"2026-11-01T00:00:00Z"}`, `{"account":"long","source":"entra","since":"2026-08-01T00:00:00Z"}`} {
			if err := emit(json.RawMessage(line)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var people []directory.EntraUser
	for _, id := range []string{"never", "lost", "long", "had"} {
		people = append(people, directory.EntraUser{ID: id, Created: daysAgo(900), Enabled: directory.Yes})
	}
	people = append(people, directory.EntraUser{ID: "dated", Created: daysAgo(900), LastInteractive: daysAgo(900)})
	second := r.nextNight(1)
	h := second.read(t, accountsIn(people))
	want := map[string]time.Time{"never": {}, "lost": time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), "long": {}, "had": second.Begin.Read, "dated": {}}
	got := map[string]time.Time{}
	for _, u := range h.Entra {
		got[u.ID] = u.DatesLost
		if listed := u.ID != "had" && u.ID != "dated"; listed != (u.Past.Seen == r.Begin.Read) || !u.Past.EnabledSince.IsZero() {
			t.Errorf("%s: %+v", u.ID, u.Past)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("lost since (-want +got):\n%s", d)
	}
}
