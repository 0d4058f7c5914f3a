package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/relay/protocol"
)

// standStill sends the message m to a relay, and suspends the relay with SIGSTOP at the event "at" (see tap.arm). It
// returns after the visibility timeout of the message and the heartbeat of the task have expired. The test can then
// give the work to another relay, and wake the suspended one with SIGCONT.
func (r *rig) standStill(at int, m protocol.Message) (p *process, lost *awsfake.Task) {
	r.Helper()
	p = r.start()
	r.says(p, "waiting for messages", 2)
	stopped := make(chan struct{})
	r.arm(at, func() {
		r.signal(p, syscall.SIGSTOP)
		close(stopped)
	})
	lost = r.ask(m, time.Minute)
	select {
	case <-stopped:
	case <-r.soon().Done():
		r.Fatal("the relay did not come so far")
	}
	time.Sleep(r.visibility) // after this time, the clock of the suspended relay says that the visibility timeout has expired
	r.aws.Advance(time.Hour / 2)
	if end, err := lost.Wait(r.soon()); err != nil || end.Error != awsfake.HeartbeatTimeout {
		r.Fatalf("the task of the relay that stands still: %+v, %v", end, err)
	}
	return p, lost
}

func TestLateReaderSpoilsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Second)
	late, _ := r.standStill(100, everyone)
	again := everyone
	again.Attempt = 1
	asked := r.ask(again)
	r.start()
	key := r.answer(asked)
	want := r.truth(r)
	r.signal(late, syscall.SIGCONT)
	r.says(late, "the work was stopped", 1)
	r.drained(r.readQueue)
	if diff := cmp.Diff(want, r.sealed(key)); diff != "" {
		t.Errorf("the snapshot differs from the company (-company +snapshot):\n%s", diff)
	}
	for key, err := range r.store.List(t.Context(), "runs/run-1/ad/") {
		if err != nil || strings.HasSuffix(key, "/0.json") {
			t.Errorf("the late reader wrote %s (%v)", key, err)
		}
	}
}

func TestLateWriterSpoilsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Second)
	list := r.changes(r)
	m := protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", list)}
	late, _ := r.standStill(40, m)
	before := len(r.company.History())
	if before == 0 || before == len(list.Changes) {
		t.Fatalf("the relay stands still after %d of %d changes", before, len(list.Changes))
	}
	m.Attempt = 1
	asked := r.ask(m)
	r.start()
	key := r.answer(asked)
	r.signal(late, syscall.SIGCONT)
	r.says(late, "the work was stopped", 1)
	r.drained(r.writeQueue)
	r.madeOnce(list, key)
}
