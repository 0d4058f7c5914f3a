package policy

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// Turns agrees with an evaluation at each hour, for random dates on whole hours.
func TestTurns(t *testing.T) {
	t.Parallel()
	p := load(t, `
grace: {neverSignedIn: 5}
exempt:
  leave: [{user: a@x, until: 2026-12-10}, {user: a@x, until: 2026-12-20T03:00:00Z}]
licenses:
  m365-e3: {sku: SPE_E3}
  citrix: {group: {ad: "`+citrixDN+`"}}
rules:
  - {name: never or long, license: m365-e3, when: AzureAdSistaLogon.earlierThan(now - days(20)) || AzureAdSistaLogon.hasNoValue(), then: remove}
  - {name: ternary, license: citrix, when: "LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(9)) : created.value() <= now - days(9)", then: remove}
  - {name: two spans, license: m365-e3, when: 'AzureAdSistaLogon.earlierThan(now - days(7) - days(4)) && now > timestamp("2026-12-01T05:00:00Z") + duration("36h")', then: remove}
  - {name: in advance, license: m365-e3, when: 'created.laterThan(now - days(30)) && AzureAdSistaLogon.earlierThan(now + days(2) - days(25))', then: remove}
  - {name: never, license: m365-e3, when: 'AzureAdSistaLogon.laterThan(timestamp("2030-01-01T00:00:00Z"))', then: remove}
`)
	random := rand.New(rand.NewPCG(1, 2))
	date := func() time.Time {
		if random.IntN(4) == 0 {
			return time.Time{}
		}
		return noon.Add(-time.Duration(random.IntN(40*24)) * time.Hour)
	}
	turned := 0
	for range 150 {
		who := employee()
		who.Entra.LastSuccessful, who.AD.LastLogonTimestamp, who.Entra.Created = date(), date(), date()
		if random.IntN(3) == 0 {
			who.Entra.UserPrincipalName = "a@x"
		}
		for _, r := range p.Rules {
			j := judge(t, p, noon)
			if j.Ask(r, who).Outcome == Reclaim {
				continue
			}
			got, ok := j.Turns(r, who)
			want, wantOK := turnsByHour(t, p, r, who)
			if ok != wantOK || ok && !got.Truncate(time.Hour).Equal(want.Truncate(time.Hour)) {
				t.Fatalf("%s: turns %v %v, asked hour by hour %v %v; person %s", r.Name, got, ok, want, wantOK, j.Evidence(r, who))
			}
			if ok {
				turned++
			}
		}
	}
	if turned < 100 {
		t.Errorf("only %d verdicts turned; the test shows little", turned)
	}
}

// turnsByHour evaluates the rule at each hour of 60 days, and also one second after each hour. It returns the first
// time at which the rule reclaims.
func turnsByHour(t *testing.T, p *Policy, r *Rule, who *directory.Person) (time.Time, bool) {
	j := judge(t, p, noon)
	for h := range 60 * 24 {
		for _, s := range []time.Duration{0, time.Second} {
			at := noon.Add(time.Duration(h)*time.Hour + s)
			j.setNow(at)
			if j.Ask(r, who).Outcome == Reclaim {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

func TestTurnsLeavesTheJudgeAtItsInstant(t *testing.T) {
	t.Parallel()
	p := load(t, twoRules)
	who := employee()
	who.Entra.LastSuccessful = noon.Add(-59 * day)
	j := judge(t, p, noon)
	at, ok := j.Turns(p.Rules[0], who)
	if want := noon.Add(day + time.Second); !ok || !at.Equal(want) {
		t.Errorf("turns %v %v, want %v", at, ok, want)
	}
	if v := j.Ask(p.Rules[0], who); v.Outcome != Keep {
		t.Errorf("after Turns the verdict is %s (%s), want keep", v.Outcome, v.Reason)
	}
}

func TestManySpans(t *testing.T) {
	t.Parallel()
	c := &condition{}
	for i := range 20 {
		c.spans = append(c.spans, time.Duration(i+1)*day)
	}
	offsets := offsetsOf([]*condition{c})
	if len(offsets) > maxOffsets+2*len(c.spans) {
		t.Errorf("%d offsets", len(offsets))
	}
	have := map[time.Duration]bool{}
	for _, o := range offsets {
		have[o] = true
	}
	for _, span := range c.spans {
		if !have[span] || !have[-span] {
			t.Errorf("the span of %v is not tried", span)
		}
	}
}

func TestEvidenceAndProfile(t *testing.T) {
	t.Parallel()
	p := load(t, `
attributes:
  staff: {memberOf: {entra: Staff}}
  systemRole: entra.jobTitle
licenses: {m365-e3: {sku: SPE_E3}}
grace: {neverSignedIn: 14}
exempt: {when: userType == "Guest"}
rules: [{name: r, license: m365-e3, for: accountEnabled && staff, when: AzureAdSistaLogon.hasNoValue(), then: remove}]
`)
	who := employee()
	who.Memberships = append(who.Memberships, "entra:Staff")
	who.Entra.JobTitle = "Clerk"
	who.Entra.LastSuccessful = noon.Add(-time.Hour)
	who.ADState, who.AD = directory.NotRead, nil
	j := judge(t, p, noon)
	verdict := []Evidence{
		{Attribute: "accountEnabled", Field: "entra.accountEnabled", Value: "true"},
		{Attribute: "staff", Field: "memberOf entra:Staff", Value: "true"},
		{Attribute: "AzureAdSistaLogon", Field: "entra.lastActivity", Value: "2026-11-23T11:00:00Z"},
		{Attribute: "userType", Field: "entra.userType", Value: "Member"},
		{Attribute: "created", Field: "newest(entra.created, ad.created)", Value: "not read"},
	}
	if diff := cmp.Diff(verdict, j.Evidence(p.Rules[0], who)); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	entra, ad := directory.Entra, directory.AD
	profile := []Fact{
		{Evidence{Attribute: "staff", Field: "memberOf entra:Staff", Value: "true"}, []directory.Source{entra}, nil, time.Time{}, time.Time{}},
		{Evidence{Attribute: "systemRole", Field: "entra.jobTitle", Value: "Clerk"}, []directory.Source{entra}, nil, time.Time{}, time.Time{}},
		{Evidence{Attribute: "AzureAdSistaLogon", Field: "entra.lastActivity", Value: "2026-11-23T11:00:00Z"}, []directory.Source{entra}, []directory.Signal{directory.SignIns}, noon.Add(-time.Hour), time.Time{}},
		{Evidence{Attribute: "LastlogonTimestamp", Field: "ad.lastLogonTimestamp", Value: "not read"}, []directory.Source{ad}, []directory.Signal{directory.Logons}, time.Time{}, time.Time{}},
		{Evidence{Attribute: "created", Field: "newest(entra.created, ad.created)", Value: "not read"}, []directory.Source{entra, ad}, nil, time.Time{}, time.Time{}},
		{Evidence{Attribute: "accountEnabled", Field: "entra.accountEnabled", Value: "true"}, []directory.Source{entra}, nil, time.Time{}, time.Time{}},
		{Evidence{Attribute: "userType", Field: "entra.userType", Value: "Member"}, []directory.Source{entra}, nil, time.Time{}, time.Time{}},
	}
	if diff := cmp.Diff(profile, j.Profile(who)); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
}

// If a usage report shows no use, the Fact has no date, not even the start of the days that the report covers. The
// sources of a Fact are the directories in which the person has or may have an account.
func TestFactsOfReports(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "copilotUse.hasNoValue() && created.hasValue()")
	type fact struct {
		Sources       []directory.Source
		Date, Through time.Time
	}
	entra := []directory.Source{directory.Entra}
	signIn := noon.Add(-70 * day)
	for created, copilot := range map[time.Time]string{noon.Add(-1000 * day): "none since 2026-05-25", noon.Add(-100 * day): "no value"} {
		who := copilotHolder(notUsed(directory.CopilotUse), usedOn(directory.TeamsUse, 30*day), notUsed(directory.ExchangeUse))
		who.Entra.Created = created
		j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]fact{}
		for _, f := range j.Profile(who) {
			got[f.Attribute] = fact{f.Sources, f.Date, f.Through}
			if f.Attribute == "copilotUse" && f.Value != copilot {
				t.Errorf("created %s: no use of Copilot is %q, want %q", created, f.Value, copilot)
			}
		}
		want := map[string]fact{
			"copilotUse": {entra, time.Time{}, reportOf}, "teams": {entra, noon.Add(-30 * day), reportOf}, "anyUse": {entra, noon.Add(-30 * day), reportOf},
			"AzureAdSistaLogon": {entra, signIn, time.Time{}}, "created": {entra, created, time.Time{}},
			"LastlogonTimestamp": {nil, time.Time{}, time.Time{}}, "systemRole": {entra, time.Time{}, time.Time{}}, "teamsSince": {entra, time.Time{}, reportOf},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("created %s (-want +got):\n%s", created, d)
		}
	}
}

// If a usage report shows no use by the person, the rule's span counts from the first day that the report covers.
func TestTurnsByTheStartOfAReport(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "copilotUse.earlierThan(now - days(200)) || copilotUse.hasNoValue()")
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := reportOf.Add(-180 * day).Add(200 * day)
	at, ok := j.Turns(p.Rules[0], copilotHolder(notUsed(directory.CopilotUse)))
	if !ok || at.Before(want) || at.After(want.Add(time.Second)) {
		t.Errorf("turns %t at %s, want %s", ok, at, want)
	}
}

// To find the next turn, a Judge assumes that newer reports will arrive. After the search, the end of the report must
// be the real one again.
func TestReportIsAsOldAfterASearch(t *testing.T) {
	t.Parallel()
	p := usagePolicy(t, "copilotUse.earlierThan(now - days(2))")
	j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	r, late := p.Rules[0], copilotHolder(usedOn(directory.CopilotUse, 46*day))
	before := j.Ask(r, late).Outcome
	j.Turns(r, copilotHolder(usedOn(directory.CopilotUse, day)))
	if after := j.Ask(r, late).Outcome; before != Undecided || after != Undecided {
		t.Errorf("the report ends too early: %s, and after a search %s", before, after)
	}
}
