package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// listedIn returns the reasons in one of the long lists that the store has beside the plan, such as "refused" or
// "returned".
func listedIn(t *testing.T, s store.Store, list string) (reasons []string) {
	t.Helper()
	err := runs.EachListed(t.Context(), s, "run", func(in string, entry *runs.Listed) error {
		if in == list {
			reasons = append(reasons, entry.Reason)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return reasons
}

func users(changes []plan.Change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.User)
	}
	return strings.Join(names, " ")
}

func guarded(user string, days int) plan.Decision {
	d := reclaim(user, days)
	d.Mailbox = true
	return d
}

func TestMailboxGuard(t *testing.T) {
	t.Parallel()
	fits := directory.Mailbox{UserPrincipalName: "A@x.example", Bytes: 50 * directory.GB, Recoverable: 30 * directory.GB}
	with := func(change func(*directory.Mailbox)) []directory.Mailbox {
		m := fits
		change(&m)
		return []directory.Mailbox{m}
	}
	tests := map[string]struct {
		boxes   []directory.Mailbox // nil: no report
		failed  string
		refused string
	}{
		"fits": {[]directory.Mailbox{fits}, "", ""},
		"too large": {with(func(m *directory.Mailbox) { m.Bytes = 50*directory.GB + directory.GB/2 }), "",
			"the mailbox holds 50.5 GB, and exo allows 50 GB"},
		"archive":    {with(func(m *directory.Mailbox) { m.Archive = true }), "", "the mailbox has an archive, which may outgrow exo"},
		"on hold":    {with(func(m *directory.Mailbox) { m.Recoverable = 100 * directory.GB }), "", "the mailbox is on hold, which exo does not cover"},
		"shared":     {with(func(m *directory.Mailbox) { m.Kind = "Shared" }), "", "it is a mailbox of the kind Shared, whose license is there for another reason than signing in"},
		"room":       {with(func(m *directory.Mailbox) { m.Kind = "Room" }), "", "it is a mailbox of the kind Room, whose license is there for another reason than signing in"},
		"equipment":  {with(func(m *directory.Mailbox) { m.Kind = "Equipment" }), "", "it is a mailbox of the kind Equipment, whose license is there for another reason than signing in"},
		"a user's":   {with(func(m *directory.Mailbox) { m.Kind = "User" }), "", ""},
		"not listed": {with(func(m *directory.Mailbox) { m.UserPrincipalName = "b@x.example" }), "", "the size of the mailbox is not known: the mailbox usage report does not name the person"},
		"concealed": {with(func(m *directory.Mailbox) { m.UserPrincipalName = "1F2E3D" }), "",
			"the size of the mailbox is not known: the mailbox usage report conceals names; show them in the settings of the Microsoft 365 admin center, under reports"},
		"not readable": {nil, "access refused", "the size of the mailbox is not known: the mailbox usage report could not be read: access refused"},
		"not read":     {nil, "", "the size of the mailbox is not known: the mailbox usage report could not be read: the run did not read it"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			e.text = strings.Replace(text, "EXCHANGESTANDARD,", "EXCHANGESTANDARD, mailboxQuota: 50,", 1)
			e.partitions[0] = []plan.Decision{guarded("a", 70)}
			switch {
			case tc.boxes != nil:
				e.mailboxes = &snapshot.Mailboxes{Key: "runs/run/mailboxes/x.jsonl.gz"}
			case tc.failed != "":
				e.mailboxes = &snapshot.Mailboxes{Failed: tc.failed}
			}
			s := e.put(t)
			err := store.PutLines(t.Context(), s, "runs/run/mailboxes/x.jsonl.gz", func(emit func(any) error) error {
				for i := range tc.boxes {
					if err := emit(&tc.boxes[i]); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			if (len(p.Changes) == 1) != (tc.refused == "") {
				t.Errorf("changes %v", p.Changes)
			}
			want := []string{tc.refused}
			if tc.refused == "" {
				want = nil
			}
			if d := cmp.Diff(want, listedIn(t, s, "refused")); d != "" {
				t.Errorf("refused (-want +got):\n%s", d)
			}
		})
	}
}

// TestSeats: a plan uses free seats, except for the number that the policy keeps free. Restores get seats first, then
// the people who have been idle longest.
func TestSeats(t *testing.T) {
	t.Parallel()
	seat := func(d plan.Decision, of string) plan.Decision { d.Seat = of; return d }
	back := seat(reclaim("back", 1), "exo")
	back.Outcome, back.RestoreOf, back.License, back.To = policy.NotHolder, "r0", "exo", ""
	all := []plan.Decision{seat(reclaim("a", 300), "exo"), seat(reclaim("b", 200), "exo"), reclaim("c", 100), seat(reclaim("d", 90), "exo"), back}
	const no = "no free seat of exo is left for it, beside the 4 that are kept free; buy some, or free some first"
	tests := map[string]struct {
		perRun, free int
		want         string
		refused      []string
		deferred     int
	}{
		"enough":         {9, 4, "back a b c d", nil, 0},
		"two":            {9, 2, "back a c", []string{no, no}, 0},
		"none":           {9, 0, "c", []string{no, no, no, no}, 0},
		"less than none": {9, -3, "c", []string{no, no, no, no}, 0},
		"perRun":         {2, 4, "back a", nil, 3},
		"both":           {2, 1, "back c", []string{no, no, no}, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := quiet()
			e.text = strings.Replace(strings.Replace(text, "EXCHANGESTANDARD,", "EXCHANGESTANDARD, keepSeats: 4,", 1), "perRun: 3", fmt.Sprint("perRun: ", tc.perRun), 1)
			e.partitions[0], e.seats = all, [2]int{100 + 4 + tc.free, 100}
			s := e.put(t)
			p, err := Run(t.Context(), s, "run", clock)
			if err != nil {
				t.Fatal(err)
			}
			if users(p.Changes) != tc.want || p.Deferred != tc.deferred {
				t.Errorf("changes of %q, %d deferred; want %q, %d", users(p.Changes), p.Deferred, tc.want, tc.deferred)
			}
			refused := append(listedIn(t, s, "refused"), strip(listedIn(t, s, "returned"), no)...)
			if d := cmp.Diff(tc.refused, refused); d != "" {
				t.Errorf("refused (-want +got):\n%s", d)
			}
		})
	}
}

// The function "strip" returns the given text once for each reason that ends with it. A test then need not know how
// these reasons begin.
func strip(reasons []string, text string) (kept []string) {
	for _, r := range reasons {
		if strings.HasSuffix(r, text) {
			kept = append(kept, text)
		}
	}
	return kept
}

// TestNoticesAndReturns: announcements have their own list in the plan, and so have restores for people who returned.
// The store keeps both lists for later runs.
func TestNoticesAndReturns(t *testing.T) {
	t.Parallel()
	notice := reclaim("announced", 80)
	notice.Notice, notice.Seat = true, "exo"
	back := plan.Decision{User: "back", Rule: "m365", License: "e3", To: "exo", Outcome: policy.NotHolder, RestoreOf: "r0", Via: plan.EntraGroup, Reason: "active again", IdleSince: asOf}
	only := back
	only.User, only.Refused = "told", "not restored: no onReturn"
	again := plan.Decision{User: "again", SID: "S-1-5-21-7", Rule: "m365", License: "e3", Outcome: policy.Keep, HeldAgain: "r0", Refused: "cooling down"}
	e := quiet()
	e.partitions[0] = []plan.Decision{notice, back, only, again}
	s := e.put(t)
	p, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	since, idle := asOf, asOf.AddDate(0, 0, -80)
	want := []plan.Change{{User: "back", Rule: plan.RestoreRule, License: "e3", To: "exo", Via: plan.EntraGroup, Reason: "active again", IdleSince: &since, MonthlySaving: -35, RestoreOf: "r0"}}
	if d := cmp.Diff(want, p.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	want = []plan.Change{{User: "announced", UserPrincipalName: "announced@x.example", Rule: "m365", License: "e3", To: "exo", Via: plan.Notice, Reason: "80 days", IdleSince: &idle}}
	if d := cmp.Diff(want, p.Notices); d != "" {
		t.Errorf("notices (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"active again", "active again; not restored: no onReturn"}, listedIn(t, s, "returned")); d != "" {
		t.Errorf("returned (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"cooling down"}, listedIn(t, s, "refused")); d != "" {
		t.Errorf("refused (-want +got):\n%s", d)
	}
	var left history.Planned
	if err := store.GetJSON(t.Context(), s, "history/plans/run.json", &left); err != nil {
		t.Fatal(err)
	}
	facts := plan.Baseline{Run: "run", Partitions: 1, Read: asOf, Freshness: healthy(directory.AD).Freshness}
	const notKnown = "the policy has no renews for it"
	wantLeft := history.Planned{
		Run: "run", AsOf: asOf, Read: asOf, Expires: clock.Add(72 * time.Hour), Touches: []history.Touch{{User: "back", License: "e3"}, {User: "announced", License: "e3"}},
		HeldAgain: []history.Touch{{User: "again", License: "e3", Run: "r0"}, {User: "S-1-5-21-7", License: "e3", Run: "r0"}}, Feeds: [2]*plan.Baseline{&facts, &facts}, Known: [2]*plan.Baseline{&facts, &facts},
		Earlier: &directory.Earlier{Read: asOf, Members: map[string]int{"ad/direct:cn=citrix,dc=corp": 0}},
		Prices: []history.Price{
			{License: "e3", SKU: "SPE_E3", SKUID: "sku-e3", Run: "run", MonthlyPrice: 39, Currency: "SEK", NotKnown: notKnown},
			{License: "exo", SKU: "EXCHANGESTANDARD", SKUID: "sku-exo", Run: "run", MonthlyPrice: 4, Currency: "SEK", NotKnown: notKnown},
			{License: "citrix", Run: "run", MonthlyPrice: 18, Currency: "SEK", NotKnown: notKnown},
		},
	}
	if d := cmp.Diff(wantLeft, left); d != "" {
		t.Errorf("left for later runs (-want +got):\n%s", d)
	}
}
