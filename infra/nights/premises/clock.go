package premises

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
)

// The type "pulse" is the clock of a relay. Its method Sleep waits until the simulated time has passed. Only the
// heartbeats of a relay call Sleep.
//
// The field "due" is the time of the next heartbeat. It is zero while no goroutine waits in Sleep. While the field
// "comes" is set, the goroutine of the heartbeats is running and will soon call Sleep. The method "tick" waits for that
// call, because the heartbeat would otherwise come late by chance.
type pulse struct {
	by   clock.Clock
	skew atomic.Int64 // how far the relay's clock is ahead

	mu     sync.Mutex
	moved  *sync.Cond
	due    time.Time
	wake   chan struct{}
	comes  bool
	frozen bool
}

func newPulse(by clock.Clock) *pulse {
	c := &pulse{by: by}
	c.moved = sync.NewCond(&c.mu)
	return c
}

func (c *pulse) Now() time.Time { return c.by.Now().Add(time.Duration(c.skew.Load())) }

func (c *pulse) Sleep(ctx context.Context, d time.Duration) error {
	wake := make(chan struct{})
	c.mu.Lock()
	c.due, c.wake, c.comes = c.by.Now().Add(d), wake, false
	c.moved.Broadcast()
	c.mu.Unlock()
	select {
	case <-wake:
	case <-ctx.Done():
	}
	if ctx.Err() != nil { // the heartbeats end
		c.mu.Lock()
		c.due, c.comes = time.Time{}, false
		c.moved.Broadcast()
		c.mu.Unlock()
	}
	return ctx.Err()
}

// The method "expect" records that the goroutine of the heartbeats starts, so that the method "tick" waits for its
// first Sleep.
func (c *pulse) expect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.comes = true
}

func (c *pulse) freeze(frozen bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = frozen
}

// The method "tick" wakes the goroutine of the heartbeats if a heartbeat is due. It returns when the heartbeat has been
// sent.
func (c *pulse) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.comes {
		c.moved.Wait()
	}
	if c.frozen || c.due.IsZero() || c.by.Now().Before(c.due) {
		return
	}
	c.due, c.comes = time.Time{}, true
	close(c.wake)
	for c.comes {
		c.moved.Wait()
	}
}
