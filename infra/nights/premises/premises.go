// Package premises simulates the relays of a company: the queues of the cloud, two relays on premises, and the faults
// that may happen between them. The relays are the product's own (package worker). Only AWS is simulated (package
// awsfake). Nothing waits in real time.
//
// A fault affects one request or one delivery of a message. What follows from it is not simulated separately: for
// example, if a relay is killed, the queue delivers its message again after the visibility timeout.
package premises

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/store"
)

// Options are what the relays share with the simulated company around them.
type Options struct {
	Clock   clock.Clock // simulated: Sleep advances the time and returns at once
	AD      activedirectory.Config
	Store   store.Store
	Weather *weather.Weather // the weather of the relays' processes; the product's other processes have another weather
	// Happens decides by chance whether a kind of fault happens now. The argument "which" is different in each call for
	// the same kind.
	Happens func(kind Kind, which int) bool
	// Dice returns random numbers for a purpose. The argument "which" is as for Happens.
	Dice func(purpose string, which int) *rand.Rand
	// Domain returns how far the clocks of the domain are ahead of the simulated clock.
	Domain func() time.Duration
	// Waits is called once for each message that waits in its queue. The argument "which" is the number of the message.
	Waits func(which int)
	Log   *slog.Logger
}

// Premises are two relays that read the same two queues. Only the method Tick is safe for concurrent use.
type Premises struct {
	o       Options
	account *awsfake.Server
	read    string                   // URL of the queue for messages that ask for a reading
	queues  map[protocol.Kind]string // URL of the queue, by kind of message
	relays  [2]*relay
	silent  time.Time // the relays are stopped until this time
	sent    []sent
	asked   int // number of messages so far
	worked  int // number of deliveries so far
}

type sent struct {
	queue, body string
	at          time.Time
}

// The settings of the queues, as in template.yaml.
const (
	visibility = time.Minute
	receives   = 10
	retention  = 4 * 24 * time.Hour
)

// Open returns the premises of a company. The caller must call Close.
func Open(o Options) (*Premises, error) {
	account, err := awsfake.StartAt(o.Clock.Now)
	if err != nil {
		return nil, err
	}
	p := &Premises{o: o, account: account}
	p.read = account.NewQueue("ad-read", visibility, receives)
	p.queues = map[protocol.Kind]string{
		protocol.ReadEveryone: p.read, protocol.ReadCandidates: p.read, protocol.WriteMembers: account.NewQueue("ad-write", visibility, receives),
	}
	for i := range p.relays {
		if p.relays[i], err = p.install(i); err != nil {
			return nil, errors.Join(err, account.Close())
		}
	}
	return p, nil
}

// Close stops the relays and AWS.
func (p *Premises) Close() error {
	p.Calm()
	for _, r := range p.relays {
		r.ad.Close()
	}
	return p.account.Close()
}

// Calm ends the faults that last: it makes hanging and stopped relays go on, and sets their clocks right.
func (p *Premises) Calm() {
	p.silent = time.Time{}
	for _, r := range p.relays {
		r.goOn()
		r.clock.skew.Store(0)
	}
}

// Tick makes the relays send the heartbeats that are due. The simulated clock calls it while a relay works.
func (p *Premises) Tick() {
	for _, r := range p.relays {
		r.clock.tick()
	}
}

type limits struct {
	timeout, heartbeat time.Duration
	retries            int
}

// The limits of a task, by kind of message, as in infra/statemachine.asl.json.
var tasks = map[protocol.Kind]limits{
	protocol.ReadEveryone:   {3 * time.Hour, 10 * time.Minute, 2},
	protocol.ReadCandidates: {30 * time.Minute, 5 * time.Minute, 1},
	protocol.WriteMembers:   {30 * time.Minute, 5 * time.Minute, 1},
}

// retryPause is the pause before the first retry of a task, as in infra/statemachine.asl.json. It doubles with each
// retry.
const retryPause = 10 * time.Second

// Ask sends a message to the relays and waits for the answer, with retries, as the state machine does. It sets the
// fields Version, Token and Attempt of the message.
func (p *Premises) Ask(m protocol.Message) protocol.Ending {
	of, queue := tasks[m.Kind], p.queues[m.Kind]
	for m.Attempt = 0; ; m.Attempt++ {
		p.asked++
		task := p.account.NewTask(of.heartbeat, of.timeout)
		m.Version, m.Token = protocol.Version, task.Token
		body, err := json.Marshal(m)
		if err != nil {
			panic(fmt.Sprintf("a message cannot be encoded: %v", err)) // unreachable
		}
		p.send(queue, string(body))
		p.work(task, queue)
		end, _ := task.Wait(context.Background()) // the task has ended
		switch {
		case end.Error == "":
			var a protocol.Answer
			if err := json.Unmarshal([]byte(end.Output), &a); err != nil {
				panic(fmt.Sprintf("the relay answered %q: %v", end.Output, err))
			}
			return protocol.Ending{Answer: a}
		case m.Attempt == of.retries, end.Error != protocol.ErrorFailed:
			return protocol.Ending{Error: end.Error, Cause: end.Cause}
		}
		p.pass(retryPause << m.Attempt)
	}
}

// The method "send" puts a message into a queue. Under some faults, it also puts a copy of this message or of an
// earlier one into the queue, or makes the queue deliver messages in another order.
func (p *Premises) send(queue, body string) {
	p.account.Send(queue, body)
	if p.happens(Twice, p.asked) {
		p.account.Send(queue, body)
	}
	now := p.o.Clock.Now()
	for len(p.sent) > 0 && now.Sub(p.sent[0].at) >= retention {
		p.sent = p.sent[1:]
	}
	if len(p.sent) > 0 && p.happens(OldAgain, p.asked) {
		old := p.sent[p.o.Dice("old message", p.asked).IntN(len(p.sent))]
		p.account.Send(old.queue, old.body)
	}
	p.sent = append(p.sent, sent{queue, body, now})
	pick := func(int) int { return 0 }
	if p.account.Waiting(queue) > 1 && p.happens(Unordered, p.asked) {
		pick = p.o.Dice("order", p.asked).IntN
	}
	p.account.Shuffle(pick)
}

// The constant "look" is the time that passes between two looks for a message in the queue, or for the end of the task.
const look = 10 * time.Second

func (p *Premises) work(task *awsfake.Task, queue string) {
	d := p.o.Dice("work", p.asked)
	p.setClocks(d)
	if p.happens(Stopped, p.asked) {
		p.silent = p.o.Clock.Now().Add(time.Duration(1+d.IntN(30)) * time.Hour)
	}
	if p.happens(Late, p.asked) {
		if until := p.o.Clock.Now().Add(time.Duration(1+d.IntN(360)) * time.Second); until.After(p.silent) {
			p.silent = until
		}
	}
	for waits := false; !task.Ended(); {
		now := p.o.Clock.Now()
		var free []*relay
		for _, r := range p.relays {
			if r.hangs() && !now.Before(r.until) {
				r.goOn()
			}
			if !r.hangs() {
				free = append(free, r)
			}
		}
		if len(free) == 0 || now.Before(p.silent) || p.account.Waiting(queue) == 0 {
			p.pass(look)
			if !waits {
				p.o.Waits(p.asked)
			}
			waits = true
			continue
		}
		p.worked++
		free[d.IntN(len(free))].deliver(queue, p.fate())
	}
}

// The method "setClocks" sets the clock of each relay: to the right time, to a time that is wrong by minutes, or to the
// time of the domain, as on a machine that has joined the domain. A relay that hangs keeps its clock: it measures the
// time of the hang by its monotonic clock, too, and the simulation has no monotonic clock.
func (p *Premises) setClocks(d *rand.Rand) {
	for i, r := range p.relays {
		skew := time.Duration(0)
		switch {
		case p.happens(Skewed, 2*p.asked+i):
			skew = time.Duration(d.IntN(2*720)-720) * time.Second
		case d.IntN(2) == 0:
			skew = p.o.Domain()
		}
		if !r.hangs() {
			r.clock.skew.Store(int64(skew))
		}
	}
}

func (p *Premises) happens(kind Kind, which int) bool { return p.o.Happens(kind, which) }

func (p *Premises) pass(d time.Duration) { _ = p.o.Clock.Sleep(context.Background(), d) }
