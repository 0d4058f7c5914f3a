package premises

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/nights/weather"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/source/activedirectory"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "simulated" is a clock that advances only in Sleep. While it advances, it calls the function "tick" every
// ten seconds, as the clock of a world does.
type simulated struct {
	mu   sync.Mutex
	at   time.Time
	tick func()
}

func (c *simulated) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *simulated) Sleep(ctx context.Context, d time.Duration) error {
	for step := 10 * time.Second; d > 0; d -= step {
		c.mu.Lock()
		c.at = c.at.Add(min(d, step))
		c.mu.Unlock()
		if c.tick != nil && d < time.Hour {
			c.tick()
		}
	}
	return ctx.Err()
}

// The type "rig" is a company with relays, in which one fault happens. The field "kind" is the kind of the fault. The
// field "which" is the number of the message or of the delivery to which the fault happens.
type rig struct {
	*Premises
	t       *testing.T
	box     *sandbox.Sandbox
	clock   *simulated
	store   store.Memory
	weather *weather.Weather
	kind    Kind
	which   int
	happens int // how often the fault happened
	waits   int // how often a message waited

	mu      sync.Mutex
	changes []sandbox.What // changes of members
}

func newRig(t *testing.T, kind Kind, which int) *rig {
	t.Helper()
	r := &rig{t: t, clock: &simulated{at: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}, kind: kind, which: which}
	var err error
	r.box, err = sandbox.Start(sandbox.Options{Users: 20, Seed: 5, Now: r.clock.Now, Witness: func(e sandbox.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if e.Group == "Citrix Users" && !e.ByHand {
			r.changes = append(r.changes, e.What)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.box.Close() })
	r.weather = weather.New(1, r.clock)
	r.box.Meddle(r.weather.LDAP)
	r.Premises, err = Open(Options{
		Clock: r.clock, Store: r.weather.Store(&r.store), Weather: r.weather, Log: slog.New(slog.DiscardHandler),
		AD: activedirectory.Config{URLs: []string{r.box.ADURL}, Base: r.box.Base, Bind: r.box.Bind, PasswordFile: r.box.PasswordFile, CAFile: r.box.CAFile},
		Happens: func(kind Kind, which int) bool {
			now := kind == r.kind && which == r.which
			if now {
				r.happens++
			}
			return now
		},
		Dice:   func(_ string, which int) *rand.Rand { return rand.New(rand.NewPCG(3, uint64(which))) },
		Domain: func() time.Duration { return 0 },
		Waits:  func(int) { r.waits++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.clock.tick = r.Tick
	t.Cleanup(func() { _ = r.Premises.Close() })
	return r
}

// The method "removal" adds a person to the group of Citrix by hand, and returns the message that removes the person.
func (r *rig) removal(i int) protocol.Message {
	r.t.Helper()
	r.box.Company.SetMember(i, "Citrix Users", true)
	p := r.box.Company.Person(i)
	list := protocol.Changes{Changes: []protocol.Change{{ID: "c1", SID: p.AD.SID, GUID: p.AD.GUID, Group: sandbox.CitrixGroup, Action: protocol.Remove}}}
	key := "runs/r1/ad/input/b1.json"
	if err := store.PutJSON(r.t.Context(), &r.store, key, list); err != nil {
		r.t.Fatal(err)
	}
	return protocol.Message{Kind: protocol.WriteMembers, Run: "r1", Batch: "b1", Input: key}
}

func (r *rig) result(end protocol.Ending) protocol.Outcome {
	r.t.Helper()
	var out protocol.Results
	if err := store.GetJSON(r.t.Context(), &r.store, end.Key, &out); err != nil || len(out.Results) != 1 {
		r.t.Fatalf("the task ended with %+v: %+v, %v", end, out, err)
	}
	return out.Results[0].Outcome
}

// TestFaults: under most kinds of faults, the change is made exactly once. If the relay is stopped or suspended before
// its write, no change is made.
func TestFaults(t *testing.T) {
	t.Parallel()
	for kind, want := range map[Kind]struct {
		err       string
		delivered int           // number of deliveries until the task ends
		took      time.Duration // until the task ends
		waits     int
	}{
		"":              {"", 1, 0, 0},
		Twice:           {"", 1, 0, 0},
		Both:            {"", 1, 0, 0},
		Unreceived:      {"", 2, visibility, 1},
		Undeleted:       {"", 1, 0, 0},
		AnswerLost:      {"", 1, 0, 0},
		AnswerUnsent:    {"", 2, visibility, 1},
		Killed:          {"", 2, visibility, 1},
		KilledAnswering: {"", 2, visibility, 1},
		Hangs:           {"", 2, visibility, 1},
		HangsAnswering:  {"", 2, visibility, 1},
		HangsWriting:    {"", 2, visibility, 1},
		Frozen:          {"States.Timeout", 1, 4 * time.Hour, 0},
		Late:            {"", 1, time.Minute, 1},
		Stopped:         {"States.HeartbeatTimeout", 0, 5 * time.Minute, 1},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, kind, 1)
			m, began := r.removal(3), r.clock.Now()
			end := r.Ask(m)
			got := want
			got.err, got.delivered, got.took, got.waits = end.Error, r.worked, r.clock.Now().Sub(began), r.waits
			if want != got {
				t.Errorf("want %+v, got %+v: %s", want, got, end.Cause)
			}
			if end.Error == "" && r.result(end) != protocol.Done {
				t.Errorf("the change came to %q", r.result(end))
			}
			r.Calm()
			if kind != "" && r.happens == 0 {
				t.Error("the fault did not happen")
			}
			removed := []sandbox.What{sandbox.MemberRemoved}
			if kind == Stopped || kind == Frozen { // the relay stands still before its write
				removed = nil
			}
			if d := cmp.Diff(removed, r.changes); d != "" {
				t.Errorf("changes of members (-want +got):\n%s", d)
			}
		})
	}
}

// TestHeartbeats: while a relay waits for a slow directory, its heartbeats keep its message hidden in the queue. If
// they get lost, the queue delivers the message again.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	for kind, delivered := range map[Kind]int{"": 1, Beatless: 2} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, kind, 1)
			m, began := r.removal(3), r.clock.Now()
			r.weather.Begin(weather.Plan{Often: 1, Kinds: []weather.Kind{weather.LDAPSlow}})
			if end := r.Ask(m); r.result(end) != protocol.Done {
				t.Errorf("the task ended with %+v", end)
			}
			if took := r.clock.Now().Sub(began); r.worked != delivered || took < visibility {
				t.Errorf("%d deliveries in %s, want %d", r.worked, took, delivered)
			}
		})
	}
}

// TestOldMessage: when a message of an ended task is delivered again, the relay makes no change.
func TestOldMessage(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{OldAgain, Unordered} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, kind, 2)
			first := r.Ask(r.removal(3))
			if kind == Unordered {
				r.account.Send(r.sent[0].queue, r.sent[0].body)
			}
			second := r.Ask(r.removal(4))
			if r.result(first) != protocol.Done || r.result(second) != protocol.Done || r.happens != 1 || r.worked < 2 {
				t.Errorf("%+v, then %+v, %d faults, %d deliveries", first, second, r.happens, r.worked)
			}
			if d := cmp.Diff([]sandbox.What{sandbox.MemberRemoved, sandbox.MemberRemoved}, r.changes); d != "" {
				t.Errorf("changes of members (-want +got):\n%s", d)
			}
		})
	}
}

// TestClocks: the time of a reading comes from the relay's own clock, even if this clock is wrong.
func TestClocks(t *testing.T) {
	t.Parallel()
	r := newRig(t, Skewed, 2) // the clock of the first relay for the first message
	r.relays[1].stuck = &delivery{}
	r.relays[1].until = r.clock.Now().Add(time.Hour)
	sid := r.box.Company.Person(3).AD.SID
	key := "runs/r1/ad/input/b1.json"
	if err := store.PutJSON(t.Context(), &r.store, key, protocol.People{SIDs: []string{sid}}); err != nil {
		t.Fatal(err)
	}
	now := r.clock.Now()
	end := r.Ask(protocol.Message{Kind: protocol.ReadCandidates, Run: "r1", Batch: "b1", Input: key})
	r.relays[1].stuck = nil
	var e protocol.Evidence
	if err := store.GetJSON(t.Context(), &r.store, end.Key, &e); err != nil {
		t.Fatal(err)
	}
	if skew := time.Duration(r.relays[0].clock.skew.Load()); skew == 0 || !e.Read.Equal(now.Add(skew)) {
		t.Errorf("read at %s, which is %s after the beginning; the clock is ahead by %s", e.Read, e.Read.Sub(now), skew)
	}
}

// TestHangKeepsTheClock: nobody sets the clock of a relay back while the relay hangs. The relay would otherwise measure
// a hang that is too short, and write although its lease has ended.
func TestHangKeepsTheClock(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", 0)
	r.relays[0].clock.skew.Store(int64(7 * time.Minute))
	r.relays[0].stuck = &delivery{}
	r.relays[0].until = r.clock.Now().Add(time.Hour)
	if end := r.Ask(r.removal(3)); r.result(end) != protocol.Done {
		t.Errorf("the task ended with %+v", end)
	}
	r.relays[0].stuck = nil
	if skew := time.Duration(r.relays[0].clock.skew.Load()); skew != 7*time.Minute {
		t.Errorf("the clock is ahead by %s after the message, want 7m0s", skew)
	}
}
