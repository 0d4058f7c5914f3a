package command

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The function "storm" makes Graph unreliable. It throttles some requests, fails others, loses others before they take
// effect, and loses the answers of others that took effect. It delays one request by 20 seconds.
func storm(seed uint64) func(http.Handler) http.Handler {
	dice := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	requests := 0
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			luck := dice.IntN(100)
			requests++
			stall := requests == 15
			mu.Unlock()
			switch {
			case stall:
				time.Sleep(20 * time.Second)
				next.ServeHTTP(w, r)
			case luck < 30:
				w.Header().Set("Retry-After", "1")
				http.Error(w, `{"error":{"code":"TooManyRequests","message":"slow down"}}`, http.StatusTooManyRequests)
			case luck < 35:
				http.Error(w, `{"error":{"code":"serviceNotAvailable","message":"sorry"}}`, http.StatusServiceUnavailable)
			case luck < 38:
				panic(http.ErrAbortHandler)
			case luck < 41:
				next.ServeHTTP(&recorder{header: http.Header{}}, r)
				panic(http.ErrAbortHandler)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

// TestStorm: a plan that is applied while Graph is unreliable gives the same licenses and the same ledger as with a
// reliable Graph. No write is made twice.
func TestStorm(t *testing.T) {
	t.Parallel()
	o, began := sandbox.Options{Users: 24, Seed: 11}, time.Now()
	quiet := newTrial(t, o, began, nil)
	p := quiet.plan(exitDone)
	objects := quiet.kept()
	quiet.want(exitDone, "apply", p.Run, "--yes")
	want := quiet.came()
	if len(p.Changes) < 8 {
		t.Fatalf("only %d changes", len(p.Changes))
	}
	x := newTrial(t, o, began, objects)
	x.company.Intercept(storm(7))
	for calls := 0; ; calls++ {
		a := x.run("apply", p.Run, "--yes", "--format", "json")
		if a.status == exitHeld || a.status == exitDone && !bytes.Contains(a.out, []byte(`"pending"`)) {
			break
		}
		if calls == 20 {
			t.Fatalf("after %d calls: %s", calls, a.err)
		}
	}
	if d := cmp.Diff(want, x.came()); d != "" {
		t.Errorf("after a storm (-quiet +storm):\n%s", d)
	}
}

// TestStormWhilePlanning: while Graph is unreliable, a plan has the same changes as with a reliable Graph.
func TestStormWhilePlanning(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 2000, Seed: 11})
	quiet := s.plan(exitDone)
	s.company.Intercept(storm(3))
	stormy := s.plan(exitDone, "--as-of", quiet.AsOf.Format(time.RFC3339Nano))
	if d := cmp.Diff(quiet.Changes, stormy.Changes); d != "" {
		t.Errorf("changes (-quiet +stormy):\n%s", d)
	}
	if d := cmp.Diff(quiet.Refused, stormy.Refused); d != "" {
		t.Errorf("refused (-quiet +stormy):\n%s", d)
	}
	for name, f := range stormy.Sources {
		if f.State != plan.Healthy {
			t.Errorf("source %s: %+v", name, f)
		}
	}
}

// TestAtTheSameTime applies the plan for everybody, and at the same time a plan for each person in it. Each change is
// made exactly once.
func TestAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 200, Seed: 1, LicenseDelay: 20 * time.Millisecond})
	p := s.plan(exitDone)
	planned := []string{p.Run}
	for _, c := range p.Changes {
		if one := s.plan(exitDone, "--user", c.UserPrincipalName); !slices.Contains(planned, one.Run) {
			planned = append(planned, one.Run)
		}
	}
	for range 60 {
		var all sync.WaitGroup
		var mu sync.Mutex
		pending := false
		for _, run := range slices.Concat(planned, planned[:1]) { // two processes apply the plan for everybody
			cmd := exec.Command(os.Args[0], "apply", run, "--yes", "--format", "json")
			cmd.Env, cmd.Dir = append(slices.Clone(s.env), "GOMAXPROCS=1"), s.dir
			all.Go(func() {
				out, _ := cmd.Output()
				mu.Lock()
				defer mu.Unlock()
				pending = pending || bytes.Contains(out, []byte(`"pending"`))
			})
		}
		all.Wait()
		if !pending {
			break
		}
	}
	done := map[string]int{}
	for _, run := range planned {
		for _, x := range s.results(run).Results {
			if x.Status == runs.Done {
				done[x.User+" "+x.License]++
			}
		}
	}
	for _, c := range p.Changes {
		if n := done[c.User+" "+c.License]; n != 1 {
			t.Errorf("%s, %s is done by %d runs", c.UserPrincipalName, c.License, n)
		}
		if got := s.entries(c.User, c.License); !slices.Equal(got, []string{c.Rule + " done"}) {
			t.Errorf("the ledger of %s for %s: %v", c.UserPrincipalName, c.License, got)
		}
	}
	writes := map[string]int{}
	for _, e := range s.company.Company.History() {
		if e.LostMailbox {
			t.Errorf("somebody was without a mailbox: %+v", e)
		}
		if strings.Contains(string(e.What), "member") {
			writes[fmt.Sprint(e.What, e.Person, e.Group)]++
		}
	}
	for w, n := range writes {
		if n != 1 {
			t.Errorf("%s: %d times", w, n)
		}
	}
}

// TestRestoreInterrupted applies a run that takes 200 licenses, kills the restore of this run, and repeats the restore.
// All people must then hold the same as before the run, with the same disabled service plans.
func TestRestoreInterrupted(t *testing.T) {
	t.Parallel()
	s := newShell(t, sandbox.Options{Users: 900, Seed: 9, LicenseDelay: 20 * time.Millisecond}, replace(t, "days(60)", "days(2)"), replace(t, "percent: 10", "percent: 100"), replace(t, "count: 500", "count: 900"))
	before := holding(s.company.Company)
	p := s.plan(exitDone)
	if len(p.Changes) != 200 {
		t.Fatalf("%d changes", len(p.Changes))
	}
	off := 0
	for _, held := range before {
		for _, h := range held {
			if strings.Count(h, " ") > 2 {
				off++
			}
		}
	}
	if off == 0 {
		t.Error("nobody has a service plan switched off")
	}
	s.done(p.Run)
	var writes int
	kill := make(chan *os.Process, 1)
	s.company.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if isWrite(r) {
				if writes++; writes == 60 {
					_ = (<-kill).Kill()
				}
			}
		})
	})
	cmd := exec.Command(os.Args[0], "restore", "--run", p.Run, "--yes")
	cmd.Env, cmd.Dir = s.env, s.dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill <- cmd.Process
	if err := cmd.Wait(); err == nil {
		t.Fatal("restore outlived being killed")
	}
	s.company.Intercept(nil)
	for range 3 { // a repeated restore first resumes the changes of the restore that was killed
		if a := s.run("restore", "--run", p.Run, "--yes"); a.status == exitUsage && strings.Contains(a.err, "nothing to restore") {
			break
		} else if a.status != exitDone {
			t.Fatalf("restore again: %s", a.err)
		}
		s.passes(7 * time.Hour) // now every domain controller shows the removals, so a restore does not wait
	}
	s.asBefore(before)
	for _, c := range p.Changes {
		if got := s.entries(c.User, c.License); !slices.Equal(got, []string{c.Rule + " done", "restore done"}) {
			t.Errorf("the ledger of %s for %s: %v", c.UserPrincipalName, c.License, got)
		}
	}
}
