package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// killer kills a process at its n-th operation on Graph, Active Directory or the
// store: before the operation takes effect, or after it with the answer lost.
type killer struct {
	mu      sync.Mutex
	seen    int
	at      int // 0: never
	after   bool
	process *os.Process
}

// op carries out an operation, and tells whether its answer may be given.
func (k *killer) op(do func()) bool {
	k.mu.Lock()
	k.seen++
	hit, process := k.seen == k.at, k.process
	k.mu.Unlock()
	if !hit {
		do()
		return true
	}
	if k.after {
		do()
	}
	_ = process.Kill()
	return false
}

// overHTTP puts the killer before a server. An answer is given when it is whole.
func (k *killer) overHTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept := &recorder{header: http.Header{}, status: http.StatusOK}
		if !k.op(func() { next.ServeHTTP(kept, r) }) {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), kept.header)
		w.WriteHeader(kept.status)
		_, _ = w.Write(kept.body.Bytes())
	})
}

// trial is one company with a store in S3, both as they were when the plan was
// made.
type trial struct {
	*shell
	killer
	objects *s3mem.Backend
}

const trialBucket = "trial"

// newTrial makes the company of an instant again, and a store with the objects.
func newTrial(t *testing.T, o sandbox.Options, began time.Time, objects map[string][]byte) *trial {
	t.Helper()
	first := true
	o.Now = func() time.Time {
		if first {
			first = false
			return began
		}
		return time.Now()
	}
	many := []policyText{ // so that a small company has enough changes
		replace(t, "perRun: 200", "perRun: 50"), replace(t, "percent: 10", "percent: 100"), replace(t, "days(60)", "days(1)"), replace(t, "days(90)", "days(365)"),
	}
	x := &trial{shell: newShell(t, o, many...), objects: s3mem.New()}
	x.company.Company.SignIn(9) // in so small a company nobody else may have, for days
	if err := x.objects.CreateBucket(trialBucket); err != nil {
		t.Fatal(err)
	}
	for key, body := range objects {
		if _, err := x.objects.PutObject(trialBucket, key, map[string]string{}, bytes.NewReader(body), int64(len(body)), nil); err != nil {
			t.Fatal(err)
		}
	}
	s3 := httptest.NewUnstartedServer(x.overHTTP(gofakes3.New(x.objects).Server()))
	s3.Config.ErrorLog = log.New(io.Discard, "", 0) // killed clients hang up
	s3.Start()
	t.Cleanup(s3.Close)
	x.company.Intercept(x.overHTTP)
	x.company.InterceptLDAP(func(next func()) { x.op(next) })
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": s3.URL, "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_EC2_METADATA_DISABLED": "true", "IDLESEAT_STORE": "s3://" + trialBucket, "GOMAXPROCS": "1", "GOGC": "off",
	} {
		x.setenv(name, value)
	}
	return x
}

// kept are the objects of the store.
func (x *trial) kept() map[string][]byte {
	x.t.Helper()
	all := map[string][]byte{}
	list, err := x.objects.ListBucket(trialBucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, c := range list.Contents {
		o, err := x.objects.GetObject(trialBucket, c.Key, nil)
		if err != nil {
			x.t.Fatal(err)
		}
		if all[c.Key], err = io.ReadAll(o.Contents); err != nil {
			x.t.Fatal(err)
		}
		_ = o.Contents.Close()
	}
	return all
}

// killedAt applies a run and kills it at an operation.
func (x *trial) killedAt(run string, n int, after bool) {
	x.t.Helper()
	cmd := exec.Command(os.Args[0], "apply", run, "--yes")
	cmd.Env, cmd.Dir = x.env, x.dir
	x.mu.Lock()
	x.seen, x.at, x.after = 0, n, after
	err := cmd.Start()
	x.process = cmd.Process
	x.mu.Unlock()
	if err != nil {
		x.t.Fatal(err)
	}
	_ = cmd.Wait() // killed, or done before it came to n operations
	x.mu.Lock()
	x.at = 0
	x.mu.Unlock()
}

// ended applies a run until nothing is pending.
func (x *trial) ended(run string) {
	x.t.Helper()
	for range 50 {
		if a := x.run("apply", run, "--yes", "--format", "json"); a.status == exitHeld || a.status == exitDone && !bytes.Contains(a.out, []byte(`"pending"`)) {
			return // held: all was final already
		} else if a.status != exitDone {
			x.t.Fatalf("after being killed: %s", a.err)
		}
	}
	x.t.Fatal("after being killed changes stay pending")
}

// came is what a run came to: what everybody holds, what the ledger says but for
// instants, and how often each person was written.
type came struct {
	Holding map[int][]string
	Ledger  map[string]any
	Writes  map[string]int
}

func (x *trial) came() came {
	x.t.Helper()
	c := came{Holding: holding(x.company.Company), Ledger: map[string]any{}, Writes: map[string]int{}}
	for key, body := range x.kept() {
		switch {
		case strings.HasSuffix(key, ".done.json") && strings.HasPrefix(key, "ledger/"):
			var done ledger.Completion
			if err := json.Unmarshal(body, &done); err != nil {
				x.t.Fatal(err)
			}
			done.At = time.Time{}
			c.Ledger[key] = done
		case strings.HasSuffix(key, ".leaving.json") && strings.HasPrefix(key, "ledger/"):
			c.Ledger[key] = "leaving"
		case strings.HasPrefix(key, "ledger/"):
			var in ledger.Intent
			if err := json.Unmarshal(body, &in); err != nil {
				x.t.Fatal(err)
			}
			in.At = time.Time{}
			c.Ledger[key] = in
		}
	}
	for _, e := range x.company.Company.History() {
		c.Writes[fmt.Sprint(e.What, e.Person, e.Group, e.SKU)]++
		if e.LostMailbox {
			x.t.Errorf("person %d was without a mailbox", e.Person)
		}
	}
	return c
}

// TestKilledAtEveryOperation kills apply before and after every single operation
// of a plan of 50 changes, and lets it finish: everybody holds what they hold
// after an undisturbed run, the ledger is the same, and nothing was done twice.
// Without IDLESEAT_TEST_KILLS=all it takes a part of the operations, another one
// each day.
func TestKilledAtEveryOperation(t *testing.T) {
	t.Parallel()
	o, began := sandbox.Options{Users: 300, Seed: 11}, time.Now()
	x := newTrial(t, o, began, nil)
	p := x.plan(exitDone)
	ways := map[string]int{}
	for _, c := range p.Changes {
		ways[string(c.Via)]++
	}
	if len(p.Changes) != 50 || len(ways) != 3 {
		t.Fatalf("a plan of %d changes by %v", len(p.Changes), ways)
	}
	objects := x.kept()
	x.seen = 0
	x.want(exitDone, "apply", p.Run, "--yes")
	want, operations := x.came(), x.seen
	if len(want.Ledger) != 150 {
		t.Fatalf("%d objects in the ledger", len(want.Ledger))
	}
	step := 17
	first := time.Now().YearDay() % step
	if os.Getenv("IDLESEAT_TEST_KILLS") == "all" {
		step, first = 1, 0
	}
	t.Logf("%d operations, every %d. of them from the %d. on", operations, step, first+1)
	for n := 1 + first; n <= operations; n += step {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %t", n, after), func(t *testing.T) {
				t.Parallel()
				x := newTrial(t, o, began, objects)
				x.killedAt(p.Run, n, after)
				x.ended(p.Run)
				if d := cmp.Diff(want, x.came()); d != "" {
					t.Errorf("after a kill (-undisturbed +killed):\n%s", d)
				}
			})
		}
	}
}
