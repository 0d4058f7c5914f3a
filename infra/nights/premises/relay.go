package premises

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/idleseat/idleseat/shared/relay/worker"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
)

type relay struct {
	p     *Premises
	i     int
	clock *pulse
	ad    *activedirectory.Forest
	now   atomic.Pointer[delivery]
	stuck *delivery // the delivery in which the relay hangs; nil: it does not hang
	until time.Time // when a relay that hangs goes on
}

// The type "delivery" is the work of a relay on one message, with the fault that happens during this work.
type delivery struct {
	fate
	queue string
	body  string
	calls atomic.Int64 // number of calls of Active Directory

	mu       sync.Mutex
	received bool
	beating  bool // whether the first heartbeat was accepted
	dead     bool // whether the relay was killed at its answer
	lost     bool // whether an answer of AWS was lost

	hanging  sync.Once
	ending   sync.Once
	parked   chan struct{} // closed when the relay hangs
	free     chan struct{} // closed when the relay goes on
	finished chan struct{} // closed when the relay asks for the next message
	end      func()        // ends the process of the relay, and waits for its end
}

func (p *Premises) install(i int) (*relay, error) {
	r := &relay{p: p, i: i, clock: newPulse(p.o.Clock)}
	return r, r.connect()
}

func (r *relay) connect() (err error) {
	r.ad, err = activedirectory.NewForest(r.p.o.AD, r.clock.Now)
	return err
}

func (r *relay) start(queue string) *worker.Relay {
	c := worker.Config{Store: "memory", ReadQueue: queue}
	if queue != r.p.read {
		c = worker.Config{Store: "memory", WriteQueue: queue}
	}
	cloud := aws.Config{
		Region: "eu-north-1", BaseEndpoint: &r.p.account.URL, Credentials: credentials.NewStaticCredentialsProvider("simulated", "simulated", ""),
		HTTPClient: wire{r}, Retryer: atOnce,
	}
	w, err := worker.New(c, cloud, r.p.o.Store, &access{r.ad, r}, r.clock, r.p.o.Log.With("relay", r.i))
	if err != nil {
		panic(err) // unreachable: the configuration is complete
	}
	return w
}

// atOnce returns the retryer of the SDK, without the pauses between the attempts.
func atOnce() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

// The method "deliver" makes the relay work on one message. It returns when the relay asks for the next message or
// hangs.
func (r *relay) deliver(queue string, f fate) {
	d := &delivery{fate: f, queue: queue, parked: make(chan struct{}), free: make(chan struct{}), finished: make(chan struct{})}
	r.now.Store(d)
	ctx, stop := context.WithCancel(context.Background())
	ended, process := make(chan struct{}), r.start(queue)
	d.end = func() { stop(); <-ended }
	switch f.kind {
	case Killed:
		r.p.o.Weather.KillAt(f.at, f.after)
	case Frozen:
		r.p.o.Weather.FreezeAt(f.at, f.after, f.long)
	}
	go func() {
		defer close(ended)
		process.Run(ctx)
	}()
	select {
	case <-d.parked:
		r.stuck, r.until = d, r.p.o.Clock.Now().Add(f.long)
	case <-d.finished:
		r.ended(d)
	}
}

func (d *delivery) finish() { d.ending.Do(func() { close(d.finished) }) }

// The method "ended" ends the process of a relay after a delivery. A delivery with the fault Killed or Frozen has
// planned faults of the weather, and the method cancels them. After any other delivery it cancels nothing: during the
// fault Both, the planned faults belong to another delivery that is still under way.
func (r *relay) ended(d *delivery) {
	d.end()
	if d.kind == Killed || d.kind == Frozen {
		killed := r.p.o.Weather.Dead()
		r.p.o.Weather.Revive()
		if killed {
			r.restart()
		}
	}
	if d.dead {
		r.restart()
	}
}

func (r *relay) restart() {
	r.ad.Close()
	if err := r.connect(); err != nil {
		panic(err) // unreachable: the first connect succeeded
	}
}

func (r *relay) hangs() bool { return r.stuck != nil }

// The method "hang" makes the relay hang: its heartbeats stop, and the method returns only when the relay goes on.
func (r *relay) hang(d *delivery) {
	d.hanging.Do(func() {
		r.clock.freeze(true)
		close(d.parked)
	})
	<-d.free
}

// The method "goOn" makes a hanging relay continue, and returns when the relay asks for the next message. It does
// nothing if the relay does not hang.
func (r *relay) goOn() {
	d := r.stuck
	if d == nil {
		return
	}
	r.p.o.Log.Info("goes on", "relay", r.i)
	r.stuck = nil
	r.clock.freeze(false)
	close(d.free)
	<-d.finished
	r.ended(d)
}

var errDead = errors.New("the relay was killed")

// The method "around" is called before each call of Active Directory, and the function that it returns is called after
// that call. The faults Both and Hangs happen in "around" or in this function.
func (r *relay) around() func() {
	d := r.now.Load()
	n := int(d.calls.Add(1))
	select {
	case <-d.parked: // another goroutine of the relay hangs
		r.hang(d)
	default:
	}
	if n != d.at || d.kind != Both && d.kind != Hangs {
		return func() {}
	}
	if d.after {
		return func() { r.strike(d) }
	}
	r.strike(d)
	return func() {}
}

// Call the method "beforeWrite" before each write to Active Directory. The fault HangsWriting happens in the first call of
// a delivery.
func (r *relay) beforeWrite() {
	if d := r.now.Load(); d.kind == HangsWriting {
		r.hang(d)
	}
}

func (r *relay) strike(d *delivery) {
	if d.kind == Hangs {
		r.hang(d)
		return
	}
	if other := r.p.relays[1-r.i]; !other.hangs() {
		r.p.account.Send(d.queue, d.body)
		other.deliver(d.queue, fate{})
	}
}
