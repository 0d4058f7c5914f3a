package command

import (
	"testing"

	"github.com/idleseat/idleseat/shared/report"
)

// TestRestOf: a night has only the first rows of a very long list, and then JSON does not have all rows.
func TestRestOf(t *testing.T) {
	t.Parallel()
	for total, want := range map[int]string{
		2: "--format json has them all",
		9: "--format json has 2 of 9, and runs/r/plan.json of the store has them all",
	} {
		if got := restOf("r", &report.List[report.Row]{Total: total, Rows: make([]report.Row, 2)}); got != want {
			t.Errorf("%d rows: %q, want %q", total, got, want)
		}
	}
}
