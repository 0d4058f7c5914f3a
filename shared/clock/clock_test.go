package clock

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A wait follows the time of the watch, not of the machine.
func TestWatch(t *testing.T) {
	t.Parallel()
	now, looked := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), 0
	w := Watch(func() time.Time {
		looked++
		now = now.Add(time.Hour) // each look is an hour later, as if the machine had been suspended
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
