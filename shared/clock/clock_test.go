package clock

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestWatch: Sleep ends when the time of the Watch says so, even if the timers of the machine have stood still for a
// part of that time.
func TestWatch(t *testing.T) {
	t.Parallel()
	now, looked := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), 0
	w := Watch(func() time.Time {
		looked++
		now = now.Add(time.Hour) // each call returns a time that is an hour later, as if the machine had been suspended
		return now
	})
	if err := w.Sleep(t.Context(), time.Millisecond); err != nil || looked != 2 {
		t.Errorf("%v after %d looks", err, looked)
	}
	if err := w.Sleep(t.Context(), 0); err != nil {
		t.Errorf("nothing to wait for: %v", err)
	}
}

func TestSleepEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Real.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("east", 3*60*60)
	for _, tc := range []struct {
		from, to time.Time
		want     int
	}{
		{time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), time.Date(2027, 1, 19, 2, 0, 0, 0, time.UTC), 51},
		{time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC), time.Date(2026, 11, 29, 23, 59, 0, 0, time.UTC), 0},
		{time.Date(2026, 11, 29, 23, 59, 0, 0, time.UTC), time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), 1},
		{time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 29, 23, 59, 0, 0, time.UTC), -1},
		{time.Date(2026, 11, 29, 1, 0, 0, 0, east), time.Date(2026, 11, 29, 8, 0, 0, 0, east), 1}, // 28 November, 22:00 UTC
		{time.Date(1969, 12, 30, 23, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 1, 0, 0, 0, time.UTC), 2},
	} {
		if got := Days(tc.from, tc.to); got != tc.want {
			t.Errorf("from %s to %s: %d, want %d", tc.from, tc.to, got, tc.want)
		}
	}
}
