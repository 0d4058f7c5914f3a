package world

import (
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/nights/judge"
)

// TestShowLogons: the judge hears of a logon when the product reaches the controller, and at the latest judge.Lag after
// the logon.
func TestShowLogons(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	out := map[int]away{1: {until: 5}}
	for name, tc := range map[string]struct {
		controllers
		at    int
		after time.Duration
		shown time.Duration // since the logon; negative: not shown
	}{
		"within reach":                    {controllers{named: true}, 1, time.Minute, time.Minute},
		"out of reach":                    {controllers{named: true, away: out}, 1, time.Hour, -1},
		"out of reach for longer":         {controllers{named: true, away: out}, 1, 2 * judge.Lag, judge.Lag},
		"another controller is within":    {controllers{named: true, away: out}, 0, time.Minute, time.Minute},
		"the settings do not name it":     {controllers{}, 1, time.Hour, -1},
		"the settings name only this one": {controllers{}, 0, time.Hour, time.Hour},
	} {
		w := &World{controllers: tc.controllers, story: Story{Counts: map[string]int{}}}
		w.clock.nanos.Store(at.Add(tc.after).UnixNano())
		w.logons = []logOn{{judge.Event{At: at}, tc.at}}
		w.showLogons()
		shown := time.Duration(-1)
		if len(w.unshown) > 0 {
			shown = w.unshown[0].Shown.Sub(at)
		}
		if shown != tc.shown || len(w.logons)+len(w.unshown) != 1 {
			t.Errorf("%s: shown after %s, want %s", name, shown, tc.shown)
		}
	}
}
