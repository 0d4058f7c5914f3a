package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/policy"
)

func idle(days int) time.Time { return asOf.AddDate(0, 0, -days) }

// TestSeats: the chosen changes need no more seats than are free. The people who are idle longest get the seats. A
// change without a free seat does not count as deferred.
func TestSeats(t *testing.T) {
	t.Parallel()
	offers := func(seat string, days ...int) (all []Decision) {
		for _, n := range days {
			all = append(all, Decision{User: fmt.Sprintf("%s%d", seat, n), Seat: seat, IdleSince: idle(n)})
		}
		return all
	}
	for name, tc := range map[string]struct {
		limit    int
		seats    map[string]int
		offers   []Decision
		want     []string // people whose license is changed
		noSeat   []string
		deferred int
	}{
		"enough seats":         {9, map[string]int{"exo": 9}, offers("exo", 70, 90, 80), []string{"exo90", "exo80", "exo70"}, nil, 0},
		"one seat":             {9, map[string]int{"exo": 1}, offers("exo", 70, 90, 80), []string{"exo90"}, []string{"exo70", "exo80"}, 0},
		"one seat, as needed":  {9, map[string]int{"exo": 1}, offers("exo", 70), []string{"exo70"}, nil, 0},
		"no seat":              {9, map[string]int{"exo": 0}, offers("exo", 70, 90), nil, []string{"exo70", "exo90"}, 0},
		"fewer than none":      {9, map[string]int{"exo": -3}, offers("exo", 70, 90), nil, []string{"exo70", "exo90"}, 0},
		"as many as the limit": {2, map[string]int{"exo": 2}, offers("exo", 70, 90, 80), []string{"exo90", "exo80"}, nil, 1},
		"more than the limit":  {2, map[string]int{"exo": 3}, offers("exo", 70, 90, 80), []string{"exo90", "exo80"}, nil, 1},
		"not known":            {2, map[string]int{"p1": 0}, offers("exo", 70, 90, 80), []string{"exo90", "exo80"}, nil, 1},
		"takes no seat":        {2, map[string]int{"": 0}, offers("", 70, 90, 80), []string{"90", "80"}, nil, 1},
		"seats and the limit":  {3, map[string]int{"exo": 1}, slices.Concat(offers("exo", 70, 95), offers("", 60, 90, 80)), []string{"exo95", "90", "80"}, []string{"exo70"}, 1},
		"two licenses":         {9, map[string]int{"exo": 1, "p1": 1}, slices.Concat(offers("exo", 70, 71), offers("p1", 72, 73)), []string{"p173", "exo71"}, []string{"exo70", "p172"}, 0},
		"nothing may change":   {0, nil, offers("exo", 70), nil, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewSelection(tc.limit, tc.seats)
			for _, d := range tc.offers {
				s.Offer(d)
			}
			var got, noSeat []string
			for _, c := range s.Changes(&policy.Policy{}) {
				got = append(got, c.User)
			}
			for _, d := range tc.offers {
				if s.NoSeat(&d) {
					noSeat = append(noSeat, d.User)
				}
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.noSeat, noSeat); d != "" {
				t.Errorf("without a seat (-want +got):\n%s", d)
			}
			if s.Deferred() != tc.deferred {
				t.Errorf("deferred %d, want %d", s.Deferred(), tc.deferred)
			}
			if s.NoSeat(&Decision{Seat: "never offered"}) {
				t.Error("a license that nothing was offered for has no seat")
			}
		})
	}
}

// TestOrder: a Selection returns the changes in the order of the list "want", in whatever order they are offered.
func TestOrder(t *testing.T) {
	t.Parallel()
	want := []Decision{
		{User: "back", RestoreOf: "r1", IdleSince: idle(5)},
		{User: "back, later", RestoreOf: "r1", IdleSince: idle(3)},
		{User: "back, of a later run", RestoreOf: "r2", IdleSince: idle(1)},
		{User: "never", Created: idle(400)},
		{User: "long", IdleSince: idle(300), Created: idle(900)},
		{User: "follows", IdleSince: idle(350), After: idle(250)},
		{User: "follows nothing", IdleSince: idle(200), After: idle(250)},
		{User: "a", Place: 0, IdleSince: idle(100)},
		{User: "b", Place: 0, IdleSince: idle(100)},
		{User: "a", Place: 1, IdleSince: idle(100)},
		{User: "failed once, to be restored", RestoreOf: "r2", Setbacks: 1, IdleSince: idle(700)},
		{User: "failed once", Setbacks: 1, IdleSince: idle(600)},
		{User: "failed once, to be restored later", RestoreOf: "r2", Setbacks: 1, IdleSince: idle(500)},
		{User: "failed twice", Setbacks: 2, IdleSince: idle(800)},
	}
	for i := range want {
		for j := range want {
			if got := order(&want[i], &want[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("order of %q and %q is %d", want[i].User, want[j].User, got)
			}
		}
	}
	const seed = 13
	draw := rand.New(rand.NewPCG(seed, seed))
	for limit := 1; limit <= len(want); limit++ {
		s := NewSelection(limit, nil)
		for _, i := range draw.Perm(len(want)) {
			s.Offer(want[i])
		}
		if d := cmp.Diff(want[:limit], s.chosen()); d != "" {
			t.Errorf("seed %d, limit %d (-want +got):\n%s", seed, limit, d)
		}
	}
}

// TestFollow: a person's change by a later rule comes after the change by an earlier rule.
func TestFollow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, second Decision
		want          time.Time
	}{
		"longer idle by the later rule":  {Decision{IdleSince: idle(100)}, Decision{IdleSince: idle(200)}, idle(100)},
		"shorter idle by the later rule": {Decision{IdleSince: idle(200)}, Decision{IdleSince: idle(100)}, time.Time{}},
		"never by the later rule":        {Decision{IdleSince: idle(100)}, Decision{Created: idle(300)}, idle(100)},
		"never by the earlier rule":      {Decision{Created: idle(300)}, Decision{IdleSince: idle(400)}, idle(300)},
		"follows one that follows":       {Decision{IdleSince: idle(300), After: idle(100)}, Decision{IdleSince: idle(200)}, idle(100)},
		"alike":                          {Decision{IdleSince: idle(100)}, Decision{IdleSince: idle(100)}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.second.Follow(&tc.first)
			if !tc.second.After.Equal(tc.want) {
				t.Errorf("after %s, want %s", tc.second.After, tc.want)
			}
		})
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	since := idle(100)
	for name, tc := range map[string]struct {
		d    Decision
		want Change
	}{
		"removed":                   {Decision{License: "e3"}, Change{License: "e3", MonthlySaving: 39}},
		"changed":                   {Decision{License: "e3", To: "exo"}, Change{License: "e3", To: "exo", MonthlySaving: 35}},
		"without a price":           {Decision{License: "visio"}, Change{License: "visio"}},
		"frees nothing":             {Decision{License: "e3", SavesNothing: "held twice"}, Change{License: "e3", SavesNothing: "held twice"}},
		"frees nothing, takes one":  {Decision{License: "e3", To: "exo", SavesNothing: "held twice"}, Change{License: "e3", To: "exo", SavesNothing: "held twice", MonthlySaving: -4}},
		"restored":                  {Decision{License: "e3", To: "exo", Rule: "move", RestoreOf: "r1"}, Change{License: "e3", To: "exo", Rule: RestoreRule, RestoreOf: "r1", MonthlySaving: -35}},
		"announced":                 {Decision{License: "e3", Rule: "move", Via: Direct, Notice: true}, Change{License: "e3", Rule: "move", Via: Notice}},
		"restored, never announced": {Decision{License: "e3", Via: Direct, Notice: true, RestoreOf: "r1"}, Change{License: "e3", Via: Direct, Rule: RestoreRule, RestoreOf: "r1", MonthlySaving: -39}},
		"all else": {Decision{User: "u", SID: "s", UserPrincipalName: "n", Rule: "r", License: "citrix", Via: ADGroup, Reason: "idle", FirstReading: true, IdleSince: since},
			Change{User: "u", SID: "s", UserPrincipalName: "n", Rule: "r", License: "citrix", Via: ADGroup, Reason: "idle", FirstReading: true, IdleSince: &since, MonthlySaving: 18}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := NewSelection(1, nil)
			s.Offer(tc.d)
			got := s.Changes(&policy.Policy{Licenses: []*policy.License{e3, exo, citrix}})
			if d := cmp.Diff([]Change{tc.want}, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if math.Signbit(got[0].MonthlySaving) && got[0].MonthlySaving == 0 {
				t.Error("saves -0, as JSON would say it")
			}
		})
	}
}
