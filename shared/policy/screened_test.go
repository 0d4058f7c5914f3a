package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// edgePolicies have each kind of test, alone and joined. The field "plain" is the number of verdicts that the columns
// must show for the people of TestColumnsAtTheEdges. A lower number is a fault, although no verdict is wrong: the
// columns then leave too many people to the Judge.
var edgePolicies = []struct {
	text  string
	plain int
}{{`
grace: {neverSignedIn: 14, newHolder: 10, enabledAgain: 7}
exempt: {groups: [{entra: VIP}], when: department == "HR" && created.laterThan(now - days(14))}
rules:
  - {name: a, license: m365, for: accountEnabled && systemRole != "Contractor", when: AzureAdSistaLogon.earlierThan(now - days(60)) || AzureAdSistaLogon.hasNoValue(), then: remove}
  - {name: b, license: citrix, when: "LastlogonTimestamp.hasValue() ? LastlogonTimestamp.earlierThan(now - days(90)) : created.value() <= now - days(90)", then: remove}
`, 1732}, {`
attributes: {title: ad.title, lastUse: "newest(entra.lastActivity, ad.lastLogonTimestamp)", expires: ad.expires}
rules:
  - {name: a, license: m365, for: 'title == "boss" || !(department in ["Sales"])', when: 'lastUse.earlierThan(now - days(31) - days(14)) && !lastUse.laterThan(timestamp("2026-10-01T12:00:00Z"))', then: remove}
  - {name: b, license: citrix, when: 'created.value() < now - days(90) && created.value() >= timestamp("2025-10-19T12:00:00Z") || expires.hasValue()', then: remove}
  - {name: c, license: exchange, when: 'created.value() > now - days(400) && department != "" || AzureAdSistaLogon.laterThan(now + days(2) - days(33))', then: remove}
`, 2877}, {`
attributes: {teams: m365.teams, exchange: m365.exchange, anyUse: "newest(m365.exchange, ad.lastLogonTimestamp)"}
grace: {neverSignedIn: 14}
rules:
  - {name: a, license: m365, when: '(teams.earlierThan(now - days(60)) || teams.hasNoValue()) && (exchange.earlierThan(now - days(30)) || exchange.hasNoValue())', then: remove}
  - {name: b, license: citrix, when: 'anyUse.earlierThan(now - days(60)) || anyUse.hasNoValue()', then: remove}
  - {name: c, license: exchange, when: 'teams.hasNoValue() || teams.earlierThan(now - days(5)) && department != "HR"', then: remove}
  - {name: d, license: m365, when: '(anyUse.earlierThan(now - days(60)) || anyUse.hasNoValue()) && department == "HR"', then: remove}
`, 3180}, {`
attributes: {teams: m365.teams}
exempt: {when: 'teams.laterThan(now - days(5))'}
rules:
  - {name: a, license: m365, for: 'teams.hasNoValue() || department != "HR"', when: 'teams.earlierThan(now - days(182))', then: remove}
  - {name: b, license: citrix, when: 'teams.earlierThan(timestamp("2026-09-24T12:00:00Z")) || teams.hasNoValue()', then: remove}
  - {name: c, license: exchange, when: 'teams.earlierThan(now - days(152)) || teams.hasNoValue()', then: remove}
  - {name: d, license: m365, when: 'teams.earlierThan(now - days(182)) || teams.hasNoValue()', then: remove}
`, 2316}}

const edgeHead = `
licenses:
  m365: {sku: SPE_E3}
  exchange: {sku: EXCHANGESTANDARD}
  citrix: {group: {ad: "` + citrixDN + `"}}
`

var plainOutcomes = map[Plain]Outcome{PlainNotHolder: NotHolder, PlainNotAsked: Keep, PlainKeep: Keep, PlainReclaim: Reclaim}

// The columns and the Judge must agree on the verdicts, the times at which they turn, the counts and the last uses.
// Some dates are only a microsecond away from a limit, so a mistake such as < in place of <= shows.
func TestColumnsAtTheEdges(t *testing.T) {
	t.Parallel()
	for i, tc := range edgePolicies {
		p := load(t, edgeHead+tc.text)
		j, e := judge(t, p, noon), edges{rand.New(rand.NewPCG(7, uint64(i)))}
		var people []*directory.Person
		for range 1500 {
			people = append(people, e.person())
		}
		plain, _ := checkColumns(t, fmt.Sprintf("policy %d", i), j, inColumns(people, directory.TeamsUse, directory.ExchangeUse), people)
		if plain != tc.plain {
			t.Errorf("policy %d: the columns show %d verdicts, want %d", i, plain, tc.plain)
		}
	}
}

// checkColumns compares the columns with the Judge. It returns how many verdicts the columns show, and how many of them
// are on holders.
func checkColumns(t *testing.T, name string, j *Judge, c *Crowd, people []*directory.Person) (plain, onHolders int) {
	t.Helper()
	if !j.CanScreen(c) {
		t.Fatalf("%s cannot be screened", name)
	}
	until := noon.Add(30 * day)
	found, swept := j.Screen(c, until), j.Sweep(c)
	for n, r := range j.policy.Rules {
		turned := map[int]int64{}
		for _, one := range found.Turns[n] {
			if turned[one.Row] = one.At; found.Open[one.Row] {
				t.Errorf("%s, rule %s, person %d is open, and turns", name, r.Name, one.Row)
			}
		}
		idle, empty := r.NewIdle(), map[string]int{}
		at, known := swept.LastSeen(r)
		for row, who := range people {
			v := j.Ask(r, who)
			for _, shown := range []Plain{found.Verdicts[n][row], swept.Verdicts[n][row]} {
				if shown != NotPlain && plainOutcomes[shown] != v.Outcome {
					t.Errorf("%s, rule %s, person %d: the columns show %d, and the judge says %s: %s", name, r.Name, row, shown, v.Outcome, v.Reason)
				}
			}
			if !swept.Open[row] {
				checkLastSeen(t, j, r, who, at[row], known[row])
			}
			if found.Verdicts[n][row] == NotPlain {
				continue
			}
			plain++
			if found.Verdicts[n][row] > PlainNotHolder {
				onHolders++
				j.CountIdle(idle, r, who)
				for name := range j.Empty(r, who) {
					empty[name]++
				}
			}
			if v.Outcome == Keep {
				when, turns := j.TurnsBy(until, r, who)
				if at, is := turned[row]; is != turns || turns && !when.Equal(time.UnixMicro(at)) {
					t.Errorf("%s, rule %s, person %d turns %t at %s; by the columns %t at %s", name, r.Name, row, turns, when, is, time.UnixMicro(at).UTC())
				}
			} else if _, is := turned[row]; is {
				t.Errorf("%s, rule %s, person %d: %s, and turns", name, r.Name, row, v.Outcome)
			}
		}
		if d := cmp.Diff(idle, found.Idle(n)); d != "" {
			t.Errorf("%s, rule %s: idle (-judge +columns):\n%s", name, r.Name, d)
		}
		if d := cmp.Diff(empty, found.Empties(n)); d != "" {
			t.Errorf("%s, rule %s: empty (-judge +columns):\n%s", name, r.Name, d)
		}
	}
	return plain, onHolders
}

func checkLastSeen(t *testing.T, j *Judge, r *Rule, who *directory.Person, at int64, known bool) {
	t.Helper()
	j.about(r, who)
	want, is := j.LastSeen(r, who)
	if shown := want.UnixMicro(); known != is || want.IsZero() != (at == None) || !want.IsZero() && at != shown {
		t.Errorf("rule %s: last seen %s, known %t; by the columns %d, %t", r.Name, want, is, at, known)
	}
}

// The columns show no verdict on a person whom the Judge evaluates singly in any case (Crowd.Open), and none that
// depends on a group that was not read. The field "open" of a case has true for each person without a verdict.
func TestWhatColumnsDoNotShow(t *testing.T) {
	t.Parallel()
	const vip = "exempt: {groups: [{entra: VIP}, {entra: Board}]}\n"
	const rules = "rules: [{name: a, license: m365, for: 'department == \"HR\"', when: created.hasValue(), then: remove}, {name: b, license: citrix, when: created.hasValue(), then: remove}]\n"
	who := employee()
	who.Entra.Department = "HR"
	member := employee()
	member.Memberships = append(member.Memberships, "entra:VIP", "entra:Other")
	without := employee()
	without.Memberships, without.Entra.Assignments = nil, nil
	people := []*directory.Person{who, member, without}
	citrix := directory.GroupRef{Source: directory.AD, Name: citrixDN}.Key(true)
	for name, tc := range map[string]struct {
		text string
		edit func(c *Crowd)
		open []bool
	}{
		"everything is read":              {rules, func(*Crowd) {}, []bool{false, false, false}},
		"one is exempt":                   {vip + rules, func(*Crowd) {}, []bool{false, true, false}},
		"read singly in any case":         {vip + rules, func(c *Crowd) { c.Open[0], c.Open[2] = true, true }, []bool{true, true, true}},
		"the group of a license":          {rules, func(c *Crowd) { c.Unreadable = []string{"ad:x", citrix, "ad:y"} }, []bool{false, false, true}},
		"an exempt group":                 {vip + rules, func(c *Crowd) { c.Unreadable = []string{"entra:VIP", "ad:y"} }, []bool{true, true, true}},
		"the last exempt group":           {vip + rules, func(c *Crowd) { c.Unreadable = []string{"ad:y", "entra:Board"} }, []bool{true, true, true}},
		"a group that nobody asks for":    {vip + rules, func(c *Crowd) { c.Unreadable = []string{"ad:x"} }, []bool{false, true, false}},
		"Entra ID is not known of anyone": {rules, func(c *Crowd) { c.Accounts[directory.Entra] = make([]AccountState, 3) }, []bool{true, true, true}},
	} {
		j := judge(t, load(t, edgeHead+tc.text), noon)
		c := inColumns(people)
		if tc.edit(c); !j.CanScreen(c) {
			t.Errorf("%s: not enough for anybody", name)
		}
		if d := cmp.Diff(tc.open, j.Sweep(c).Open); d != "" {
			t.Errorf("%s: open (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(tc.open, j.Screen(c, noon).Open); d != "" {
			t.Errorf("%s: open (-want +got):\n%s", name, d)
		}
	}
	c := inColumns(people)
	if judge(t, load(t, edgeHead+"kinds: [guest]\n"+rules), noon).CanScreen(c) {
		t.Error("the policy exempts people, and columns show verdicts on them")
	}
	c.Field = func(name string) (Column, bool) {
		if name == "entra.department" {
			return Column{}, false
		}
		return fieldColumn(people, name)
	}
	if judge(t, load(t, edgeHead+rules), noon).CanScreen(c) {
		t.Error("a column is missing, and the empty ones are counted")
	}
}
