// Package lease ensures that only one nightly run works in a store at a time, in a folder or a bucket, and across
// machines. A lease is a chain of objects. Each says who holds the lease and until when, or that it has ended. A
// process takes the lease when it creates the next object, which only one process can do. The lease of a dead process
// expires. The lease only avoids useless work and confusing output. The ledger prevents two runs from changing the
// same license.
package lease

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrHeld is returned when another process holds the lease.
	ErrHeld = errors.New("another run is under way")
	// ErrLost is the cause of the cancellation of Keep's context: the lease expired, or another process took it.
	ErrLost = errors.New("the lease of this run was lost")
)

const (
	// Renewed is the time between two renewals of the lease.
	Renewed = 5 * time.Minute
	// The constant "lasts" is how long the lease is valid without a renewal.
	lasts = 3 * Renewed
	// The constant "retried" is the wait after a failed renewal.
	retried = time.Minute
	// The constant "skew" is how far the clocks of two machines may differ. A machine refuses to work when its clock
	// and that of Microsoft Graph differ by more than 10 minutes (directory.CheckClock), so two working machines
	// differ by at most 20 minutes.
	skew = 20 * time.Minute
)

// The type "link" is one of the numbered objects of the lease, with the key runs/lease/<n>.json (n has six digits).
type link struct {
	Holder string    `json:"holder"` // operator, machine and process, for people to read
	ID     string    `json:"id"`     // unique for each lease
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
	Ended  bool      `json:"ended,omitempty"`
}

// Lease is a lease that this process holds. It is not safe for concurrent use.
type Lease struct {
	store store.Store
	clock clock.Clock
	last  link
	n     int // number of the link in the field last
}

// Take takes the lease. If another process holds the lease, or takes it at the same moment, the error wraps ErrHeld. It
// names the holder if that is known.
func Take(ctx context.Context, s store.Store, by clock.Clock, holder string) (*Lease, error) {
	now := by.Now().UTC()
	last, n, err := newest(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("look whether another run is under way: %w", err)
	}
	if n > 0 && !last.Ended && !now.After(last.Until.Add(skew)) {
		return nil, held(last, n, now)
	}
	l := &Lease{store: s, clock: by, n: n + 1, last: link{Holder: holder, ID: rand.Text(), Since: now, Until: now.Add(lasts)}}
	err = store.PutJSONProven(ctx, s, layout.Lease(l.n), &l.last)
	if errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("%w: it began at this very moment", ErrHeld)
	}
	if err != nil {
		return nil, fmt.Errorf("take the lease of a run: %w", err)
	}
	return l, nil
}

func held(last link, n int, now time.Time) error {
	if last.Until.After(now.Add(lasts + skew)) {
		return fmt.Errorf("%w: %s since %s, by a clock that is ahead of this one (%s); set the clocks right, and if that run is dead, move the object %s out of the store",
			ErrHeld, last.Holder, last.Since.Format(time.RFC3339), now.Format(time.RFC3339), layout.Lease(n))
	}
	return fmt.Errorf("%w: %s since %s; if that process is dead, its lease ends by itself at %s", ErrHeld, last.Holder, last.Since.Format(time.RFC3339), last.Until.Add(skew).Format(time.RFC3339))
}

// The function "newest" returns the newest object of the lease and its number n. The number is 0 if the store has no
// such object.
func newest(ctx context.Context, s store.Store) (last link, n int, err error) {
	for key, err := range s.List(ctx, layout.Leases) {
		if err != nil {
			return last, 0, err
		}
		if at, err := strconv.Atoi(layout.NameIn(layout.Leases, key)); err == nil && key == layout.Lease(at) {
			n = max(n, at)
		}
	}
	if n == 0 {
		return last, 0, nil
	}
	return last, n, store.GetJSON(ctx, s, layout.Lease(n), &last)
}

// Keep renews the lease until the caller calls "end". If the lease is lost, Keep cancels the returned context with the
// cause ErrLost. The function "end" releases the lease. If "end" fails, other processes must wait until the lease
// expires.
func (l *Lease) Keep(ctx context.Context) (kept context.Context, end func() error) {
	kept, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := l.renew(kept); err != nil {
			cancel(err)
		}
	}()
	return kept, func() error {
		lost := errors.Is(context.Cause(kept), ErrLost)
		cancel(nil)
		<-stopped
		if lost {
			return nil // the lease expired or belongs to another process
		}
		return l.end(context.WithoutCancel(ctx))
	}
}

// The method "renew" renews the lease until ctx is done or the lease is lost. It returns ErrLost if the lease is lost,
// and nil otherwise.
func (l *Lease) renew(ctx context.Context) error {
	for wait := Renewed; ; {
		if l.clock.Sleep(ctx, wait) != nil {
			return nil
		}
		next := l.last
		next.Until = l.clock.Now().UTC().Add(lasts)
		err := l.put(ctx, next)
		switch {
		case err == nil:
			wait = Renewed
		case errors.Is(err, store.ErrExists):
			return fmt.Errorf("%w: it was not renewed in time, and another run has taken it", ErrLost)
		case ctx.Err() != nil:
			return nil
		case l.clock.Now().After(l.last.Until):
			return fmt.Errorf("%w: it could not be renewed: %w", ErrLost, err)
		default:
			wait = retried
		}
	}
}

func (l *Lease) end(ctx context.Context) error {
	next := l.last
	next.Ended = true
	if err := l.put(ctx, next); err != nil {
		return fmt.Errorf("end the lease of this run, which ends by itself at %s: %w", l.last.Until.Add(skew).Format(time.RFC3339), err)
	}
	return nil
}

// The method "put" creates the next numbered object of the lease. It returns store.ErrExists if another process has
// already created the object with this number.
func (l *Lease) put(ctx context.Context, next link) error {
	key := layout.Lease(l.n + 1)
	err := store.PutJSONIfAbsent(ctx, l.store, key, &next)
	if errors.Is(err, store.ErrExists) {
		var there link
		if readErr := store.GetJSON(ctx, l.store, key, &there); readErr == nil && there.ID == l.last.ID {
			err = nil // an earlier try created the object, but the answer of the store was lost
		}
	}
	if err == nil {
		l.n, l.last = l.n+1, next
	}
	return err
}
