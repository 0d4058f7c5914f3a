package policy

import (
	"cmp"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/directory"
)

// A usage report that shows no use of a person covers only the time since its start, 182 days before the time "noon".
// CountIdle must not take this as proof that the person had no use before that start.
func TestCountIdle(t *testing.T) {
	t.Parallel()
	young := copilotHolder(notUsed(directory.TeamsUse))
	young.Entra.Created = noon.Add(-100 * day)
	stale := copilotHolder(usedOn(directory.TeamsUse, 3*day))
	stale.Stale[directory.TeamsUse] = "late"
	never := copilotHolder(usedOn(directory.ExchangeUse, 30*day), notUsed(directory.TeamsUse))
	never.Entra.LastSuccessful = time.Time{}
	signedIn := copilotHolder(notUsed(directory.ExchangeUse), notUsed(directory.TeamsUse)) // perhaps used after the sign-in
	signedIn.Entra.LastSuccessful = noon.Add(-190 * day)
	const (
		teams  = "teams.earlierThan(now - days(60)) || teams.hasNoValue()"
		long   = "teams.earlierThan(now - days(160)) || teams.hasNoValue()"
		exact  = "teams.earlierThan(now - days(152)) || teams.hasNoValue()" // counts up to day 182
		anyUse = "anyUse.earlierThan(now - days(160))"
		both   = "teams.earlierThan(now - days(60)) && copilotUse.earlierThan(now - days(60))"
	)
	type counts struct{ day, never, notKnown int } // day is the day on which the holder is counted; -1 means none
	for name, tc := range map[string]struct {
		when string
		who  *directory.Person
		want counts
	}{
		"today":                     {teams, copilotHolder(usedOn(directory.TeamsUse, time.Hour)), counts{0, 0, 0}},
		"in the future":             {teams, copilotHolder(usedOn(directory.TeamsUse, -3*day)), counts{0, 0, 0}},
		"59 days and 23 hours":      {teams, copilotHolder(usedOn(directory.TeamsUse, 60*day-time.Hour)), counts{59, 0, 0}},
		"longer than is counted":    {teams, copilotHolder(usedOn(directory.TeamsUse, 400*day)), counts{180, 0, 0}},
		"a longer span":             {long, copilotHolder(usedOn(directory.TeamsUse, 190*day)), counts{190, 0, 0}},
		"not since the start":       {teams, copilotHolder(notUsed(directory.TeamsUse)), counts{180, 0, 0}},
		"not, with a longer span":   {long, copilotHolder(notUsed(directory.TeamsUse)), counts{-1, 0, 1}},
		"not, with a span as long":  {exact, copilotHolder(notUsed(directory.TeamsUse)), counts{182, 0, 0}},
		"earlier than the report":   {anyUse, signedIn, counts{-1, 0, 1}},
		"younger than the report":   {teams, young, counts{-1, 1, 0}},
		"not in the report":         {teams, copilotHolder(), counts{-1, 0, 1}},
		"a stale report":            {teams, stale, counts{-1, 0, 1}},
		"the newer of two":          {both, copilotHolder(usedOn(directory.TeamsUse, 70*day), usedOn(directory.CopilotUse, 65*day)), counts{65, 0, 0}},
		"one of two, and not since": {both, copilotHolder(usedOn(directory.TeamsUse, 70*day), notUsed(directory.CopilotUse)), counts{70, 0, 0}},
		"one of two is not known":   {both, copilotHolder(usedOn(directory.TeamsUse, 70*day)), counts{-1, 0, 1}},
		"newest of several":         {anyUse, copilotHolder(usedOn(directory.ExchangeUse, 30*day), usedOn(directory.TeamsUse, 50*day)), counts{30, 0, 0}},
		"newest, one not since":     {anyUse, never, counts{30, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := usagePolicy(t, tc.when)
			j, err := p.NewJudge(map[string]string{"Microsoft_365_Copilot": "copilot"}, noon)
			if err != nil {
				t.Fatal(err)
			}
			idle := p.Rules[0].NewIdle()
			if j.CountIdle(idle, p.Rules[0], tc.who); len(idle.Days) != cmp.Or(map[string]int{long: 193, anyUse: 193, exact: 183}[tc.when], 181) {
				t.Errorf("%d days are counted", len(idle.Days))
			}
			got := counts{-1, idle.Never, idle.NotKnown}
			for d, n := range idle.Days {
				if n > 0 {
					got.day = d
				}
			}
			if got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
			j.CountIdle(nil, p.Rules[0], tc.who) // does nothing
		})
	}
	if idle := usagePolicy(t, "teamsSince.hasValue()").Rules[0].NewIdle(); idle != nil {
		t.Errorf("a rule without dates of use counts %+v", idle)
	}
}

// Add adds the counts of another Idle. Counts for days beyond the receiver's last day are added to that last day.
func TestAddIdle(t *testing.T) {
	t.Parallel()
	got := &Idle{Days: []int{1, 0, 2}, Never: 1, NotKnown: 2}
	got.Add(nil)
	got.Add(&Idle{Days: []int{0, 3, 4, 5, 6}, Never: 7, NotKnown: 8})
	if d := gocmp.Diff(&Idle{Days: []int{1, 3, 17}, Never: 8, NotKnown: 10}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
