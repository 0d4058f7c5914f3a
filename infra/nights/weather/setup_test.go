package weather

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/entra"
)

// The type "simulated" is a clock that advances only in Sleep.
type simulated struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *simulated { return &simulated{at: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)} }

func (c *simulated) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *simulated) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(max(d, 0))
	return ctx.Err()
}

// The type "rig" is a company with weather, with one clock for both.
type rig struct {
	*sandbox.Sandbox
	*Weather
	clock *simulated
}

func newRig(t *testing.T, seed uint64, users int) *rig {
	t.Helper()
	clock := newClock()
	s, err := sandbox.Start(sandbox.Options{Users: users, Seed: 5, Now: clock.Now, SignInPage: 120})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{Sandbox: s, clock: clock}
	r.reseed(seed)
	return r
}

func (r *rig) reseed(seed uint64) {
	r.Weather = New(seed, r.clock)
	r.Over(r.Sandbox)
}

func (r *rig) entra(t *testing.T) *entra.Client {
	t.Helper()
	c, err := entra.New(entra.Config{GraphURL: r.GraphURL, Auth: entra.AuthDefault}, r.clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The function "storm" returns the plan of a night in which one of the given faults happens to each operation that can
// have one.
func storm(kinds ...Kind) Plan { return Plan{Night: 7, Often: 1, Kinds: kinds} }

func (r *rig) groupID(t *testing.T, name string) string {
	t.Helper()
	found, _ := r.get(t, "/groups?$filter=displayName eq '"+name+"'")
	if len(found.Entries) != 1 {
		t.Fatalf("group %s: %+v", name, found)
	}
	return found.Entries[0]
}

// The method "carried" counts the requests that pass through the weather and reach Graph. The number behind the pointer
// increases with each request.
func (r *rig) carried() *int {
	n := new(int)
	r.Intercept(func(next http.Handler) http.Handler {
		return r.Graph(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			*n++
			next.ServeHTTP(w, q)
		}))
	})
	return n
}
