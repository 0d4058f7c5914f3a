package entrance

import (
	"errors"
	"slices"
	"testing"
)

// TestAdmit: exactly one entrance accepts each wish of an operator. The wish PlanEverybody has a second entrance, which
// only the schedule may start.
func TestAdmit(t *testing.T) {
	t.Parallel()
	for w, want := range map[Wish][]Name{
		PlanEverybody: {Plan, Nightly}, PlanOne: {Plan}, AcceptFeeds: {Approve}, ChangeOne: {Approve}, ApplyPlan: {Approve}, ApplyHeldPlan: {Override}, RestoreRun: {Restore}, "something else": {},
	} {
		for _, n := range []Name{Plan, Nightly, Approve, Override, Restore, "", "elsewhere"} {
			if err := n.Admit(w); (err == nil) != slices.Contains(want, n) || err != nil && !errors.Is(err, ErrElsewhere) {
				t.Errorf("%s at %q: %v", w, n, err)
			}
		}
		if len(want) > 0 && For(w) != want[0] {
			t.Errorf("%s is asked at %q", w, For(w))
		}
	}
	if got := For("something else"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	for n, want := range map[Name]string{Plan: "idleseat", Nightly: "idleseat-nightly", Restore: "idleseat-restore"} {
		if got := n.Machine("idleseat"); got != want {
			t.Errorf("%s: %s", n, got)
		}
	}
}
