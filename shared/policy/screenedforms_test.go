package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

const formsHead = edgeHead + `
attributes:
  title: ad.title
  staff: {memberOf: {entra: Others}}
  teams: m365.teams
  teamsSince: m365.teamsAssigned
  copilot: copilot.lastActivity
  both: newest(m365.exchange, m365.teams)
  bothTurned: newest(m365.teams, m365.exchange)
  mixed: newest(m365.exchange, ad.lastLogonTimestamp)
`

// screenedForms are conditions, some with a further line of the policy. TestFormsInColumns evaluates each one for 1000
// holders, and the columns must show a verdict on "holders" of them. If a fault makes this number smaller, the Judge
// evaluates the others, and no verdict becomes wrong. So only this number shows such a fault.
var screenedForms = []struct {
	rule    string
	holders int
}{
	// One report ends two and a half days before noon, and the other report one and a half days before noon.
	{"when: teams.earlierThan(now - days(2)) || teams.hasNoValue()", 0},
	{`when: teams.earlierThan(now - duration("60h")) || teams.hasNoValue()`, 1000},
	{"when: teams.earlierThan(now - days(5)) && created.earlierThan(now - days(2))", 811},
	{"when: teams.hasValue() && created.earlierThan(now - days(2))", 201},
	{"when: teams.hasNoValue()", 848},
	{"when: both.earlierThan(now - days(2))", 0},
	{"when: bothTurned.earlierThan(now - days(2))", 0},
	// One report begins 182.5 days before noon, and the other report 181.5 days before noon.
	{`when: teams.earlierThan(now - duration("4380h"))`, 848},
	{`when: '!teams.laterThan(now - duration("4380h"))'`, 1000},
	{"when: both.earlierThan(now - days(185))", 837},
	{"when: mixed.earlierThan(now - days(200))", 761},
	{"when: (mixed.earlierThan(now - days(60)) || mixed.hasNoValue()) && created.earlierThan(now - days(90))", 761},
	{"for: (mixed.earlierThan(now - days(60)) || mixed.hasNoValue()) && created.earlierThan(now - days(90)), when: 'department == \"HR\"'", 790},
	{"when: created.earlierThan(now - days(5)) || mixed.earlierThan(now - days(60))\ngrace: {neverSignedIn: 90}", 706},
	// The columns lack what the next conditions read: the dates of the Copilot report, or the date on which Teams was
	// assigned.
	{"when: copilot.earlierThan(now - days(60)) && created.earlierThan(now - days(90))", 315},
	{"when: created.earlierThan(now - days(90))\nexempt: {when: copilot.laterThan(now - days(5))}", 0},
	{"when: created.earlierThan(now - days(90))\nexempt: {when: teamsSince.laterThan(now - days(30))}", 0},
	// If a condition reads more than six attributes from usage reports, the Judge does not try all cases of missing
	// dates. The columns then show no verdict.
	{"when: " + unusedSixty(6), 1000},
	{"when: " + unusedSixty(6) + ` && department == "HR"`, 1000},
	{"when: " + unusedSixty(7), 0},

	// The account in Active Directory may be absent or unknown.
	{`when: 'title == "" || false'`, 710},
	{"when: created.earlierThan(now - days(90))\nexempt: {when: 'title == \"Boss\"'}", 519},
	{"when: created.earlierThan(now - days(90))\nexempt: {when: LastlogonTimestamp.earlierThan(now - days(85))}", 504},
	{"for: created.earlierThan(now - days(90)), when: 'department == \"HR\"'", 842},
	{"when: staff && created.earlierThan(now - days(90))", 315},
	{"when: created.value() <= now - days(90)", 699},

	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-12-01T12:00:00Z"))`, 764},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-12-01T12:00:00.5Z"))`, 764},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-12-01T12:00:00.0000005Z"))`, 247},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-12-23T12:00:00Z"))`, 762},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2027-01-10T12:00:00Z"))`, 764},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-10-01T12:00:00Z") - days(5))`, 764},
	{`when: created.earlierThan(now - days(90)) && LastlogonTimestamp.earlierThan(timestamp("2026-10-01T12:00:00Z") + days(5))`, 764},
	{`when: created.earlierThan(now - duration("2160h0m0.0000005s"))`, 341},

	// The columns show no verdict for the following forms. The Judge evaluates them.
	{"when: department == systemRole", 0},
	{`when: department.startsWith("S")`, 0},
	{"when: created.or(LastlogonTimestamp).earlierThan(now - days(90))", 0},
	{"when: created.or(LastlogonTimestamp).value() < now - days(90)", 0},
	{`when: created.orValue(timestamp("2020-01-01T00:00:00Z")) < now - days(90)`, 0},
	{"when: created.value() < LastlogonTimestamp.value()", 0},
	{"when: created.value() < LastlogonTimestamp.value() - days(5)", 0},
	{"when: created.value() < now - (days(30) + days(60))", 0},
	{`when: '(accountEnabled ? department : systemRole) == "HR"'`, 0},
	// In CEL, the list [1, true] has elements of any type. A choice such as accountEnabled ? [1, true][0] : 5 therefore
	// also has any type, and CEL accepts it as a condition.
	{`when: '(accountEnabled ? [1, true][0] : 5) && created.earlierThan(now - days(90))'`, 315},
	{`when: '(accountEnabled ? [1, true][0] : department) && created.earlierThan(now - days(90))'`, 315},
	{`when: '(accountEnabled ? [1, true][0] : now) && created.earlierThan(now - days(90))'`, 315},
	{`when: '(accountEnabled ? [1, true][0] : created.value()) && created.earlierThan(now - days(90))'`, 315},
}

func unusedSixty(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("(t%d.earlierThan(now - days(60)) || t%d.hasNoValue())", i, i))
	}
	return strings.Join(all, " && ")
}

// In each form of a condition, the columns show the verdict of the Judge, or no verdict.
func TestFormsInColumns(t *testing.T) {
	t.Parallel()
	e := edges{rand.New(rand.NewPCG(9, 1))}
	var people []*directory.Person
	for len(people) < 1000 {
		people = append(people, e.holder())
	}
	head := formsHead
	for i := range 7 {
		head += fmt.Sprintf("  t%d: m365.teams\n", i)
	}
	for _, tc := range screenedForms {
		rule, others, _ := strings.Cut(tc.rule, "\n")
		j := judge(t, load(t, head+"rules: [{name: r, license: m365, "+rule+", then: remove}]\n"+others+"\n"), noon)
		c := inColumns(people, directory.TeamsUse, directory.ExchangeUse)
		if _, got := checkColumns(t, tc.rule, j, c, people); got != tc.holders {
			t.Errorf("%s: the columns show %d verdicts on holders, want %d", tc.rule, got, tc.holders)
		}
	}
}

// holder returns a person with the license m365. The person's dates are close to the times with which the conditions of
// screenedForms compare them, so that each condition is near a change of its result.
func (e edges) holder() *directory.Person {
	p := e.person()
	for p.Entra == nil {
		p = e.person()
	}
	const span = 180 * day
	ends := []time.Time{reportOf, reportOf.Add(day)}
	begins := []time.Time{ends[0].Add(-span), ends[1].Add(-span)}
	ago := func(days ...int) (instants []time.Time) {
		for _, n := range days {
			instants = append(instants, noon.AddDate(0, 0, -n))
		}
		return instants
	}
	p.Entra.Assignments = []directory.Assignment{{SKU: "e3", State: "Active", Updated: noon.Add(-900 * day)}}
	p.Entra.Created = e.around(append(ago(45, 60, 82, 90, 300), begins...)...)
	p.Entra.Uses = nil
	for i, s := range []directory.Signal{directory.TeamsUse, directory.ExchangeUse} {
		use := directory.Use{Signal: s, Through: ends[i], Last: directory.Value{State: directory.None}}
		if at := e.around(append(ago(2, 5, 60, 190), reportOf, begins[0])...); !at.IsZero() && e.IntN(3) > 0 {
			use.Last = directory.Value{State: directory.Known, Time: at}
		}
		p.Entra.Uses = append(p.Entra.Uses, use)
	}
	if p.AD != nil {
		p.AD.Created = time.Time{}
		p.AD.LastLogonTimestamp = e.around(append(ago(30, 60, 90), begins...)...)
	}
	return p
}

// A verdict can turn at the start of a report's span. The accounts in this test are created at this start, or up to a
// second before or after it.
func TestColumnsTurnAtTheStartOfAReport(t *testing.T) {
	t.Parallel()
	begin := reportOf.Add(-180 * day)
	var people []*directory.Person
	for _, off := range []time.Duration{-time.Second, -time.Microsecond, 0, time.Microsecond, time.Second} {
		for _, exchange := range []time.Time{{}, begin.Add(-day), begin, begin.Add(day)} {
			u := &directory.EntraUser{ID: "a", UserType: "Member", Created: begin.Add(off), Assignments: []directory.Assignment{{SKU: "e3", State: "Active"}}}
			u.Uses = []directory.Use{
				{Signal: directory.TeamsUse, Through: reportOf, Last: directory.Value{State: directory.None}},
				{Signal: directory.ExchangeUse, Through: reportOf, Last: directory.Value{State: directory.None}},
			}
			if !exchange.IsZero() {
				u.Uses[1].Last = directory.Value{State: directory.Known, Time: exchange}
			}
			people = append(people, &directory.Person{Entra: u, EntraState: directory.Present, ADState: directory.NoAccount})
		}
	}
	for _, rule := range []string{
		"when: created.earlierThan(now - days(200)) && !teams.laterThan(now - days(60))",
		`for: department == "" || anyUse.hasValue(), when: created.earlierThan(now - days(200))`,
	} {
		j := judge(t, load(t, edgeHead+`
attributes: {teams: m365.teams, anyUse: "newest(m365.teams, m365.exchange)"}
rules: [{name: r, license: m365, `+rule+`, then: remove}]
`), noon)
		if _, got := checkColumns(t, rule, j, inColumns(people, directory.TeamsUse, directory.ExchangeUse), people); got == 0 {
			t.Errorf("%s: the columns show no verdict", rule)
		}
	}
}
