package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

var (
	errBroken = errors.New("connection broke")
	everyone  = protocol.Message{Kind: protocol.ReadEveryone, Partitions: 1, AsOf: time.Now(), Groups: []protocol.Group{{DN: group}, {DN: "CN=None,DC=test"}}}
)

func TestChange(t *testing.T) {
	t.Parallel()
	refusal := &directory.Refusal{Reason: "may not", Err: errBroken}
	failAt := func(n int) func(int) error {
		return func(reads int) error {
			if reads == n {
				return errBroken
			}
			return nil
		}
	}
	fails := func(err error) func() error { return func() error { return err } }
	tests := []struct {
		name   string
		ad     *fakeAD
		group  string
		want   protocol.Result
		writes int
	}{
		{"made", &fakeAD{member: true}, group, protocol.Result{Outcome: protocol.Done, Before: true}, 1},
		{"made already", &fakeAD{}, group, protocol.Result{Outcome: protocol.Done}, 0},
		{"no such person", &fakeAD{find: fails(directory.ErrNoPerson)}, group, protocol.Result{Outcome: protocol.Failed, Note: "no such person"}, 0},
		{"another account by now", &fakeAD{member: true, guid: "BBBBBBBBBBBBBBBBBBBBBA=="}, group, protocol.Result{Outcome: protocol.Missing, Note: "the account that has this SID now is another object"}, 0},
		{"left out by now", &fakeAD{member: true, find: fails(directory.ErrLeftOut)}, group, protocol.Result{Outcome: protocol.Done, Before: true}, 1},
		{"person not readable", &fakeAD{find: fails(errBroken)}, group, protocol.Result{Outcome: protocol.Failed, Note: "connection broke"}, 0},
		{"no such group", &fakeAD{}, "CN=None,DC=test", protocol.Result{Outcome: protocol.Refused, Note: "no such group"}, 0},
		{"group not readable", &fakeAD{lookup: failAt(1)}, group, protocol.Result{Outcome: protocol.Failed, Note: "connection broke"}, 0},
		{"refused", &fakeAD{member: true, deaf: true, write: fails(refusal)}, group, protocol.Result{Outcome: protocol.Refused, Before: true, After: true, Note: "may not"}, 1},
		{"broken before it was made", &fakeAD{member: true, deaf: true, write: fails(errBroken)}, group, protocol.Result{Outcome: protocol.Failed, Before: true, After: true, Note: "connection broke"}, 1},
		{"broken after it was made", &fakeAD{member: true, write: fails(errBroken)}, group, protocol.Result{Outcome: protocol.Done, Before: true}, 1},
		{"accepted but not shown", &fakeAD{member: true, deaf: true}, group, protocol.Result{Outcome: protocol.Failed, Before: true, After: true, Note: "the directory accepted the change but does not show it"}, 1},
		{"not readable again", &fakeAD{member: true, lookup: failAt(2)}, group, protocol.Result{Outcome: protocol.Failed, Before: true, Note: "the group could not be read again: connection broke"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, tt.ad)
			asked := b.send(b.removal(tt.group))
			b.run()
			tt.want.ID, tt.want.GUID = "c1", guid
			if diff := cmp.Diff(tt.want, b.result(asked)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.writes, tt.ad.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadingFails(t *testing.T) {
	t.Parallel()
	ad := &fakeAD{list: func(context.Context) error {
		return fmt.Errorf(`damaged entry "CN=Anna Lindqvist,DC=test": %w`, errBroken)
	}}
	b := newBench(t, ad)
	asked := b.send(everyone)
	b.run()
	want := awsfake.Result{Error: protocol.ErrorFailed, Cause: "read ad: damaged entry (name left out): connection broke"}
	if diff := cmp.Diff(want, b.wait(asked)); diff != "" {
		t.Errorf("end (-want +got):\n%s", diff)
	}
	for key, err := range b.store.List(t.Context(), "") {
		t.Errorf("the store holds %s (%v)", key, err)
	}
}

// TestWrongClock: the clocks of a relay and of a controller differ. The relay then reads nothing, except for a message
// with Sample 0: the cloud uses no dates from the answer to such a message.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	candidates := protocol.Message{Kind: protocol.ReadCandidates, Batch: "b1", Input: "runs/r1/ad/input/b1.json", Sample: 1}
	undated := candidates
	undated.Sample = 0
	for _, m := range []protocol.Message{everyone, candidates, undated} {
		b := newBench(t, &fakeAD{clock: directory.ErrClock, list: func(context.Context) error { return errors.New("it was read") }})
		if err := store.PutJSON(t.Context(), b.store, candidates.Input, protocol.People{SIDs: []string{anna}}); err != nil {
			t.Fatal(err)
		}
		asked := b.send(m)
		b.run()
		want, got := awsfake.Result{Error: protocol.ErrorFailed, Cause: directory.ErrClock.Error()}, b.wait(asked)
		if m.Kind == protocol.ReadCandidates && m.Sample == 0 {
			want = awsfake.Result{Output: got.Output}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, sample %d (-want +got):\n%s", m.Kind, m.Sample, diff)
		}
	}
}

// TestReadingIsThereAlready: if two relays work on one attempt, the first stored reading counts.
func TestReadingIsThereAlready(t *testing.T) {
	t.Parallel()
	ad := &fakeAD{}
	b := newBench(t, ad)
	theirs := snapshot.Reading{Source: directory.AD, People: 77}
	ad.list = func(ctx context.Context) error {
		return store.PutJSONIfAbsent(ctx, b.store, "runs/r1/ad/0.json", theirs)
	}
	asked := b.send(everyone)
	b.run()
	if end := b.wait(asked); end.Output != `{"key":"runs/r1/ad/0.json"}` {
		t.Errorf("%+v", end)
	}
	var got snapshot.Reading
	if err := store.GetJSON(t.Context(), b.store, "runs/r1/ad/0.json", &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs, got); diff != "" {
		t.Errorf("reading (-first +now):\n%s", diff)
	}
}

// TestGoneGroup: nobody is in a deleted group, and nobody can join it.
func TestGoneGroup(t *testing.T) {
	t.Parallel()
	m := protocol.Message{Kind: protocol.ReadCandidates, Groups: []protocol.Group{{DN: gone, Direct: true}, {DN: "CN=None,DC=test", Direct: true}}}
	got, err := (&Relay{ad: &fakeAD{member: true}, clock: clock.Real}).evidence(t.Context(), &m, &protocol.People{SIDs: []string{anna}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Gone, []string{m.Groups[0].Key()}) || !slices.Equal(got.Unreadable, []string{m.Groups[1].Key()}) || len(got.People[0].Groups) > 0 {
		t.Errorf("gone %q, unreadable %q, in %q", got.Gone, got.Unreadable, got.People[0].Groups)
	}
	for action, want := range map[protocol.Action]protocol.Result{
		protocol.Add:    {Outcome: protocol.Refused, Note: "no such group"},
		protocol.Remove: {Outcome: protocol.Done},
	} {
		b := newBench(t, &fakeAD{})
		asked := b.send(b.change(action, gone))
		b.run()
		want.ID, want.GUID = "c1", guid
		if diff := cmp.Diff(want, b.result(asked)); diff != "" || b.ad.writes > 0 {
			t.Errorf("%s: %d writes, result (-want +got):\n%s", action, b.ad.writes, diff)
		}
	}
}

// TestAddedAnyway: an addition is written although the person is in the group, because the read may come from a
// controller that does not know an earlier removal yet.
func TestAddedAnyway(t *testing.T) {
	t.Parallel()
	b := newBench(t, &fakeAD{member: true})
	asked := b.send(b.change(protocol.Add, group))
	b.run()
	want := protocol.Result{ID: "c1", GUID: guid, Outcome: protocol.Done, Before: true, After: true}
	if diff := cmp.Diff(want, b.result(asked)); diff != "" || b.ad.writes != 1 {
		t.Errorf("%d writes, result (-want +got):\n%s", b.ad.writes, diff)
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	user := new(fakeAD).user()
	partial := &directory.PartialLogonError{Controllers: []string{"ldaps://dc2"}, Err: errBroken}
	tests := []struct {
		name string
		ad   *fakeAD
		sid  string
		want protocol.Account
	}{
		{"read", &fakeAD{member: true}, anna, protocol.Account{SID: anna, User: &user, Groups: []string{"ad:" + strings.ToLower(group)}}},
		{"nobody", &fakeAD{}, anna + "0", protocol.Account{SID: anna + "0"}},
		{"left out", &fakeAD{member: true, read: func(context.Context) error { return directory.ErrLeftOut }}, anna, protocol.Account{SID: anna, LeftOut: &user, Groups: []string{"ad:" + strings.ToLower(group)}}},
		{"one controller is silent", &fakeAD{read: func(context.Context) error { return partial }}, anna, protocol.Account{SID: anna, User: &user, PartialLogon: partial.Error()}},
		{"all are silent", &fakeAD{read: func(context.Context) error { return errBroken }}, anna, protocol.Account{SID: anna, Failed: "connection broke"}},
		{"group not readable", &fakeAD{lookup: func(int) error { return errBroken }}, anna, protocol.Account{SID: anna, Failed: "connection broke"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &Relay{ad: tt.ad, clock: clock.Real}
			got, err := r.evidence(t.Context(), &everyone, &protocol.People{SIDs: []string{tt.sid}})
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Seen = tt.want.See(everyone.Groups, []string{everyone.Groups[1].Key()})
			if diff := cmp.Diff([]protocol.Account{tt.want}, got.People); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]directory.Group{group: {ID: group, GUID: "guid-of-group"}}, got.Found); diff != "" || !slices.Equal(got.Unreadable, []string{everyone.Groups[1].Key()}) {
				t.Errorf("groups (-want +got), unreadable %q:\n%s", got.Unreadable, diff)
			}
		})
	}
	for id, want := range map[string]protocol.Account{
		guid:   {SID: anna, ImmutableID: guid, User: &user},
		"none": {ImmutableID: "none"},
	} {
		people := &protocol.People{ImmutableIDs: []string{id}}
		got, err := (&Relay{ad: &fakeAD{}, clock: clock.Real}).evidence(t.Context(), &everyone, people)
		if want.Seen = want.See(everyone.Groups, []string{everyone.Groups[1].Key()}); err != nil || cmp.Diff([]protocol.Account{want}, got.People) != "" {
			t.Errorf("%s: %v, %v", id, got, err)
		}
		got, err = (&Relay{ad: &fakeAD{find: func() error { return errBroken }}, clock: clock.Real}).evidence(t.Context(), &everyone, people)
		if err != nil || cmp.Diff([]protocol.Account{{ImmutableID: id, Failed: errBroken.Error()}}, got.People) != "" {
			t.Errorf("%s cannot be looked for: %v, %v", id, got, err)
		}
	}
	for name, tc := range map[string]struct {
		ad    *fakeAD
		least int
		want  []string
		err   error
	}{
		"nobody belongs to it":   {&fakeAD{empty: group}, 0, []string{everyone.Groups[0].Key()}, nil},
		"members":                {&fakeAD{}, 0, nil, nil},
		"too few members":        {&fakeAD{}, 2, []string{everyone.Groups[0].Key()}, nil},
		"members are hidden":     {&fakeAD{hidden: directory.ErrNoGroup}, 0, nil, nil},
		"members cannot be read": {&fakeAD{hidden: errBroken}, 0, nil, errBroken},
	} {
		m := protocol.Message{Groups: append([]protocol.Group{{DN: group, Direct: true}}, everyone.Groups...)}
		m.Groups[1].Least = tc.least
		got, err := (&Relay{ad: tc.ad, clock: clock.Real}).evidence(t.Context(), &m, &protocol.People{})
		if !errors.Is(err, tc.err) || err == nil && !slices.Equal(got.Empty, tc.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errLost)
	if _, err := (&Relay{ad: &fakeAD{}, clock: clock.Real}).evidence(ctx, &everyone, &protocol.People{SIDs: []string{anna}}); !errors.Is(err, errLost) {
		t.Errorf("evidence that was broken off: error %v", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const read, write = "https://sqs.eu-north-1.amazonaws.com/123456789012/ad-read", "https://sqs.eu-north-1.amazonaws.com/123456789012/ad-write"
	tests := []struct {
		name string
		c    Config
		want []string
	}{
		{"both", Config{"s3://b/p", read, write}, nil},
		{"read only", Config{"s3://b/p", read, ""}, nil},
		{"write only", Config{"s3://b/p", "", write}, nil},
		{"nothing", Config{}, []string{"IDLESEAT_STORE is empty", "are both empty"}},
		{"same", Config{"s3://b/p", read, read}, []string{"are the same queue"}},
		{"names for URLs", Config{"s3://b/p", "ad-read", "arn:aws:sqs:eu-north-1:123456789012:ad-write"}, []string{"IDLESEAT_RELAY_READ_QUEUE is not", "IDLESEAT_RELAY_WRITE_QUEUE is not"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.c.Validate()
			if (err == nil) != (tt.want == nil) || slices.ContainsFunc(tt.want, func(w string) bool { return !strings.Contains(err.Error(), w) }) {
				t.Errorf("error %v", err)
			}
		})
	}
	if _, err := New(Config{"s3://b/p", read, write}, aws.Config{}, nil, nil, clock.Real, nil); err == nil {
		t.Error("no region, and no error")
	}
}

// FuzzMessages: for any text of a message, Parse does not panic. If it accepts the message, the objects for the answer
// have valid keys in the folder of the run.
func FuzzMessages(f *testing.F) {
	text, err := json.Marshal(everyone)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"token":"t"}`)
	f.Fuzz(func(t *testing.T, body string) {
		m, err := protocol.Parse(body)
		if err == nil && !strings.HasPrefix(m.Folder()+unique(m), "runs/"+m.Run+"/ad/") {
			t.Errorf("%q reaches %s", body, m.Folder())
		}
		if err == nil && store.CheckKey(m.Folder()+unique(m)+".json") != nil {
			t.Errorf("%q makes a bad key %s", body, m.Folder())
		}
	})
}
