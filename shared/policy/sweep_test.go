package policy

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// holder returns a long-time holder of both licenses who never signed in. Only the creation of the account, 5 days ago,
// can be a reason for grace.
func holder() *directory.Person {
	who := employee()
	who.Entra.Assignments[0] = directory.Assignment{SKU: "e3", State: "Active", Updated: noon.Add(-300 * day)}
	who.Entra.Created, who.AD.Created = noon.Add(-5*day), noon.Add(-5*day)
	who.AD.Enabled = directory.Yes
	return who
}

// A sweep decides from the columns. It finds that a license is taken only if the person is certainly in no grace. It
// leaves all other people to the Judge.
func TestGraceInASweep(t *testing.T) {
	t.Parallel()
	const unused, young = "AzureAdSistaLogon.hasNoValue()", "created.laterThan(now - days(30))"
	changed := func(ok bool, text ...string) func(*Crowd) {
		return func(c *Crowd) {
			c.Changed = func() (Column, bool) {
				if !ok {
					return Column{}, false
				}
				if len(text) == 0 {
					return Column{Rows: []int64{None}}, true
				}
				return Column{Rows: []int64{0}, Words: text}, true
			}
		}
	}
	since := func(at int64) func(*Crowd) {
		return func(c *Crowd) { c.MemberSince = func(directory.Source, string, int) int64 { return at } }
	}
	for name, tc := range map[string]struct {
		grace, license, when string
		who                  func(*directory.Person)
		crowd                func(*Crowd)
		want                 bool // the license is taken
	}{
		"the policy has no grace":       {"{}", "m365", unused, func(p *directory.Person) { p.Entra.Created, p.AD.Created = time.Time{}, time.Time{} }, nil, true},
		"a new account, never used":     {"{neverSignedIn: 14}", "m365", unused, nil, nil, false},
		"a new account, of unknown age": {"{neverSignedIn: 14}", "m365", unused, func(p *directory.Person) { p.Entra.Created, p.AD.Created = time.Time{}, time.Time{} }, nil, false},
		"hired for long": {"{neverSignedIn: 14}", "m365", unused, func(p *directory.Person) {
			p.Entra.Created, p.AD.Created, p.Entra.Hired = noon.Add(-90*day), noon.Add(-90*day), noon.Add(-14*day)
		}, nil, true},
		"hired lately": {"{neverSignedIn: 14}", "m365", unused, func(p *directory.Person) {
			p.Entra.Created, p.AD.Created, p.Entra.Hired = noon.Add(-90*day), noon.Add(-90*day), noon.Add(-14*day+time.Microsecond)
		}, nil, false},
		"hired again for long": {"{neverSignedIn: 14}", "m365", "AzureAdSistaLogon.earlierThan(now - days(60))", func(p *directory.Person) {
			p.Entra.LastSuccessful, p.Entra.Hired = noon.Add(-900*day), noon.Add(-14*day)
		}, nil, true},
		"hired again lately": {"{neverSignedIn: 14}", "m365", "AzureAdSistaLogon.earlierThan(now - days(60))", func(p *directory.Person) {
			p.Entra.LastSuccessful, p.Entra.Hired = noon.Add(-900*day), noon.Add(-14*day+time.Microsecond)
		}, nil, false},
		"a new account, without use":        {"{neverSignedIn: 14}", "m365", young, nil, nil, true},
		"given long ago":                    {"{newHolder: 10}", "m365", unused, nil, changed(true, "2026-01-02T03:04:05Z 2025-01-02T03:04:05Z"), true},
		"given lately":                      {"{newHolder: 10}", "m365", unused, nil, changed(true, "2026-01-02T03:04:05Z 2026-11-20T03:04:05Z"), false},
		"nobody knows when it was given":    {"{newHolder: 10}", "m365", unused, nil, changed(true), false},
		"no column of when it was given":    {"{newHolder: 10}", "m365", unused, nil, changed(false), false},
		"a member since before the first":   {"{newHolder: 10}", "citrix", unused, nil, since(None), true},
		"a member for long":                 {"{newHolder: 10}", "citrix", unused, nil, since(noon.Add(-10 * day).UnixMicro()), true},
		"a member lately":                   {"{newHolder: 10}", "citrix", unused, nil, since(noon.Add(-10*day).UnixMicro() + 1), false},
		"a member since nobody knows when":  {"{newHolder: 10}", "citrix", unused, nil, since(Never), false},
		"enabled for long":                  {"{enabledAgain: 10}", "citrix", unused, nil, nil, true},
		"a member without an account":       {"{enabledAgain: 10}", "citrix", unused, func(p *directory.Person) { p.AD, p.ADState = nil, directory.NoAccount }, nil, false},
		"a member whose account is unknown": {"{enabledAgain: 10}", "citrix", unused, func(p *directory.Person) { p.AD, p.ADState = nil, directory.NotRead }, nil, false},
	} {
		p := load(t, fmt.Sprintf("%s\ngrace: %s\nrules: [{name: r, license: %s, when: '%s', then: remove}]\n", edgeHead, tc.grace, tc.license, tc.when))
		who := holder()
		if tc.who != nil {
			tc.who(who)
		}
		c := inColumns([]*directory.Person{who})
		enabled := c.EnabledSince
		c.EnabledSince = func(s directory.Source, row int) int64 {
			if c.Accounts[s][row] != Here {
				return None // says nothing of an account that is not here
			}
			return enabled(s, row)
		}
		if tc.crowd != nil {
			tc.crowd(c)
		}
		swept := judge(t, p, noon).Sweep(c)
		if got := swept.Verdicts[0][0] == PlainReclaim; got != tc.want || swept.Open[0] == tc.want {
			t.Errorf("%s: the verdict is %d, and open %t", name, swept.Verdicts[0][0], swept.Open[0])
		}
	}
}

// Two rules about one license may read different dates, so a person may be in grace for one of them.
func TestGraceOfTwoRulesInASweep(t *testing.T) {
	t.Parallel()
	const signIn = `{name: a, license: m365, when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: remove}`
	const logon = `{name: b, license: m365, when: LastlogonTimestamp.earlierThan(now - days(60)) || LastlogonTimestamp.hasNoValue(), then: remove}`
	for rules, open := range map[string]bool{signIn: false, logon: true, signIn + ", " + logon: true, logon + ", " + signIn: true} {
		who := holder()
		who.Entra.LastSuccessful = noon.Add(-100 * day)
		p := load(t, edgeHead+"grace: {neverSignedIn: 14}\nrules: ["+rules+"]\n")
		if swept := judge(t, p, noon).Sweep(inColumns([]*directory.Person{who})); swept.Open[0] != open {
			t.Errorf("%s: the verdicts are %v, and open %t", rules, swept.Verdicts, swept.Open[0])
		}
	}
}

// The text has the dates of several assignments, separated by spaces. It is before a given second only if it has at
// least one date and each date is certainly before that second.
func TestAllBefore(t *testing.T) {
	t.Parallel()
	for dates, want := range map[string]bool{
		"2026-11-13T11:59:59Z":                      true,
		"2026-11-13T11:59:59.999999Z":               true,
		"2026-11-13T12:00:00Z":                      false,
		"2026-11-13T12:00:00.000001Z":               false,
		"2020-01-01T00:00:00Z 2026-11-13T11:59:59Z": true,
		"2020-01-01T00:00:00Z 2026-11-13T12:00:00Z": false,
		"2026-11-13T12:00:00Z 2020-01-01T00:00:00Z": false,
		"":                          false,
		"-":                         false, // an assignment without a date
		"2020-01-01T00:00:00Z -":    false,
		"10000-01-01T00:00:00Z":     false, // sorts before 2026, and is later
		"2026-11-13T08:00:00-05:00": false, // 13:00 in UTC
		"2020-01-01T0:00:00Z":       false, // no date of the table of people has this form
		"2020-01-01T00:00:00":       false,
		"2020-01-01T00:00:00Z 2020-01-01T00:00:00+02:00": false,
	} {
		if got := allBefore(dates, "2026-11-13T12:00:00"); got != want {
			t.Errorf("%q: %t", dates, got)
		}
	}
}

func TestReadsActivity(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]bool{
		"AzureAdSistaLogon.hasNoValue()":                                  true,
		"created.hasValue() && LastlogonTimestamp.hasNoValue()":           true,
		`department == "HR" || created.earlierThan(now - days(60))`:       false,
		`department == "HR" || !teamsSince.laterThan(now - days(60))`:     false,
		`department == "HR" || teams.earlierThan(now - days(60)) == true`: true,
	} {
		p := load(t, edgeHead+`
attributes: {teams: m365.teams, teamsSince: m365.teamsAssigned}
rules: [{name: r, license: m365, for: AzureAdSistaLogon.hasNoValue(), when: '`+when+`', then: remove}]
`)
		if got := p.Rules[0].ReadsActivity(); got != want {
			t.Errorf("%s: %t", when, got)
		}
	}
}

// A sweep finds the date on which a person was last seen. If an account or a report was not read, a later use is
// possible, so "known" is false.
func TestLastSeenInASweep(t *testing.T) {
	t.Parallel()
	const (
		mapping = "attributes: {title: ad.title, anyUse: 'newest(entra.lastActivity, ad.lastLogonTimestamp)', teams: m365.teams}\n"

		fields = `{name: r, license: m365, for: department == "HR", when: anyUse.earlierThan(now - days(60)), then: remove}`
		report = `{name: r, license: citrix, for: title == "Boss", when: teams.earlierThan(now - days(60)), then: remove}`
	)
	signIn, logon, use := noon.Add(-90*day), noon.Add(-80*day), noon.Add(-70*day)
	type seen struct {
		At    time.Time // zero if there is no date
		Known bool
	}
	noAD := func(p *directory.Person) { p.AD, p.ADState, p.Memberships = nil, directory.NoAccount, nil }
	for name, tc := range map[string]struct {
		rule string
		who  func(*directory.Person)
		want seen
	}{
		"both accounts are here": {fields, func(*directory.Person) {}, seen{logon, true}},
		"no account in AD":       {fields, noAD, seen{signIn, true}},
		"AD was not read":        {fields, func(p *directory.Person) { noAD(p); p.ADState = directory.NotRead }, seen{signIn, false}},
		"used":                   {report, func(*directory.Person) {}, seen{use, true}},
		"not used":               {report, func(p *directory.Person) { p.Entra.Uses[0].Last = directory.Value{State: directory.None} }, seen{time.Time{}, true}},
		"not in the report":      {report, func(p *directory.Person) { p.Entra.Uses = nil }, seen{time.Time{}, false}},
		"Entra ID was not read":  {report, func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NotRead }, seen{time.Time{}, false}},
		"no account in Entra ID": {report, func(p *directory.Person) { p.Entra, p.EntraState = nil, directory.NoAccount }, seen{time.Time{}, true}},
	} {
		p := load(t, edgeHead+mapping+"rules: ["+tc.rule+"]\n")
		who := holder()
		who.Entra.Department, who.AD.Title = "Sales", "Clerk"
		who.Entra.LastSuccessful, who.AD.LastLogonTimestamp = signIn, logon
		who.Entra.Uses = []directory.Use{usedOn(directory.TeamsUse, noon.Sub(use))}
		tc.who(who)
		c := inColumns([]*directory.Person{who}, directory.TeamsUse)
		foreignDates(c)
		j := judge(t, p, noon)
		swept := j.Sweep(c)
		at, known := swept.LastSeen(p.Rules[0])
		got := seen{Known: known[0]}
		if at[0] != None {
			got.At = time.UnixMicro(at[0]).UTC()
		}
		if d := cmp.Diff(tc.want, got); d != "" || swept.Open[0] {
			t.Errorf("%s, open %t (-want +got):\n%s", name, swept.Open[0], d)
		}
		got.At, got.Known = j.LastSeen(p.Rules[0], who)
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s, by the judge (-want +got):\n%s", name, d)
		}
	}
}

// The function "foreignDates" writes a wrong date (noon) into each column, in the rows of accounts that do not exist or
// were not read. A test with these columns fails if such a date counts as a date of the person.
func foreignDates(c *Crowd) {
	own := c.Field
	c.Field = func(name string) (Column, bool) {
		column, ok := own(name)
		f, _ := directory.FieldNamed(name)
		for row := range column.Rows {
			if f.Kind == directory.Date && c.Accounts[f.Source][row] != Here {
				column.Rows[row] = noon.UnixMicro()
			}
		}
		return column, ok
	}
	used := c.Used
	c.Used = func(s directory.Signal) (Used, bool) {
		u, ok := used(s)
		for row := range u.Last {
			if c.Accounts[directory.Entra][row] != Here {
				u.Last[row] = noon.UnixMicro()
			}
		}
		return u, ok
	}
}
