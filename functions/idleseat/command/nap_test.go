package command

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/shared/lease"
)

// naps is the company's clock. The waits of a command pass its time, minute by minute. Those of the lease only watch it,
// and no minute passes while the lease is due.
type naps struct {
	ahead *atomic.Int64
	due   atomic.Int64 // when the lease is renewed; 0: it is not waiting
	once  sync.Once
	first func() // called before the first wait of a command
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
