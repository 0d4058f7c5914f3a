package command

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// sharedClock is a clock that the company and all processes share through a file. It runs at the speed of the real
// clock, and tests can advance it.
type sharedClock struct {
	t    *testing.T
	path string

	mu    sync.Mutex
	ahead time.Duration
}

const clockVariable = "IDLESEAT_TEST_CLOCK"

func newSharedClock(t *testing.T) *sharedClock {
	t.Helper()
	c := &sharedClock{t: t, path: filepath.Join(quickFolder(t), "clock")}
	c.pass(0)
	return c
}

func (c *sharedClock) pass(d time.Duration) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(d)
}

// passUntil advances the clock to the time "due", unless that time has passed.
func (c *sharedClock) passUntil(due time.Time) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := due.Sub(time.Now().Add(c.ahead)); left > 0 {
		c.move(left)
	}
}

func (c *sharedClock) move(d time.Duration) {
	c.t.Helper()
	c.ahead += d
	if err := os.WriteFile(c.path+".new", binary.BigEndian.AppendUint64(nil, uint64(c.ahead)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.path+".new", c.path); err != nil { // renaming the file keeps readers from seeing a part of it
		c.t.Fatal(err)
	}
}

func (c *sharedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *sharedClock) Now() time.Time { return c.now() }

// Sleep advances the clock by d and returns at once. If two calls begin at the same time with the same d, the clock
// advances by d and not by 2d.
func (c *sharedClock) Sleep(ctx context.Context, d time.Duration) error {
	c.passUntil(c.now().Add(d))
	return ctx.Err()
}

// perRequest advances the clock by the argument "step" at each request to Graph.
func (c *sharedClock) perRequest(step time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.pass(step)
			next.ServeHTTP(w, r)
		})
	}
}

func clockOf(path string) func() time.Time {
	return func() time.Time {
		b, err := os.ReadFile(path)
		if err != nil || len(b) != 8 {
			panic("the clock of the test cannot be read")
		}
		return time.Now().Add(time.Duration(binary.BigEndian.Uint64(b)))
	}
}

// staleShell starts a company in which a read from Graph may lag up to a minute behind the writes. The clock advances
// slowly, so nearly every read after a write is stale.
func staleShell(t *testing.T, o sandbox.Options, edit ...policyText) *shell {
	t.Helper()
	o.Lag = time.Minute
	s := clockedShell(t, o, edit...)
	s.company.Intercept(s.clock.perRequest(200 * time.Millisecond))
	return s
}

// clockedShell starts a company that shares a clock with the commands.
func clockedShell(t *testing.T, o sandbox.Options, edit ...policyText) *shell {
	t.Helper()
	clock := newSharedClock(t)
	o.Now = clock.now
	s := newShell(t, o, edit...)
	s.clock = clock
	s.setenv(clockVariable, clock.path)
	return s
}

// untilDone runs a command, and then apply every minute until nothing is pending. It returns the last results.
func (s *shell) untilDone(args ...string) runs.Results {
	s.t.Helper()
	for range mostCalls {
		var r runs.Results
		if err := json.Unmarshal(s.want(exitDone, append(args, "--yes", "--format", "json")...).out, &r); err != nil {
			s.t.Fatal(err)
		}
		if r.Count(runs.Pending) == 0 {
			return r
		}
		args = []string{"apply", r.Run}
		s.passes(time.Minute)
	}
	s.t.Fatalf("%q: changes stay pending", args)
	return runs.Results{}
}

// TestGoingBackWhileReadsLag makes people with a pending change sign in, while reads still show the state before the
// change. Nobody is without a mailbox. Then a restore returns every license that was taken.
func TestGoingBackWhileReadsLag(t *testing.T) {
	t.Parallel()
	s := staleShell(t, sandbox.Options{Users: 300, Seed: 6})
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	s.want(exitDone, "apply", p.Run, "--yes")
	for _, c := range p.Changes {
		if i, found := number(s, c.User); found {
			s.company.Company.SignIn(i)
		}
	}
	r := s.untilDone("apply", p.Run)
	kept := 0
	after := holding(s.company.Company)
	for _, x := range r.Results {
		i, found := number(s, x.User)
		if !found || x.License != "m365-e3" {
			continue
		}
		inEntra := cmpopts.IgnoreSliceElements(func(held string) bool { return held == sandbox.CitrixGroup })
		switch changed := !cmp.Equal(before[i], after[i], inEntra); {
		case x.Status == runs.Kept && changed, x.Status == runs.Done && !changed, x.Status == runs.Failed:
			t.Errorf("%s: %s, and holds %q instead of %q", x.Status, x.Note, after[i], before[i])
		case x.Status == runs.Kept:
			kept++
		}
	}
	if kept == 0 || kept == len(r.Results) {
		t.Errorf("%d of %d are kept, so this test shows nothing", kept, len(r.Results))
	}
	s.passes(7 * time.Hour) // now every domain controller shows the removals, so a restore does not wait
	s.untilDone("restore", "--run", p.Run)
	s.asBefore(before)
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
	}
}

func number(s *shell, user string) (int, bool) {
	for i := range s.company.Company.Size() {
		if p := s.company.Company.Person(i); p.Entra != nil && p.Entra.ID == user {
			return i, true
		}
	}
	return 0, false
}

// TestFifteenNightsWhileReadsLag makes many changes, a few in each night, in two companies: reads are current in one
// and stale in the other. In the end, people hold the same licenses in both. No write is made twice. Nobody is
// without a mailbox.
func TestFifteenNightsWhileReadsLag(t *testing.T) {
	t.Parallel()
	o := sandbox.Options{Users: 600, Seed: 2}
	edit := []policyText{
		replace(t, "days(60)", "days(1)"), replace(t, "perRun: 200", "perRun: 8"), replace(t, "LastlogonTimestamp.earlierThan(now - days(90))", "false"),
		replace(t, "created.value() <= now - days(90)", "false"),
	}
	var ends [2]map[int][]string
	for n, s := range []*shell{clockedShell(t, o, edit...), staleShell(t, o, edit...)} {
		s.company.Company.SignIn(9)
		nights := 0
		p := s.plan(exitHeld)
		for args := []string{"--override-limits", p.PlanHash}; len(p.Changes) > 0; args = nil {
			s.done(p.Run, args...)
			nights++
			s.passes(2 * time.Minute) // otherwise the next plan might not see the last writes
			p = s.plan(exitDone)
		}
		if nights < 15 {
			t.Errorf("only %d nights", nights)
		}
		ends[n] = holding(s.company.Company)
		writes := map[string]int{}
		for _, e := range s.company.Company.History() {
			if key := fmt.Sprint(e.What, e.Person, e.Group, e.SKU); e.LostMailbox {
				t.Errorf("somebody was without a mailbox: %+v", e)
			} else if writes[key]++; writes[key] > 1 {
				t.Errorf("twice: %+v", e)
			}
		}
	}
	if d := cmp.Diff(ends[0], ends[1]); d != "" {
		t.Errorf("what people hold (-calm +stale):\n%s", d)
	}
}
