package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// The type "killer" kills a process at its nth operation on Graph, Active Directory or the store. If the field "after"
// is true, this happens between the effect of the operation and the answer, and otherwise before the effect.
type killer struct {
	mu      sync.Mutex
	seen    int
	at      int // the number of the operation, from 1; 0 if no operation kills the process
	after   bool
	process *os.Process
}

// The method "op" counts an operation and calls the function "do" for its effect. At operation k.at, it kills the
// process, and calls "do" only if the field "after" is true. It reports whether the answer may be sent.
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

// overHTTP counts each request as an operation. It sends either the whole answer or nothing.
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

// The type "trial" is a company with an S3 store. Its killer can kill a command at an operation.
type trial struct {
	*shell
	killer
	objects *s3mem.Backend
}

const trialBucket = "trial"

// newTrial returns a trial whose company was created at the time "began". Two trials with the same time have the same
// people and dates. The store of the trial has the given objects. If o.Lag is positive, requests to Graph advance the
// clock.
func newTrial(t *testing.T, o sandbox.Options, began time.Time, objects map[string][]byte) *trial {
	t.Helper()
	first, clock := true, newSharedClock(t)
	o.Now = func() time.Time {
		if first {
			first = false
			return began
		}
		return clock.now()
	}
	many := []policyText{ // edits that give a small company enough changes
		replace(t, "perRun: 200", "perRun: 50"), replace(t, "percent: 10", "percent: 100"), replace(t, "days(60)", "days(1)"), replace(t, "days(90)", "days(365)"),
	}
	x := &trial{shell: newShell(t, o, many...), objects: s3mem.New()}
	x.shell.clock = clock
	x.company.Company.SignIn(9) // without this sign-in, the small company might have no recent sign-in, and its sign-in dates would look stale
	if err := x.objects.CreateBucket(trialBucket); err != nil {
		t.Fatal(err)
	}
	for key, body := range objects {
		if _, err := x.objects.PutObject(trialBucket, key, map[string]string{}, bytes.NewReader(body), int64(len(body)), nil); err != nil {
			t.Fatal(err)
		}
	}
	s3 := httptest.NewUnstartedServer(x.overHTTP(gofakes3.New(x.objects).Server()))
	s3.Config.ErrorLog = log.New(io.Discard, "", 0) // the log would only list the broken connections of killed clients
	s3.Start()
	t.Cleanup(s3.Close)
	x.company.Intercept(func(next http.Handler) http.Handler {
		if o.Lag > 0 {
			next = clock.perRequest(3 * time.Second)(next)
		}
		return x.overHTTP(next)
	})
	x.company.InterceptLDAP(func(next func()) { x.op(next) })
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": s3.URL, "AWS_REGION": "eu-north-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		clockVariable: clock.path, "AWS_EC2_METADATA_DISABLED": "true", "IDLESEAT_STORE": "s3://" + trialBucket, "GOMAXPROCS": "1", "GOGC": "off",
	} {
		x.setenv(name, value)
	}
	return x
}

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

// killedAt applies a run until nothing is pending. It kills the process once, at operation n. The operations of all
// calls of apply are counted together.
func (x *trial) killedAt(run string, n int, after bool) {
	x.t.Helper()
	x.mu.Lock()
	x.seen, x.at, x.after = 0, n, after
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.at = 0
	}()
	for range mostCalls {
		cmd := exec.Command(os.Args[0], "apply", run, "--yes", "--format", "json")
		cmd.Env, cmd.Dir = x.env, x.dir
		var out bytes.Buffer
		cmd.Stdout = &out
		x.mu.Lock()
		err := cmd.Start()
		x.process = cmd.Process
		x.mu.Unlock()
		if err != nil {
			x.t.Fatal(err)
		}
		_ = cmd.Wait()
		if status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() && status.Signal() == syscall.SIGKILL {
			return
		}
		if !bytes.Contains(out.Bytes(), []byte(`"pending"`)) {
			break
		}
		x.clock.pass(time.Minute)
	}
	x.t.Fatalf("no process was killed: they ended before their operation %d", n)
}

const mostCalls = 50

func (x *trial) ended(run string) {
	x.t.Helper()
	for range mostCalls {
		x.clock.pass(time.Minute)
		if a := x.run("apply", run, "--yes", "--format", "json"); a.status == exitHeld || a.status == exitDone && !bytes.Contains(a.out, []byte(`"pending"`)) {
			return // apply refuses a plan whose changes are all final
		} else if a.status != exitDone {
			x.t.Fatalf("after being killed: %s", a.err)
		}
	}
	x.t.Fatal("after being killed changes stay pending")
}

// The type "came" is the outcome of a run: licenses, the ledger without times, and the number of times that each write
// was made.
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
			done.At, done.Intent = time.Time{}, "" // the hash in Intent depends on the time of the intent
			c.Ledger[key] = done
		case strings.HasSuffix(key, ".leaving.json") && strings.HasPrefix(key, "ledger/"):
			c.Ledger[key] = "leaving"
		case strings.HasSuffix(key, ".free.json"), strings.HasSuffix(key, ".in-target.json"), strings.HasSuffix(key, ".answered.json"), strings.HasSuffix(key, ".rejoined.json"): // these marks record observations, and their number varies
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

// TestKilledAtEveryOperation kills apply before or after one operation, and calls apply again until it finishes. The
// licenses and the ledger are the same as without a kill, and no write is made twice.
//
// The test does the same in a company whose reads lag up to a minute behind writes. IDLESEAT_TEST_SEED is the seed for
// the choice of the operations. IDLESEAT_TEST_KILLS=all tests every operation.
func TestKilledAtEveryOperation(t *testing.T) {
	t.Parallel()
	o, began := sandbox.Options{Users: 300, Seed: 11}, time.Now()
	calm := newTrial(t, o, began, nil)
	p := calm.plan(exitDone)
	ways := map[string]int{}
	for _, c := range p.Changes {
		ways[string(c.Via)]++
	}
	if len(p.Changes) != 50 || len(ways) != 3 {
		t.Fatalf("a plan of %d changes by %v", len(p.Changes), ways)
	}
	objects := calm.kept()
	calm.seen = 0
	calm.ended(p.Run)
	want := calm.came()
	if len(want.Ledger) != 150 {
		t.Fatalf("%d objects in the ledger", len(want.Ledger))
	}
	lagging := o
	lagging.Lag = time.Minute
	stale := newTrial(t, lagging, began, objects)
	stale.ended(p.Run)
	if d := cmp.Diff(want, stale.came()); d != "" {
		t.Errorf("while reads lag (-calm +stale):\n%s", d)
	}
	seed := testSeed(t)
	for name, tc := range map[string]struct {
		o          sandbox.Options
		operations int
	}{
		// In the company with lag, the number of operations varies, so the test uses only the first three quarters of them.
		"calm": {o, calm.seen}, "stale": {lagging, stale.seen * 3 / 4},
	} {
		t.Logf("%s: %d operations", name, tc.operations)
		for _, n := range drawn(seed, tc.operations) {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %d %t", name, n, after), func(t *testing.T) {
					t.Parallel()
					x := newTrial(t, tc.o, began, objects)
					x.killedAt(p.Run, n, after)
					x.ended(p.Run)
					if d := cmp.Diff(want, x.came()); d != "" {
						t.Errorf("after a kill (-undisturbed +killed):\n%s", d)
					}
				})
			}
		}
	}
}

// testSeed returns IDLESEAT_TEST_SEED, or a seed from the time. It logs the seed, so that a failure can be repeated.
func testSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("IDLESEAT_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("IDLESEAT_TEST_SEED=%d", seed)
	return seed
}

// The function "drawn" returns the numbers of ten random operations, or of all if IDLESEAT_TEST_KILLS is "all".
func drawn(seed uint64, operations int) []int {
	all := rand.New(rand.NewPCG(seed, 1)).Perm(operations)
	for i := range all {
		all[i]++
	}
	if os.Getenv("IDLESEAT_TEST_KILLS") == "all" {
		return all
	}
	return all[:min(10, len(all))]
}
