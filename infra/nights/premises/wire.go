package premises

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
)

// The type "wire" is the connection of a relay to AWS. It is the HTTP client of the SDK.
type wire struct{ r *relay }

// Do sends a request to the simulated AWS, unless the fault of the current delivery prevents this or changes the
// answer.
func (w wire) Do(req *http.Request) (*http.Response, error) {
	r, d := w.r, w.r.now.Load()
	call := awsfake.Call(req)
	d.mu.Lock()
	dead, again := d.dead || d.kind == Killed && r.p.o.Weather.Dead(), call == "ReceiveMessage" && d.received
	d.received = d.received || call == "ReceiveMessage"
	d.mu.Unlock()
	switch {
	case again:
		d.finish()
		<-req.Context().Done()
		return nil, req.Context().Err()
	case dead:
		return nil, errDead
	}
	switch call {
	case "ReceiveMessage":
		return d.receive(req)
	case "SendTaskHeartbeat":
		if d.kind == Beatless && d.begun() {
			return nil, syscall.ECONNRESET
		}
	case "DeleteMessage":
		if d.kind == Undeleted {
			return done(`{}`), nil
		}
	case "SendTaskSuccess", "SendTaskFailure":
		return d.answer(r, req)
	}
	res, err := send(req)
	if call == "ChangeMessageVisibility" && err == nil && res.StatusCode == http.StatusOK && d.begin() {
		r.clock.expect()
	}
	return res, err
}

// The method "begin" records that a heartbeat was accepted, and reports whether it was the first. The method "begun"
// reports whether any heartbeat was accepted.
func (d *delivery) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !d.beating
	d.beating = true
	return first
}

func (d *delivery) begun() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.beating
}

// The method "receive" receives a message, and keeps its body for the fault Both. With the fault Unreceived, the relay
// gets an answer without the message.
func (d *delivery) receive(req *http.Request) (*http.Response, error) {
	res, err := send(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	var got struct{ Messages []struct{ Body string } }
	if err := json.Unmarshal(text, &got); err != nil || len(got.Messages) != 1 {
		return nil, fmt.Errorf("a queue with a message delivered %q: %w", text, err)
	}
	d.body = got.Messages[0].Body
	if d.kind == Unreceived {
		text = []byte(`{}`)
	}
	return done(string(text)), nil
}

func (d *delivery) answer(r *relay, req *http.Request) (*http.Response, error) {
	switch d.kind {
	case AnswerUnsent:
		return nil, syscall.ECONNRESET
	case HangsAnswering:
		r.hang(d)
	case KilledAnswering:
		d.die()
		if !d.after {
			return nil, errDead
		}
	}
	res, err := send(req)
	if err == nil && (d.kind == KilledAnswering || d.kind == AnswerLost && d.loses()) {
		return nil, errors.Join(syscall.ECONNRESET, res.Body.Close())
	}
	return res, err
}

func (d *delivery) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
}

// The method "loses" reports whether the relay must lose the answer of AWS. Only the first answer is lost: the SDK
// repeats the request and gets the second answer.
func (d *delivery) loses() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !d.lost
	d.lost = true
	return first
}

func send(req *http.Request) (*http.Response, error) { return http.DefaultClient.Do(req) }

func done(body string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body))}
}
