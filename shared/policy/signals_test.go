package policy

import (
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

func usagePolicy(t *testing.T, when string) *Policy {
	t.Helper()
	p, err := Load("p", []byte(`
tenant: 11111111-2222-3333-4444-555555555555
mode: audit
attributes: {copilotUse: copilot.lastActivity, teams: m365.teams, teamsSince: m365.teamsAssigned, anyUse: "newest(m365.exchange, m365.teams, entra.lastActivity)"}
licenses: {copilot: {sku: Microsoft_365_Copilot}}
rules: [{name: r, license: copilot, when: '`+when+`', then: remove}]
`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reportOf is the end of the reports in these tests, two and a half days before noon. A report covers 180 days.
var reportOf = noon.Add(-60 * time.Hour)

func copilotHolder(uses ...directory.Use) *directory.Person {
	for i := range uses {
		uses[i].Through = reportOf
	}
	return &directory.Person{EntraState: directory.Present, ADState: directory.NoAccount, Entra: &directory.EntraUser{
		ID: "a", UserPrincipalName: "a@x.example", UserType: "Member", Enabled: directory.Yes, Created: noon.Add(-1000 * day), LastSuccessful: noon.Add(-70 * day), Uses: uses,
		Assignments: []directory.Assignment{{SKU: "copilot", State: "Active", Updated: noon.Add(-900 * day)}},
	}}
}

func usedOn(s directory.Signal, ago time.Duration) directory.Use {
	return directory.Use{Signal: s, Last: directory.Value{State: directory.Known, Time: noon.Add(-ago)}}
}

func notUsed(s directory.Signal) directory.Use {
	return directory.Use{Signal: s, Last: directory.Value{State: directory.None}}
}

func askUsage(t *testing.T, when string, who *directory.Person) (Verdict, string) {
	t.Helper()
	p := usagePolicy(t, when)
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	v := j.Ask(p.Rules[0], who)
	return v, j.Reason(p.Rules[0], who, v)
}

// A report shows nothing after its end and nothing before its horizon.
func TestDatesOfReports(t *testing.T) {
	t.Parallel()
	const unused = "copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()"
	copilot := directory.CopilotUse
	newcomer := copilotHolder(notUsed(copilot))
	newcomer.Entra.Created = noon.Add(-100 * day)
	undated := copilotHolder(usedOn(copilot, 46*day))
	undated.Entra.Created = time.Time{}
	stale := copilotHolder(usedOn(copilot, 60*day))
	stale.Stale[copilot] = "the feed has stalled"
	staleTeams := copilotHolder(usedOn(copilot, 60*day))
	staleTeams.Stale[directory.TeamsUse] = "the feed has stalled"
	agent := copilotHolder(usedOn(copilot, 60*day))
	agent.Entra.Type = "#microsoft.graph.agentUser"
	nobody := &directory.Person{EntraState: directory.NotRead, Memberships: nil, AD: &directory.ADUser{SID: "S-1"}, ADState: directory.Present}
	for name, tc := range map[string]struct {
		when   string
		who    *directory.Person
		want   Outcome
		reason string
	}{
		"used 44 days ago":    {unused, copilotHolder(usedOn(copilot, 44*day)), Keep, "last use of Copilot 2026-10-10 (44 days)"},
		"used 46 days ago":    {unused, copilotHolder(usedOn(copilot, 46*day)), Reclaim, "no use of Copilot since 2026-10-08 (46 days)"},
		"none in 180 days":    {unused, copilotHolder(notUsed(copilot)), Reclaim, "matches: copilotUse none since 2026-05-25"},
		"not in the report":   {unused, copilotHolder(), Undecided, "copilotUse is not known: the usage report does not have the person by the name a@x.example"},
		"in it, and not told": {unused, copilotHolder(directory.Use{Signal: copilot}), Undecided, "does not say when they were active"},
		"went back": {unused, copilotHolder(directory.Use{Signal: directory.TeamsUse}, directory.Use{Signal: copilot, Shown: noon.Add(-9 * day)}), Undecided,
			"copilotUse went back: an earlier usage report showed activity on 2026-11-14, and this one does not"},
		"another signal went back": {unused, copilotHolder(directory.Use{Signal: directory.TeamsUse, Shown: noon.Add(-9 * day)}, directory.Use{Signal: copilot}), Undecided,
			"copilotUse is not known: the usage report has the person and does not say when they were active"},
		"the signal is dead":       {unused, stale, Undecided, "copilotUse cannot be trusted: the feed has stalled"},
		"another signal is dead":   {unused, staleTeams, Reclaim, "no use of Copilot since"},
		"Entra ID was not read":    {unused, nobody, Undecided, "Entra was not read"},
		"an agent":                 {`kind == "agent" && (` + unused + ")", agent, Exempt, ""},
		"younger than the horizon": {"copilotUse.hasNoValue()", newcomer, Reclaim, "never used Copilot"},

		// Without a use in the report, an earlier use is possible.
		"earlier alone":          {"copilotUse.earlierThan(now - days(45))", copilotHolder(notUsed(copilot)), Undecided, "copilotUse is none since 2026-05-25, and whether there is an earlier one is not known"},
		"never alone":            {"copilotUse.hasNoValue()", copilotHolder(notUsed(copilot)), Undecided, "copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()"},
		"not later":              {"!copilotUse.laterThan(now - days(45))", copilotHolder(notUsed(copilot)), Reclaim, ""},
		"ever or never":          {"copilotUse.hasValue() ? copilotUse.earlierThan(now - days(45)) : true", copilotHolder(notUsed(copilot)), Reclaim, ""},
		"within the span":        {"!copilotUse.laterThan(now - days(182))", copilotHolder(notUsed(copilot)), Reclaim, ""},
		"before the horizon":     {"!copilotUse.laterThan(now - days(183))", copilotHolder(notUsed(copilot)), Undecided, "none since 2026-05-25"},
		"longer than the report": {"copilotUse.earlierThan(now - days(183)) || copilotUse.hasNoValue()", copilotHolder(notUsed(copilot)), Undecided, "at most 180 of them"},

		"the rule is shorter than the report is old": {"copilotUse.earlierThan(now - days(2))", copilotHolder(usedOn(copilot, 46*day)), Undecided, "copilotUse is not known after 2026-11-21"},
		"as long as it":                  {"copilotUse.earlierThan(now - duration(\"60h\"))", copilotHolder(usedOn(copilot, 46*day)), Reclaim, ""},
		"never, and a shorter rule":      {"copilotUse.earlierThan(now - days(2)) || copilotUse.hasNoValue()", newcomer, Undecided, "2026-11-21"},
		"used at that very instant":      {"copilotUse.earlierThan(now - duration(\"36h\"))", copilotHolder(usedOn(copilot, 36*time.Hour)), Keep, ""},
		"not later than that instant":    {"!copilotUse.laterThan(now - duration(\"36h\"))", copilotHolder(usedOn(copilot, 36*time.Hour)), Undecided, "copilotUse is not known after 2026-11-21"},
		"later than that instant":        {"!copilotUse.laterThan(now - duration(\"36h\"))", copilotHolder(usedOn(copilot, 36*time.Hour-time.Second)), Keep, ""},
		"the time itself is missing":     {"copilotUse.earlierThan(created.value())", undated, Undecided, "created has no value"},
		"a shorter span of another date": {"copilotUse.earlierThan(now - days(45)) && created.earlierThan(now - days(1))", copilotHolder(usedOn(copilot, 46*day)), Reclaim, ""},
		"used after the report's day":    {"copilotUse.earlierThan(now - days(2))", copilotHolder(usedOn(copilot, 36*time.Hour)), Keep, ""},

		"two that are open":   {"(copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()) && (teams.earlierThan(now - days(45)) || teams.hasNoValue())", copilotHolder(notUsed(copilot), notUsed(directory.TeamsUse)), Reclaim, ""},
		"the two differ":      {"copilotUse.hasNoValue() != teams.hasNoValue()", copilotHolder(notUsed(copilot), notUsed(directory.TeamsUse)), Undecided, "none since"},
		"one of two was used": {"(copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()) && (teams.earlierThan(now - days(45)) || teams.hasNoValue())", copilotHolder(notUsed(copilot), usedOn(directory.TeamsUse, 10*day)), Keep, ""},
		"the newest of three": {"anyUse.earlierThan(now - days(60)) || anyUse.hasNoValue()", copilotHolder(notUsed(directory.ExchangeUse), usedOn(directory.TeamsUse, 80*day)), Reclaim, "no activity since 2026-09-14 (70 days)"},
		"one of them unknown": {"anyUse.earlierThan(now - days(60)) || anyUse.hasNoValue()", copilotHolder(notUsed(directory.ExchangeUse)), Undecided, "does not have the person"},
		"assigned long ago": {"teamsSince.earlierThan(now - days(30))", copilotHolder(directory.Use{Signal: directory.TeamsUse, Assigned: directory.Value{State: directory.Known, Time: noon.Add(-31 * day)}}),
			Reclaim, "matches: teamsSince 2026-10-23T12:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, reason := askUsage(t, tc.when, tc.who)
			if v.Outcome != tc.want || !strings.Contains(reason, tc.reason) {
				t.Errorf("%s: %s, want %s with %q", v.Outcome, reason, tc.want, tc.reason)
			}
		})
	}
}

// A condition may compare a date from a usage report with earlierThan or laterThan, and ask whether it has a value. It
// must not read the date with value(), because the report is days late.
func TestReportsAreOnlyCompared(t *testing.T) {
	t.Parallel()
	for when, ok := range map[string]bool{
		"copilotUse.hasValue() && copilotUse.value() < now - days(45)": false,
		"(true ? copilotUse : teams).earlierThan(now - days(45))":      false,
		"copilotUse == teams": false,
		"copilotUse.laterThan(now - days(45)) || teamsSince.laterThan(now - days(3))":    true,
		"created.value() < now - days(45)":                                               true,
		"[copilotUse].exists(x, x.hasNoValue())":                                         false,
		"anyUse.hasValue() ? anyUse.earlierThan(now - days(45)) : copilotUse.hasValue()": true,
	} {
		_, err := Load("p", []byte(strings.Replace(`
tenant: 11111111-2222-3333-4444-555555555555
mode: audit
attributes: {copilotUse: copilot.lastActivity, teams: m365.teams, teamsSince: m365.teamsAssigned, anyUse: "newest(m365.exchange, entra.lastActivity)"}
licenses: {copilot: {sku: Microsoft_365_Copilot}}
rules: [{name: r, license: copilot, when: 'WHEN', then: remove}]
`, "WHEN", when, 1)))
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "comes by a usage report, which is days late") {
			t.Errorf("%s: %v", when, err)
		}
	}
	p := usagePolicy(t, "copilotUse.hasValue()")
	for name, use := range map[string]directory.Use{"used": usedOn(directory.CopilotUse, 9*day), "not used": notUsed(directory.CopilotUse)} {
		who := copilotHolder(use)
		out, _, _ := plainProgram(t, p.Rules[0].when).Eval(byName{p, who}) // CEL itself, without the tests of the Judge
		if !types.IsUnknown(out) {
			t.Errorf("%s: CEL reads the date of a report as %v", name, out)
		}
	}
}

func TestSignalsOfAPolicy(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]directory.Signal{directory.CopilotUse}, usagePolicy(t, "copilotUse.hasValue()").Signals()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []directory.Signal{directory.SignIns, directory.ExchangeUse, directory.TeamsUse}
	if diff := cmp.Diff(want, usagePolicy(t, "anyUse.hasValue() && teamsSince.hasValue()").Signals()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCovered: a time is covered if every report that the rule reads extends to the end of that day. A report that does
// not list the person does not count.
func TestCovered(t *testing.T) {
	t.Parallel()
	late := copilotHolder(usedOn(directory.TeamsUse, 80*day), usedOn(directory.ExchangeUse, 80*day))
	late.Entra.Uses[1].Through = reportOf.Add(-day)
	for name, tc := range map[string]struct {
		when string
		who  *directory.Person
		at   time.Time
		want bool
	}{
		"the end of the last day":      {"copilotUse.hasNoValue()", copilotHolder(usedOn(directory.CopilotUse, 80*day)), reportOf.Add(day - 1), true},
		"the next day":                 {"copilotUse.hasNoValue()", copilotHolder(usedOn(directory.CopilotUse, 80*day)), reportOf.Add(day), false},
		"the next day, never used":     {"copilotUse.hasNoValue()", copilotHolder(notUsed(directory.CopilotUse)), reportOf.Add(day), false},
		"the next day, in local time":  {"copilotUse.hasNoValue()", copilotHolder(notUsed(directory.CopilotUse)), reportOf.Add(day).In(time.FixedZone("", -3600)), false},
		"the next day, not in reports": {"copilotUse.hasNoValue()", copilotHolder(), reportOf.Add(day), true},
		"the later of two reports":     {"anyUse.hasNoValue()", late, reportOf, false},
		"the earlier of two reports":   {"anyUse.hasNoValue()", late, reportOf.Add(-1), true},
		"another report":               {"AzureAdSistaLogon.hasNoValue()", late, reportOf, true},
		"no date of use":               {"teamsSince.hasNoValue()", late, reportOf.Add(day), true},
	} {
		if got := usagePolicy(t, tc.when).Rules[0].Covered(tc.who, tc.at); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Turns looks into the future, and assumes that newer reports arrive until then. Returned also counts a use up to a
// week before the change, because a report may be a week late.
func TestReportsThroughTime(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "copilotUse.earlierThan(now - days(45)) || copilotUse.hasNoValue()")
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	r := p.Rules[0]
	used := copilotHolder(usedOn(directory.CopilotUse, 40*day))
	if at, turns := j.Turns(r, used); !turns || !at.Equal(noon.Add(5*day+time.Second)) {
		t.Errorf("turns %v, at %s", turns, at)
	}
	if v := j.Ask(r, used); v.Outcome != Keep {
		t.Errorf("after it was asked when the rule turns: %s", v.Outcome)
	}
	idle := copilotHolder(notUsed(directory.CopilotUse))
	for ago, cools := range map[time.Duration]bool{44 * day: true, 46 * day: false, time.Hour: true} {
		if got := j.Cooling(r, idle, noon.Add(-ago)); got != cools {
			t.Errorf("restored %s ago: cools %v", ago, got)
		}
	}
	if at, _ := j.Returned(r, copilotHolder(usedOn(directory.CopilotUse, 4*day)), noon.Add(-5*day)); !at.Equal(noon.Add(-4 * day)) {
		t.Errorf("back at %s", at)
	}
	for ago, back := range map[time.Duration]bool{11 * day: true, 12 * day: false, 13 * day: false} { // a report may be a week late
		if at, _ := j.Returned(r, copilotHolder(usedOn(directory.CopilotUse, ago)), noon.Add(-5*day)); at.IsZero() == back {
			t.Errorf("used %s ago, and lost it 5 days ago: back at %s", ago, at)
		}
	}
	short := usagePolicy(t, "copilotUse.earlierThan(now - days(4))")
	if late := short.Rules[0].late(); late != 4*day {
		t.Errorf("a rule of 4 days: late by %s", late)
	}
	if at, _ := j.Returned(r, idle, noon.Add(-5*day)); !at.IsZero() {
		t.Errorf("who was not seen is back at %s", at)
	}
}

// Reports do not list a person who lost the license for a workload. If the rule also reads sign-ins, a sign-in shows
// the return.
func TestReturnedByOneOfSeveralDates(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "anyUse.earlierThan(now - days(60))")
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	signedIn := func(ago time.Duration, uses ...directory.Use) *directory.Person {
		who := copilotHolder(uses...)
		who.Entra.LastSuccessful = noon.Add(-ago)
		return who
	}
	doubtful := signedIn(4 * day)
	doubtful.Entra.DatesInDoubt = true
	for name, tc := range map[string]struct {
		who  *directory.Person
		want time.Time
	}{
		"in no report":                 {signedIn(4 * day), noon.Add(-4 * day)},
		"in one of two columns":        {signedIn(4*day, notUsed(directory.ExchangeUse)), noon.Add(-4 * day)},
		"the report is newer":          {signedIn(70*day, usedOn(directory.TeamsUse, 3*day)), noon.Add(-3 * day)},
		"stayed away":                  {signedIn(70 * day), time.Time{}},
		"a date that is not believed":  {doubtful, time.Time{}},
		"longer ago than reports lag":  {signedIn(13 * day), time.Time{}},
		"in both, and stayed away":     {signedIn(70*day, notUsed(directory.ExchangeUse), notUsed(directory.TeamsUse)), time.Time{}},
		"in both, and has signed in":   {signedIn(4*day, notUsed(directory.ExchangeUse), notUsed(directory.TeamsUse)), noon.Add(-4 * day)},
		"in both, and used a workload": {signedIn(70*day, usedOn(directory.ExchangeUse, 4*day), notUsed(directory.TeamsUse)), noon.Add(-4 * day)},
	} {
		if at, _ := j.Returned(p.Rules[0], tc.who, noon.Add(-5*day)); !at.Equal(tc.want) {
			t.Errorf("%s: back at %s, want %s", name, at, tc.want)
		}
	}
}

// IdleSince must not move with the horizon of a report, which moves each day. Otherwise an announcement would be void
// on the next day.
func TestIdleSinceStaysWhereItIs(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "anyUse.earlierThan(now - days(60))")
	for later := range 3 {
		passed := time.Duration(later) * day
		j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon.Add(passed))
		if err != nil {
			t.Fatal(err)
		}
		who := copilotHolder(notUsed(directory.ExchangeUse), notUsed(directory.TeamsUse))
		who.Entra.LastSuccessful = noon.Add(-200 * day)
		for i := range who.Entra.Uses {
			who.Entra.Uses[i].Through = reportOf.Add(passed)
		}
		if v := j.Ask(p.Rules[0], who); v.Outcome != Reclaim || !v.IdleSince.Equal(noon.Add(-200*day)) {
			t.Errorf("%d days later: %s, idle since %s", later, v.Outcome, v.IdleSince)
		}
	}
}

func TestEvidenceOfReports(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "copilotUse.hasValue() || AzureAdSistaLogon.hasValue()")
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []Evidence{
		{Attribute: "copilotUse", Field: "copilot.lastActivity", Value: "none since 2026-05-25", Note: "signal copilot, by a usage report that tells of 2026-05-25 to 2026-11-21"},
		{Attribute: "AzureAdSistaLogon", Field: "entra.lastActivity", Value: "2026-09-14T12:00:00Z"},
	}
	if diff := cmp.Diff(want, j.Evidence(p.Rules[0], copilotHolder(notUsed(directory.CopilotUse)))[:2]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for mapping, want := range map[string]string{ // a sign-in comes from no report, and a signal is named once
		"newest(m365.exchange, m365.teams, entra.lastActivity)": "signal m365.exchange, m365.teams, by a usage report that tells of 2026-05-25 to 2026-11-21",
		"newest(m365.teams, m365.teamsAssigned)":                "signal m365.teams, by a usage report that tells of 2026-05-25 to 2026-11-21",
	} {
		who := copilotHolder(usedOn(directory.ExchangeUse, 30*day), usedOn(directory.TeamsUse, 9*day))
		who.Entra.Uses[1].Assigned = directory.Value{State: directory.Known, Time: noon.Add(-90 * day)}
		a, fault := parseMapping("use", mapping)
		if got := a.evidence(who).Note; got != want || fault != "" {
			t.Errorf("%s: %q, want %q", mapping, got, want)
		}
	}
}
