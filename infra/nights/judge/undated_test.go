package judge

import "testing"

// TestUndated: if the directories do not say since when people hold a license, a license that the first night finds
// counts as held for a long time.
func TestUndated(t *testing.T) {
	t.Parallel()
	undated := mail
	undated.Undated = true
	bo := func(what What, day int) Event {
		return Event{What: what, At: on(day), Person: "bo", License: "e3", Holds: true}
	}
	for name, tc := range map[string]struct {
		rule  Rule
		story []Event
		want  int
	}{
		"dated, before the first night":           {mail, []Event{bo(Given, 95), seen(96)}, 1},
		"before the first night":                  {undated, []Event{bo(Given, 95), seen(96)}, 0},
		"held before the first night":             {undated, []Event{bo(Holding, 95), seen(96)}, 0},
		"dated, held before the first night":      {mail, []Event{bo(Holding, 95), seen(96)}, 1},
		"lost and found again":                    {undated, []Event{bo(Holding, -900), seen(93), bo(Released, 94), bo(Holding, 95), seen(96)}, 0},
		"dated, lost and found again":             {mail, []Event{bo(Holding, -900), seen(93), bo(Released, 94), bo(Holding, 95), seen(96)}, 0},
		"after the first night":                   {undated, []Event{seen(94), bo(Given, 95), seen(96)}, 1},
		"held after the first night":              {undated, []Event{seen(94), bo(Holding, 95), seen(96)}, 1},
		"after a night that did not read":         {undated, []Event{failed(94), unread(94), bo(Given, 95), seen(96)}, 0},
		"long after the first night, and now old": {undated, []Event{seen(80), bo(Given, 81), seen(96)}, 0},
	} {
		j := New()
		hear(t, j, Event{What: Ruled, At: on(-900), Rule: &tc.rule}, bo(Hired, -900))
		hear(t, j, tc.story...)
		hear(t, j, bo(Planned, 97), bo(Removed, 97))
		if faults := j.Faults(); len(faults) != tc.want {
			t.Errorf("%s: %v, want %d faults", name, faults, tc.want)
		}
	}
}
