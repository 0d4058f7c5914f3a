package worker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/idleseat/idleseat/infra/simulation/awsfake"
	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/store"
)

const (
	anna     = "S-1-5-21-1-2-3-1001"
	guid     = "AAAAAAAAAAAAAAAAAAAAAA=="
	group    = "CN=Citrix Users,DC=test"
	exempted = "CN=Left Alone,DC=test"
	// The constant "gone" is a deleted group.
	gone = "<GUID=6e6f6e65-0000-0000-0000-000000000000>"
)

// fakeAD is a domain with one person and one group. Its methods call the functions that a test sets, and return their
// errors.
type fakeAD struct {
	mu     sync.Mutex
	member bool
	logon  time.Time
	guid   string // objectGUID of the person; if empty, it is the constant "guid"
	exempt bool   // whether the person is in the exempt group
	writes int
	empty  string // DN of a group without members
	hidden error  // the error of HasMembers
	down   string // DN of a group that cannot be read

	clock   error // the error of CheckClock
	list    func(ctx context.Context) error
	read    func(ctx context.Context) error
	find    func() error
	lookup  func(reads int) error // the argument is the number of reads of membership so far, with this one
	write   func() error
	deaf    bool // whether writes have no effect although they seem to succeed
	lookups int
}

func (f *fakeAD) user() directory.ADUser {
	return directory.ADUser{SID: anna, GUID: cmp.Or(f.guid, guid), DN: "CN=Anna Lindqvist,DC=test", DisplayName: "Anna Lindqvist", LastLogonTimestamp: f.logon}
}

func ask(f func() error) error {
	if f == nil {
		return nil
	}
	return f()
}

func (f *fakeAD) ListPeople(ctx context.Context, each func(directory.ADUser) error) error {
	if f.list != nil {
		if err := f.list(ctx); err != nil {
			return err
		}
	}
	return each(f.user())
}

func (f *fakeAD) ListFull(ctx context.Context, _ []string, each func(directory.ADUser) error) (*directory.Watermark, error) {
	return nil, f.ListPeople(ctx, each)
}

func (f *fakeAD) ListChanges(_ context.Context, since directory.Watermark, _ []string, _ func(sid, dn string) error, _ func(directory.ADUser) error) (directory.Watermark, error) {
	return since, directory.ErrNoWatermark
}

func (f *fakeAD) ListMembers(_ context.Context, dn string, _ bool, each func(string) error) error {
	if dn != group {
		return directory.ErrNoGroup
	}
	return each(anna)
}

func (f *fakeAD) HasMembers(_ context.Context, dn string, least int) (bool, error) {
	return dn != f.empty && least <= 1, f.hidden
}

func (f *fakeAD) FindGroup(_ context.Context, name string) (directory.Group, error) {
	switch name {
	case f.down:
		return directory.Group{}, errBroken
	case group:
	default:
		return directory.Group{}, directory.ErrNoGroup
	}
	return directory.Group{ID: group, GUID: "guid-of-group"}, nil
}

func (f *fakeAD) ReadPerson(ctx context.Context, sid string) (directory.ADUser, error) {
	if f.read != nil {
		if err := f.read(ctx); err != nil {
			return f.user(), err
		}
	}
	if sid != anna {
		return directory.ADUser{}, directory.ErrNoPerson
	}
	return f.user(), nil
}

func (f *fakeAD) FindPerson(_ context.Context, sid string) (directory.ADUser, error) {
	err := ask(f.find)
	if err != nil && !errors.Is(err, directory.ErrLeftOut) || sid != anna {
		return directory.ADUser{}, err
	}
	return f.user(), err
}

// FindAnchor finds the person by the person's GUID.
func (f *fakeAD) FindAnchor(_ context.Context, id string, _ directory.Anchor) (string, error) {
	if err := ask(f.find); err != nil {
		return "", err
	}
	if id != guid {
		return "", directory.ErrNoPerson
	}
	return anna, nil
}

func (f *fakeAD) MemberOf(_ context.Context, _, dn string, _ bool) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups++
	if f.lookup != nil {
		if err := f.lookup(f.lookups); err != nil {
			return false, err
		}
	}
	switch dn {
	case f.down:
		return false, errBroken
	case group:
		return f.member, nil
	case exempted:
		return f.exempt, nil
	case gone:
		return false, nil
	}
	return false, directory.ErrNoGroup
}

func (f *fakeAD) set(member bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if !f.deaf {
		f.member = member
	}
	return ask(f.write)
}

func (f *fakeAD) CanWrite(context.Context, string) (bool, error) { return true, nil }

func (f *fakeAD) AddMember(_ context.Context, dn, _ string) error {
	if dn == gone {
		return directory.ErrNoGroup
	}
	return f.set(true)
}

func (f *fakeAD) RemoveMember(_ context.Context, _, _ string) error { return f.set(false) }

// The type "bench" is a relay in the test process. The store is in memory, and AWS is simulated.
type bench struct {
	*testing.T
	*Relay
	cloud *awsfake.Server
	ad    *fakeAD
	said  *safeBuffer
	ended chan struct{}
}

type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// The constant "hidden" is longer than a busy machine keeps a heartbeat waiting.
const hidden = 3 * time.Second

// newBench returns a relay with two queues. A received message stays hidden for the time "hidden".
func newBench(t *testing.T, ad *fakeAD) *bench {
	t.Helper()
	cloud, err := awsfake.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cloud.Close() })
	objects := store.Store(&store.Memory{})
	b := &bench{T: t, cloud: cloud, ad: ad, said: &safeBuffer{}, ended: make(chan struct{})}
	b.Relay, err = New(
		Config{Store: "folder", ReadQueue: cloud.NewQueue("ad-read", hidden, 9), WriteQueue: cloud.NewQueue("ad-write", hidden, 9)},
		aws.Config{Region: "eu-north-1", BaseEndpoint: &cloud.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
			Retryer: func() aws.Retryer { return retry.AddWithMaxBackoffDelay(retry.NewStandard(), time.Millisecond) }},
		objects, ad, clock.Real, slog.New(slog.NewJSONHandler(b.said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) run() {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer close(b.ended)
		b.Relay.Run(ctx)
	}()
	b.Cleanup(func() {
		stop()
		<-b.ended
		if b.Failed() {
			b.Log(b.said)
		}
	})
}

// The method "send" starts a task and sends its message.
func (b *bench) send(m protocol.Message) *awsfake.Task {
	b.Helper()
	t := b.cloud.NewTask(time.Minute, time.Hour)
	m.Version, m.Token, m.Run = protocol.Version, t.Token, "r1"
	text, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	queue := b.config.ReadQueue
	if m.Kind == protocol.WriteMembers {
		queue = b.config.WriteQueue
	}
	b.cloud.Send(queue, string(text))
	return t
}

func (b *bench) wait(t *awsfake.Task) awsfake.Result {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	end, err := t.Wait(ctx)
	if err != nil {
		b.Fatal(err)
	}
	return end
}

// The method "result" returns the result of a task with one change, without the time.
func (b *bench) result(t *awsfake.Task) protocol.Result {
	b.Helper()
	r := b.dated(t)
	r.At = time.Time{}
	return r
}

func (b *bench) dated(t *awsfake.Task) protocol.Result {
	b.Helper()
	var a protocol.Answer
	var out protocol.Results
	end := b.wait(t)
	if err := json.Unmarshal([]byte(end.Output), &a); err != nil {
		b.Fatalf("the task ended with %+v", end)
	}
	if err := store.GetJSON(b.Context(), b.store, a.Key, &out); err != nil || len(out.Results) != 1 {
		b.Fatalf("%+v, %v", out, err)
	}
	return out.Results[0]
}

// The method "removal" returns a message to remove the person Anna from a group. The argument "of" is the DN of the
// group.
func (b *bench) removal(of string) protocol.Message { return b.change(protocol.Remove, of) }

func (b *bench) change(a protocol.Action, of string) protocol.Message {
	b.Helper()
	key := "runs/r1/ad/input/b1.json"
	list := protocol.Changes{Changes: []protocol.Change{{ID: "c1", SID: anna, GUID: guid, Group: of, Action: a}}}
	if err := store.PutJSON(b.Context(), b.store, key, list); err != nil {
		b.Fatal(err)
	}
	return protocol.Message{Kind: protocol.WriteMembers, Batch: "b1", Input: key}
}

// The method "until" waits until "done" returns true. After a minute, the test fails.
func (b *bench) until(what string, done func() bool) {
	b.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			b.Fatalf("never: %s", what)
		}
	}
}

func (f *fakeAD) CheckClock(context.Context, func() time.Time) error { return f.clock }

func (*fakeAD) ListPrimary(context.Context, string, func(sid string) error) error { return nil }

func (*fakeAD) ListNested(context.Context, string, func(sid string) error) error { return nil }
