package gate

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// TestLostHireDatesStayInDoubt: Entra ID gives no hire dates on some nights. Each of these nights has a note, because it
// is compared with the last reading that had them.
func TestLostHireDatesStayInDoubt(t *testing.T) {
	t.Parallel()
	s := store.Store(&store.Memory{})
	for night, tc := range []struct {
		hired int // accounts with a hire date
		doubt bool
	}{{50, false}, {0, true}, {3, true}, {48, false}, {0, true}, {50, false}} {
		e, at := quiet(), clock.Add(time.Duration(night)*time.Minute)
		e.text, e.run, e.entra.WithHired = "grace: {neverSignedIn: 14}\n"+text, "run"+strconv.Itoa(night), tc.hired
		var err error
		if e.history, err = history.MakeDigest(t.Context(), s, e.run, at); err != nil {
			t.Fatal(err)
		}
		e.putInto(t, s)
		p, err := Run(t.Context(), s, e.run, at)
		if err != nil {
			t.Fatal(err)
		}
		note := slices.ContainsFunc(p.Notes, func(n string) bool {
			return strings.Contains(n, "had one in an earlier run") && strings.Contains(n, "with a hire date")
		})
		if held := p.Verdict == plan.Hold; len(p.Changes) == 0 && held != tc.doubt {
			t.Errorf("night %d: on hold: %t; want %t: %q", night, held, tc.doubt, p.HoldReasons)
		}
		if note != tc.doubt || p.Sources[directory.Entra.String()].State != "healthy" {
			t.Errorf("night %d: a note: %t; want %t: %q", night, note, tc.doubt, p.Notes)
		}
	}
}
