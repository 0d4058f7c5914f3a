package history

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

func TestAuditLeavesNothing(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	changes, notices := []plan.Change{{User: "a-now", TakenAs: "a", License: "e3"}}, []plan.Change{{User: "b", License: "e3"}}
	for mode, want := range map[policy.Mode][]Touch{policy.Audit: {}, policy.Review: {{User: "a", License: "e3"}, {User: "b", License: "e3"}}} {
		got := PlannedBy(&plan.Plan{Run: "r", Mode: mode, AsOf: at, Expires: at.Add(time.Minute), Changes: changes, Notices: notices})
		if d := cmp.Diff(&Planned{Run: "r", AsOf: at, Expires: at.Add(time.Minute), Touches: want}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", mode, d)
		}
	}
}
