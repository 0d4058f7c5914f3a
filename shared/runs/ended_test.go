package runs

import (
	"testing"

	"github.com/idleseat/idleseat/shared/ledger"
)

// TestEnded: an outcome that this version does not know counts as Failed.
func TestEnded(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[ledger.Outcome]Status{
		ledger.Done: Done, ledger.Announced: Announced, ledger.RolledBack: Kept, ledger.Restored: Kept, ledger.Failed: Failed, "of a later version": Failed, "": Failed,
	} {
		if got := Ended(outcome); got != want {
			t.Errorf("Ended(%q) = %q, want %q", outcome, got, want)
		}
	}
}
