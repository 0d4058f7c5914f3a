package awsfake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Task is a task of Step Functions that waits until a worker answers with its token.
type Task struct {
	Token string

	server    *Server
	heartbeat time.Duration
	deadline  time.Time
	beat      time.Time // time of the last heartbeat or of the start
	end       *Result
}

// Result is how a task ended: with an output, or with an error such as States.HeartbeatTimeout.
type Result struct {
	Output       string
	Error, Cause string
}

// The errors of a task without an answer, and of a task without a heartbeat.
const (
	Timeout          = "States.Timeout"
	HeartbeatTimeout = "States.HeartbeatTimeout"
)

// NewTask starts a task. Its heartbeat time and its timeout begin now, even if no worker has received the task yet.
func (s *Server) NewTask(heartbeat, timeout time.Duration) *Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	t := &Task{Token: rand.Text(), server: s, heartbeat: heartbeat, deadline: now.Add(timeout), beat: now}
	s.tasks[t.Token] = t
	return t
}

// Wait waits until the task ends, and returns how it ended. It returns an error if ctx ends before.
func (t *Task) Wait(ctx context.Context) (Result, error) {
	for {
		end, next, changed := t.look()
		if end != nil {
			return *end, nil
		}
		select {
		case <-ctx.Done():
			return Result{}, fmt.Errorf("wait for a task: %w", context.Cause(ctx))
		case <-next:
		case <-changed:
		}
	}
}

// Ended reports whether the task has ended.
func (t *Task) Ended() bool {
	end, _, _ := t.look()
	return end != nil
}

// The method "look" returns how the task ended, or nil. If it is nil, the caller must call the method again when
// something arrives on one of the two channels.
func (t *Task) look() (end *Result, next <-chan time.Time, changed chan struct{}) {
	s := t.server
	s.mu.Lock()
	defer s.mu.Unlock()
	t.expire()
	soonest := min(t.deadline.Sub(s.now()), t.beat.Add(t.heartbeat).Sub(s.now()))
	return t.end, time.After(soonest), s.changed
}

// The method "expire" ends the task if its heartbeat time or its timeout is over. The caller must hold the lock.
func (t *Task) expire() {
	now := t.server.now()
	switch {
	case t.end != nil:
	case !now.Before(t.deadline):
		t.end = &Result{Error: Timeout}
	case !now.Before(t.beat.Add(t.heartbeat)):
		t.end = &Result{Error: HeartbeatTimeout}
	}
}

// The method "waiting" returns the task with the given token. It returns an error if there is no such task, or if the
// task has ended. The caller must hold the lock.
func (s *Server) waiting(token string) (*Task, error) {
	t := s.tasks[token]
	if t == nil {
		return nil, &apiError{"InvalidToken", "Invalid Token: 'Invalid token'"}
	}
	if t.expire(); t.end != nil {
		return nil, &apiError{"TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"}
	}
	return t, nil
}

type heartbeatInput struct {
	TaskToken string `json:"taskToken"`
}

func (s *Server) sendTaskHeartbeat(_ *http.Request, in *heartbeatInput) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.waiting(in.TaskToken)
	if err != nil {
		return nil, err
	}
	t.beat = s.now()
	return struct{}{}, nil
}

type successInput struct {
	TaskToken string `json:"taskToken"`
	Output    string `json:"output"`
}

// maxOutput is the maximum size of an output in bytes, a limit of Step Functions.
const maxOutput = 256 << 10

func (s *Server) sendTaskSuccess(_ *http.Request, in *successInput) (any, error) {
	if !json.Valid([]byte(in.Output)) || len(in.Output) > maxOutput {
		return nil, &apiError{"InvalidOutput", "Invalid Output: the output must be JSON of at most 256 KiB"}
	}
	return s.finish(in.TaskToken, Result{Output: in.Output})
}

type failureInput struct {
	TaskToken string `json:"taskToken"`
	Error     string `json:"error"`
	Cause     string `json:"cause"`
}

func (s *Server) sendTaskFailure(_ *http.Request, in *failureInput) (any, error) {
	if len(in.Error) > 256 || len(in.Cause) > 32768 {
		return nil, &apiError{"ValidationException", "error or cause is too long"}
	}
	return s.finish(in.TaskToken, Result{Error: in.Error, Cause: in.Cause})
}

func (s *Server) finish(token string, end Result) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.waiting(token)
	if err != nil {
		return nil, err
	}
	t.end = &end
	s.wake()
	return struct{}{}, nil
}
