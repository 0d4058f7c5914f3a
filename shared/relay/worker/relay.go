// Package worker is the part of the relay that runs on premises. It receives messages (package protocol) from two SQS
// queues, one for reading Active Directory and one for changing the members of groups. It does the work of each
// message, and answers the Step Functions task of the message.
//
// A message is deleted only after Step Functions has accepted its answer or has ended the task. If a relay fails,
// another relay therefore repeats the work. This is harmless: objects are never overwritten, each delivery uses its
// own names, and a group is read before it is changed.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot/adread"
	"github.com/idleseat/idleseat/shared/store"
)

// Config is the configuration of a relay. The tags name the environment variables.
type Config struct {
	Store      string `env:"IDLESEAT_STORE"`             // s3://bucket/prefix or a folder
	ReadQueue  string `env:"IDLESEAT_RELAY_READ_QUEUE"`  // URL; if empty, the relay does not read
	WriteQueue string `env:"IDLESEAT_RELAY_WRITE_QUEUE"` // URL; if empty, the relay does not write
}

// Validate returns all faults that can be found without a connection.
func (c Config) Validate() error {
	var faults []error
	if c.Store == "" {
		faults = append(faults, errors.New("IDLESEAT_STORE is empty: name the bucket, as s3://bucket/prefix"))
	}
	if c.ReadQueue == "" && c.WriteQueue == "" {
		faults = append(faults, errors.New("IDLESEAT_RELAY_READ_QUEUE and IDLESEAT_RELAY_WRITE_QUEUE are both empty: give the URL of at least one queue"))
	}
	if c.ReadQueue != "" && c.ReadQueue == c.WriteQueue {
		faults = append(faults, errors.New("IDLESEAT_RELAY_READ_QUEUE and IDLESEAT_RELAY_WRITE_QUEUE are the same queue: reading and writing have one each"))
	}
	for _, q := range []struct{ variable, url string }{{"IDLESEAT_RELAY_READ_QUEUE", c.ReadQueue}, {"IDLESEAT_RELAY_WRITE_QUEUE", c.WriteQueue}} {
		if u, err := url.Parse(q.url); q.url != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			faults = append(faults, fmt.Errorf("%s is not the URL of a queue, like https://sqs.eu-north-1.amazonaws.com/123456789012/ad-read", q.variable))
		}
	}
	return errors.Join(faults...)
}

// Reader has the methods for reading Active Directory.
type Reader interface {
	adread.AD
	evidence.NamedAD
	ListPeople(ctx context.Context, each func(directory.ADUser) error) error
	FindAnchor(ctx context.Context, immutableID string, anchor directory.Anchor) (sid string, err error)
	HasMembers(ctx context.Context, groupDN string, least int) (bool, error)
}

// Writer has the methods for changing groups of Active Directory.
type Writer interface {
	FindPerson(ctx context.Context, name string) (directory.ADUser, error)
	MemberOf(ctx context.Context, sid, groupDN string, direct bool) (bool, error)
	AddMember(ctx context.Context, groupDN, personGUID string) error
	RemoveMember(ctx context.Context, groupDN, personGUID string) error
	CanWrite(ctx context.Context, groupDN string) (bool, error)
}

// AD has the methods of Active Directory that the relay needs.
type AD interface {
	Reader
	Writer
}

// Relay does the work of the messages in the queues of its configuration.
type Relay struct {
	config Config
	queues *sqs.Client
	tasks  *sfn.Client
	store  store.Store
	ad     AD
	clock  clock.Clock
	log    *slog.Logger
}

// New returns a relay. It does not connect.
func New(c Config, cloud aws.Config, s store.Store, ad AD, by clock.Clock, log *slog.Logger) (*Relay, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if cloud.Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION to that of the queues")
	}
	return &Relay{c, sqs.NewFromConfig(cloud), sfn.NewFromConfig(cloud), s, ad, by, log}, nil
}

// Run works until the context ends. It then finishes the current write and makes the current message visible to other
// relays.
func (r *Relay) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, w := range r.workers() {
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
}

// The method "workers" returns a worker for each configured queue. A worker accepts only messages of the kinds of its
// queue, so a relay without a write queue never writes.
func (r *Relay) workers() []*worker {
	var all []*worker
	if r.config.ReadQueue != "" {
		all = append(all, &worker{Relay: r, name: "ad-read", url: r.config.ReadQueue, log: r.log.With("queue", "ad-read"),
			kinds: map[protocol.Kind]work{protocol.ReadEveryone: r.readEveryone, protocol.ReadCandidates: r.readCandidates}})
	}
	if r.config.WriteQueue != "" {
		all = append(all, &worker{Relay: r, name: "ad-write", url: r.config.WriteQueue, log: r.log.With("queue", "ad-write"),
			kinds: map[protocol.Kind]work{protocol.WriteMembers: r.writeMembers}})
	}
	return all
}
