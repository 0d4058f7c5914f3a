// Package awsfake simulates calls of Amazon SQS and AWS Step Functions on loopback, for a worker outside of AWS that
// receives tasks and answers them. As AWS documents, queues hide messages, deliver them again, count deliveries, and
// move messages to dead-letter queues. Tasks time out. A test may advance the clock. The server rejects each call and
// each field that it does not implement.
package awsfake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server simulates an AWS account with queues and tasks.
type Server struct {
	URL string // the URL of all services

	server    *http.Server
	served    chan struct{} // closed when the server has stopped
	intercept atomic.Pointer[http.Handler]

	clock   func() time.Time // the clock without the offset
	mu      sync.Mutex
	offset  time.Duration   // how far Advance has moved the account's clock
	pick    func(n int) int // see Shuffle
	changed chan struct{}   // closed and replaced at each change
	queues  map[string]*queue
	tasks   map[string]*Task
	calls   map[string]int
	others  map[string]func(body []byte) (any, error) // additional calls, by target; see Handle
}

// Start serves an empty account on 127.0.0.1. The caller must call Close.
func Start() (*Server, error) { return StartAt(time.Now) }

// StartAt works like Start, with another clock. When this clock advances, a call of ReceiveMessage that waits does not
// notice it.
func StartAt(clock func() time.Time) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for simulated AWS: %w", err)
	}
	s := &Server{URL: "http://" + l.Addr().String(), served: make(chan struct{}), clock: clock, pick: func(int) int { return 0 }, changed: make(chan struct{}),
		queues: map[string]*queue{}, tasks: map[string]*Task{}, calls: map[string]int{}, others: map[string]func([]byte) (any, error){}}
	s.Intercept(nil)
	s.server = &http.Server{ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.intercept.Load()).ServeHTTP(w, r) })}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l) // returns ErrServerClosed after Close
	}()
	return s, nil
}

// Close stops the server. Calls that wait for a message end.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.served
	return err
}

// Env returns environment variables, as NAME=value, with which the AWS SDK calls this account.
func (s *Server) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL_SQS=" + s.URL, "AWS_ENDPOINT_URL_SFN=" + s.URL, "AWS_REGION=eu-north-1",
		"AWS_ACCESS_KEY_ID=simulated", "AWS_SECRET_ACCESS_KEY=simulated", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Intercept puts the handler that "before" returns in front of the account, to inject faults. The handler passes a
// request on by a call of "next". Intercept(nil) removes the handler.
func (s *Server) Intercept(before func(next http.Handler) http.Handler) {
	h := http.Handler(http.HandlerFunc(s.serve))
	if before != nil {
		h = before(h)
	}
	s.intercept.Store(&h)
}

// Call returns the name of the AWS call that a request makes, such as "ReceiveMessage".
func Call(r *http.Request) string {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return call
}

// Count returns how many requests have made a call. The parameter is the name of the call, such as "ReceiveMessage".
func (s *Server) Count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// Advance moves the account's clock forward. Calls and tasks that wait for a time notice this.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.wake()
}

// The method "now" returns the account's time. The caller must hold the lock.
func (s *Server) now() time.Time { return s.clock().Add(s.offset) }

// The method "wake" makes all waiting goroutines check again what they wait for. The caller must hold the lock.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Handle makes the account answer another kind of call. The parameter "target" is the value of X-Amz-Target, such as
// "AWSStepFunctions.StartExecution". The parameter "do" may return an error from Fail, which the client then gets.
func (s *Server) Handle(target string, do func(body []byte) (any, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others[target] = do
}

// Fail returns an error for the parameter "do" of Handle. The server sends its code and message in AWS's form.
func Fail(code, message string) error { return &apiError{code, message} }

type apiError struct{ code, message string }

func (e *apiError) Error() string { return e.code + ": " + e.message }

// The type "call" is a function that answers a request. The parameter "in" is the body of the request.
type call func(s *Server, r *http.Request, in []byte) (out any, err error)

var calls = map[string]call{
	"AmazonSQS.ReceiveMessage":           typed((*Server).receiveMessage),
	"AmazonSQS.DeleteMessage":            typed((*Server).deleteMessage),
	"AmazonSQS.ChangeMessageVisibility":  typed((*Server).changeMessageVisibility),
	"AmazonSQS.GetQueueAttributes":       typed((*Server).getQueueAttributes),
	"AmazonSQS.SendMessage":              typed((*Server).sendMessage),
	"AWSStepFunctions.SendTaskHeartbeat": typed((*Server).sendTaskHeartbeat),
	"AWSStepFunctions.SendTaskSuccess":   typed((*Server).sendTaskSuccess),
	"AWSStepFunctions.SendTaskFailure":   typed((*Server).sendTaskFailure),
}

// The function "typed" returns a call that decodes the body of the request into a value of type In. Unknown fields are
// an error, because the server does not implement them.
func typed[In any](answer func(*Server, *http.Request, *In) (any, error)) call {
	return func(s *Server, r *http.Request, body []byte) (any, error) {
		in := new(In)
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(in); err != nil {
			return nil, &apiError{"SerializationException", err.Error()}
		}
		return answer(s, r, in)
	}
}

// maxRequest is the maximum size of a request in bytes. It is more than SQS allows for a message, because a request
// also has other fields.
const maxRequest = 2 << 20

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	var body bytes.Buffer
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxRequest))
	var out any
	s.mu.Lock()
	other := s.others[target]
	s.mu.Unlock()
	switch do := calls[target]; {
	case err != nil:
	case other != nil:
		s.mu.Lock()
		s.calls[Call(r)]++
		s.mu.Unlock()
		out, err = other(body.Bytes())
	case r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" || do == nil:
		err = &apiError{"UnknownOperationException", "not simulated: " + target}
	default:
		s.mu.Lock()
		s.calls[Call(r)]++
		s.mu.Unlock()
		out, err = do(s, r, body.Bytes())
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	if err != nil {
		out = map[string]string{"__type": "InternalFailure", "message": err.Error()}
		if known, ok := errors.AsType[*apiError](err); ok {
			out = map[string]string{"__type": known.code, "message": known.message}
		}
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(out) // the client may have disconnected
}
