package world

import (
	"testing"

	"github.com/idleseat/idleseat/shared/plan"
)

// TestRemembersHold: an administrator who waits for the end of a hold does not forget the hold in a night without a
// plan.
func TestRemembersHold(t *testing.T) {
	t.Parallel()
	held, limit := plan.Plan{Verdict: plan.Hold}, plan.Plan{Verdict: plan.Hold, Overridable: true}
	none, open := plan.Plan{}, plan.Plan{Verdict: plan.Review}
	for name, tc := range map[string]struct {
		plans []plan.Plan
		want  int
	}{
		"each night on hold":   {[]plan.Plan{held, held, held}, 3},
		"nights without plans": {[]plan.Plan{held, none, held, none, none, held}, 3},
		"a plan to approve":    {[]plan.Plan{held, held, open, held}, 1},
		"a limit":              {[]plan.Plan{held, held, limit}, 0},
	} {
		w := World{}
		for _, p := range tc.plans {
			w.remembersHold(p)
		}
		if w.held != tc.want {
			t.Errorf("%s: %d plans in a row are on hold, want %d", name, w.held, tc.want)
		}
	}
}
