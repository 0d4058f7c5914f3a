// Package awsfake answers, on loopback, the calls of Amazon SQS and AWS Step
// Functions by which a worker outside AWS gets tasks and answers them. Queues
// hide, return, count and set aside messages, and tasks time out, as AWS
// documents it, by a clock that a test may move. What is not implemented is
// refused, never ignored.
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

// Server is an account of AWS with queues and tasks.
type Server struct {
	URL string // of every service

	server    *http.Server
	served    chan struct{} // closed when the server has ended
	intercept atomic.Pointer[http.Handler]

	mu      sync.Mutex
	offset  time.Duration // of the clock
	changed chan struct{} // closed and replaced at every change
	queues  map[string]*queue
	tasks   map[string]*Task
	calls   map[string]int
	others  map[string]func(body []byte) (any, error) // by target
}

// Start serves an empty account on 127.0.0.1. Close it to stop.
func Start() (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for simulated AWS: %w", err)
	}
	s := &Server{URL: "http://" + l.Addr().String(), served: make(chan struct{}), changed: make(chan struct{}),
		queues: map[string]*queue{}, tasks: map[string]*Task{}, calls: map[string]int{}, others: map[string]func([]byte) (any, error){}}
	s.Intercept(nil)
	s.server = &http.Server{ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.intercept.Load()).ServeHTTP(w, r) })}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l) // always ends with ErrServerClosed, by Close
	}()
	return s, nil
}

// Close stops the server. Polls that still wait are cut off.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.served
	return err
}

// Env returns the variables that lead the AWS SDK to the account, as NAME=value.
func (s *Server) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL_SQS=" + s.URL, "AWS_ENDPOINT_URL_SFN=" + s.URL, "AWS_REGION=eu-north-1",
		"AWS_ACCESS_KEY_ID=simulated", "AWS_SECRET_ACCESS_KEY=simulated", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Intercept puts a handler before the account, to make faults; nil takes it
// away.
func (s *Server) Intercept(before func(next http.Handler) http.Handler) {
	h := http.Handler(http.HandlerFunc(s.serve))
	if before != nil {
		h = before(h)
	}
	s.intercept.Store(&h)
}

// Call returns the name of the call that a request makes, "ReceiveMessage".
func Call(r *http.Request) string {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return call
}

// Count returns the number of calls so far of a name.
func (s *Server) Count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call]
}

// Advance moves the account's clock on. What waits for a time sees it.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.wake()
}

// now returns the account's clock. The account must be locked, as for wake.
func (s *Server) now() time.Time { return time.Now().Add(s.offset) }

// wake lets everybody who waits look again.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Handle has the account answer another call, named as in X-Amz-Target. Its error
// is sent under the code that Fail gives.
func (s *Server) Handle(target string, do func(body []byte) (any, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others[target] = do
}

// Fail returns an error as AWS sends it.
func Fail(code, message string) error { return &apiError{code, message} }

// apiError is an error as AWS sends it.
type apiError struct{ code, message string }

func (e *apiError) Error() string { return e.code + ": " + e.message }

// call answers one request whose body is in.
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

// typed decodes the input of a call. A field that is not implemented is an
// error.
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

// maxRequest is SQS's bound of a message, with room for the rest, in bytes.
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
	_ = json.NewEncoder(w).Encode(out) // a client that left needs no answer
}
