package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/snapshot"
)

const (
	kills       = 10
	partitions  = 3
	contractors = "CN=Citrix Contractors,OU=Licenses," + sandbox.BaseDN
	noGroup     = "CN=Nobody Made This,OU=Licenses," + sandbox.BaseDN
)

var everyone = protocol.Message{Kind: protocol.ReadEveryone, Partitions: partitions, AsOf: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	Groups: []protocol.Group{{DN: sandbox.CitrixGroup, Direct: true}, {DN: sandbox.CitrixGroup}, {DN: noGroup}}}

// The type "seen" is the content of a snapshot, as far as it comes from Active Directory.
type seen struct {
	People      map[string]directory.ADUser
	Memberships map[string][]string
	Nested      map[string]bool // the SIDs of the people who are in a group through a nested group
	Unreadable  []string
	Sampled     int
}

// The method "sealed" makes a snapshot of the reading that the relay stored under "key", and returns the content of the
// snapshot. The snapshot has no reading of Entra ID.
func (r *rig) sealed(key string) seen {
	r.Helper()
	run := "sealed-" + strings.ReplaceAll(key, "/", "-")
	m := snapshot.Manifest{Run: run, Taken: time.Now(), Readings: [2]snapshot.Reading{{Absent: true}, get[snapshot.Reading](r, key)}}
	if err := snapshot.Seal(r.Context(), r.store, &m); err != nil {
		r.Fatal(err)
	}
	manifest, _, err := snapshot.GetManifest(r.Context(), r.store, run)
	if err != nil {
		r.Fatal(err)
	}
	got := seen{People: map[string]directory.ADUser{}, Memberships: map[string][]string{}, Nested: map[string]bool{}, Sampled: manifest.Readings[directory.AD].Sampled}
	for p := range partitions {
		var h directory.Accounts
		if err := manifest.Read(r.Context(), r.store, p, &h); err != nil {
			r.Fatal(err)
		}
		for _, u := range h.AD {
			got.People[u.SID] = u
		}
		for sid, keys := range h.Memberships {
			for _, key := range keys {
				if strings.HasPrefix(key, "ad/nested:") {
					got.Nested[sid] = true
				} else {
					got.Memberships[sid] = append(got.Memberships[sid], key)
				}
			}
		}
		got.Unreadable = h.Unreadable
	}
	return got
}

// The function "killing" checks that work is completed even if the relay is killed. It first does the work without a
// kill and counts the events, such as requests and answers (see the type "tap"). It divides the events into as many
// equal parts as the constant "kills" says. For each part, it repeats the work, kills the relay at a random event of
// the part, and starts another relay.
//
// The parameter "work" returns two functions: "ask" starts the work, and "check" waits for its end and checks the
// result. The parameter "queue" returns the queue of the work, which must be empty at the end.
func killing(t *testing.T, newRig func(*testing.T) *rig, queue func(*rig) string, work func(r *rig) (ask func() *awsfake.Task, check func(*awsfake.Task))) {
	run := func(r *rig, disturb func(p *process) (wait func())) {
		ask, check := work(r)
		p := r.start()
		r.says(p, "waiting for messages", 2)
		wait := disturb(p)
		asked := ask()
		wait()
		check(asked)
		r.drained(queue(r))
	}
	whole := newRig(t)
	run(whole, func(*process) func() {
		whole.arm(0, nil)
		return func() {}
	})
	events := whole.arm(0, nil)
	t.Logf("%d events", events)
	for k := range kills {
		t.Run(fmt.Sprint(k), func(t *testing.T) {
			t.Parallel()
			points := rand.New(rand.NewPCG(uint64(k), 3))
			at := min(1+(k*events+points.IntN(events))/kills, events-3) // none of the last three events: they may not come, because the number of polls varies
			r := newRig(t)
			run(r, func(p *process) func() {
				struck := make(chan struct{})
				r.arm(at, func() {
					p.kill()
					close(struck)
				})
				return func() {
					select {
					case <-struck:
					case <-r.soon().Done():
						t.Fatalf("event %d of %d never came", at, events)
					}
					r.start()
					r.aws.Advance(r.visibility)
				}
			})
		})
	}
}

func TestKilledWhileReading(t *testing.T) {
	t.Parallel()
	killedWhileReading(t, func(t *testing.T) *rig { return newRig(t, 3*time.Second) })
}

func killedWhileReading(t *testing.T, newRig func(*testing.T) *rig) {
	killing(t, newRig, func(r *rig) string { return r.readQueue }, func(r *rig) (func() *awsfake.Task, func(*awsfake.Task)) {
		return func() *awsfake.Task { return r.ask(r.everyone()) }, func(asked *awsfake.Task) {
			if diff := cmp.Diff(r.truth(r), r.sealed(r.answer(asked))); diff != "" {
				r.Errorf("the snapshot differs from the company (-company +snapshot):\n%s", diff)
			}
		}
	})
}

func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	killedWhileWriting(t, func(t *testing.T) *rig { return newRig(t, 3*time.Second) })
}

func killedWhileWriting(t *testing.T, newRig func(*testing.T) *rig) {
	killing(t, newRig, func(r *rig) string { return r.writeQueue }, func(r *rig) (func() *awsfake.Task, func(*awsfake.Task)) {
		list := r.changes(r)
		m := protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", list)}
		return func() *awsfake.Task { return r.ask(m) }, func(asked *awsfake.Task) { r.madeOnce(list, r.answer(asked)) }
	})
}

// madeOnce checks that each change in "list" was made exactly once. It compares the list with the results of the relay,
// whose key is "key", and with the writes that the directory accepted.
func (r *rig) madeOnce(list protocol.Changes, key string) {
	r.Helper()
	want := map[string]int{}
	results := get[protocol.Results](r, key)
	for i, c := range list.Changes {
		want[strings.TrimPrefix(c.ID, "change-")+" "+string(c.Action)]++
		if got := results.Results[i]; got.ID != c.ID || got.Outcome != protocol.Done || got.After != (c.Action == protocol.Add) {
			r.Errorf("change %+v came to %+v", c, got)
		}
	}
	if diff := cmp.Diff(want, r.written(r)); diff != "" {
		r.Errorf("writes that the directory accepted (-want +got):\n%s", diff)
	}
}
