package lease

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

var began = time.Date(2026, 11, 29, 2, 0, 0, 0, time.UTC)

// The type "hands" is a clock that stands still until the test moves it. A Sleep ends when the clock has moved far
// enough.
type hands struct {
	mu    sync.Mutex
	now   time.Time
	moved chan struct{} // closed at the next move
}

func clockAt(t time.Time) *hands { return &hands{now: t, moved: make(chan struct{})} }

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	close(h.moved)
	h.moved = make(chan struct{})
}

func (h *hands) Sleep(ctx context.Context, d time.Duration) error {
	due := h.Now().Add(d)
	for {
		h.mu.Lock()
		over, moved := !h.now.Before(due), h.moved
		h.mu.Unlock()
		if over {
			return ctx.Err()
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// The type "flaky" is a store that can be down. While it is down, writes fail.
type flaky struct {
	store.Store
	mu   sync.Mutex
	down bool
	keep bool // the next write takes effect but returns an error
}

var errDown = errors.New("down")

func (f *flaky) set(down, keep bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down, f.keep = down, keep
}

func (f *flaky) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keep {
		f.keep = false
		return errors.Join(f.Store.PutIfAbsent(ctx, key, body), errDown)
	}
	if f.down {
		return errDown
	}
	return f.Store.PutIfAbsent(ctx, key, body)
}

func links(t *testing.T, s store.Store) int {
	t.Helper()
	_, n, err := newest(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The function "until" waits until "holds" returns true. After a minute, it fails the test.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s does not come", what)
}

// TestTake: a second process may take the lease if the first process has ended the lease, or if the lease has expired
// according to the second process's clock.
func TestTake(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first func(t *testing.T, s store.Store)
		now   time.Duration // the clock of the second process minus the time of the first Take
		want  string        // part of the refusal; empty if the second process gets the lease
	}{
		"nobody":                  {func(*testing.T, store.Store) {}, 0, ""},
		"ended":                   {func(t *testing.T, s store.Store) { end(t, taken(t, s)) }, 0, ""},
		"held":                    {func(t *testing.T, s store.Store) { taken(t, s) }, time.Minute, "another run is under way: first since 2026-11-29T02:00:00Z; if that process is dead, its lease ends by itself at 2026-11-29T02:35:00Z"},
		"dead, its time not over": {func(t *testing.T, s store.Store) { taken(t, s) }, lasts + time.Minute, "ends by itself at"},
		"dead, a clock may lag":   {func(t *testing.T, s store.Store) { taken(t, s) }, lasts + skew, "ends by itself at"},
		"dead, over":              {func(t *testing.T, s store.Store) { taken(t, s) }, lasts + skew + time.Second, ""},
		"by a clock behind":       {func(t *testing.T, s store.Store) { taken(t, s) }, -skew, "ends by itself at"},
		"made by a clock ahead":   {func(t *testing.T, s store.Store) { taken(t, s) }, -skew - time.Minute, "move the object runs/lease/000001.json out of the store"},
		"damaged": {func(t *testing.T, s store.Store) {
			if err := store.PutBytes(t.Context(), s, layout.Lease(1), []byte(`{"ended":tr`)); err != nil {
				t.Fatal(err)
			}
		}, day, "damaged object \"runs/lease/000001.json\""},
		"a foreign object beside it": {func(t *testing.T, s store.Store) {
			end(t, taken(t, s))
			if err := store.PutBytes(t.Context(), s, layout.Leases+"7.json", []byte("x")); err != nil {
				t.Fatal(err)
			}
		}, 0, ""},
	} {
		s := &store.Memory{}
		tc.first(t, s)
		l, err := Take(t.Context(), s, clockAt(began.Add(tc.now)), "second")
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err != nil && errors.Is(err, ErrHeld) == errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v is of the wrong kind", name, err)
		}
		if err == nil && l.last.Holder != "second" {
			t.Errorf("%s: %+v", name, l.last)
		}
	}
}

const day = 24 * time.Hour

func taken(t *testing.T, s store.Store) *Lease {
	t.Helper()
	l, err := Take(t.Context(), s, clockAt(began), "first")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func end(t *testing.T, l *Lease) {
	t.Helper()
	_, ends := l.Keep(t.Context())
	if err := ends(); err != nil {
		t.Fatal(err)
	}
}

// TestOneTakesIt: when many processes try to take the lease at once, only one succeeds.
func TestOneTakesIt(t *testing.T) {
	t.Parallel()
	s := &store.Memory{}
	end(t, taken(t, s))
	won := make(chan error, 20)
	for range cap(won) {
		go func() {
			_, err := Take(t.Context(), s, clockAt(began), "one of many")
			won <- err
		}()
	}
	n := 0
	for range cap(won) {
		if err := <-won; err == nil {
			n++
		} else if !errors.Is(err, ErrHeld) {
			t.Errorf("refused by %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d processes have the lease", n)
	}
}

// TestRenewed: Keep renews a lease even if answers are lost or the store is down for a while. Until the holder ends the
// lease, no other process can take it.
func TestRenewed(t *testing.T) {
	t.Parallel()
	s := &flaky{Store: &store.Memory{}}
	hand := clockAt(began)
	l, err := Take(t.Context(), s, hand, "first")
	if err != nil {
		t.Fatal(err)
	}
	ctx, ends := l.Keep(t.Context())
	for i, fault := range []func(){func() {}, func() { s.set(false, true) }, func() { s.set(true, false) }, func() {}} {
		before := links(t, s)
		fault()
		until(t, "a renewal", func() bool {
			hand.move(time.Second)
			if s.isDown() && hand.Now().Sub(began) > time.Duration(i)*Renewed+Renewed+2*retried {
				s.set(false, false)
			}
			return links(t, s) > before
		})
		if _, err := Take(t.Context(), s, hand, "second"); !errors.Is(err, ErrHeld) {
			t.Errorf("fault %d: taken while it is renewed: %v", i, err)
		}
	}
	if ctx.Err() != nil {
		t.Errorf("the work was ended: %v", context.Cause(ctx))
	}
	if err := ends(); err != nil {
		t.Fatal(err)
	}
	if _, err := Take(t.Context(), s, hand, "second"); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

func (f *flaky) isDown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.down
}

// TestLost: the context of a holder is canceled when another process takes the lease, and when the lease expires
// because the holder could not renew it. The holder does not end the lease of the other process.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lose func(t *testing.T, s *flaky, hand *hands)
		want string
	}{
		"taken by another, while the machine slept": {func(t *testing.T, s *flaky, hand *hands) {
			if _, err := Take(t.Context(), s, clockAt(hand.Now().Add(day)), "second"); err != nil {
				t.Fatal(err)
			}
			hand.move(day)
		}, "another run has taken it"},
		"the store is down": {func(_ *testing.T, s *flaky, hand *hands) { s.set(true, false) }, "it could not be renewed: down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, hand := &flaky{Store: &store.Memory{}}, clockAt(began)
			l, err := Take(t.Context(), s, hand, "first")
			if err != nil {
				t.Fatal(err)
			}
			ctx, ends := l.Keep(t.Context())
			tc.lose(t, s, hand)
			until(t, "the end of the work", func() bool {
				hand.move(time.Second)
				return ctx.Err() != nil
			})
			if lost := context.Cause(ctx); !errors.Is(lost, ErrLost) || !strings.Contains(lost.Error(), tc.want) {
				t.Errorf("%v, want %q", lost, tc.want)
			}
			s.set(false, false)
			before := links(t, s)
			if err := ends(); err != nil || links(t, s) != before {
				t.Errorf("%v, %d links instead of %d", err, links(t, s), before)
			}
		})
	}
}

// TestEndThatFails: if the holder cannot end the lease, the error says when the lease expires. Take refuses a store
// whose PutIfAbsent overwrites objects.
func TestEndThatFails(t *testing.T) {
	t.Parallel()
	s := &flaky{Store: &store.Memory{}}
	l, err := Take(t.Context(), s, clockAt(began), "first")
	if err != nil {
		t.Fatal(err)
	}
	_, ends := l.Keep(t.Context())
	s.set(true, false)
	if err := ends(); !errors.Is(err, errDown) || !strings.Contains(err.Error(), "2026-11-29T02:35:00Z") {
		t.Errorf("%v", err)
	}
	if _, err := Take(t.Context(), &overwriting{s.Store}, clockAt(began.Add(day)), "second"); !errors.Is(err, store.ErrOverwrites) {
		t.Errorf("a store that overwrites: %v", err)
	}
}

type overwriting struct{ store.Store }

func (o *overwriting) PutIfAbsent(ctx context.Context, key string, body io.ReadSeeker) error {
	return o.Put(ctx, key, body)
}
