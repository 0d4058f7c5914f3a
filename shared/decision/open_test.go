package decision

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// Whether a source is healthy depends on the comparison with the last healthy reading, such as the numbers of people
// and of dates.
func TestFeedsOfARun(t *testing.T) {
	t.Parallel()
	const base = 100
	people := func(n, dates int) (all []directory.EntraUser) {
		for i := range n {
			u := accountOf(string(rune('a'+i%26))+strings.Repeat("x", i/26), 1)
			if i >= dates {
				u.LastSuccessful = time.Time{}
			}
			all = append(all, u)
		}
		return all
	}
	before := func(read time.Time) [2]*plan.Baseline {
		return [2]*plan.Baseline{{Read: read, Freshness: directory.Freshness{Sampled: base, WithActivity: base}}, nil}
	}
	read := asOf.Add(-time.Minute)
	for name, tc := range map[string]struct {
		entra  []directory.EntraUser
		feeds  [2]*plan.Baseline
		begin  func(*snapshot.Begin)
		state  plan.FeedState
		first  bool // there is no earlier healthy reading
		reason string
	}{
		"as before":                    {people(base, base), before(daysAgo(1)), nil, plan.Healthy, false, ""},
		"dates are gone":               {people(base, 60), before(daysAgo(1)), nil, plan.Unhealthy, false, "dates got lost"},
		"people are gone":              {people(60, 60), before(daysAgo(1)), nil, plan.Unhealthy, false, "part of the list is missing"},
		"accepted":                     {people(60, 60), before(daysAgo(1)), func(b *snapshot.Begin) { b.AcceptFeeds = true }, plan.Healthy, false, ""},
		"for one person":               {people(1, 1), before(daysAgo(1)), func(b *snapshot.Begin) { b.User = "a@x.example" }, plan.Healthy, false, ""},
		"one reading at that instant":  {people(60, 60), before(read), nil, plan.Unhealthy, false, "part of the list is missing"},
		"read before the baseline":     {people(60, 60), before(asOf), nil, plan.Healthy, true, ""},
		"the first, few dates":         {people(base, 40), [2]*plan.Baseline{}, nil, plan.Unhealthy, true, "only 40 of 100 enabled accounts"},
		"the first, few, accepted":     {people(base, 40), [2]*plan.Baseline{}, func(b *snapshot.Begin) { b.AcceptFeeds = true }, plan.Healthy, false, ""},
		"the first after a clock back": {people(base, 40), before(asOf), nil, plan.Unhealthy, true, "only 40 of 100 enabled accounts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{entra: tc.entra, feeds: tc.feeds, begin: tc.begin}.seal(t)
			f := r.Feeds[directory.Entra]
			if f.State != tc.state || !strings.Contains(f.Reason, tc.reason) || r.First(directory.SignIns) != tc.first {
				t.Errorf("%+v, first %t; want %s, %t, %s", f, r.First(directory.SignIns), tc.state, tc.first, tc.reason)
			}
			var h directory.Accounts
			if tc.reason != "" {
				if err := r.Read(t.Context(), 0, &h); err != nil {
					t.Fatal(err)
				}
				missing := tc.reason == "part of the list is missing"
				if !strings.Contains(h.Stale[directory.Entra], tc.reason) || f.Incomplete != missing || (h.EntraState == directory.NotRead) != missing {
					t.Errorf("people are read as stale %q, state %d", h.Stale[directory.Entra], h.EntraState)
				}
			}
		})
	}
	r := world{entra: people(2, 2), manifest: func(m *snapshot.Manifest) { m.Readings[directory.AD].Absent = true }}.seal(t)
	if r.Feeds[directory.AD].State != plan.Absent {
		t.Errorf("not set up: %+v", r.Feeds[directory.AD])
	}
}

// If a group with at least three members lost all of them, membership is unknown, unless an operator accepts the loss.
func TestShrunkGroups(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	key := citrix.Key(true)
	for name, tc := range map[string]struct {
		before   int
		begin    func(*snapshot.Begin)
		manifest func(*snapshot.Manifest)
		members  []string
		want     map[string]int
	}{
		"emptied":        {3, nil, nil, nil, map[string]int{key: 3}},
		"had few":        {2, nil, nil, nil, map[string]int{}},
		"has one left":   {3, nil, nil, []string{"S-7"}, map[string]int{}},
		"accepted":       {3, func(b *snapshot.Begin) { b.AcceptFeeds = true }, nil, nil, nil},
		"for one person": {3, func(b *snapshot.Begin) { b.User = "p@x.example" }, nil, nil, map[string]int{}},
		"for one person, in doubt since the last night": {3, func(b *snapshot.Begin) {
			b.User, b.Earlier.Left = "p@x.example", map[string]int{key: 0}
		}, nil, nil, map[string]int{key: 3}},
		"for one person, and accepted": {3, func(b *snapshot.Begin) {
			b.User, b.Earlier.Left, b.AcceptFeeds = "p@x.example", map[string]int{key: 0}, true
		}, nil, nil, nil},
		"in doubt the night before": {3, func(b *snapshot.Begin) { b.Earlier.Left = map[string]int{key: 0} }, nil, []string{"S-7"}, map[string]int{}},
		"nothing before":            {3, func(b *snapshot.Begin) { b.Earlier = nil }, nil, nil, nil},
		"named in another way": {0, func(b *snapshot.Begin) {
			b.Earlier.Groups = map[string]directory.EarlierGroup{"ad:cn=old,dc=corp": {ID: "guid-1", At: daysAgo(1)}}
			b.Earlier.Members = map[string]int{"ad/direct:cn=old,dc=corp": 3}
		}, func(m *snapshot.Manifest) {
			m.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): "guid-1"}
		}, nil, map[string]int{key: 3}},
		"cannot be read":    {3, nil, func(m *snapshot.Manifest) { m.Readings[directory.AD].Unreadable = []string{key} }, nil, map[string]int{}},
		"another cannot be": {3, nil, func(m *snapshot.Manifest) { m.Readings[directory.AD].Unreadable = []string{"x"} }, nil, map[string]int{key: 3}},
		"AD was not read":   {3, nil, func(m *snapshot.Manifest) { m.Readings[directory.AD].Failed = "no route" }, nil, map[string]int{}},
		"AD is not set up":  {3, nil, func(m *snapshot.Manifest) { m.Readings[directory.AD].Absent = true }, nil, map[string]int{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := world{
				entra: []directory.EntraUser{accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-8", LastLogonTimestamp: daysAgo(1)}, {SID: "S-7", Enabled: directory.Yes, Created: daysAgo(900), LastLogonTimestamp: daysAgo(200)}},
				citrix: tc.members, manifest: tc.manifest,
				begin: func(b *snapshot.Begin) {
					b.Earlier = &directory.Earlier{Members: map[string]int{key: tc.before, "ad:other": 9}}
					if tc.begin != nil {
						tc.begin(b)
					}
				},
			}.seal(t)
			if d := cmp.Diff(tc.want, r.Shrunk()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if len(tc.want) > 0 {
				judge, err := r.Judge(asOf)
				if err != nil {
					t.Fatal(err)
				}
				if v := judge.Ask(r.Policy.RuleNamed("citrix"), only(t, r, "S-7")); v.Outcome != policy.Undecided {
					t.Errorf("%s: %s", v.Outcome, v.Reason)
				}
			}
		})
	}
}

// The group at a DN is another one than in the earlier run. A run for everybody reports this group. A run for one
// person does not report it, and uses the group that has the DN now.
func TestRemadeInARunForOnePerson(t *testing.T) {
	t.Parallel()
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}, begin: func(b *snapshot.Begin) {
		b.Earlier = &directory.Earlier{Groups: map[string]directory.EarlierGroup{citrix.Key(false): {ID: "guid-1"}}}
	}, manifest: func(m *snapshot.Manifest) {
		m.Readings[directory.AD].Groups = map[string]string{citrix.Key(false): "guid-2", "entra:LIC-E3": "id"}
	}}.seal(t)
	if got := r.Remade(); len(got) != 1 {
		t.Errorf("made again: %v", got)
	}
	r.Begin.User = "busy@x.example"
	if got := r.Remade(); got != nil {
		t.Errorf("in a run for one person: %v", got)
	}
	if got := r.ADGroup(citrix); got != "guid-2" {
		t.Errorf("the group of Active Directory is %q", got)
	}
	if got := r.ADGroup(directory.GroupRef{Source: directory.Entra, Name: "LIC-E3"}); got != "" {
		t.Errorf("a group of Entra ID is %q in Active Directory", got)
	}
}

// The names in the mailbox report match in any letter case. If the report was not read, the account keeps the kind of
// mailbox that it had.
func TestMailboxKinds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mailboxes *snapshot.Mailboxes
		want      string
	}{
		"none":      {nil, "before"},
		"failed":    {&snapshot.Mailboxes{Failed: "403"}, "before"},
		"named":     {&snapshot.Mailboxes{Kinds: map[string]string{"kim@x.example": "SharedMailbox"}}, "SharedMailbox"},
		"not named": {&snapshot.Mailboxes{Kinds: map[string]string{"bo@x.example": "SharedMailbox"}}, ""},
	} {
		r := Run{Begin: &snapshot.Begin{Mailboxes: tc.mailboxes}}
		u := directory.EntraUser{UserPrincipalName: "Kim@X.example", MailboxKind: "before"}
		if r.KnowMailbox(&u); u.MailboxKind != tc.want {
			t.Errorf("%s: %q, want %q", name, u.MailboxKind, tc.want)
		}
	}
	kim := accountOf("kim", 1)
	sealed := world{entra: []directory.EntraUser{kim, accountOf("busy", 1)}, begin: func(b *snapshot.Begin) {
		b.Mailboxes = &snapshot.Mailboxes{Kinds: map[string]string{"kim@x.example": "RoomMailbox"}}
	}}.seal(t)
	if got := only(t, sealed, "id-kim").Entra.MailboxKind; got != "RoomMailbox" {
		t.Errorf("as read: %q", got)
	}
}

func TestAnchorOfThePolicy(t *testing.T) {
	t.Parallel()
	for anchor, joined := range map[string]bool{"": false, "anchor: employeeID\n": true} {
		u := accountOf("p", 1)
		u.ImmutableID, u.Synced = "4711", true
		r := world{policy: anchor + text[1:], entra: []directory.EntraUser{u, accountOf("busy", 1)}, ad: []directory.ADUser{{SID: "S-7", GUID: "guid", EmployeeID: "4711", LastLogonTimestamp: daysAgo(1)}}}.seal(t)
		if p := only(t, r, "id-p"); (p.AD != nil) != joined {
			t.Errorf("%q: joined %t", anchor, p.AD != nil)
		}
	}
}

// In an earlier run, an account had a name that the policy lists as exempt. The account is still exempt under its
// present name, because its id is the same.
func TestJudgeFollowsPeople(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]policy.Outcome{"p": policy.Exempt, "q": policy.Reclaim} {
		w := holder()
		w.begin = func(b *snapshot.Begin) {
			b.Earlier = &directory.Earlier{People: map[string][]directory.EarlierPerson{"exempt@x.example": {{ID: "id-" + name}}}}
		}
		if got := w.seal(t).asked(t, "m365"); got.Outcome != want {
			t.Errorf("%s was listed: %s, want %s", name, got.Outcome, want)
		}
	}
}

// Open takes the SIDs of Active Directory groups from the manifest. The route of a change may need them.
func TestTenantKnowsTheSIDsOfGroups(t *testing.T) {
	t.Parallel()
	want := map[string]string{directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(false): "S-1-5-21-9"}
	r := world{entra: []directory.EntraUser{accountOf("busy", 1)}, manifest: func(m *snapshot.Manifest) { m.Readings[directory.AD].GroupSIDs = want }}.seal(t)
	if d := cmp.Diff(want, r.Tenant.SIDs); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
