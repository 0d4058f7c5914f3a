package lambdas

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/memory"
)

// The type "sandbox" is a process of a function, with the server of the Runtime API for this process.
type sandbox struct {
	function *Function
	cmd      *exec.Cmd
	server   *http.Server
	started  time.Time
	asked    chan *invocation // passes an invocation to the process, which asks for it with GET /next
	ended    chan struct{}    // closed when the process has ended
	peak     atomic.Int64     // peak memory in bytes at the kill
	current  atomic.Pointer[invocation]
}

type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answer   chan answer
}

type answer struct {
	payload []byte
	failure *Error
}

// The method "kill" kills the process. Just before, it measures the peak memory of the process.
func (s *sandbox) kill() {
	if peak, err := memory.Peak(s.cmd.Process.Pid); err == nil {
		s.peak.Store(peak)
	}
	_ = s.cmd.Process.Kill()
}

// ServeHTTP serves the Runtime API.
func (s *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const base = "/2018-06-01/runtime/"
	call := s.current.Load()
	what, known := strings.CutPrefix(r.URL.Path, base)
	switch {
	case known && r.Method == http.MethodGet && what == "invocation/next":
		s.hand(w, r)
	case known && r.Method == http.MethodPost && what == "init/error":
		s.answer(w, call, answer{failure: failureOf(r.Body)})
	case known && r.Method == http.MethodPost && call != nil && what == "invocation/"+call.id+"/response":
		body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case len(body) > maxPayload:
			s.answer(w, call, answer{failure: &Error{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}})
		default:
			s.answer(w, call, answer{payload: body})
		}
	case known && r.Method == http.MethodPost && call != nil && what == "invocation/"+call.id+"/error":
		s.answer(w, call, answer{failure: failureOf(r.Body)})
	default:
		http.Error(w, "not simulated: "+r.Method+" "+r.URL.Path, http.StatusNotFound)
	}
}

func (s *sandbox) hand(w http.ResponseWriter, r *http.Request) {
	select {
	case call := <-s.asked:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(call.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-north-1:123456789012:function:"+s.function.Name)
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(call.payload) // an error means that the process has died, and the channel "ended" reports the death
	case <-r.Context().Done():
	}
}

func (s *sandbox) answer(w http.ResponseWriter, call *invocation, a answer) {
	if call != nil {
		select {
		case call.answer <- a:
		default: // the invocation has an answer already
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

func failureOf(body io.Reader) *Error {
	e := new(Error)
	if err := json.NewDecoder(io.LimitReader(body, maxPayload)).Decode(e); err != nil || e.Type == "" {
		return &Error{"Runtime.Unknown", fmt.Sprintf("the function reported no error that can be read: %v", err)}
	}
	return e
}
