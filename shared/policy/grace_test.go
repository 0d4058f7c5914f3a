package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

const gracePolicy = `
tenant: 11111111-2222-3333-4444-555555555555
licenses:
  e3:     {sku: SPE_E3, group: {entra: LIC-E3}}
  citrix: {group: {ad: "CN=Citrix,DC=corp"}}
grace: {neverSignedIn: 14, newHolder: 14, enabledAgain: 14}
rules:
  - {name: m365, license: e3, when: department == "Closed" || AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: remove}
  - {name: citrix, license: citrix, when: LastlogonTimestamp.earlierThan(now - days(90)), then: remove}
`

// TestControllersDiffer: an attribute in which the domain controllers differ is unknown wherever the Judge looks at it.
// The value that ADUser.Agree keeps depends on which controller answers first.
func TestControllersDiffer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	p, err := Load("p", []byte(gracePolicy))
	if err != nil {
		t.Fatal(err)
	}
	j, err := p.NewJudge(map[string]string{"SPE_E3": "sku"}, now)
	if err != nil {
		t.Fatal(err)
	}
	differ := func(name string) string {
		return name + " is not known: the domain controllers give different values of "
	}
	for name, tc := range map[string]struct {
		here, there func(*directory.ADUser)
		want        Outcome
		reason      string
	}{
		"the same":              {func(*directory.ADUser) {}, func(*directory.ADUser) {}, Reclaim, ""},
		"blocked in both":       {func(u *directory.ADUser) { u.Enabled = directory.No }, func(*directory.ADUser) {}, Reclaim, ""},
		"enabled in the second": {func(u *directory.ADUser) { u.Enabled = directory.No }, func(u *directory.ADUser) { u.Enabled = directory.Yes }, Undecided, differ("ad.accountEnabled")},
		"extended":              {func(u *directory.ADUser) { u.Expires = ago(10) }, func(u *directory.ADUser) { u.Expires = ago(-300) }, Undecided, differ("ad.expires")},
		"extended for ever":     {func(u *directory.ADUser) { u.Expires = ago(10) }, func(u *directory.ADUser) { u.Expires = time.Time{} }, Undecided, differ("ad.expires")},
		"another mailbox":       {func(u *directory.ADUser) { u.RecipientType = "2147483648" }, func(u *directory.ADUser) { u.RecipientType = "34359738368" }, Undecided, differ(directory.KindField)},
	} {
		u := directory.ADUser{SID: "S", Enabled: directory.Yes, Created: ago(900), LastLogonTimestamp: ago(100)}
		tc.here(&u)
		other := u
		tc.there(&other)
		u.Agree(&other)
		v := j.Ask(p.RuleNamed("citrix"), &directory.Person{
			Entra:      &directory.EntraUser{ID: "a", SID: "S", Enabled: directory.Yes, Created: ago(900), LastSuccessful: ago(100)},
			AD:         &u,
			EntraState: directory.Present, ADState: directory.Present, Memberships: []string{p.LicenseNamed("citrix").holders.key},
		})
		if v.Outcome != tc.want || !strings.Contains(v.Reason, tc.reason) {
			t.Errorf("%s: %s, %q; want %s, %q", name, v.Outcome, v.Reason, tc.want, tc.reason)
		}
	}
}

// A person in grace keeps the license. If it is unknown whether the grace is over, the verdict is undecided.
func TestGrace(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	p, err := Load("p", []byte(gracePolicy))
	if err != nil {
		t.Fatal(err)
	}
	key := p.LicenseNamed("citrix").holders.key
	path := func(group, state string, days int) directory.Assignment {
		a := directory.Assignment{SKU: "sku", Group: group, State: state}
		if days >= 0 {
			a.Updated = ago(days)
		}
		return a
	}
	held := func(paths ...directory.Assignment) func(*directory.Person) {
		return func(p *directory.Person) { p.Entra.Assignments = paths }
	}
	const unread = -1
	tests := map[string]struct {
		change func(*directory.Person)
		rule   string
		want   Outcome
		reason string
	}{
		"long a holder":           {func(*directory.Person) {}, "m365", Reclaim, "no sign-in since 2026-08-15"},
		"given today":             {held(path("", "Active", 0)), "m365", Keep, "e3 was given, or its assignment changed, on 2026-11-23, in grace until 2026-12-07"},
		"given 13 days ago":       {held(path("g", "Active", 13)), "m365", Keep, "in grace until 2026-11-24"},
		"given 14 days ago":       {held(path("g", "Active", 14)), "m365", Reclaim, ""},
		"nobody knows when":       {held(path("", "Active", unread)), "m365", Undecided, "license e3 has been held for an unknown time: lastUpdatedDateTime of its assignment was not read"},
		"new path beside an old":  {held(path("g", "Active", 900), path("", "Active", 1)), "m365", Reclaim, ""},
		"old path that gave none": {held(path("g", "Error", 900), path("", "Active", 1)), "m365", Keep, "on 2026-11-22"},
		"new path, one unread":    {held(path("g", "Active", unread), path("", "Active", 1)), "m365", Undecided, "license e3 has been held for an unknown time"},
		"old path, one unread":    {held(path("g", "Active", unread), path("", "Active", 900)), "m365", Reclaim, ""},
		"only in error":           {held(path("g", "Error", 1)), "m365", Keep, "on 2026-11-22"},
		"enabled yesterday":       {func(p *directory.Person) { p.Entra.Past.EnabledSince = ago(1) }, "m365", Keep, "the account was first seen enabled on 2026-11-22, in grace until 2026-12-06"},
		"enabled 14 days ago":     {func(p *directory.Person) { p.Entra.Past.EnabledSince = ago(14) }, "m365", Reclaim, ""},
		"enabled or not, unread":  {func(p *directory.Person) { p.Entra.Enabled = directory.Unset }, "m365", Undecided, "the account in entra has been enabled for an unknown time: accountEnabled was not read"},
		"blocked":                 {func(p *directory.Person) { p.Entra.Enabled, p.Entra.Past.EnabledSince = directory.No, ago(1) }, "m365", Reclaim, ""},
		"the later of two": {func(p *directory.Person) {
			p.Entra.Past.EnabledSince = ago(3)
			p.Entra.Assignments[0].Updated = ago(10)
		}, "m365", Keep, "in grace until 2026-12-04"},
		"in one, the other unread": {func(p *directory.Person) {
			p.Entra.Enabled = directory.Unset
			p.Entra.Assignments[0].Updated = ago(10)
		}, "m365", Keep, "in grace until 2026-11-27"},
		"new account, its sign-ins were not read": {func(p *directory.Person) {
			p.Entra.Department, p.Entra.LastSuccessful, p.Stale[directory.Entra] = "Closed", time.Time{}, "the feed has stalled"
			p.Entra.Created, p.AD.Created = ago(3), ago(3)
		}, "m365", Undecided, "AzureAdSistaLogon cannot be trusted: the feed has stalled"},
		"old account, its sign-ins were not read": {func(p *directory.Person) {
			p.Entra.Department, p.Entra.LastSuccessful, p.Stale[directory.Entra] = "Closed", time.Time{}, "the feed has stalled"
		}, "m365", Reclaim, ""},
		"never, of unknown age": {func(p *directory.Person) {
			p.Entra.LastSuccessful, p.Entra.Created, p.AD.Created = time.Time{}, time.Time{}, time.Time{}
		}, "m365", Undecided, "created has no value"},
		"never, hired yesterday":   {func(p *directory.Person) { p.Entra.LastSuccessful, p.Entra.Hired = time.Time{}, ago(1) }, "m365", Keep, "never signed in; hired on 2026-11-22, in grace until 2026-12-06"},
		"never, hired next month":  {func(p *directory.Person) { p.Entra.LastSuccessful, p.Entra.Hired = time.Time{}, ago(-31) }, "m365", Keep, "never signed in; hired on 2026-12-24, in grace until 2027-01-07"},
		"never, hired 14 days ago": {func(p *directory.Person) { p.Entra.LastSuccessful, p.Entra.Hired = time.Time{}, ago(14) }, "m365", Reclaim, ""},
		"never, hired long before": {func(p *directory.Person) {
			p.Entra.LastSuccessful, p.Entra.Hired, p.Entra.Created, p.AD.Created = time.Time{}, ago(800), ago(3), ago(3)
		}, "m365", Keep, "never signed in; new account, in grace until 2026-12-04"},
		"hired again yesterday":      {func(p *directory.Person) { p.Entra.Hired = ago(1) }, "m365", Keep, "never signed in since the hire on 2026-11-22, in grace until 2026-12-06"},
		"hired again for next month": {func(p *directory.Person) { p.Entra.Hired = ago(-31) }, "m365", Keep, "never signed in since the hire on 2026-12-24, in grace until 2027-01-07"},
		"hired again 14 days ago":    {func(p *directory.Person) { p.Entra.Hired = ago(14) }, "m365", Reclaim, ""},
		"in use since the hire":      {func(p *directory.Person) { p.Entra.Hired, p.Entra.Department = ago(101), "Closed" }, "m365", Reclaim, ""},
		"hired yesterday, in use today": {func(p *directory.Person) {
			p.Entra.Hired, p.Entra.Department, p.Entra.LastSuccessful = ago(1), "Closed", now
		}, "m365", Reclaim, ""},
		"hired again, AD is not used": {func(p *directory.Person) { p.Entra.Hired = ago(1) }, "citrix", Keep, "never logged on since the hire on 2026-11-22"},
		"Citrix, long a member":       {func(*directory.Person) {}, "citrix", Reclaim, ""},
		"Citrix, seen yesterday":      {func(p *directory.Person) { p.AD.Past.MemberOf(key, ago(1)) }, "citrix", Keep, "first seen in the group of citrix on 2026-11-22, in grace until 2026-12-06"},
		"Citrix, seen 14 days ago":    {func(p *directory.Person) { p.AD.Past.MemberOf(key, ago(14)) }, "citrix", Reclaim, ""},
		"Citrix, enabled yesterday":   {func(p *directory.Person) { p.AD.Past.EnabledSince = ago(1) }, "citrix", Keep, "first seen enabled on 2026-11-22"},
		"Citrix, account in doubt": {func(p *directory.Person) { p.AD, p.ADState, p.Doubt = nil, directory.Missing, "no account was found" }, "citrix", Undecided,
			"LastlogonTimestamp and created are not known: no account was found"},
		"Citrix, account not read": {func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead }, "citrix", Undecided, "LastlogonTimestamp was not read; " + createdUnread},
		"Citrix, Entra's enabling": {func(p *directory.Person) { p.Entra.Past.EnabledSince = ago(1) }, "citrix", Reclaim, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, err := p.NewJudge(map[string]string{"SPE_E3": "sku"}, now)
			if err != nil {
				t.Fatal(err)
			}
			person := &directory.Person{
				Entra:      &directory.EntraUser{ID: "a", SID: "S", Enabled: directory.Yes, Created: ago(900), LastSuccessful: ago(100), Assignments: []directory.Assignment{path("", "Active", 900)}},
				AD:         &directory.ADUser{SID: "S", Enabled: directory.Yes, Created: ago(900), LastLogonTimestamp: ago(100)},
				EntraState: directory.Present, ADState: directory.Present, Memberships: []string{key},
			}
			tc.change(person)
			rule := p.RuleNamed(tc.rule)
			v := j.Ask(rule, person)
			if v.Outcome != tc.want || !strings.Contains(v.Reason, tc.reason) {
				t.Errorf("%s: %s, want %s: %s", v.Outcome, v.Reason, tc.want, tc.reason)
			}
			if said := "unknown time"; strings.Contains(v.Reason, said) && !strings.Contains(tc.reason, said) {
				t.Errorf("the reason says why the account is unknown, and then that it is: %s", v.Reason)
			}
			unread := person.Entra.Enabled == directory.Unset // the verdict may then turn at another time
			if at, ok := j.Turns(rule, person); v.Outcome == Keep && !unread && (!ok || !strings.Contains(v.Reason, "in grace until "+dayOf(at))) {
				t.Errorf("turns %s, %t: %s", at, ok, v.Reason)
			}
		})
	}
}

// TestHireDateUnread: only Entra ID has the hire date. If the Entra account was not read, the first day of a person
// without a recent use may be still to come. With the grace neverSignedIn, the verdict on this person is then
// undecided.
func TestHireDateUnread(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	const unread = "the hire date is not known: "
	noGrace := strings.ReplaceAll(gracePolicy, "neverSignedIn: 14, ", "")
	adAlone := gracePolicy + "attributes: {created: ad.created}\n"
	long := func(p *directory.Person) { p.AD.LastLogonTimestamp = now.AddDate(0, 0, -100) }
	for name, tc := range map[string]struct {
		policy string
		state  directory.Presence
		change func(*directory.Person)
		want   Outcome
		reason string
	}{
		"not read":                   {gracePolicy, directory.NotRead, long, Undecided, unread + "Entra was not read"},
		"missing":                    {gracePolicy, directory.Missing, long, Undecided, unread + "no account was found"},
		"never used":                 {strings.ReplaceAll(adAlone, "LastlogonTimestamp.e", "LastlogonTimestamp.hasNoValue() || LastlogonTimestamp.e"), directory.NotRead, func(*directory.Person) {}, Undecided, unread + "Entra was not read"},
		"not read, of unknown kind":  {gracePolicy, directory.NotRead, func(p *directory.Person) { long(p); p.AD.RecipientType = "" }, Undecided, "the kind of the account is not known: Entra was not read"},
		"no account":                 {gracePolicy, directory.NoAccount, long, Reclaim, ""},
		"the policy has no such one": {noGrace, directory.NotRead, long, Reclaim, ""},
		"in use":                     {gracePolicy, directory.NotRead, func(p *directory.Person) { p.AD.LastLogonTimestamp = now }, Keep, ""},
	} {
		p, err := Load("p", []byte(tc.policy))
		if err != nil {
			t.Fatal(err)
		}
		who := &directory.Person{
			AD:         &directory.ADUser{SID: "S", Enabled: directory.Yes, Created: now.AddDate(-3, 0, 0), RecipientType: "2147483648"},
			EntraState: tc.state, ADState: directory.Present, Doubt: "no account was found", Memberships: []string{p.LicenseNamed("citrix").holders.key},
		}
		tc.change(who)
		j, err := p.NewJudge(map[string]string{"SPE_E3": "sku"}, now)
		if err != nil {
			t.Fatal(err)
		}
		v := j.Ask(p.RuleNamed("citrix"), who)
		if v.Outcome != tc.want || tc.want == Undecided && v.Reason != tc.reason {
			t.Errorf("%s: %s, %q; want %s, %q", name, v.Outcome, v.Reason, tc.want, tc.reason)
		}
	}
}

// The field InGrace is set if the person is in grace, because the verdict may change when the grace ends.
func TestVerdictInGrace(t *testing.T) {
	t.Parallel()
	p := load(t, "grace: {enabledAgain: 7}\n"+twoRules)
	for days, want := range map[int]bool{3: true, 10: false} {
		who := employee()
		who.Entra.LastSuccessful, who.Entra.Past.EnabledSince = noon.Add(-100*day), noon.Add(-time.Duration(days)*day)
		j := judge(t, p, noon)
		v := j.Ask(p.Rules[0], who)
		if v.InGrace != want || (v.Outcome == Keep) != want {
			t.Errorf("enabled %d days ago: %s, in grace %t: %s", days, v.Outcome, v.InGrace, v.Reason)
		}
		if want && j.SettledBy(noon.Add(30*day), p.Rules[0], who, v) {
			t.Error("a verdict whose grace ends is settled")
		}
	}
}
