package plan

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBatches: a batch has at most perBatch changes, in one directory. Every change is in exactly one batch, and the
// batches of Entra ID come first.
func TestBatches(t *testing.T) {
	t.Parallel()
	changes := func(via Via, from, n int) (all []Change) {
		for i := range n {
			all = append(all, Change{User: fmt.Sprintf("%s %d", via, from+i), Via: via})
		}
		return all
	}
	for name, tc := range map[string]struct {
		plan Plan
		want []string
	}{
		"nothing": {Plan{}, nil},
		"one of each": {Plan{Changes: slices.Concat(changes(ADGroup, 0, 1), changes(Direct, 0, 1)), Notices: changes(Notice, 0, 1)},
			[]string{"entra-0001: direct 0 to direct 0", "ad-0001: ad-group 0 to ad-group 0", "notice-0001: notice 0 to notice 0"}},
		"both ways of Entra": {Plan{Changes: slices.Concat(changes(EntraGroup, 0, 2), changes(Direct, 0, 1))},
			[]string{"entra-0001: entra-group 0 to direct 0"}},
		"full": {Plan{Changes: changes(ADGroup, 0, perBatch)}, []string{"ad-0001: ad-group 0 to ad-group 99"}},
		"one more than full": {Plan{Changes: slices.Concat(changes(Direct, 0, perBatch+1), changes(ADGroup, 0, 2*perBatch+1)), Notices: changes(Notice, 0, perBatch+1)},
			[]string{"entra-0001: direct 0 to direct 99", "entra-0002: direct 100 to direct 100",
				"ad-0001: ad-group 0 to ad-group 99", "ad-0002: ad-group 100 to ad-group 199", "ad-0003: ad-group 200 to ad-group 200",
				"notice-0001: notice 0 to notice 99", "notice-0002: notice 100 to notice 100"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			n := 0
			for _, b := range tc.plan.Batches() {
				got = append(got, fmt.Sprintf("%s: %s to %s", b.Name, b.Changes[0].User, b.Changes[len(b.Changes)-1].User))
				n += len(b.Changes)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if n != len(tc.plan.Changes)+len(tc.plan.Notices) {
				t.Errorf("%d changes in batches", n)
			}
		})
	}
}
