package history

import (
	"fmt"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/store"
)

// TestSetback: later runs know which change a run could not make, until it is made or
// long over. A plan that was closed says nothing about its people.
func TestSetback(t *testing.T) {
	t.Parallel()
	const results = `{"results":[{"user":"ann","license":"e3","status":%s}]}`
	tests := map[string]struct {
		nights []string // the results of each night; "" for none
		want   int      // times
		due    time.Time
		said   string
	}{
		"failed":                        {[]string{`"failed","note":"no seat"`}, 1, at(0), "failed in the last run: no seat"},
		"failed, refused":               {[]string{`"failed","note":"no seat"`, `"refused","note":"held twice"`}, 2, at(3).Add(-early), "refused in the last run, and 2 runs in a row could not make it: held twice"},
		"three times, a night between":  {[]string{`"failed"`, `"kept"`, "", `"failed","note":"no"`}, 3, at(7).Add(-early), "failed in the last run, and 3 runs in a row could not make it: no"},
		"not reached":                   {[]string{`"pending","again":true,"note":"down"`}, 1, at(0), "not made in the last run: down"},
		"waiting":                       {[]string{`"pending"`}, 0, time.Time{}, ""},
		"closed":                        {[]string{`"refused","closed":true`}, 0, time.Time{}, ""},
		"failed, done":                  {[]string{`"failed"`, `"done"`}, 0, time.Time{}, ""},
		"failed, damaged results since": {[]string{`"failed","note":"no"`, `{`}, 1, at(0), "failed in the last run: no"},
		"never again":                   {append([]string{`"failed"`}, make([]string, 40)...), 0, time.Time{}, ""},
		"often": {[]string{`"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed"`, `"failed","note":"no"`}, 7, at(6 + mostNights).Add(-early),
			"failed in the last run, and 7 runs in a row could not make it: no"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(0)
			for night, text := range tc.nights {
				w.plans(night, "ann")
				if text != "" {
					w.results(night, results, text)
				}
				w.settle(night + 1)
			}
			b := w.settle(len(tc.nights)+1).Setback("ann", "e3")
			switch {
			case tc.want == 0 && b == nil:
			case tc.want == 0 || b == nil:
				t.Errorf("%+v, want %d times", b, tc.want)
			case b.Times != tc.want || !b.Due().Equal(tc.due) || b.Said() != tc.said:
				t.Errorf("%+v: due %s, said %q", b, b.Due(), b.Said())
			}
		})
	}
	t.Run("under way", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.settle(0)
		w.plans(0, "ann", "bob")
		w.results(0, `{"results":[{"user":"ann","license":"e3","status":%s,"again":true},{"user":"bob","license":"e3","status":"failed"}]}`, `"pending"`)
		w.writes(0, "ann", "m365", "")
		w.writes(0, "bob", "m365", ledger.Failed)
		if st := w.settle(1); st.Setback("ann", "e3") != nil || st.Setback("bob", "e3") == nil {
			t.Errorf("ann %+v, bob %+v", st.Setback("ann", "e3"), st.Setback("bob", "e3"))
		}
	})
}

// results writes what became of the plan of a night.
func (w *world) results(night int, format, status string) {
	w.Helper()
	text := status
	if status != "{" { // damaged
		text = fmt.Sprintf(format, status)
	}
	if err := store.PutBytes(w.Context(), w.store, "runs/"+nameOf(night)+"/results/entra-0001.json", []byte(text)); err != nil {
		w.Fatal(err)
	}
}
