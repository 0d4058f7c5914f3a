package judge

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAstray: the tool took a license by removing the person from one group, and then gives the license by another
// group. The judge finds this fault. It finds none if somebody else took the license or has given it since.
func TestAstray(t *testing.T) {
	t.Parallel()
	by := func(e Event, way string, stranger bool) Event {
		e.Way, e.Stranger = way, stranger
		return e
	}
	for name, tc := range map[string]struct {
		story []Event
		want  []Why
	}{
		"the same group":         {[]Event{by(anna(Removed, 90, true), "a", false), by(anna(Given, 91, true), "a", false)}, nil},
		"another group":          {[]Event{by(anna(Removed, 90, true), "a", false), by(anna(Given, 91, true), "b", false)}, []Why{Astray}},
		"rolled back":            {[]Event{by(anna(Removed, 90, true), "a", false), by(anna(Undone, 90, true), "b", false)}, []Why{Astray}},
		"by somebody":            {[]Event{by(anna(Removed, 90, true), "a", false), anna(Given, 91, true)}, nil},
		"where no group matters": {[]Event{anna(Removed, 90, true), by(anna(Given, 91, true), "b", false)}, nil},
		"after somebody gave it": {[]Event{by(anna(Removed, 90, true), "a", false), anna(Given, 91, true), by(anna(Given, 92, true), "b", false)}, nil},
		"taken by another tool":  {[]Event{by(anna(Removed, 90, true), "a", true), by(anna(Given, 91, true), "b", false)}, nil},
		"forgotten by the tool":  {[]Event{by(anna(Removed, 90, true), "a", false), {What: Forgot, At: on(89)}, by(anna(Given, 91, true), "b", false)}, nil},
	} {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, tc.story...)
		var got []Why
		for _, f := range j.Faults() {
			got = append(got, f.Why)
		}
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}
