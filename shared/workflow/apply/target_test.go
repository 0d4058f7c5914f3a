package apply

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
)

// TestEveryTargetHasBothHalves: the tables of targets in shared/plan and in this package have the same targets.
func TestEveryTargetHasBothHalves(t *testing.T) {
	t.Parallel()
	if d := cmp.Diff(slices.Sorted(slices.Values(plan.Targets())), slices.Sorted(maps.Keys(targets))); d != "" {
		t.Errorf("targets (-shared/plan/target.go +shared/workflow/apply/target.go):\n%s", d)
	}
	for via := range targets {
		if !via.Known() || via == plan.Notice {
			t.Errorf("%s is no target", via)
		}
		if got := (&move{entry: &ledger.Entry{Intent: ledger.Intent{Via: string(via)}}}).target(); got != targets[via] {
			t.Errorf("an entry of %s is changed by %T", via, got)
		}
	}
}
