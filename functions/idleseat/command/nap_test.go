package command

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/lease"
)

// The type "naps" is a clock that a company and its commands share. When a command waits, the clock advances, and the
// command does not sleep. When a renewal of the lease is due, the clock stops until a goroutine has renewed the lease.
// Otherwise the lease would expire before this goroutine runs.
type naps struct {
	ahead *atomic.Int64
	due   atomic.Int64 // the time of the next renewal of the lease, in Unix nanoseconds; 0 while no renewal waits
	once  sync.Once
	first func() // called once, before a command waits for the first time; may be nil
}

func (n *naps) Now() time.Time { return time.Now().Add(time.Duration(n.ahead.Load())) }

func (n *naps) Sleep(ctx context.Context, d time.Duration) error {
	if d == lease.Renewed {
		due := n.Now().Add(d)
		n.due.Store(due.UnixNano())
		defer n.due.Store(0)
		for n.Now().Before(due) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	n.once.Do(func() {
		if n.first != nil {
			n.first()
		}
	})
	for due := n.Now().Add(d); n.Now().Before(due); {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n.due.Load() > n.Now().UnixNano() {
			n.ahead.Add(int64(min(time.Minute, due.Sub(n.Now()))))
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}
