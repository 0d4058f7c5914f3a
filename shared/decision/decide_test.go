package decision

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "only" returns the single person with the given name in the run.
func only(t *testing.T, r *Run, name string) *directory.Person {
	t.Helper()
	var all []directory.Person
	err := r.Find(t.Context(), name, func(p *directory.Person) error {
		all = append(all, *p)
		return nil
	})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d people are named %q: %v", len(all), name, err)
	}
	return &all[0]
}

func TestDecide(t *testing.T) {
	t.Parallel()
	route := plan.Decision{User: "id-p", UserPrincipalName: "p@x.example", Rule: "m365", License: "e3", To: "exo", Outcome: policy.Reclaim, Created: daysAgo(900)}
	with := func(change func(*plan.Decision)) plan.Decision { d := route; change(&d); return d }
	other := directory.Assignment{SKU: "sku-e3", Group: "g-other", State: "Active"}
	department := "Sales"
	sales := &directory.Payer{Department: &department}
	tests := map[string]struct {
		holds []directory.Assignment
		days  int
		rule  string
		taken Conflicts
		want  plan.Decision
	}{
		"direct":   {[]directory.Assignment{e3Direct}, 70, "m365", nil, with(func(d *plan.Decision) { d.Via, d.Seat, d.Payer = plan.Direct, "exo", sales })},
		"by group": {[]directory.Assignment{e3ByGroup}, 70, "m365", nil, with(func(d *plan.Decision) { d.Via, d.Seat, d.Payer = plan.EntraGroup, "exo", sales })},
		"refused": {[]directory.Assignment{other}, 70, "m365", nil, with(func(d *plan.Decision) {
			d.Refused = "held through the group g-other, which is not entra:LIC-E3 of the policy"
		})},
		"superseded": {[]directory.Assignment{e3Direct}, 100, "m365-long", Conflicts{{Rule: "m365", License: "e3", To: "exo"}}, with(func(d *plan.Decision) {
			d.Place, d.Rule, d.To, d.Refused = 1, "m365-long", "", "superseded: the rule m365 comes first in the policy and changes e3"
		})},
		"what it would become is taken": {[]directory.Assignment{e3Direct}, 70, "m365", Conflicts{{Rule: "exo-idle", License: "exo"}}, with(func(d *plan.Decision) {
			d.Refused = "superseded: the rule exo-idle comes first in the policy and changes exo"
		})},
		"another license is taken": {[]directory.Assignment{e3Direct}, 70, "m365", Conflicts{{Rule: "free", License: "citrix"}}, with(func(d *plan.Decision) { d.Via, d.Seat, d.Payer = plan.Direct, "exo", sales })},
		"kept":                     {[]directory.Assignment{e3Direct}, 5, "m365", nil, with(func(d *plan.Decision) { d.Outcome = policy.Keep })},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := accountOf("p", tc.days, tc.holds...)
			account.Department = department
			r := world{entra: []directory.EntraUser{account, accountOf("busy", 1)}}.seal(t)
			judge, err := r.Judge(asOf)
			if err != nil {
				t.Fatal(err)
			}
			p, rule := only(t, r, "p@x.example"), r.Policy.RuleNamed(tc.rule)
			v := judge.Ask(rule, p)
			got := r.Decide(judge, rule, p, v, nil, tc.taken)
			tc.want.IdleSince, tc.want.Reason = daysAgo(tc.days), v.Reason
			if d := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(plan.Decision{}, "Evidence")); d != "" {
				t.Errorf("decision (-want +got):\n%s", d)
			}
			if (len(got.Evidence) > 0) != (tc.want.Outcome == policy.Reclaim) {
				t.Errorf("evidence of a verdict to %s: %+v", got.Outcome, got.Evidence)
			}
		})
	}
}

// Find gives the same answers with and without the tables of people. Runs of older versions lack these tables.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, woven := range []bool{true, false} {
		t.Run(fmt.Sprintf("woven %t", woven), func(t *testing.T) {
			t.Parallel()
			findsByName(t, woven)
		})
	}
}

func findsByName(t *testing.T, woven bool) {
	t.Helper()
	both := accountOf("both", 1)
	both.SID, both.ImmutableID, both.Synced = "S-1-5-21-7", "guid-7", true
	r := world{
		woven: woven, partitions: 3,
		entra: []directory.EntraUser{both, accountOf("cloud", 1), accountOf("same", 1), accountOf("anneli.berg", 1), accountOf("annelie.bergh", 1)},
		ad: []directory.ADUser{
			{SID: "S-1-5-21-7", GUID: "guid-7", SAMAccount: "BOTH7", UserPrincipalName: "both.old@corp.example"},
			{SID: "S-1-5-21-8", GUID: "guid-8", SAMAccount: "same@x.example"},
		},
	}.seal(t)
	tests := map[string][]string{
		"both@x.example": {"id-both"}, "BOTH@X.example": {"id-both"}, "id-both": {"id-both"}, "s-1-5-21-7": {"id-both"},
		"both.old@corp.example": {"id-both"}, "both7": {"id-both"}, "id-cloud": {"id-cloud"}, "S-1-5-21-8": {"S-1-5-21-8"},
		"same@x.example": {"S-1-5-21-8", "id-same"}, // two people have this name
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			err := r.Find(t.Context(), name, func(p *directory.Person) error {
				got = append(got, p.ID())
				return nil
			})
			if d := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); d != "" || err != nil {
				t.Errorf("error %v, found (-want +got):\n%s", err, d)
			}
		})
	}
	for name, like := range map[string]string{"nobody": "", "%": "", "bth@x.example": "both@x.example", "annelii.berg@x.example": "anneli.berg@x.example", "annelie.bergg@x.example": "annelie.bergh@x.example", "Both.old@corp": "both.old@corp.example", "id-clouds": "id-cloud", "BOTH77": "BOTH7"} {
		err := r.Find(t.Context(), name, func(*directory.Person) error { return nil })
		if hint := fmt.Sprintf("did you mean %q?", like); err == nil || strings.Contains(err.Error(), "did you mean") != (like != "") || like != "" && !strings.Contains(err.Error(), hint) {
			t.Errorf("%q: %v, and %q is like it", name, err, like)
		}
	}
	for _, name := range []string{"nobody", "both", "%", "id-"} {
		err := r.Find(t.Context(), name, func(p *directory.Person) error { t.Errorf("%q found %s", name, p.ID()); return nil })
		if !errors.Is(err, ErrUnknownUser) {
			t.Errorf("%q: %v", name, err)
		}
	}
	stop := errors.New("stop")
	if err := r.Find(t.Context(), "id-both", func(*directory.Person) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the caller's error is lost: %v", err)
	}
}

// If Active Directory was not read, a person is found by the SID in Entra ID.
func TestFindByTheSIDInEntra(t *testing.T) {
	t.Parallel()
	for _, woven := range []bool{true, false} {
		u := accountOf("p", 1)
		u.SID, u.Synced = "S-1-5-21-7", true
		r := world{woven: woven, entra: []directory.EntraUser{u, accountOf("busy", 1)}, failed: "no route"}.seal(t)
		if p := only(t, r, "s-1-5-21-7"); p.ID() != "id-p" {
			t.Errorf("woven %t: found %s", woven, p.ID())
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	idle := accountOf("idle", 100, e3Direct)
	kept := accountOf("kept", 10, e3Direct)
	kept.SID, kept.ImmutableID, kept.Synced = "S-1-5-21-7", "guid-7", true
	off := accountOf("off", 100, e3Direct)
	off.Enabled = directory.No
	r := world{
		entra:  []directory.EntraUser{idle, kept, off, accountOf("exempt", 100, e3Direct), accountOf("busy", 1)},
		ad:     []directory.ADUser{{SID: "S-1-5-21-7", GUID: "guid-7", LastLogonTimestamp: daysAgo(20)}, {SID: "S-1-5-21-8", LastLogonTimestamp: daysAgo(1)}},
		citrix: []string{"S-1-5-21-7"},
	}.seal(t)
	type said struct {
		Outcome policy.Outcome
		Reason  string // a part of the reason
		Refused string // the beginning of the refusal
		Turns   time.Time
	}
	never := said{Outcome: policy.NotHolder, Reason: "does not hold citrix"}
	tests := map[string][]said{
		"idle": {
			{policy.Reclaim, "no sign-in since 2026-08-15 (100 days)", "", time.Time{}},
			{policy.Reclaim, "no sign-in since 2026-08-15 (100 days)", "superseded", time.Time{}}, never,
		},
		"kept": {
			{policy.Keep, "last sign-in 2026-11-13 (10 days)", "", daysAgo(10).AddDate(0, 0, 60).Add(time.Second)},
			{policy.Keep, "last sign-in 2026-11-13 (10 days)", "", daysAgo(10).AddDate(0, 0, 90).Add(time.Second)},
			{policy.Keep, "last logon 2026-11-03 (20 days)", "", daysAgo(20).AddDate(0, 0, 90).Add(time.Second)},
		},
		"off": {
			{policy.Keep, "not asked: accountEnabled false", "", time.Time{}},
			{policy.Reclaim, "no sign-in since 2026-08-15 (100 days)", "", time.Time{}}, never,
		},
		"exempt": {
			{policy.Exempt, "exempt@x.example is listed", "", time.Time{}}, {policy.Exempt, "exempt@x.example is listed", "", time.Time{}}, never,
		},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := r.Explain(only(t, r, "id-"+name), asOf)
			if err != nil {
				t.Fatal(err)
			}
			if e.Run != "run" || e.User != "id-"+name || e.UserPrincipalName != name+"@x.example" || len(e.Profile) < 4 {
				t.Errorf("explanation: %+v", e)
			}
			if len(e.Answers) != len(want) {
				t.Fatalf("%d answers, want %d", len(e.Answers), len(want))
			}
			for i, w := range want {
				a := e.Answers[i]
				if a.Outcome != w.Outcome || !strings.Contains(a.Reason, w.Reason) || !strings.HasPrefix(a.Refused, w.Refused) || (a.Refused == "") != (w.Refused == "") {
					t.Errorf("%s: %s %q, refused %q; want %+v", a.Rule, a.Outcome, a.Reason, a.Refused, w)
				}
				if !a.Turns.Equal(w.Turns) {
					t.Errorf("%s turns at %s, want %s", a.Rule, a.Turns, w.Turns)
				}
				if len(a.Evidence) == 0 {
					t.Errorf("%s rests on nothing", a.Rule)
				}
			}
		})
	}
}

// Active Directory could not be read. The rule about Citrix, which needs it, is then undecided and says why.
func TestFeedsThatFailed(t *testing.T) {
	t.Parallel()
	synced := accountOf("p", 1)
	synced.SID, synced.Synced = "S-1-5-21-7", true
	r := world{entra: []directory.EntraUser{synced}, failed: "no route"}.seal(t)
	if f := r.Feeds[directory.AD]; f.State != plan.Unhealthy || f.Reason != "no route" {
		t.Errorf("feed: %+v", f)
	}
	e, err := r.Explain(only(t, r, "id-p"), asOf)
	if err != nil {
		t.Fatal(err)
	}
	if a := e.Answers[2]; a.Outcome != policy.Undecided || a.Reason == "" || !a.Turns.IsZero() {
		t.Errorf("citrix: %+v", a)
	}
}

// TestKindWhileActiveDirectoryIsSilent: nobody knows what Active Directory says about a blocked account of its own while
// it is set up and not read, even if no run ever read both accounts.
func TestKindWhileActiveDirectoryIsSilent(t *testing.T) {
	t.Parallel()
	absent := func(m *snapshot.Manifest) {
		m.Readings[directory.AD] = snapshot.Reading{Source: directory.AD, Absent: true}
	}
	blocked := accountOf("p", 400)
	blocked.SID, blocked.Synced, blocked.Enabled = "S-1-5-21-7", true, directory.No
	entra := []directory.EntraUser{blocked, accountOf("busy", 1)}
	for name, tc := range map[string]struct {
		world  world
		unread bool
	}{
		"silent":     {world{entra: entra, failed: "no route"}, true},
		"not set up": {world{entra: entra, manifest: absent}, false},
		"read":       {world{entra: entra, ad: []directory.ADUser{{SID: "S-1-5-21-8", LastLogonTimestamp: daysAgo(1)}}}, false},
	} {
		if p := only(t, tc.world.seal(t), "id-p"); p.KindUnread() != tc.unread {
			t.Errorf("%s: unread %t, want %t", name, p.KindUnread(), tc.unread)
		}
	}
}

func TestOpenWantsASealedRun(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, "run"); !errors.Is(err, snapshot.ErrUnknownRun) {
		t.Errorf("no such run: %v", err)
	}
	if err := snapshot.PutBegin(t.Context(), s, &snapshot.Begin{Run: "run", Partitions: 1, Policy: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, "run"); !errors.Is(err, snapshot.ErrNone) {
		t.Errorf("not sealed: %v", err)
	}
	if err := snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "run"}); err != nil {
		t.Fatal(err)
	}
	var faults policy.Faults
	if _, err := Open(t.Context(), s, "run"); !errors.As(err, &faults) {
		t.Errorf("its copy of the policy is no policy: %v", err)
	}
}
