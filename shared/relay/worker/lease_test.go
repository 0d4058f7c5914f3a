package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// TestLostHeartbeat: a worker stops before a write if its heartbeats are refused.
func TestLostHeartbeat(t *testing.T) {
	t.Parallel()
	ad := &fakeAD{member: true}
	b := newBench(t, ad)
	var broken bool // no lock is needed, because only the worker of the write queue calls ad.find
	entered := make(chan struct{})
	ad.find = func() error {
		if !broken {
			broken = true
			b.cloud.Intercept(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if awsfake.Call(r) == "SendTaskHeartbeat" {
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
			close(entered)
			time.Sleep(hidden + 100*time.Millisecond)
		}
		return nil
	}
	asked := b.send(b.removal(group))
	b.run()
	<-entered
	b.until("stopped", func() bool { return strings.Contains(b.said.String(), "the work was stopped; the message comes back") })
	if ad.writes != 0 {
		t.Error("the relay wrote although it had lost its hold on the message")
	}
	b.cloud.Intercept(nil)
	if got := b.result(asked); got.Outcome != protocol.Done {
		t.Errorf("the message came back, and its change to %+v", got)
	}
}

// TestClock: the relay uses its own clock to decide whether it still has a message, and for the times in its results.
func TestClock(t *testing.T) {
	t.Parallel()
	later := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var asleep atomic.Bool
	ad := &fakeAD{member: true, find: func() error { asleep.Store(true); return nil }}
	b := newBench(t, ad)
	b.clock = clock.Watch(func() time.Time {
		if asleep.Load() { // the message has been hidden for its visibility timeout
			return later.Add(hidden)
		}
		return later
	})
	first, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.Relay.Run(first)
	}()
	asked := b.send(b.removal(group))
	b.until("stopped", func() bool { return strings.Contains(b.said.String(), "the work was stopped; the message comes back") })
	stop()
	<-ended
	if ad.writes != 0 {
		t.Error("the relay wrote although its clock says that it had lost its hold on the message")
	}
	b.run()
	if got := b.dated(asked); got.Outcome != protocol.Done || !got.At.Equal(later.Add(hidden)) {
		t.Errorf("the message came back, and its change to %+v", got)
	}
}

// TestHeartbeatsKeepTheMessage: a message stays with its worker while the work takes longer than the visibility
// timeout.
func TestHeartbeatsKeepTheMessage(t *testing.T) {
	t.Parallel()
	ad := &fakeAD{list: func(context.Context) error { time.Sleep(hidden + time.Second); return nil }}
	b := newBench(t, ad)
	asked := b.send(everyone)
	b.run()
	if end := b.wait(asked); end.Output != `{"key":"runs/r1/ad/0.json"}` {
		t.Errorf("%+v", end)
	}
	if strings.Contains(b.said.String(), `"deliveries":"2"`) || b.cloud.Count("SendTaskHeartbeat") < 3 {
		t.Errorf("%d heartbeats", b.cloud.Count("SendTaskHeartbeat"))
	}
}

func TestTaskEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	reading := make(chan struct{})
	ad := &fakeAD{list: func(ctx context.Context) error {
		close(reading)
		<-ctx.Done()
		return fmt.Errorf("list people: %w", context.Cause(ctx))
	}}
	b := newBench(t, ad)
	b.send(everyone)
	b.run()
	<-reading
	b.cloud.Advance(900 * time.Millisecond)
	b.cloud.Advance(time.Hour)
	b.until("the message is deleted", func() bool {
		return strings.Contains(b.said.String(), "waits for no answer any more") && len(b.cloud.Bodies(b.config.ReadQueue)) == 0
	})
}

// TestAnswerIsNotTaken: if Step Functions does not accept an answer, the relay sends the answer again later. It does
// not read the directory a second time.
func TestAnswerIsNotTaken(t *testing.T) {
	t.Parallel()
	lists := 0
	ad := &fakeAD{list: func(context.Context) error { lists++; return nil }}
	b := newBench(t, ad)
	refused := make(chan struct{}, 9)
	b.cloud.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if awsfake.Call(r) == "SendTaskSuccess" && len(refused) < 3 {
				refused <- struct{}{}
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	asked := b.send(everyone)
	b.run()
	b.until("refused", func() bool { return strings.Contains(b.said.String(), "the answer was not taken") })
	if asked.Ended() || len(b.cloud.Bodies(b.config.ReadQueue)) != 1 {
		t.Error("the message is gone before its answer was taken")
	}
	b.cloud.Advance(hidden)
	if end := b.wait(asked); end.Output != `{"key":"runs/r1/ad/0.json"}` {
		t.Errorf("%+v", end)
	}
	if lists != 1 {
		t.Errorf("everyone was read %d times", lists)
	}
}

func TestNameless(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{`read person "anna": no`, `read person (name left out): no`},
		{`read person "S-1-5-21-1-2-3-4": no`, `read person "S-1-5-21-1-2-3-4": no`},
		{`members of "cn=citrix users,dc=test": no`, `members of "cn=citrix users,dc=test": no`},
		{`add "CN=Pat \"P\", x\\,OU=a" to group`, `add (name left out) to group`},
		{`no object CN=Lindqvist\, Anna,OU=People,DC=test: data 0; next`, `no object (name left out): data 0; next`},
		{`connect: refused`, `connect: refused`},
	}
	for _, tt := range tests {
		err := nameless(fmt.Errorf("%s%w", tt.text, errBroken), []protocol.Group{{DN: group}})
		if diff := cmp.Diff(tt.want+errBroken.Error(), err.Error()); diff != "" || !errors.Is(err, errBroken) {
			t.Errorf("text (-want +got):\n%s", diff)
		}
	}
}
