package judge

import (
	"testing"
	"time"
)

// TestOutOfReach: a logon at a controller out of reach counts when it is older than Lag. A logon that no controller shows
// any longer does not count.
func TestOutOfReach(t *testing.T) {
	t.Parallel()
	used := anna(Used, 90, true)
	late := shown(used, used.At.Add(Lag))
	for name, tc := range map[string]struct {
		story []Event
		at    time.Time
		want  int
	}{
		"within reach":                {[]Event{used}, used.At.Add(time.Hour), 1},
		"out of reach, within Lag":    {[]Event{late}, used.At.Add(Lag), 0},
		"out of reach, older":         {[]Event{late}, used.At.Add(Lag + Slack), 1},
		"erased":                      {[]Event{used, anna(Erased, 20, true)}, on(100), 0},
		"erased, but a date is left":  {[]Event{anna(Used, 60, true), used, anna(Erased, 60, true)}, on(100), 1},
		"erased, and used afterwards": {[]Event{used, anna(Erased, 20, true), anna(Used, 99, true)}, on(100), 1},
	} {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, tc.story...)
		hear(t, j, Event{What: Removed, At: tc.at, Person: "anna", License: "e3"})
		if faults := j.Faults(); len(faults) != tc.want {
			t.Errorf("%s: %v, want %d faults", name, faults, tc.want)
		}
	}
}
