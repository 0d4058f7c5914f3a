package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/idleseat/idleseat/infra/simulation/earlier"
	"github.com/idleseat/idleseat/infra/simulation/failing"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestEveryFailureIsAnError: if a call of the store fails, the restore fails with that error. A second call makes the
// same plan as if nothing had happened.
func TestEveryFailureIsAnError(t *testing.T) {
	t.Parallel()
	withPlan := func(t *testing.T) store.Store {
		s := storeWithRun(t)
		earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": "", "cid": ledger.Done})
		people(t, s, "newest", []directory.EntraUser{{ID: "ann", UserPrincipalName: "ann@x.example", LastSuccessful: asOf}})
		return s
	}
	withoutPlan := func(t *testing.T) store.Store {
		s := withPlan(t)
		objects := s.(*store.Memory).Objects()
		delete(objects, "history/plans/earlier.json")
		delete(objects, "runs/earlier/begin.json")
		s.(*store.Memory).Become(objects)
		return s
	}
	restoreOf := func(user string) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			p, err := Plan(ctx, s, Request{Of: "earlier", User: user, Run: "mine", Policy: text}, clock)
			if err != nil && p != nil {
				return fmt.Errorf("a plan comes with the error: %v", err)
			}
			return err
		}
	}
	for name, tc := range map[string]struct {
		world func(*testing.T) store.Store
		do    func(context.Context, store.Store) error
		calls int // the least number of calls
	}{
		"a run":                          {withPlan, restoreOf(""), 15},
		"one person":                     {withPlan, restoreOf("bob"), 10},
		"a run without its plan":         {withoutPlan, restoreOf(""), 15},
		"one person, without the plan":   {withoutPlan, restoreOf("ann"), 10},
		"one person by name, without it": {withoutPlan, restoreOf("ann@x.example"), 10},
		"taken from": {withPlan, func(ctx context.Context, s store.Store) error {
			_, err := TakenFrom(ctx, s, clock, "ann@x.example", "")
			return err
		}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := failing.Nth(tc.world(t), 0)
			if err := tc.do(t.Context(), all); err != nil || len(all.Keys()) < tc.calls {
				t.Fatalf("%d calls, want at least %d: %v", len(all.Keys()), tc.calls, err)
			}
			for nth := 1; nth <= len(all.Keys()); nth++ {
				s := tc.world(t)
				broken := failing.Nth(s, nth)
				if err := tc.do(t.Context(), broken); !errors.Is(err, failing.Err) {
					t.Errorf("call %d of %d, %s: %v", nth, len(all.Keys()), broken.Keys()[min(nth, len(broken.Keys()))-1], err)
				}
				if err := tc.do(t.Context(), s); err != nil {
					t.Errorf("after call %d failed: %v", nth, err)
				}
			}
		})
	}
}

// TestWhatARestoreStops: a run has open changes. The restore of the run stops all of them. The restore of one person
// stops only the changes of this person.
func TestWhatARestoreStops(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]struct {
		withdrawn bool
		stopped   string
	}{"": {true, ""}, "ann": {false, "ann"}} {
		s := storeWithRun(t)
		earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "bob": ""})
		if _, err := Plan(t.Context(), s, Request{Of: "earlier", User: user, Run: "mine", Policy: text}, clock); err != nil {
			t.Fatal(err)
		}
		by, err := history.Withdrawn(t.Context(), s, "earlier")
		stopped, stopErr := history.Stopped(t.Context(), s, "earlier")
		if err := errors.Join(err, stopErr); err != nil || (by != "") != want.withdrawn || len(stopped) != len(want.stopped)/3 || want.stopped != "" && !stopped[want.stopped] {
			t.Errorf("restore of %q: withdrawn by %q, stopped %v, %v", user, by, stopped, err)
		}
	}
}

// TestRestoreByEveryName: a restore for one person finds the entries by the object id, the SID and the user principal
// name, even without the list of changes that the run stored.
func TestRestoreByEveryName(t *testing.T) {
	t.Parallel()
	for user, want := range map[string]string{"id-ann": "id-ann", "S-1": "id-ann", "ANN@x.example": "id-ann", "id-bob": "id-bob", "": "id-ann id-bob"} {
		for _, listed := range []bool{true, false} {
			s := storeWithRun(t)
			var touches []history.Touch
			for _, in := range []ledger.Intent{
				{Person: "id-ann", SID: "S-1", UserPrincipalName: "ann@x.example", License: "e3"},
				{Person: "id-bob", SID: "S-2", UserPrincipalName: "bob@x.example", License: "e3"},
				{Person: "id-bob", SID: "S-2", UserPrincipalName: "bob@x.example", License: "exo"},
			} {
				in.Run, in.Rule, in.Via, in.At = "r1", "m365", "direct", asOf
				e, err := ledger.In(s).Begin(t.Context(), in, nil)
				if err == nil {
					err = ledger.In(s).Complete(t.Context(), e, ledger.Completion{Outcome: ledger.Done})
				}
				if err != nil {
					t.Fatal(err)
				}
				touches = append(touches, history.Touch{User: in.Person, License: in.License})
			}
			if listed {
				if err := history.PutPlanned(t.Context(), s, &history.Planned{Run: "r1", Touches: touches}, true); err != nil {
					t.Fatal(err)
				}
			}
			p, err := Plan(t.Context(), s, Request{Of: "r1", User: user, Run: "mine", Policy: text}, clock)
			if err != nil {
				t.Fatalf("%q: %v", user, err)
			}
			var people []string
			for _, c := range p.Changes {
				if !slices.Contains(people, c.User) {
					people = append(people, c.User)
				}
			}
			if got := strings.Join(people, " "); got != want || len(p.Resumes) != 0 {
				t.Errorf("restore of %q, listed %t: changes of %q, resumes %q", user, listed, got, p.Resumes)
			}
		}
	}
}

// TestRestoreResumesARunOnce: an operator restores a run that has open changes and can still finish them itself. The
// plan of the restore leaves out these changes, and names the run once in Resumes.
func TestRestoreResumesARunOnce(t *testing.T) {
	t.Parallel()
	for _, listed := range []bool{true, false} {
		s := storeWithRun(t)
		earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "bob": "", "cid": ledger.Done})
		if err := snapshot.Seal(t.Context(), s, &snapshot.Manifest{Run: "earlier"}); err != nil {
			t.Fatal(err)
		}
		if !listed {
			objects := s.(*store.Memory).Objects()
			delete(objects, "history/plans/earlier.json")
			s.(*store.Memory).Become(objects)
		}
		p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: text}, clock)
		if err != nil || !slices.Equal(p.Resumes, []string{"earlier"}) || users(p.Changes) != "cid" || len(p.Pending) != 2 {
			t.Errorf("listed %t: %+v, %v", listed, p, err)
		}
		p, err = Plan(t.Context(), s, Request{Of: "earlier", User: "ann", Run: "one", Policy: text}, clock)
		if err != nil || !slices.Equal(p.Resumes, []string{"earlier"}) || len(p.Changes) != 0 {
			t.Errorf("listed %t, of one person: %+v, %v", listed, p, err)
		}
	}
}

// TestRestoreResumesOtherRestores: an operator restores a run, and earlier restores of the same run have open changes.
// The earlier restores finish these changes. The new plan names each of them once in Resumes.
func TestRestoreResumesOtherRestores(t *testing.T) {
	t.Parallel()
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": ledger.Done, "bob": ledger.Done, "cid": ledger.Done})
	book := ledger.In(s)
	for _, restore := range []struct{ user, run string }{{"ann", "r9"}, {"bob", "r8"}, {"cid", "r9"}} {
		_, err := Plan(t.Context(), s, Request{Of: "earlier", User: restore.user, Run: restore.run, Policy: text}, clock)
		last, lastErr := book.Latest(t.Context(), restore.user, "e3")
		if err := errors.Join(err, lastErr); err != nil {
			t.Fatal(err)
		}
		in := ledger.Intent{Person: restore.user, License: "e3", Run: restore.run, RestoreOf: "earlier", Rule: plan.RestoreRule, Via: "direct", At: asOf}
		if _, err := book.Begin(t.Context(), in, last); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: text}, clock)
	if err != nil || !slices.Equal(p.Resumes, []string{"r8", "r9"}) || len(p.Changes) != 0 || len(p.Pending) != 3 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestRestoreOfALostRun: if the data of a run is lost, the restore itself rolls back the open changes of the run.
func TestRestoreOfALostRun(t *testing.T) {
	t.Parallel()
	s := storeWithRun(t)
	earlier.Run(t, s, "earlier", map[string]ledger.Outcome{"ann": "", "bob": "", "cid": "", "dan": ledger.Done})
	p, err := Plan(t.Context(), s, Request{Of: "earlier", Run: "mine", Policy: text}, clock)
	if err != nil || users(p.Changes) != "ann bob cid dan" || len(p.Resumes) != 0 || len(p.Pending) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
