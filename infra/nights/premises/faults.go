package premises

import (
	"math/rand/v2"
	"time"
)

// Kind is a kind of fault between the cloud and the directory.
type Kind string

// The faults of queues. The quoted pages are from the Amazon SQS Developer Guide, except DeleteMessage, which is from
// the API Reference.
const (
	// More than one copy of a message may be delivered ("Amazon SQS at-least-once delivery").
	Twice Kind = "relay: a message comes twice"
	// Two relays get copies of a message. The second relay works on it while the first is in the middle of its work
	// ("Amazon SQS at-least-once delivery").
	Both Kind = "relay: two relays have one message"
	// A message comes again after its task has ended, as late as its retention allows. SQS does this if the server with
	// a copy was unavailable when the message was deleted (DeleteMessage: "it is possible to receive a message even
	// after you delete it").
	OldAgain Kind = "relay: an old message comes again"
	// Messages arrive out of order ("Amazon SQS standard queues": best-effort ordering).
	Unordered Kind = "relay: messages come out of order"
	// A message waits for up to six minutes, longer than most tasks wait for a heartbeat. SQS promises no time of
	// delivery.
	Late Kind = "relay: a message comes late"
	// SQS counts a message as received, but its answer does not reach the relay ("Avoiding inconsistent message
	// processing").
	Unreceived Kind = "relay: a received message gets lost"
	// A deletion has no effect (DeleteMessage, as above).
	Undeleted Kind = "relay: a deletion gets lost"
)

// The faults of the network between a relay and AWS. If an answer is lost, the relay does not know whether the request
// was carried out. This can happen to every request over a network.
const (
	// Step Functions accepts the result of a task, but the relay does not learn this.
	AnswerLost Kind = "relay: the answer to an answer gets lost"
	// No result of the relay reaches Step Functions.
	AnswerUnsent Kind = "relay: an answer gets lost"
	// Only the first heartbeat reaches Step Functions.
	Beatless Kind = "relay: heartbeats get lost"
)

// The faults of a relay's machine.
const (
	// The relay is killed at an operation on the store or on the directory: before the operation is carried out, or
	// after it and before the answer arrives.
	Killed Kind = "relay: it is killed at work"
	// The relay is killed after its work, before or immediately after it reports the result.
	KilledAnswering Kind = "relay: it is killed at its answer"
	// The machine is suspended for hours in the middle of an operation. Unlike with Hangs, the other relay does nothing
	// meanwhile.
	Frozen Kind = "relay: it stands still for hours"
	// A relay hangs for 30 seconds to 50 hours, and then goes on. Meanwhile the cloud and the other relay do not wait.
	Hangs Kind = "relay: it hangs while others go on"
	// Like Hangs, immediately before the first write. The relay has already compared the account with the evidence.
	HangsWriting Kind = "relay: it hangs before a write"
	// The relay hangs after its work, just before it reports the result. The result comes 30 seconds to 50 hours later.
	HangsAnswering Kind = "relay: it answers long after its work"
	// Both relays are stopped for hours.
	Stopped Kind = "relay: all are stopped for hours"
	// The clock of a relay is wrong by up to twelve minutes.
	Skewed Kind = "relay: its clock is wrong"
)

// Chances has the probability of each kind of fault, per message or per delivery of a message. A night has one to four
// messages.
var Chances = map[Kind]float64{
	Twice: 0.04, Both: 0.03, OldAgain: 0.04, Unordered: 0.5, Late: 0.05, Unreceived: 0.02, Undeleted: 0.03,
	AnswerLost: 0.02, AnswerUnsent: 0.02, Beatless: 0.02,
	Killed: 0.03, KilledAnswering: 0.03, Frozen: 0.02, Hangs: 0.03, HangsAnswering: 0.02, HangsWriting: 0.12, Stopped: 0.006, Skewed: 0.02,
}

// The type "fate" is the fault of one delivery of a message.
type fate struct {
	kind  Kind // "": nothing
	at    int  // number of the call of Active Directory, or of the operation, from 1
	after bool // whether the fault follows that call or operation
	long  time.Duration
}

// At most one of these faults happens to a delivery.
var fates = []Kind{Both, Unreceived, Undeleted, AnswerLost, AnswerUnsent, Beatless, Killed, KilledAnswering, Frozen, Hangs, HangsAnswering, HangsWriting}

// A fault happens at one of the first mostCalls calls or operations of a delivery. Most deliveries make fewer calls, so
// many planned faults do not happen.
const mostCalls = 24

// hangs are the durations for which a relay may hang. Some are longer than the visibility timeout, than the heartbeat
// time of a task, or than a night.
var hangs = []time.Duration{30 * time.Second, 2 * time.Minute, 4 * time.Minute, 20 * time.Minute, 3 * time.Hour, 20 * time.Hour, 50 * time.Hour}

// The method "fate" draws what happens to the next delivery.
func (p *Premises) fate() fate {
	for _, kind := range fates {
		if p.happens(kind, p.worked) {
			d := p.o.Dice("fate", p.worked)
			return fate{kind: kind, at: 1 + d.IntN(mostCalls), after: d.IntN(2) == 0, long: drawn(d, kind)}
		}
	}
	return fate{}
}

func drawn(d *rand.Rand, kind Kind) time.Duration {
	if kind == Frozen {
		return time.Duration(1+d.IntN(24)) * time.Hour
	}
	return hangs[d.IntN(len(hangs))]
}
