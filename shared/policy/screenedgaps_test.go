package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// If a column is missing, each person whose verdict could depend on it is evaluated singly.
func TestAColumnIsMissing(t *testing.T) {
	t.Parallel()
	person := func(department string, days int, edit func(*directory.Person)) *directory.Person {
		p := employee()
		p.Entra.Department, p.Entra.Created, p.AD.Created = department, noon.AddDate(0, 0, -days), noon.AddDate(0, 0, -days)
		p.Entra.Uses = []directory.Use{{Signal: directory.TeamsUse, Through: reportOf, Last: directory.Value{State: directory.Known, Time: noon.AddDate(0, 0, -70)}}}
		edit(p)
		return p
	}
	nothing := func(*directory.Person) {}
	people := []*directory.Person{
		person("HR", 30, nothing),
		person("Sales", 200, nothing),
		person("HR", 200, nothing),
		person("HR", 200, func(p *directory.Person) { p.Entra.Assignments = nil }),
		person("HR", 200, func(p *directory.Person) { p.Entra.Enabled = directory.Unset }),
		person("HR", 200, func(p *directory.Person) { p.Entra.Uses[0].Last = directory.Value{State: directory.None} }),
	}
	for name, tc := range map[string]struct {
		text    string
		missing string
		open    []bool
	}{
		// The first two people keep the license now. Without the column, Screen cannot find out when this changes, so
		// these people are open. The fifth person is open even with the column, because accountEnabled is unknown.
		"a date that a rule reads": {`rules: [{name: r, license: m365, for: department == "HR", when: (LastlogonTimestamp.earlierThan(now - days(60)) || accountEnabled) && created.earlierThan(now - days(90)), then: remove}]`,
			"ad.lastLogonTimestamp", []bool{true, true, false, false, true, false}},
		"a text that an exemption reads": {`
exempt: {when: department == "Board"}
rules: [{name: r, license: m365, when: accountEnabled, then: remove}]`, "entra.department", []bool{true, true, true, true, true, true}},
		// Only the sixth person has no use in the report. Without the date of creation, nobody knows whether this
		// person could use the workload before the span of the report. So the person's row is open.
		"the creation of the account": {`
attributes: {teams: m365.teams}
rules: [{name: r, license: m365, when: teams.hasNoValue(), then: remove}]`, "entra.created", []bool{false, false, false, false, false, true}},
	} {
		c := inColumns(people, directory.TeamsUse)
		c.Field = func(name string) (Column, bool) {
			if name == tc.missing {
				return Column{}, false
			}
			return fieldColumn(people, name)
		}
		j := judge(t, load(t, edgeHead+tc.text+"\n"), noon)
		if !j.CanScreen(c) {
			t.Errorf("%s: not enough for anybody", name)
		}
		if d := cmp.Diff(tc.open, j.Screen(c, noon.Add(30*day)).Open); d != "" {
			t.Errorf("%s: open (-want +got):\n%s", name, d)
		}
	}
}

// If the state of an account is not Here, the account has no values, even if its row has some in the columns.
func TestValuesOfAnAccountThatIsNotThere(t *testing.T) {
	t.Parallel()
	who := employee()
	who.Entra.Uses = []directory.Use{{Signal: directory.TeamsUse, Through: reportOf, Last: directory.Value{State: directory.Known, Time: noon.AddDate(0, 0, -70)}}}
	for _, when := range []string{"accountEnabled", `department == ""`, `userType == "Member"`, "teams.earlierThan(now - days(60)) || teams.hasNoValue()"} {
		j := judge(t, load(t, edgeHead+"attributes: {teams: m365.teams}\nrules: [{name: r, license: citrix, when: '"+when+"', then: remove}]\n"), noon)
		for state, open := range map[AccountState]bool{Here: false, Nowhere: true, NotKnown: true} {
			c := inColumns([]*directory.Person{who}, directory.TeamsUse)
			c.Accounts[directory.Entra][0] = state
			if got := j.Sweep(c).Open[0]; got != open {
				t.Errorf("%s, state %d: open %t, want %t", when, state, got, open)
			}
		}
	}
}
