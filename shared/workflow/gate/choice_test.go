package gate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// chosenFrom calls withChoice for a run that takes a license from three people.
func chosenFrom(t *testing.T, choice *snapshot.Choice, edit func(*evaluated)) (store.Store, *plan.Plan, *plan.Plan, error) {
	t.Helper()
	first := quiet()
	first.tallies[0].Reclaim = 3
	first.partitions[0] = []plan.Decision{reclaim("a", 100), reclaim("b", 90), reclaim("c", 80)}
	return first.withChoice(t, choice, edit)
}

// withChoice plans a run, and then a second run with a choice from the first plan. The parameter "edit" changes the
// second run. The plans are returned in this order, and the error is that of the second plan.
func (first evaluated) withChoice(t *testing.T, choice *snapshot.Choice, edit func(*evaluated)) (store.Store, *plan.Plan, *plan.Plan, error) {
	t.Helper()
	s := first.put(t)
	of, err := Run(t.Context(), s, "run", clock)
	if err != nil {
		t.Fatal(err)
	}
	if choice.PlanHash == "" {
		choice.PlanHash = of.PlanHash
	}
	second := first
	second.run, second.choice, second.partitions = "run2", choice, [][]plan.Decision{slices.Clone(first.partitions[0])}
	if edit != nil {
		edit(&second)
	}
	second.putInto(t, s)
	p, err := Run(t.Context(), s, "run2", clock)
	return s, of, p, err
}

// TestChoiceAddsNothing: whatever the second run decides, its plan has only changes that the operator chose and that
// the first plan lists.
func TestChoiceAddsNothing(t *testing.T) {
	t.Parallel()
	pick := func(users ...string) *snapshot.Choice {
		c := &snapshot.Choice{From: "run"}
		for _, u := range users {
			c.Changes = append(c.Changes, snapshot.Chosen{User: u, License: "e3"})
		}
		return c
	}
	for name, tc := range map[string]struct {
		choice   *snapshot.Choice
		edit     func(*evaluated)
		want     []string
		refused  map[string]string // by user
		deferred int
		matches  int
	}{
		"as listed": {pick("a", "c"), nil, []string{"a", "c"}, map[string]string{"b": "left out by the operator, who chose other changes from the plan of run run"}, 0, 2},
		"somebody new": {pick("b"), func(e *evaluated) { e.partitions[0] = append(e.partitions[0], reclaim("d", 300)) }, []string{"b"},
			map[string]string{"a": "left out", "c": "left out"}, 1, 1},
		"another target": {pick("a", "b"), func(e *evaluated) { e.partitions[0][0].To = "" }, []string{"b"},
			map[string]string{"a": "lists another change of this license", "c": "left out"}, 0, 2},
		"another way": {pick("a", "b"), func(e *evaluated) { e.partitions[0][0].Via = plan.EntraGroup }, []string{"b"},
			map[string]string{"a": "lists another change of this license", "c": "left out"}, 0, 2},
		"held again, and left out": {pick("a", "b"), func(e *evaluated) { e.partitions[0][2].Outcome = policy.Keep }, []string{"a", "b"}, nil, 0, 2},
		"somebody new without a seat": {pick("a", "b"), func(e *evaluated) {
			e.partitions[0], e.seats = append(e.partitions[0], reclaim("d", 70)), [2]int{1, 0}
			for i := range e.partitions[0] {
				e.partitions[0][i].Seat = "exo"
			}
		}, []string{"a"}, map[string]string{"b": "no free seat of exo is left for it", "c": "left out"}, 1, 2},
		"refused meanwhile": {pick("a", "b"), func(e *evaluated) { e.partitions[0][0].Refused = "no longer held" }, []string{"b"},
			map[string]string{"a": "no longer held", "c": "left out"}, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, of, p, err := chosenFrom(t, tc.choice, tc.edit)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range p.Changes {
				got = append(got, c.User)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
			refused := 0
			err = runs.EachListed(t.Context(), s, "run2", func(_ string, entry *runs.Listed) error {
				if refused++; tc.refused[entry.User] == "" || !strings.Contains(entry.Reason, tc.refused[entry.User]) {
					t.Errorf("%s is refused: %s", entry.User, entry.Reason)
				}
				return nil
			})
			if err != nil || refused != len(tc.refused) {
				t.Errorf("%d are refused, want %d; %v", refused, len(tc.refused), err)
			}
			if p.Deferred != tc.deferred || p.Matches["m365"] != tc.matches || !p.Expires.Equal(of.Expires) {
				t.Errorf("deferred %d, matches %d, expires %s", p.Deferred, p.Matches["m365"], p.Expires)
			}
			newest, err := history.Newest(t.Context(), s, clock)
			if err != nil || newest != "run" {
				t.Errorf("the newest night is %q: %v", newest, err)
			}
			if left, err := history.GetPlanned(t.Context(), s, "run2"); err != nil || len(left.Touches) != len(tc.want) {
				t.Errorf("later runs look for %+v: %v", left, err)
			}
		})
	}
}

// TestSmallChoice: a limit puts a plan on hold. A choice from that plan is not on hold if it has at most
// plan.MostChosen changes and announcements.
func TestSmallChoice(t *testing.T) {
	t.Parallel()
	const announced = 13
	for changes, want := range map[int]plan.Verdict{plan.MostChosen - announced: plan.Review, plan.MostChosen - announced + 1: plan.Hold} {
		first := quiet()
		first.text = strings.Replace(text, "perRun: 3", "perRun: 40", 1)
		first.tallies = [2]plan.Tally{{Rule: "m365", Holders: 999, Reclaim: 21}, {Rule: "citrix", Holders: 999, Reclaim: announced}}
		choice := &snapshot.Choice{From: "run"}
		for i := range announced {
			d := reclaim(fmt.Sprintf("n%02d", i), 70)
			d.Rule, d.License, d.To, d.Via, d.Notice = "citrix", "citrix", "", plan.ADGroup, true
			first.partitions[0] = append(first.partitions[0], d)
			choice.Changes = append(choice.Changes, snapshot.Chosen{User: d.User, License: d.License})
		}
		for i := range 21 {
			d := reclaim(fmt.Sprintf("c%02d", i), 70)
			first.partitions[0] = append(first.partitions[0], d)
			if i < changes {
				choice.Changes = append(choice.Changes, snapshot.Chosen{User: d.User, License: d.License})
			}
		}
		_, of, p, err := first.withChoice(t, choice, nil)
		if err != nil || of.Verdict != plan.Hold || len(p.Changes) != changes || len(p.Notices) != announced {
			t.Fatalf("%v, verdict of the first plan %s: %+v", err, of.Verdict, p)
		}
		if p.Verdict != want || (len(p.Chosen.Lifted) == 1) != (want == plan.Review) {
			t.Errorf("%d changes: verdict %s because of %q, lifts %q", changes, p.Verdict, p.HoldReasons, p.Chosen.Lifted)
		}
		if why := strings.Join(p.HoldReasons, "\n"); want == plan.Hold && !strings.Contains(why, "26 changes are chosen") {
			t.Errorf("held by %q", why)
		}
	}
}

// TestForgedChoice: a choice names the plan from which an operator chose changes. If the hash differs from that of the
// plan, or if the plan has no such change, the run with this choice gets no plan.
func TestForgedChoice(t *testing.T) {
	t.Parallel()
	one := []snapshot.Chosen{{User: "a", License: "e3"}}
	for name, choice := range map[string]*snapshot.Choice{
		"another plan":    {From: "run", PlanHash: strings.Repeat("0", 64), Changes: one},
		"another person":  {From: "run", Changes: []snapshot.Chosen{{User: "d", License: "e3"}}},
		"another license": {From: "run", Changes: []snapshot.Chosen{{User: "a", License: "citrix"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _, p, err := chosenFrom(t, choice, nil)
			if p != nil || !errors.Is(err, runs.ErrRefused) {
				t.Errorf("plan %+v, error %v", p, err)
			}
			if _, err := s.Get(t.Context(), layout.Plan("run2")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a plan is stored: %v", err)
			}
		})
	}
	if _, _, _, err := chosenFrom(t, &snapshot.Choice{From: "gone", PlanHash: "x", Changes: one}, nil); !errors.Is(err, runs.ErrNoPlan) {
		t.Errorf("a run without a plan: %v", err)
	}
}

// TestOverrideOfChoice: an override for a choice accepts only the people whom the operator chose.
func TestOverrideOfChoice(t *testing.T) {
	t.Parallel()
	held := func(e *evaluated) {
		e.tallies[0] = plan.Tally{Rule: "m365", Holders: 3, Reclaim: 3}
	}
	choice := &snapshot.Choice{From: "run", Changes: []snapshot.Chosen{{User: "a", License: "e3"}}}
	s, _, p, err := chosenFrom(t, choice, held)
	if err != nil || p.Verdict != plan.Hold || !p.Overridable {
		t.Fatalf("plan %+v, error %v", p, err)
	}
	people, why, err := peopleOf(t.Context(), s, &history.Override{Run: "run2", PlanHash: p.PlanHash, At: clock})
	if err != nil || why != "" {
		t.Fatalf("accepts nobody: %s, %v", why, err)
	}
	var users []string
	for m := range people {
		users = append(users, m.user)
	}
	if d := cmp.Diff([]string{"a"}, users); d != "" {
		t.Errorf("accepted (-want +got):\n%s", d)
	}
}
