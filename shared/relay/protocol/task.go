// Package protocol defines the data that the cloud and the relay exchange: the messages in the queues, the objects in
// the store that the messages name, and the answers. A message has keys, ids and the names of groups. Personal data is
// only in the objects.
//
// A message is one JSON object:
//
// {"version":1, "kind":"read-everyone",   "token":"…", "run":"…", "attempt":0,
//
//	"asOf":"2026-11-23T02:00:00Z", "partitions":13, "groups":[{"dn":"CN=…","direct":true}],
//	"rests":["lastLogonTimestamp"], "since":"runs/<run>/ad/since.json"}
//
// {"version":1, "kind":"read-candidates", "token":"…", "run":"…", "attempt":0,
//
//	"batch":"0003", "input":"runs/<run>/ad/input/0003.json", "groups":[…], "sample":1000}
//
// {"version":1, "kind":"write-members",   "token":"…", "run":"…", "attempt":0,
//
//	"batch":"0003", "input":"runs/<run>/ad/input/0003.json"}
//
// The answer is {"key":"…"}, the key of an object: a snapshot.Reading, an Evidence or a Results. The queue ad-read has
// the messages of the two read kinds, and the queue ad-write those of write-members. A failed task ends with ErrorBad
// if another try cannot succeed, and with ErrorFailed otherwise.
package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/store"
)

// Version is the only version of messages.
const Version = 1

// Kind is the kind of a message.
type Kind string

// The kinds of messages.
const (
	// ReadEveryone tells the relay to read everybody, and the members of the groups in the message. The relay stores
	// them as parts of the run's snapshot.
	ReadEveryone Kind = "read-everyone"
	// ReadCandidates tells the relay to read new evidence about people. The object at the key Input is a People.
	ReadCandidates Kind = "read-candidates"
	// WriteMembers tells the relay to make changes. The object at the key Input is a Changes.
	WriteMembers Kind = "write-members"
)

// The names of the errors of a failed task.
const (
	ErrorBad    = "Relay.BadMessage"
	ErrorFailed = "Relay.Failed"
)

// Group is a group whose members a message asks for.
type Group struct {
	DN     string `json:"dn"`
	Direct bool   `json:"direct"` // if set, only members that the group itself lists count
	// Least is the smallest number of members that the cloud believes. The relay reports a group with fewer members,
	// and the cloud then suspects a fault. Zero means one member. An older relay refuses a message with this field.
	Least int `json:"least,omitempty"`
}

// Question returns the group as a directory.Question, which asks for the members of the group.
func (g Group) Question() directory.Question {
	return directory.Question{Ref: directory.GroupRef{Source: directory.AD, Name: g.DN}, Direct: g.Direct}
}

// Key returns the key of the group in a snapshot.
func (g Group) Key() string { return g.Question().Key() }

// Message is the body of a message in a queue.
type Message struct {
	Version int    `json:"version"`
	Kind    Kind   `json:"kind"`
	Token   string `json:"token"` // the token of the Step Functions task
	Run     string `json:"run"`
	// Attempt is the number of the attempt at a step, from 0. If the message returns to the queue, the number stays the
	// same.
	Attempt    int       `json:"attempt"`
	AsOf       time.Time `json:"asOf,omitzero"`        // for ReadEveryone; a date after AsOf does not count as the newest date
	Partitions int       `json:"partitions,omitempty"` // for ReadEveryone: the number of parts of the people
	// Since is the key of the snapshot.Reading of an earlier run, from which ReadEveryone may make a delta reading. If
	// Since is empty, the relay makes a full reading.
	Since  string  `json:"since,omitempty"`
	Groups []Group `json:"groups,omitempty"` // for both kinds of reading
	// Rests lists the LDAP names of the attributes on which decisions rest, for ReadEveryone. If a person has no value
	// for such an attribute, the relay finds out whether it may read the attribute, because Active Directory answers
	// the same in both cases.
	Rests []string `json:"rests,omitempty"`
	// Sample is the number of accounts in the sample, for ReadCandidates. If it is 0, no decision depends on the dates
	// in the answer, so the relay does not compare its clock with the clocks of the controllers. An older relay
	// compares them all the same.
	Sample int    `json:"sample,omitempty"`
	Batch  string `json:"batch,omitempty"` // for all kinds except ReadEveryone
	Input  string `json:"input,omitempty"` // for all kinds except ReadEveryone: key of People or Changes
}

// The limits of a message. maxPartitions suffices for a hundred million people. The largest sample takes a few hundred
// kilobytes.
const (
	maxPartitions = 12_500
	maxSample     = 10_000
	maxRests      = 64
)

var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,98}[A-Za-z0-9]$|^[A-Za-z0-9]$`)

// Parse parses a message. If it fails, the returned message still has the token, unless the token is unreadable, too.
func Parse(body string) (*Message, error) {
	m := new(Message)
	if err := decode([]byte(body), m); err != nil {
		var only struct {
			Token string `json:"token"`
		}
		_ = json.Unmarshal([]byte(body), &only) // the body is already known to be bad; only the token is needed
		return &Message{Token: only.Token}, fmt.Errorf("not a message of version %d: %w", Version, err)
	}
	return m, m.check()
}

// The function "decode" decodes exactly one JSON value. It rejects unknown fields, because the decoder would otherwise
// ignore misspelt fields.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

func (m *Message) check() error {
	switch {
	case m.Version != Version:
		return fmt.Errorf("a message of version %d; this relay knows version %d: update whichever is older", m.Version, Version)
	case m.Token == "":
		return errors.New("the message has no token")
	case !name.MatchString(m.Run):
		return fmt.Errorf("run %.40q cannot be the name of a run", m.Run)
	case m.Attempt < 0:
		return fmt.Errorf("attempt %d is negative", m.Attempt)
	}
	for i, g := range m.Groups {
		if g.DN == "" {
			return fmt.Errorf("group %d has no DN", i)
		}
	}
	switch m.Kind {
	case ReadEveryone:
		if m.Partitions < 1 || m.Partitions > maxPartitions {
			return fmt.Errorf("partitions is %d, not 1 to %d", m.Partitions, maxPartitions)
		}
		if m.AsOf.IsZero() {
			return errors.New("asOf is missing")
		}
		if len(m.Rests) > maxRests {
			return fmt.Errorf("%d attributes in rests, more than %d", len(m.Rests), maxRests)
		}
		if m.Since != "" && !m.owns(m.Since) {
			return fmt.Errorf("since %.80q is not the key of an object under %s", m.Since, m.Folder())
		}
		return nil
	case ReadCandidates, WriteMembers:
		if m.Sample < 0 || m.Sample > maxSample {
			return fmt.Errorf("sample is %d, not 0 to %d", m.Sample, maxSample)
		}
		return m.checkBatch()
	default:
		return fmt.Errorf("kind %.40q is not known to this relay", m.Kind)
	}
}

func (m *Message) checkBatch() error {
	if !name.MatchString(m.Batch) {
		return fmt.Errorf("batch %.40q cannot be the name of a batch", m.Batch)
	}
	if !m.owns(m.Input) {
		return fmt.Errorf("input %.80q is not the key of an object under %s", m.Input, m.Folder())
	}
	return nil
}

// Folder returns the prefix of all keys that the relay reads or writes for the message.
func (m *Message) Folder() string { return layout.Relay(m.Run) }

// The method "owns" reports whether the key of an object belongs to the run of the message.
func (m *Message) owns(key string) bool {
	return strings.HasPrefix(key, m.Folder()) && store.CheckKey(key) == nil
}

// Answer is the output of a task: the key of the object with the answer.
type Answer struct {
	Key string `json:"key"`
}

// Ending is the end of a task, as the state machine describes it: an answer or an error. Absent is set if the state
// machine sent no message to the relay.
type Ending struct {
	Answer
	Absent bool   `json:"absent,omitempty"`
	Error  string `json:"Error,omitempty"`
	Cause  string `json:"Cause,omitempty"`
}

// Why returns why there is no answer.
func (e *Ending) Why() string {
	switch {
	case e.Error == "States.Timeout" || e.Error == "States.HeartbeatTimeout":
		return "it did not answer in time (" + e.Error + "). Check that the relay is running"
	case e.Cause != "":
		return e.Cause
	default:
		return e.Error
	}
}
