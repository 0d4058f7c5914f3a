package runs

import (
	"errors"
	"fmt"
	"testing"

	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// TestGone: an error is permanent if an object is missing or damaged, or does not fit this version. After any other
// error, a retry may succeed.
func TestGone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want bool
	}{
		{ErrNoPlan, true},
		{store.ErrNotFound, true},
		{store.ErrDamaged, true},
		{snapshot.ErrUnknownRun, true},
		{snapshot.ErrNone, true},
		{policy.Faults{{}}, true},
		{&snapshot.ErrNoColumn{}, true},
		{errors.New("the store is down"), false},
		{nil, false},
	} {
		err := tc.err
		if err != nil {
			err = fmt.Errorf("read it: %w", err)
		}
		if got := Gone(err); got != tc.want {
			t.Errorf("%v: %t", err, got)
		}
	}
}
