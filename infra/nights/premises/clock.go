package premises

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
)

// The type "pulse" is the clock of a relay. Its method Sleep waits until the simulated time has passed. Only the
// heartbeats of a relay sleep.
//
// The method "tick" waits while the field "comes" is set, because the goroutine of the heartbeats then runs and will
// call Sleep next. Otherwise the heartbeats would come late by chance. The field "due" is the time of the next
// heartbeat. It is zero while nobody waits in Sleep.
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

// The method "expect" records that the goroutine of the heartbeats begins.
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

// The method "tick" sends the heartbeat that is due, and returns after it.
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
