// Package lambdas runs built Lambda functions for tests, as processes that use the Lambda Runtime API. A process
// handles one invocation at a time, and then the next. A process that exceeds the timeout is killed. If a function
// fails, panics, exits or exceeds the timeout, the invocation has the same error as in Lambda ("Using the Lambda
// runtime API" in the developer guide).
package lambdas

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// maxPayload is the maximum size of a synchronous request and of its answer in bytes, a limit of Lambda.
const maxPayload = 6 << 20

// Function is a Lambda function whose program is already built.
type Function struct {
	Name    string
	Binary  string   // path
	Env     []string // NAME=value; the function inherits no other variables
	Timeout time.Duration
	Memory  int // MB; only a number in the environment of the function, and no limit

	mu    sync.Mutex
	idle  []*sandbox
	all   []*sandbox
	logs  bytes.Buffer
	next  func(*sandbox) // called once, at the start of the next invocation; may be nil
	colds []time.Duration
}

// Error is the error of a failed invocation, in Lambda's form.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Invoke calls the function and waits for the answer. If the function fails, the error is an *Error.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("invoke %s: the payload has %d bytes", f.Name, len(payload))
	}
	s, cold, err := f.take()
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", f.Name, err)
	}
	call := &invocation{id: rand.Text(), payload: payload, deadline: time.Now().Add(f.Timeout), answer: make(chan answer, 1)}
	s.current.Store(call)
	f.mu.Lock()
	strike := f.next
	f.next = nil
	f.mu.Unlock()
	if strike != nil {
		strike(s)
	}
	ctx, cancel := context.WithDeadline(ctx, call.deadline)
	defer cancel()
	select {
	case s.asked <- call:
	case <-s.ended:
		if !cold { // the process ended after the previous invocation
			return f.Invoke(ctx, payload)
		}
		return nil, exited(call.id)
	case <-ctx.Done():
		return nil, f.late(s, call)
	}
	select {
	case a := <-call.answer:
		if cold {
			f.mu.Lock()
			f.colds = append(f.colds, time.Since(s.started))
			f.mu.Unlock()
		}
		f.give(s)
		if a.failure != nil {
			return nil, a.failure
		}
		return a.payload, nil
	case <-s.ended:
		return nil, exited(call.id)
	case <-ctx.Done():
		return nil, f.late(s, call)
	}
}

func exited(id string) error {
	return &Error{"Runtime.ExitError", "RequestId: " + id + " Error: Runtime exited without providing a reason"}
}

func (f *Function) late(s *sandbox, call *invocation) error {
	s.kill()
	return &Error{"Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", call.id, f.Timeout.Seconds())}
}

// KillNext kills the process of the next invocation, when the time "after" has passed since the start of the
// invocation.
func (f *Function) KillNext(after time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = func(s *sandbox) { time.AfterFunc(after, s.kill) }
}

// Close kills all processes.
func (f *Function) Close() {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	for _, s := range all {
		s.kill()
		_ = s.server.Close()
	}
}

// PeakMemory waits until all processes have ended, and returns the largest peak memory of a process, in bytes. The peak
// of a process is measured just before the process is killed, so processes that exit by themselves do not count.
func (f *Function) PeakMemory() (peak int64) {
	for _, s := range f.ended() {
		peak = max(peak, s.peak.Load())
	}
	return peak
}

// CPU returns the sum of the processor times of all processes. It waits until all processes have ended.
func (f *Function) CPU() (sum time.Duration) {
	for _, s := range f.ended() {
		sum += s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	}
	return sum
}

// The method "ended" waits until all processes have ended, and returns them.
func (f *Function) ended() []*sandbox {
	f.mu.Lock()
	all := f.all
	f.mu.Unlock()
	for _, s := range all {
		<-s.ended
	}
	return all
}

// Logs returns all that the processes have written to standard output and standard error.
func (f *Function) Logs() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logs.String()
}

// ColdStarts returns, for each process that has answered, the time from its start to its first answer.
func (f *Function) ColdStarts() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Duration{}, f.colds...)
}

func (f *Function) take() (s *sandbox, cold bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		s, f.idle = f.idle[len(f.idle)-1], f.idle[:len(f.idle)-1]
		select {
		case <-s.ended: // the process was killed or has exited
		default:
			return s, false, nil
		}
	}
	if s, err = f.start(); err == nil {
		f.all = append(f.all, s)
	}
	return s, true, err
}

func (f *Function) give(s *sandbox) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, s)
}

// Write stores the output of a process for Logs. It implements io.Writer.
func (f *Function) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logs.Write(p)
}

func (f *Function) start() (*sandbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sandbox{function: f, asked: make(chan *invocation), ended: make(chan struct{}), started: time.Now()}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(l) }() // closing the server ends Serve
	s.cmd = exec.Command(f.Binary)
	s.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=" + f.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.Memory), "LAMBDA_TASK_ROOT=/var/task", "PATH=/usr/bin:/bin",
	}, f.Env...)
	s.cmd.Stdout, s.cmd.Stderr = f, f
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, s.server.Close())
	}
	go func() {
		_ = s.cmd.Wait() // the process state has the result
		close(s.ended)
		_ = s.server.Close()
	}()
	return s, nil
}
