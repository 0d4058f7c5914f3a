package judge

import (
	"testing"
	"time"
)

// TestAway: a person who uses nothing goes on leave. A removal is wrong during the leave, and within the idle period of
// 60 days after the leave.
func TestAway(t *testing.T) {
	t.Parallel()
	away := func(day, until int) Event {
		e := anna(Away, day, false)
		e.License, e.Until = "", on(until)
		return e
	}
	tests := map[string]struct {
		story []Event
		at    time.Time
		want  Why // empty: the removal is right
	}{
		"no leave":                             {nil, on(100), ""},
		"on leave":                             {[]Event{away(10, 110)}, on(100), Wrong},
		"the night before the first day":       {[]Event{away(10, 100)}, on(100).Add(2 * time.Hour), Wrong},
		"back for nearly the idle period":      {[]Event{away(10, 40)}, on(100), Wrong},
		"back for the idle period":             {[]Event{away(10, 40)}, on(100).Add(time.Second), ""},
		"entered too late to know":             {[]Event{away(100, 200)}, on(100).Add(time.Minute), ""},
		"entered in time":                      {[]Event{away(100, 200)}, on(100).Add(3 * time.Minute), Wrong},
		"a longer leave":                       {[]Event{away(1, 20), away(15, 90)}, on(100), Wrong},
		"a shorter leave":                      {[]Event{away(1, 90), away(15, 20)}, on(100), ""},
		"a longer leave, entered too late":     {[]Event{away(1, 20), away(100, 200)}, on(100).Add(time.Minute), ""},
		"of an account that was deleted since": {[]Event{away(1, 90), anna(Remade, 91, true), anna(Used, 92, true)}, on(160), ""},
		"of an account that was made before":   {[]Event{anna(Remade, 1, true), away(2, 90)}, on(100), Wrong},
	}
	for name, tc := range tests {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, tc.story...)
		hear(t, j, Event{What: Removed, At: tc.at, Person: "anna", License: "e3"})
		var got Why
		if faults := j.Faults(); len(faults) > 0 {
			got = faults[0].Why
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, tc.want, j.Faults())
		}
	}
}

// TestAwayAndAnnounced: after a leave, a removal needs an announcement from after the end of the leave. An earlier
// announcement does not count.
func TestAwayAndAnnounced(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		told []int
		want int // faults
	}{
		"before the leave":                   {[]int{2}, 1},
		"during the leave":                   {[]int{20}, 1},
		"after the leave":                    {[]int{40}, 0},
		"before the leave and after it":      {[]int{2, 40}, 0},
		"before the leave, and now too late": {[]int{2, 95}, 1},
	} {
		j := New()
		hear(t, j, withNotice())
		hear(t, j, first...)
		for _, day := range tc.told {
			if day > 10 {
				hear(t, j, Event{What: Away, At: on(10), Person: "anna", Until: on(30)})
			}
			hear(t, j, anna(Told, day, true))
		}
		hear(t, j, Event{What: Away, At: on(10), Person: "anna", Until: on(30)}, anna(Removed, 100, true))
		if faults := j.Faults(); len(faults) != tc.want {
			t.Errorf("%s: %v, want %d faults", name, faults, tc.want)
		}
	}
}

// TestAwayIsNotClear: while a person is on leave, the tool need not take the license, so no case is missed. The tool
// must take it when the leave has been over for the idle period.
func TestAwayIsNotClear(t *testing.T) {
	t.Parallel()
	for until, want := range map[int]int{0: 1, 200: 0} {
		j := New(mail)
		hear(t, j, first...)
		hear(t, j, seen(0), Event{What: Away, At: on(1), Person: "anna", Until: on(until)})
		for night := 2; night < 100; night++ {
			hear(t, j, seen(night))
		}
		missed := 0
		for _, f := range j.Faults() {
			if missed++; f.Why != Missed {
				t.Error(f)
			}
		}
		if missed != want {
			t.Errorf("until %d: %d missed cases, want %d", until, missed, want)
		}
	}
}
