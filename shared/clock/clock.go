// Package clock tells the time and waits. Code that decides or writes takes the time from a Clock, so a test can
// simulate months in seconds.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits. It is safe for concurrent use.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
	// Sleep returns nil once the duration d has passed, as measured by Now. If ctx ends first, it returns the error of
	// ctx. If d is not positive, it returns immediately.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real is the clock of the machine.
var Real Clock = real{}

type real struct{}

func (real) Now() time.Time { return time.Now() }

func (r real) Sleep(ctx context.Context, d time.Duration) error { return Watch(r.Now).Sleep(ctx, d) }

// Days returns the number of days between the UTC dates of two times, without regard to hours. It is negative if "to"
// is on an earlier day than "from".
func Days(from, to time.Time) int {
	const day = 24 * time.Hour
	return int(to.UTC().Truncate(day).Sub(from.UTC().Truncate(day)) / day)
}

// Watch is a Clock whose time is the result of a function.
type Watch func() time.Time

// Now returns the result of the function.
func (w Watch) Now() time.Time { return w() }

// Sleep waits until the time of the watch is d later. While the machine is suspended, a timer stops, but the time of
// the watch may advance, so Sleep reads the watch every second.
func (w Watch) Sleep(ctx context.Context, d time.Duration) error {
	for due := w().Add(d); d > 0; d = due.Sub(w()) {
		if err := wait(ctx, min(d, time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
