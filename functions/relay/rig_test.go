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

// tap counts what reaches and leaves the servers, and calls strike at one event.
type tap struct {
	asked  func(*http.Request) // called with requests to S3; may be nil
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

// arm counts from now on and calls strike at the given event. It returns the count so far.
func (t *tap) arm(at int, strike func()) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	counted := t.events
	t.events, t.at, t.strike = 0, at, strike
	return counted
}

// domain is an Active Directory for relays, and what is known of it from elsewhere.
type domain interface {
	// env returns the environment that leads a relay to the domain through proxy (host:port).
	env(proxy string) []string
	address() string               // address of its controller
	everyone() protocol.Message    // message that asks for everybody and for groups
	truth(*rig) seen               // what a reading of everybody should find
	changes(*rig) protocol.Changes // some changes, each of which is needed
	// written counts the changes that the controller accepted, by "person action". The id of a change is
	// change-<person>.
	written(*rig) map[string]int
}

// rig is everything around relays: a domain, queues, tasks and a store.
type rig struct {
	testing.TB
	*tap
	domain
	box        *sandbox.Sandbox // nil for another domain
	company    *sandbox.Company
	aws        *awsfake.Server
	store      store.Store
	env        []string
	readQueue  string
	writeQueue string
	visibility time.Duration
}

var rigs atomic.Int32

// newRig returns a rig on a simulated company.
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

// step is how many bytes from the controller are one event.
const step = 1 << 10

// proxyLDAP passes bytes to the controller and back. It listens on another port of the controller's address, for which
// the certificate is valid. Each step of a connection is an event, and so is its end.
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

// process is a running relay.
type process struct {
	*exec.Cmd
	ended chan struct{}
	mu    sync.Mutex
	log   []string
	more  chan struct{} // closed and replaced at every line
}

// start runs the built relay until the test ends.
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

// kill sends SIGKILL and waits for the end.
func (p *process) kill() {
	_ = p.Process.Kill() // it may have ended
	<-p.ended
}

// says waits until n lines of the log contain a text.
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

// ask starts a task with a heartbeat of an hour, or of the given time, and sends its message.
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

// answer waits for the key in a task's answer.
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

// put stores the input of a batch.
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

// drained waits until a queue is empty.
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
