package decision

import (
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

// If a change is refused for one reason, later reasons do not replace it. The change then gets no notice and no delay
// by setbacks, and does not count as cooling down.
func TestRefusedStaysAsItIs(t *testing.T) {
	t.Parallel()
	setback := &history.Setback{User: "id-p", License: "e3", Run: "r0", AsOf: daysAgo(1), Times: 3, Status: "failed", Why: "no seat"}
	w := holder(setback)
	w.policy = strings.NewReplacer("{changeTo: exo}", "{changeTo: exo, notice: 14}", "{entra: LIC-EXO}", "{entra: LIC-EXO}, mailboxQuota: 50").Replace(text)
	w.entra[0].Assignments = []directory.Assignment{{SKU: "sku-e3", Group: "g-other", State: "Active"}}
	r := w.seal(t)
	got := r.asked(t, "m365")
	if !strings.HasPrefix(got.Refused, "held through the group g-other") || got.Notice || got.Setbacks != 0 || got.Mailbox || !got.After.IsZero() {
		t.Errorf("%+v", got)
	}
	given := &history.Item{User: "id-p", License: "citrix", To: "e3", State: history.Taken, Run: "r0", Rule: "x", Began: daysAgo(3), At: daysAgo(3)}
	first := plan.Decision{Rule: "m365", License: "e3", To: "exo", Outcome: policy.Reclaim}
	if got := holder(given).seal(t).asked(t, "m365-long", &first); got.Outcome != policy.Reclaim || !strings.HasPrefix(got.Refused, "superseded") {
		t.Errorf("superseded, and just given: %s, %q", got.Outcome, got.Refused)
	}
}

// A pending change keeps its target, even if the rule has another one now.
func TestPendingKeepsItsTarget(t *testing.T) {
	t.Parallel()
	open := &history.Item{User: "id-p", License: "e3", To: "f3", State: history.Open, Run: "r0", Rule: "m365", Began: daysAgo(3), At: daysAgo(3)}
	if got := holder(open).seal(t).asked(t, "m365"); got.Pending != "r0" || got.To != "f3" {
		t.Errorf("%+v", got)
	}
}

// A run took a license, and later it is unknown whether the person holds it. The license then does not count as held
// again.
func TestHeldOrNotIsNotKnown(t *testing.T) {
	t.Parallel()
	r := holder(&history.Item{User: "id-p", License: "e3", State: history.Taken, Run: "r0", Rule: "m365", To: "exo", Began: daysAgo(30), At: daysAgo(30)}).seal(t)
	judge, err := r.Judge(asOf)
	if err != nil {
		t.Fatal(err)
	}
	p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed("m365")
	for holds, want := range map[directory.Flag]string{directory.Yes: "r0", directory.Unset: ""} {
		v := policy.Verdict{Outcome: policy.Undecided, Holder: holds}
		if got := r.Decide(judge, rule, p, v, r.Past("id-p", "", "e3"), nil); got.HeldAgain != want || got.Outcome != policy.Undecided {
			t.Errorf("holder %v: held again %q, %s", holds, got.HeldAgain, got.Outcome)
		}
	}
}

// No run of an earlier day has seen an account. A scheduled run may announce a change of this account, although the
// change rests on a single reading.
func TestFirstReadingIsAnnounced(t *testing.T) {
	t.Parallel()
	w := holder()
	w.policy = "mode: enforce\n" + strings.Replace(text, "days(60)), then: {changeTo: exo}", "days(60)) || AzureAdSistaLogon.hasNoValue(), then: {changeTo: exo, notice: 14}", 1)
	w.entra[0].LastSuccessful = time.Time{}
	r := w.seal(t)
	r.Begin.Scheduled = true
	if got := r.asked(t, "m365"); !got.Notice || !got.FirstReading || got.Refused != "" {
		t.Errorf("notice %t, first reading %t, refused %q", got.Notice, got.FirstReading, got.Refused)
	}
}

// A change within Active Directory needs no seat and no Entra account.
func TestChangeInActiveDirectory(t *testing.T) {
	t.Parallel()
	edited := strings.Replace(text, "citrix: {group", "lite: {group: {ad: \"CN=Lite,DC=corp\"}}\n  citrix: {group", 1)
	edited = strings.Replace(edited, "license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove", "license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: {changeTo: lite}", 1)
	r := world{
		policy: edited, entra: []directory.EntraUser{accountOf("busy", 1)}, citrix: []string{"S-7"},
		ad: []directory.ADUser{{SID: "S-8", LastLogonTimestamp: daysAgo(1)}, {SID: "S-7", UserPrincipalName: "p@x.example", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}},
	}.seal(t)
	if got := r.asked(t, "citrix"); got.Outcome != policy.Reclaim || got.Via != plan.ADGroup || got.Seat != "" || got.Refused != "" || got.To != "lite" {
		t.Errorf("%+v", got)
	}
}

// A change of a license that has no group saves something: no nested group can give the person the same license.
func TestSavesNothingOfALicenseWithoutAGroup(t *testing.T) {
	t.Parallel()
	w := holder()
	w.policy = strings.Replace(text, "{sku: SPE_E3,           group: {entra: LIC-E3}}", "{sku: SPE_E3}", 1)
	if got := w.seal(t).asked(t, "m365-long"); got.SavesNothing != "" || got.Refused != "" {
		t.Errorf("%+v", got)
	}
}

// An account that the second run sees first, and that has no dates, counts as an account that lost its dates
// (DatesLost). It does so for 90 days, the longest span of the rules. An account with a date in the future
// (DatesInDoubt) never counts so.
func TestDoubtStays(t *testing.T) {
	t.Parallel()
	appears := asOf.AddDate(0, 0, 1)
	for days, want := range map[int]time.Time{2: appears, 90: appears, 91: {}} {
		r := firstNight(t)
		busy := func() *directory.Accounts {
			return accountsIn([]directory.EntraUser{{ID: "busy", LastSuccessful: daysAgo(0)}}, directory.ADUser{SID: "S-busy", LastLogonTimestamp: daysAgo(0)})
		}
		r.read(t, busy())
		with := func() *directory.Accounts {
			h := busy()
			h.Entra = append(h.Entra, directory.EntraUser{ID: "a", Created: daysAgo(900)}, directory.EntraUser{ID: "c", Created: daysAgo(900), DatesInDoubt: true})
			h.AD = append(h.AD, directory.ADUser{SID: "S-a", Created: daysAgo(900)}, directory.ADUser{SID: "S-c", Created: daysAgo(900), DatesInDoubt: true})
			return h
		}
		second := r.nextNight(1)
		if h := second.read(t, with()); !h.Entra[1].DatesLost.Equal(appears) || !h.AD[1].DatesLost.Equal(appears) || !h.Entra[2].DatesLost.IsZero() || !h.AD[2].DatesLost.IsZero() {
			t.Errorf("the night after: %+v, %+v", h.Entra, h.AD)
		}
		h := second.nextNight(days).read(t, with())
		if !h.Entra[1].DatesLost.Equal(want) || !h.AD[1].DatesLost.Equal(want) {
			t.Errorf("after %d days: %s and %s, want %s", days, h.Entra[1].DatesLost, h.AD[1].DatesLost, want)
		}
	}
}

// If the feed of a source is unhealthy, or if an operator accepts the feeds, a run does not compare the dates of an
// account with those of earlier runs. A missing date then does not count as lost.
func TestDatesThatAreNotCompared(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*Run)
		lost   bool
	}{
		"compared":         {func(*Run) {}, true},
		"accepted":         {func(r *Run) { r.Begin.AcceptFeeds = true }, false},
		"the feed is down": {func(r *Run) { r.Feeds[directory.Entra].State = plan.Unhealthy }, false},
	} {
		r := firstNight(t)
		user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9)}
		r.read(t, accountsIn([]directory.EntraUser{user}))
		user.LastInteractive = time.Time{}
		next := r.nextNight(1)
		tc.change(next)
		h := next.read(t, accountsIn([]directory.EntraUser{user}))
		if got := h.Entra[0]; got.DatesLost.IsZero() == tc.lost || got.Past.Newest[0].IsZero() == tc.lost || !got.Past.Seen.Equal(asOf) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// One date of an account was lost, and the doubt about it has ended. The account still has the newest known dates of
// its other fields, with which later runs compare.
func TestForgottenFieldByField(t *testing.T) {
	t.Parallel()
	r := firstNight(t)
	user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(5), LastNonInteractive: daysAgo(9)}
	r.read(t, accountsIn([]directory.EntraUser{user}))
	second := r.nextNight(1)
	partly := user
	partly.LastInteractive = time.Time{}
	second.read(t, accountsIn([]directory.EntraUser{partly}))
	third := second.nextNight(91)
	h := third.read(t, accountsIn([]directory.EntraUser{{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(400)}}))
	if got := h.Entra[0]; !got.DatesLost.Equal(asOf.AddDate(0, 0, 91)) || !got.Past.Newest[1].Equal(daysAgo(9)) || !got.Past.Newest[0].IsZero() {
		t.Errorf("%+v", got)
	}
}

// The reading of a run is unhealthy, and an account is read again before a change. The account is then compared with
// the table of the night before, and not with the reading of the run itself.
func TestUnhealthyRunIsNotComparedWithItself(t *testing.T) {
	t.Parallel()
	user := directory.EntraUser{ID: "a", Created: daysAgo(900), LastInteractive: daysAgo(9), Enabled: directory.Yes}
	r := firstNight(t)
	r.read(t, accountsIn([]directory.EntraUser{user}))
	second := r.nextNight(1)
	second.Feeds[directory.Entra].State = plan.Unhealthy
	second.read(t, accountsIn([]directory.EntraUser{user}))
	h := accountsIn([]directory.EntraUser{user})
	if err := second.Recall(t.Context(), h, second.Begin.Read.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := h.Entra[0].Past; !got.Seen.Equal(asOf) || !got.EnabledSince.IsZero() {
		t.Errorf("%+v", got)
	}
}

// Open fails if the digest of earlier runs is missing. If a table of known accounts is damaged, Read marks the accounts
// of its partition as forgotten.
func TestOpenNeedsThePast(t *testing.T) {
	t.Parallel()
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}}.seal(t)
	if err := store.PutJSON(t.Context(), r.store, "runs/run/manifest.json", &snapshot.Manifest{Run: "run", History: "runs/run/history/gone"}); err != nil {
		t.Fatal(err)
	}
	if got, err := Open(t.Context(), r.store, "run"); got != nil || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%+v, %v", got, err)
	}
	baseline := [2]*plan.Baseline{{Run: "r0", Partitions: 1, Read: daysAgo(1), Freshness: directory.Freshness{Sampled: 1, WithActivity: 1}}, nil}
	damaged := world{entra: []directory.EntraUser{accountOf("busy", 1)}, feeds: baseline}.seal(t)
	if err := store.PutBytes(t.Context(), damaged.store, "runs/r0/known/0000.gz", []byte("half")); err != nil {
		t.Fatal(err)
	}
	h := &directory.Accounts{}
	if err := damaged.Read(t.Context(), 0, h); err != nil || len(h.Entra) != 1 || h.Entra[0].Past.ForgottenBy != "r0" {
		t.Errorf("what was known is damaged: %+v, %v", h.Entra, err)
	}
}

// An exempt group has lost its members since an earlier run, or was deleted and created again. Membership in this group
// becomes unknown. Membership in other groups stays known.
func TestExemptGroupInDoubt(t *testing.T) {
	t.Parallel()
	exempt, citrix := directory.GroupRef{Source: directory.AD, Name: "CN=Exempt,DC=corp"}, directory.GroupRef{Source: directory.AD, Name: citrixDN}
	edited := strings.Replace(text, "exempt: {users: [exempt@x.example]}", `exempt: {users: [exempt@x.example], groups: [{ad: "CN=Exempt,DC=corp"}, {ad: "`+citrixDN+`"}]}`, 1)
	for name, tc := range map[string]struct {
		earlier *directory.Earlier
		now     map[string]string // objectGUIDs of the groups, by the key of the group
		remade  []directory.GroupRef
		emptied map[string]int
	}{
		"emptied":           {&directory.Earlier{Members: map[string]int{exempt.Key(false): 5}}, nil, nil, map[string]int{exempt.Key(false): 5}},
		"made again":        {&directory.Earlier{Groups: map[string]directory.EarlierGroup{exempt.Key(false): {ID: "1"}}}, map[string]string{exempt.Key(false): "2"}, []directory.GroupRef{exempt}, map[string]int{}},
		"asked in two ways": {&directory.Earlier{Groups: map[string]directory.EarlierGroup{citrix.Key(false): {ID: "1"}}}, map[string]string{citrix.Key(false): "2"}, []directory.GroupRef{citrix}, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{
				policy: edited, entra: []directory.EntraUser{accountOf("busy", 1)}, citrix: []string{"S-7"},
				ad:    []directory.ADUser{{SID: "S-8", LastLogonTimestamp: daysAgo(1)}, {SID: "S-7", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}},
				begin: func(b *snapshot.Begin) { b.Earlier = tc.earlier },
				manifest: func(m *snapshot.Manifest) {
					m.Readings[directory.AD].Groups = tc.now
					m.Readings[directory.AD].Members = map[string]int{citrix.Key(true): 1, citrix.Key(false): 1}
				},
			}.seal(t)
			if d := cmp.Diff(tc.emptied, r.Shrunk()); d != "" {
				t.Errorf("emptied (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.remade, r.Remade()); d != "" {
				t.Errorf("made again (-want +got):\n%s", d)
			}
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			v := judge.Ask(r.Policy.RuleNamed("citrix"), only(t, r, "S-7"))
			holder := directory.Yes
			if name == "asked in two ways" {
				holder = directory.Unset
			}
			if v.Outcome != policy.Undecided || v.Holder != holder || !strings.Contains(v.Reason, "exemption") {
				t.Errorf("%s, holder %v: %s", v.Outcome, v.Holder, v.Reason)
			}
		})
	}
}

// A person is active again, but the policy no longer has the rule that took the license. Then the first rule for this
// license restores it. A restore through a group in Active Directory needs no free seat.
func TestReturnToARuleThatIsGone(t *testing.T) {
	t.Parallel()
	taken := func(user, license string, via plan.Via) *history.Item {
		return &history.Item{User: user, License: license, State: history.Taken, Run: "r0", Rule: "old", Via: via, Began: daysAgo(30), At: daysAgo(30)}
	}
	r := world{
		entra: []directory.EntraUser{accountOf("p", 5), accountOf("busy", 1)},
		ad:    []directory.ADUser{{SID: "S-8", LastLogonTimestamp: daysAgo(1)}, {SID: "S-7", UserPrincipalName: "ad@x.example", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(5)}},
		past:  []any{taken("id-p", "e3", plan.EntraGroup), taken("S-7", "citrix", plan.ADGroup)},
	}.seal(t)
	for rule, want := range map[string]string{"m365": "r0", "m365-long": ""} {
		if got := r.asked(t, rule); got.RestoreOf != want {
			t.Errorf("%s: back %q, want %q", rule, got.RestoreOf, want)
		}
	}
	judge, err := r.Judge(asOf)
	if err != nil {
		t.Fatal(err)
	}
	p, rule := only(t, r, "S-7"), r.Policy.RuleNamed("citrix")
	if got := r.Decide(judge, rule, p, judge.Ask(rule, p), r.Past("S-7", "S-7", "citrix"), nil); got.RestoreOf != "r0" || got.Seat != "" {
		t.Errorf("%+v", got)
	}
}
