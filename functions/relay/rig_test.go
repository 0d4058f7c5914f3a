package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "tap" counts events: each request of a relay, each answer to it, each kilobyte from the domain controller
// (see the constant "step"), and each end of a connection to the controller. At the event with the number "at", it
// calls the function "strike", which can kill the relay.
type tap struct {
	asked  func(*http.Request) // called with each request to S3; may be nil
	mu     sync.Mutex
	events int
	at     int
	strike func()
}

func (t *tap) event() {
	t.mu.Lock()
	t.events++
	var strike func()
	if t.events == t.at {
		strike = t.strike
	}
	t.mu.Unlock()
	if strike != nil {
		strike()
	}
}

func (t *tap) around(serve func()) {
	t.event()
	serve()
	t.event()
}

// The method "arm" resets the count, and sets the fields "at" and "strike". It returns the count before the reset.
func (t *tap) arm(at int, strike func()) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted := t.events
	t.events, t.at, t.strike = 0, at, strike
	return counted
}

// The interface "domain" is an Active Directory for tests. It also says what a relay must read from it and write to it.
type domain interface {
	// env returns the environment variables that make a relay connect to the domain through a proxy at host:port.
	env(proxy string) []string
	address() string               // host:port of the controller
	everyone() protocol.Message    // a request to read everybody and some groups
	truth(*rig) seen               // the snapshot that must result when the relay reads everybody
	changes(*rig) protocol.Changes // additions to a group and removals from it; each changes the group
	// written returns how often the controller accepted each write. A key is for example "p00007 remove", for the
	// change with the id "change-p00007" and the action "remove".
	written(*rig) map[string]int
}

// The type "rig" is the environment of the relays under test: a domain, queues, tasks and a store.
type rig struct {
	testing.TB
	*tap
	domain
	box        *sandbox.Sandbox // the simulated company; nil if the domain is real
	company    *sandbox.Company
	aws        *awsfake.Server
	store      store.Store
	env        []string
	readQueue  string
	writeQueue string
	visibility time.Duration
}

var rigs atomic.Int32

func newRig(t *testing.T, visibility time.Duration) *rig {
	t.Helper()
	box, err := sandbox.Start(sandbox.Options{Users: 1200, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	r := newRigOn(t, visibility, company{box})
	r.box, r.company = box, box.Company
	return r
}

func newRigOn(t testing.TB, visibility time.Duration, on domain) *rig {
	t.Helper()
	cloud, err := awsfake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	r := &rig{TB: t, tap: new(tap), domain: on, aws: cloud, visibility: visibility}
	prefix := fmt.Sprintf("rig%d", rigs.Add(1))
	taps.Store(prefix, r.tap)
	cloud.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.around(func() { next.ServeHTTP(w, req) }) })
	})
	if r.store, err = store.Open(t.Context(), "s3://"+bucket+"/"+prefix); err != nil {
		t.Fatal(err)
	}
	r.readQueue, r.writeQueue = cloud.NewQueue("ad-read", visibility, 30), cloud.NewQueue("ad-write", visibility, 30)
	r.env = append(append(append(os.Environ(), cloud.Env()...), on.env(r.proxyLDAP())...),
		"IDLESEAT_STORE=s3://"+bucket+"/"+prefix, "IDLESEAT_RELAY_READ_QUEUE="+r.readQueue, "IDLESEAT_RELAY_WRITE_QUEUE="+r.writeQueue,
		"TMPDIR="+t.TempDir())
	return r
}

// The constant "step" is the number of bytes from the controller that count as one event. An answer to a search has
// many more bytes, so a test can kill the relay in the middle of an answer.
const step = 1 << 10

// proxyLDAP starts a proxy to the controller and returns its address. The proxy listens on the controller's IP address,
// because the certificate is valid for that address.
func (r *rig) proxyLDAP() string {
	r.Helper()
	host, _, err := net.SplitHostPort(r.address())
	if err != nil {
		r.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(client)
		}
	}()
	return l.Addr().String()
}

func (r *rig) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.address())
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	passed := 0
	for chunk := make([]byte, step); ; {
		n, err := server.Read(chunk)
		if passed += n; err != nil || passed/step > (passed-n)/step {
			r.event()
		}
		if _, werr := client.Write(chunk[:n]); err != nil || werr != nil {
			return
		}
	}
}

type process struct {
	*exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	log   []string
	more  chan struct{} // closed and replaced when the relay adds a line to the log
}

// The method "start" starts the built relay. The relay is killed when the test ends.
func (r *rig) start(env ...string) *process {
	r.Helper()
	p := &process{Cmd: exec.Command(built), ended: make(chan struct{}), more: make(chan struct{})}
	p.Env = append(r.env, env...)
	stderr, err := p.StderrPipe()
	if err != nil {
		r.Fatal(err)
	}
	if err := p.Start(); err != nil {
		r.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			p.mu.Lock()
			p.log = append(p.log, lines.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
		_ = p.Wait()
	}()
	r.Cleanup(func() {
		p.kill()
		if r.Failed() {
			r.Logf("log of relay %d:\n%s", p.Process.Pid, strings.Join(p.log, "\n"))
		}
	})
	return p
}

func (p *process) kill() {
	_ = p.Process.Kill() // an error means that the process has already ended
	<-p.ended
}

// The method "says" waits until the log of p contains the text at least n times.
func (r *rig) says(p *process, text string, n int) {
	r.Helper()
	ctx := r.soon()
	for {
		p.mu.Lock()
		found, more := strings.Count(strings.Join(p.log, "\n"), text), p.more
		p.mu.Unlock()
		if found >= n {
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			r.Fatalf("the log of relay %d has %q %d times, not %d", p.Process.Pid, text, found, n)
		}
	}
}

func (r *rig) signal(p *process, s syscall.Signal) {
	r.Helper()
	if err := p.Process.Signal(s); err != nil {
		r.Errorf("signal %v: %v", s, err)
	}
}

func (r *rig) soon() context.Context {
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	r.Cleanup(cancel)
	return ctx
}

// The method "ask" starts a task for the message m, and sends m to its queue. The default heartbeat is an hour.
func (r *rig) ask(m protocol.Message, heartbeat ...time.Duration) *awsfake.Task {
	r.Helper()
	t := r.aws.NewTask(cmp.Or(append(heartbeat, time.Hour)...), time.Hour)
	m.Version, m.Token, m.Run = protocol.Version, t.Token, "run-1"
	text, err := json.Marshal(m)
	if err != nil {
		r.Fatal(err)
	}
	queue := r.readQueue
	if m.Kind == protocol.WriteMembers {
		queue = r.writeQueue
	}
	r.aws.Send(queue, string(text))
	return t
}

// The method "answer" waits until a task ends. It returns the key under which the relay has stored the result.
func (r *rig) answer(t *awsfake.Task) string {
	r.Helper()
	end, err := t.Wait(r.soon())
	if err != nil {
		r.Fatal(err)
	}
	var a protocol.Answer
	if err := json.Unmarshal([]byte(end.Output), &a); err != nil {
		r.Fatalf("the task ended with %+v", end)
	}
	return a.Key
}

func (r *rig) put(batch string, v any) string {
	r.Helper()
	key := "runs/run-1/ad/input/" + batch + ".json"
	if err := store.PutJSON(r.Context(), r.store, key, v); err != nil {
		r.Fatal(err)
	}
	return key
}

func get[T any](r *rig, key string) (v T) {
	r.Helper()
	if err := store.GetJSON(r.Context(), r.store, key, &v); err != nil {
		r.Fatal(err)
	}
	return v
}

func (r *rig) drained(queue string) {
	r.Helper()
	for ctx := r.soon(); len(r.aws.Bodies(queue)) > 0; {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			r.Fatalf("messages are left: %v", r.aws.Bodies(queue))
		}
	}
}
