// Package clock is the product's source of time: the present instant, and waits. Commands and functions get a clock
// when they start. So a simulated company can live for months within seconds, and no part of the product asks the
// machine.
package clock

import (
	"context"
	"time"
)

// Clock tells the time and waits. It is safe for concurrent use.
type Clock interface {
	// Now returns the present instant.
	Now() time.Time
	// Sleep returns nil once d has passed by Now. It returns the context's error when the context ends first. It does
	// not wait for a d of zero or less.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real is the clock of the machine.
var Real Clock = real{}

type real struct{}

func (real) Now() time.Time { return time.Now() }

func (r real) Sleep(ctx context.Context, d time.Duration) error { return Watch(r.Now).Sleep(ctx, d) }

// Watch is a clock that shows the time that a function returns. Its waits go by that time.
type Watch func() time.Time

// Now returns the function's time.
func (w Watch) Now() time.Time { return w() }

// Sleep waits until d has passed by the function's time. It checks each second, because a timer stands still while the
// machine is suspended and the function's time may go on.
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
