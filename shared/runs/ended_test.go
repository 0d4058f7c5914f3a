package runs

import (
	"testing"

	"github.com/idleseat/idleseat/shared/ledger"
)

// An outcome that this version does not know does not count as a success.
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
