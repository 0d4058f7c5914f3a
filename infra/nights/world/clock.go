package world

import (
	"context"
	"sync/atomic"
	"time"
)

// The type "ticks" is the clock of a world (a clock.Clock). Time passes only when the world advances the clock. Sleep
// advances the clock and returns at once.
type ticks struct {
	nanos atomic.Int64
	long  func() // called in the middle of a sleep of an hour or more; may be nil
	short func() // called every 10 seconds of a shorter sleep; may be nil
}

// Now returns the simulated time.
func (t *ticks) Now() time.Time { return time.Unix(0, t.nanos.Load()).UTC() }

// Sleep advances the simulated time by d.
func (t *ticks) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch {
	case d >= time.Hour && t.long != nil:
		t.pass(d / 2)
		t.long()
		t.pass(d / 2)
	case t.short != nil:
		for ; d > 0; d -= few {
			t.pass(min(d, few))
			t.short()
		}
	default:
		t.pass(d)
	}
	return nil
}

// few is the time between two calls of ticks.short. The time between two heartbeats of a relay is a multiple of it, so
// a heartbeat is on time.
const few = 10 * time.Second

func (t *ticks) pass(d time.Duration) { t.nanos.Add(int64(max(d, 0))) }
