// Package endtoend tests whole deployments on one machine. It runs the built Lambda functions behind the Runtime API,
// the built relay, and the shipped definition of the state machine. S3, SQS, Step Functions, Microsoft Graph and Active
// Directory are simulated on loopback. Some tests use Samba, moto or another S3 server in place of a simulation.
package endtoend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/infra/simulation/awsfake/lambdas"
	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/store"
)

// functionLimits has the time limit of each function. The limits are those of the deployments, except for collect.
// Collect stops reading five minutes before its limit. With a limit of five minutes, each call of collect therefore
// stops after one page, so a company with several pages of people needs several calls.
var functionLimits = map[string]time.Duration{
	"collect": 5 * time.Minute, "evaluate": 4 * time.Minute, "gate": 15 * time.Minute, "apply": 15 * time.Minute, "reevaluate": 2 * time.Minute, "reevaluate-apply": 2 * time.Minute,
}

const (
	bucket = "idleseat-test"
	// machineARN is the ARN of the state machine for plans, and a prefix of the ARNs of the other state machines.
	machineARN = "arn:aws:states:eu-north-1:123456789012:stateMachine:idleseat"
	// The constant "faster" divides the waits and time limits in the definition.
	faster = 60
)

var built string

func TestMain(m *testing.M) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(800) // at the default of 100 percent, garbage collection takes a sixth of this process's time
	}
	os.Exit(func() int {
		var err error
		if built, err = os.MkdirTemp("", "idleseat-built-"); err != nil {
			log.Print(err)
			return 1
		}
		defer os.RemoveAll(built)
		if out, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", built, "../../functions/...").CombinedOutput(); err != nil {
			log.Printf("build the functions: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// The type "rig" is a deployment and its simulated company.
type rig struct {
	testing.TB
	box       *sandbox.Sandbox
	aws       *awsfake.Server
	store     store.Store
	env       []string // environment of the functions and the relay
	functions map[string]*lambdas.Function
	machines  map[entrance.Name]*states.Machine
	read      string // URL of the queue ad-read
	write     string
	place     string // location of the store, as given to commands

	mu      sync.Mutex
	notices []string
	failed  bool                                                          // whether the last execution failed
	faulty  atomic.Pointer[func(http.ResponseWriter, *http.Request) bool] // answers requests to S3; returns false to pass a request to the simulation
	looked  map[string]int                                                // number of log bytes that the method "figures" has read, by function
	calls   map[string]int                                                // number of calls, by function and operation
	made    []call                                                        // calls to AWS, with the role of the caller

	people roles // rights of people; the key is the access key of the person

	policy string                  // text of the policy in the bucket
	domain []string                // environment variables that connect the relay to Active Directory, simulated or real
	citrix string                  // DN of the Citrix group in Active Directory
	ad     *activedirectory.Forest // the real Active Directory; nil if Active Directory is simulated
}

type options struct {
	company sandbox.Options
	mode    string // mode of the policy
	edit    func(policy string) string
	noRelay bool // the relay is configured but not started
	patient bool // one call of collect reads all people
	hurried bool // the waits of the state machine are almost zero
	samba   bool // use a real Active Directory
	broken  func(function string, payload []byte) *states.Failure
	sending func(r *rig, queue string) // called before a message is sent to a queue; may be nil
	people  roles
	env     []string // more variables of the functions and the relay
}

var rigs atomic.Int32

func newRig(t testing.TB, o options) *rig {
	t.Helper()
	r := &rig{TB: t, functions: map[string]*lambdas.Function{}, machines: map[entrance.Name]*states.Machine{}, calls: map[string]int{}, looked: map[string]int{}, people: o.people}
	var err error
	if r.box, err = sandbox.Start(o.company); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.box.Close() })
	if r.domain, r.citrix = r.box.Env(), sandbox.CitrixGroup; o.samba {
		r.onPremises()
	}
	if r.aws, err = awsfake.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.aws.Close() })
	s3 := r.serveS3()
	r.recordAWS()
	r.read, r.write = r.aws.NewQueue("ad-read", 3*time.Second, 10), r.aws.NewQueue("ad-write", 3*time.Second, 10)
	place := fmt.Sprintf("s3://%s/rig%d", bucket, rigs.Add(1))
	r.env = append(r.aws.Env(), "AWS_ENDPOINT_URL_S3="+s3, "IDLESEAT_STORE="+place, "IDLESEAT_RELAY=on", "IDLESEAT_GRAPH_URL="+r.box.GraphURL,
		"IDLESEAT_POLICY=policy.yaml", "IDLESEAT_STATE_MACHINE="+entranceARN(entrance.Plan), "TMPDIR="+t.TempDir())
	r.env = append(r.env, o.env...)
	r.place = place
	r.store = openStore(t, place, append(r.aws.Env(), "AWS_ENDPOINT_URL_S3="+s3))
	r.putPolicy(o.mode, o.edit)
	r.startFunctions(o.patient)
	r.load(o)
	if !o.noRelay {
		r.relay()
	}
	return r
}

func (r *rig) startFunctions(patient bool) {
	for name, limit := range functionLimits {
		if name == "collect" && patient {
			limit = 15 * time.Minute
		}
		binary, changes := strings.CutSuffix(name, "-apply")
		env := as(name, r.env)
		if changes {
			env = append(env, "IDLESEAT_STATE_MACHINE="+entranceARN(entrance.Approve))
		}
		f := &lambdas.Function{Name: name, Binary: filepath.Join(built, binary), Env: env, Timeout: limit, Memory: 512}
		r.functions["arn:"+name] = f
		r.Cleanup(f.Close)
	}
}

func (r *rig) serveS3() string {
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		r.Fatal(err)
	}
	server := httptest.NewUnstartedServer(r.faultyS3(r.recordS3(gofakes3.New(backend).Server())))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // killed functions break their connections
	server.Start()
	r.Cleanup(server.Close)
	return server.URL
}

// faultyS3 passes each request to r.faulty, and to "next" if r.faulty does not answer it.
func (r *rig) faultyS3(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if fault := r.faulty.Load(); fault == nil || !(*fault)(w, req) {
			next.ServeHTTP(w, req)
		}
	})
}

// openStore opens a store for the test. The SDK reads the environment of this process, which parallel tests share, so
// a lock protects it while openStore sets the variables in env.
func openStore(t testing.TB, place string, env []string) store.Store {
	t.Helper()
	opening.Lock()
	defer opening.Unlock()
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var opening sync.Mutex

// putPolicy writes the company's policy to the bucket in the given mode. The function "edit" then changes the text. It
// may be nil.
func (r *rig) putPolicy(mode string, edit func(string) string) {
	text := strings.ReplaceAll(string(r.box.Policy()), "mode: audit", "mode: "+mode)
	text = strings.ReplaceAll(text, "mode: review", "mode: "+mode)
	text = strings.ReplaceAll(text, sandbox.CitrixGroup, r.citrix)
	if edit != nil {
		text = edit(text)
	}
	if err := store.PutBytes(r.Context(), r.store, "policy.yaml", []byte(text)); err != nil {
		r.Fatal(err)
	}
	r.policy = text
}

var entrances = []entrance.Name{entrance.Plan, entrance.Nightly, entrance.Approve, entrance.Override, entrance.Restore}

func entranceARN(n entrance.Name) string {
	return strings.TrimSuffix(machineARN, stack) + n.Machine(stack)
}

func (r *rig) load(o options) {
	all := []*states.Machine{}
	for _, n := range entrances {
		r.machines[n] = r.machine(n, o)
		all = append(all, r.machines[n])
		r.Cleanup(r.machines[n].Wait)
	}
	states.Serve(r.aws, all...)
}

func (r *rig) machine(n entrance.Name, o options) *states.Machine {
	text, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		r.Fatal(err)
	}
	d, err := states.Load(text, map[string]string{
		"CollectFunction": "arn:collect", "EvaluateFunction": "arn:evaluate", "GateFunction": "arn:gate", "ApplyFunction": "arn:apply",
		"ReadQueue": r.read, "WriteQueue": r.write, "NoticeTopic": "arn:notices",
		"Partition": "aws", "Entrance": string(n),
	})
	if err != nil {
		r.Fatal(err)
	}
	return states.New(entranceARN(n), d, states.World{
		Faster: faster, FasterWaits: map[bool]time.Duration{true: 100_000}[o.hurried], Ask: r.ask,
		Send: func(url, body string) {
			if o.sending != nil {
				o.sending(r, url)
			}
			r.aws.Send(url, body)
		},
		Invoke: func(ctx context.Context, arn string, payload []byte) ([]byte, *states.Failure) {
			return r.invoke(ctx, arn, payload, o.broken)
		},
		Publish: func(_, subject, message string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.notices = append(r.notices, subject+"\n"+message)
		},
	})
}

func (r *rig) ask(heartbeat, limit time.Duration) (string, func(context.Context) ([]byte, *states.Failure)) {
	t := r.aws.NewTask(heartbeat, limit)
	return t.Token, func(ctx context.Context) ([]byte, *states.Failure) {
		end, err := t.Wait(ctx)
		switch {
		case err != nil:
			return nil, &states.Failure{Error: "States.Timeout", Cause: err.Error()}
		case end.Error != "":
			return nil, &states.Failure{Error: end.Error, Cause: end.Cause}
		}
		return []byte(end.Output), nil
	}
}

func (r *rig) invoke(ctx context.Context, arn string, payload []byte, broken func(string, []byte) *states.Failure) ([]byte, *states.Failure) {
	f := r.functions[arn]
	var asked struct{ Op string }
	_ = json.Unmarshal(payload, &asked) // for evaluate, Op stays empty
	r.mu.Lock()
	r.calls[strings.TrimSpace(f.Name+" "+asked.Op)]++
	r.mu.Unlock()
	if broken != nil {
		if failure := broken(f.Name, payload); failure != nil {
			return nil, failure
		}
	}
	answer, err := f.Invoke(ctx, payload)
	if failure, ok := errors.AsType[*lambdas.Error](err); ok {
		cause, _ := json.Marshal(failure) // Marshal can encode a struct of two strings
		return nil, &states.Failure{Error: failure.Type, Cause: string(cause)}
	}
	if err != nil {
		return nil, &states.Failure{Error: "Lambda.Unknown", Cause: err.Error()}
	}
	return answer, nil
}

// The method "relay" starts the built relay, which is killed at the end of the test.
func (r *rig) relay() *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, "relay"))
	cmd.Env = r.relayEnv()
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = cmd.Process.Kill() // an error means that the process has already ended
		_ = cmd.Wait()
	})
	return cmd
}

func (r *rig) relayEnv() []string {
	return append(append(as("relay", r.env), r.domain...), "IDLESEAT_RELAY_READ_QUEUE="+r.read, "IDLESEAT_RELAY_WRITE_QUEUE="+r.write)
}
