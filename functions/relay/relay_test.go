package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// The constant "minute" is a visibility timeout that is longer than a test takes. So a message becomes visible again
// only if a test moves the clock of the queues.
const minute = time.Minute

func TestCandidates(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	want := protocol.Evidence{Run: "run-1", Batch: "b1", Unreadable: []string{everyone.Groups[2].Key()}}
	for _, g := range everyone.Groups {
		want.Groups = append(want.Groups, g.Key())
	}
	truth, list := r.truth(r), protocol.People{}
	for i := 0; len(list.SIDs) < 30; i++ {
		p := r.company.Person(i)
		if p.AD == nil {
			continue
		}
		list.SIDs = append(list.SIDs, p.AD.SID)
		p.AD.LastLogonTimestamp = p.LastLogon // the relay reports the newest lastLogon of all controllers in this field; this domain has a single controller
		want.People = append(want.People, protocol.Account{SID: p.AD.SID, User: p.AD, Groups: truth.Memberships[p.AD.SID]})
	}
	const nobody = "S-1-5-21-1-2-3-999999"
	list.SIDs = append(list.SIDs, nobody)
	want.People = append(want.People, protocol.Account{SID: nobody})
	named := *want.People[0].User
	list.Names = []string{named.UserPrincipalName, "nobody@contoso.example"}
	want.People = append(want.People, protocol.Account{SID: named.SID, Name: list.Names[0], User: &named, Groups: want.People[0].Groups},
		protocol.Account{Name: list.Names[1]})
	asked := r.ask(protocol.Message{Kind: protocol.ReadCandidates, Batch: "b1", Input: r.put("b1", list), Groups: everyone.Groups, Sample: 50})
	r.start()
	got := get[protocol.Evidence](r, r.answer(asked))
	if age := time.Since(got.Read); age < 0 || age > time.Minute {
		t.Errorf("read %v ago", age)
	}
	got.Read = time.Time{}
	if len(got.Sample) != 50 || !slices.ContainsFunc(got.Sample, func(d time.Time) bool { return !d.IsZero() }) {
		t.Errorf("%d dates are sampled: %v", len(got.Sample), got.Sample)
	}
	got.Sample = nil
	if len(got.Found) == 0 {
		t.Error("no group was found")
	}
	for dn, g := range got.Found {
		if g.GUID == "" || g.Created.IsZero() || !slices.ContainsFunc(everyone.Groups, func(asked protocol.Group) bool { return asked.DN == dn }) {
			t.Errorf("group %q: %+v", dn, g)
		}
	}
	got.Found = nil
	for i := range got.People { // other tests check the values of the field Seen
		if a := &got.People[i]; (a.Seen == nil) != (a.User == nil) {
			t.Errorf("account %d: %+v", i, a)
		}
		got.People[i].Seen = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// TestChangesSince requests a full reading and then a delta reading. The delta reading gives a snapshot with everybody,
// and with the new logons. If the earlier reading is missing, the relay makes a full reading.
func TestChangesSince(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	p := r.start()
	first := get[snapshot.Reading](r, r.answer(r.ask(everyone)))
	if first.Watermark == nil || first.WhyFull != "the message names no earlier reading" {
		t.Errorf("the first reading: mark %v, in full: %q", first.Watermark, first.WhyFull)
	}
	logons := 0
	for i := range r.company.Size() {
		if u := r.company.Person(i).AD; u != nil && i%40 == 0 {
			r.company.LogOn(i)
			logons++
		}
	}
	const since = "runs/run-1/ad/since.json"
	if err := store.PutJSON(t.Context(), r.store, since, first); err != nil {
		t.Fatal(err)
	}
	again := everyone
	again.Attempt, again.Since = 1, since
	key := r.answer(r.ask(again))
	second := get[snapshot.Reading](r, key)
	if second.WhyFull != "" || second.Changed == 0 || second.Changed > logons || !second.Full.Equal(first.Full) {
		t.Errorf("%d of %d changed; in full: %q", second.Changed, logons, second.WhyFull)
	}
	if diff := cmp.Diff(r.truth(r), r.sealed(key)); diff != "" {
		t.Errorf("the snapshot differs from the company (-company +snapshot):\n%s", diff)
	}
	again.Attempt, again.Since = 2, "runs/run-1/ad/lost.json"
	if third := get[snapshot.Reading](r, r.answer(r.ask(again))); !strings.Contains(third.WhyFull, "no such object") || third.People != second.People {
		t.Errorf("%d people; in full: %q", third.People, third.WhyFull)
	}
	p.kill()
}

func TestTwoRelaysShareAQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3*time.Second)
	var list protocol.People
	for i := range 40 {
		if p := r.company.Person(i); p.AD != nil {
			list.SIDs = append(list.SIDs, p.AD.SID)
		}
	}
	first, second := r.start(), r.start()
	r.says(first, "waiting for messages", 2)
	r.says(second, "waiting for messages", 2)
	var asked []*awsfake.Task
	for i := range 12 {
		batch := fmt.Sprintf("b%d", i)
		asked = append(asked, r.ask(protocol.Message{Kind: protocol.ReadCandidates, Batch: batch, Input: r.put(batch, list)}))
	}
	r.says(first, "candidates were read", 1)
	first.kill()
	r.aws.Advance(r.visibility)
	for _, a := range asked {
		if got := get[protocol.Evidence](r, r.answer(a)); len(got.People) != len(list.SIDs) {
			t.Errorf("%d people, not %d", len(got.People), len(list.SIDs))
		}
	}
	r.drained(r.readQueue)
	r.says(second, "candidates were read", 1)
}

func TestDownRelay(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	asked := r.ask(everyone)
	r.aws.Advance(2 * time.Hour)
	if end, err := asked.Wait(r.soon()); err != nil || end.Error != awsfake.Timeout {
		t.Fatalf("the task of a relay that is down: %+v, %v", end, err)
	}
	if waiting := r.aws.Bodies(r.readQueue); len(waiting) != 1 {
		t.Fatalf("%d messages wait", len(waiting))
	}
	p := r.start()
	r.drained(r.readQueue)
	r.says(p, "waits for no answer any more", 1)
	if n := len(r.box.Requests()); n > 0 {
		t.Errorf("%d requests to Active Directory for a task that was over", n)
	}
}

func TestMessagesThatAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	bad := func(change func(m map[string]any)) *awsfake.Task {
		asked := r.aws.NewTask(time.Hour, time.Hour)
		m := map[string]any{"version": 1, "kind": "read-candidates", "token": asked.Token, "run": "run-1", "attempt": 0, "batch": "b1", "input": "runs/run-1/ad/input/b1.json"}
		change(m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		r.aws.Send(r.readQueue, string(text))
		return asked
	}
	r.put("people", map[string]any{"sids": []string{"Anna Lindqvist"}})
	tests := []struct {
		cause string
		asked *awsfake.Task
	}{
		{"version 2", bad(func(m map[string]any) { m["version"] = 2 })},
		{`kind "fly" is not known`, bad(func(m map[string]any) { m["kind"] = "fly" })},
		{"does not belong to queue ad-read", bad(func(m map[string]any) { m["kind"] = "write-members" })},
		{`unknown field "grups"`, bad(func(m map[string]any) { m["grups"] = 1 })},
		{"not the key of an object under runs/run-1/ad/", bad(func(m map[string]any) { m["input"] = "ledger/x/y/1.json" })},
		{"no such object", bad(func(map[string]any) {})},
		{"person 0: (name left out) is not a SID", bad(func(m map[string]any) { m["input"] = "runs/run-1/ad/input/people.json" })},
	}
	garbage := []string{"hello", `{"version":1,"kind":"read-everyone"}`}
	for _, g := range garbage {
		r.aws.Send(r.readQueue, g)
	}
	p := r.start()
	for _, tt := range tests {
		end, err := tt.asked.Wait(r.soon())
		if err != nil || end.Error != protocol.ErrorBad || !strings.Contains(end.Cause, tt.cause) {
			t.Errorf("want %q, got %+v, %v", tt.cause, end, err)
		}
	}
	for n := 1; len(r.aws.Bodies(r.readQueue)) > 0; n++ {
		if n <= 30 {
			r.says(p, "left for the dead-letter queue", len(garbage)*n)
		} else {
			r.drained(r.readQueue)
		}
		r.aws.Advance(r.visibility)
	}
	dead := r.aws.DeadLetters(r.readQueue)
	slices.Sort(dead)
	if diff := cmp.Diff(garbage, dead); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	r.answer(r.ask(everyone)) // the relay must still work
}

func TestTerminatedInTheMiddle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   int
		m    func(r *rig) protocol.Message
	}{
		{"reading", 100, func(*rig) protocol.Message { return everyone }},
		{"writing", 40, func(r *rig) protocol.Message {
			return protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", r.changes(r))}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, minute)
			m, list := tt.m(r), r.changes(r)
			p := r.start()
			r.says(p, "waiting for messages", 2)
			r.arm(tt.at, func() { r.signal(p, syscall.SIGTERM) })
			asked := r.ask(m)
			select {
			case <-p.ended:
			case <-r.soon().Done():
				t.Fatal("the relay did not end")
			}
			if !p.ProcessState.Success() {
				t.Errorf("the relay ended with %v", p.ProcessState)
			}
			if asked.Ended() {
				t.Fatal("the task ended, although the relay was stopped in the middle")
			}
			r.start() // this relay gets the message at once, because the stopped relay returned the message to the queue
			key := r.answer(asked)
			if m.Kind == protocol.WriteMembers {
				r.madeOnce(list, key)
			} else if diff := cmp.Diff(r.truth(r), r.sealed(key)); diff != "" {
				t.Errorf("the snapshot differs from the company (-company +snapshot):\n%s", diff)
			}
		})
	}
}

func TestQueuesAreSwitchedOff(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	m := protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", r.changes(r))}
	write := r.ask(m)
	p := r.start("IDLESEAT_RELAY_WRITE_QUEUE=")
	r.answer(r.ask(everyone))
	p.kill()
	if write.Ended() || len(r.company.History()) > 0 {
		t.Error("a relay that may only read has written")
	}
	read := r.ask(everyone)
	p = r.start("IDLESEAT_RELAY_READ_QUEUE=")
	r.answer(write)
	p.kill()
	if read.Ended() {
		t.Error("a relay that may only write has read")
	}
}

// TestLogsNameNobody: no line in the log names a person.
func TestLogsNameNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, minute)
	p := r.start()
	r.answer(r.ask(everyone))
	list := r.changes(r)
	list.Changes[0].Group = noGroup
	list.Changes[1].GUID = list.Changes[2].GUID
	list.Changes[3].After = list.Changes[0].ID
	results := get[protocol.Results](r, r.answer(r.ask(protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: r.put("b1", list)})))
	var got []protocol.Outcome
	for _, result := range results.Results[:4] {
		got = append(got, result.Outcome)
	}
	if diff := cmp.Diff([]protocol.Outcome{protocol.Refused, protocol.Missing, protocol.Done, protocol.Skipped}, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	p.kill()
	log := strings.ToLower(strings.Join(p.log, "\n"))
	for i := range r.company.Size() {
		if u := r.company.Person(i).AD; u != nil {
			for _, name := range []string{u.DisplayName, u.SAMAccount, u.UserPrincipalName, u.DN} {
				if strings.Contains(log, strings.ToLower(name)) {
					t.Fatalf("the log names %q", name)
				}
			}
		}
	}
}
