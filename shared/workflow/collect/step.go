package collect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/relay/client"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// ErrRequest means that the input of an execution is no valid request.
var ErrRequest = errors.New("not a request")

// MostCalls is the maximum number of calls that read Entra ID for one run. Each call reads for about ten minutes. A
// million people need seven calls.
const MostCalls = 100

var errTooLong = errors.New("the reading takes too long")

// Steps contains the steps of the state machine that read the data of a run.
type Steps struct {
	Collector
	Policy func(context.Context) (*policy.Policy, string, error)
	Relay  bool // whether the relay reads Active Directory
	// Deployment is the name of the deployment, which each run records.
	Deployment string
}

// StepInput is the input of a step. Op names the step. The comment of each other field begins with the steps that get
// the field.
type StepInput struct {
	Op        string          `json:"op"`        // begin, entra, seal or one
	Entrance  entrance.Name   `json:"entrance"`  // begin: state machine that accepted the request
	Execution string          `json:"execution"` // begin: name of the execution
	Started   time.Time       `json:"started"`   // begin: start of the execution
	Request   json.RawMessage `json:"request"`   // begin: input of the execution
	Run       string          `json:"run"`       // entra, seal and one: the run
	Call      int             `json:"call"`      // entra: number of the call
	AD        protocol.Ending `json:"ad"`        // seal and one: answer of the relay
	User      string          `json:"user"`      // one: name of the person; the step takes it from the run
	Apply     bool            `json:"apply"`     // one: passed on to the output
}

// Request is the input of an execution of the state machine. The execution makes a new run that reads the directories.
type Request struct {
	User  *string `json:"user"`  // name of the person; nil: everybody
	Apply bool    `json:"apply"` // for one person: also make the changes that the rules decide
	// AcceptFeeds reports whether an operator accepts the sources as they are, even if they have fewer people than
	// before.
	AcceptFeeds bool `json:"acceptFeeds"`
}

func (r *Request) wish() entrance.Wish {
	switch {
	case r.User == nil && r.AcceptFeeds:
		return entrance.AcceptFeeds
	case r.User == nil:
		return entrance.PlanEverybody
	case r.Apply:
		return entrance.ChangeOne
	}
	return entrance.PlanOne
}

// StepOutput is the state that a step passes to the next step. It contains no names of people except User.
type StepOutput struct {
	Run   string `json:"run"`
	User  string `json:"user,omitempty"`
	One   bool   `json:"one"`
	Apply bool   `json:"apply"`

	// The step "begin" sets these fields.
	AsOf   time.Time        `json:"asOf,omitzero"`
	Relay  bool             `json:"relay"`
	Groups []protocol.Group `json:"groups"`
	Rests  []string         `json:"rests"`
	Parts  int              `json:"parts"`
	Since  string           `json:"since"`
	Input  string           `json:"input"` // key of the people whom the relay must read
	Sample int              `json:"sample"`

	// The step "entra" sets these fields.
	Call int  `json:"call"`
	Done bool `json:"done"`

	// The steps "seal" and "one" set this field.
	Partitions []int `json:"partitions,omitempty"`
}

// Do runs the step that in.Op names. The step "entra" starts no new page after the time "until". The zero time means no
// limit.
func (s *Steps) Do(ctx context.Context, in StepInput, until time.Time) (*StepOutput, error) {
	switch in.Op {
	case "begin":
		return s.stepBegin(ctx, in)
	case "entra", "seal", "one":
	default:
		return nil, fmt.Errorf("%w: the step %q is not known", ErrRequest, in.Op)
	}
	b, err := snapshot.GetBegin(ctx, s.Store, in.Run)
	if err != nil {
		return nil, err
	}
	p, err := policy.LoadKept("policy of run "+b.Run, []byte(b.Policy))
	if err != nil {
		return nil, err
	}
	out := &StepOutput{Run: b.Run, Apply: in.Apply}
	switch in.Op {
	case "entra":
		if in.Call >= MostCalls {
			return nil, fmt.Errorf("%w: Entra ID is not read after %d calls", errTooLong, in.Call)
		}
		out.Call = in.Call + 1
		out.Done, err = s.ReadEntraUntil(ctx, b, p, in.Call, until)
		return out, err
	case "seal":
		err = s.stepSeal(ctx, b, &in.AD)
	default:
		err = s.stepOne(ctx, b, p, &in.AD)
	}
	for n := range b.Partitions {
		out.Partitions = append(out.Partitions, n)
	}
	return out, err
}

// stepBegin begins a run. The name of the run comes from the execution, so that a repeated step finds the same run.
func (s *Steps) stepBegin(ctx context.Context, in StepInput) (*StepOutput, error) {
	var r Request
	known := json.NewDecoder(bytes.NewReader(in.Request))
	known.DisallowUnknownFields() // a misspelled "user" would be a request for everybody
	if err := known.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	switch {
	case r.User != nil && *r.User == "":
		return nil, fmt.Errorf("%w: the user is empty; a run for everybody names none", ErrRequest)
	case r.User == nil && r.Apply:
		return nil, fmt.Errorf("%w: apply is for one user, or names the run whose plan was approved", ErrRequest)
	}
	if err := in.Entrance.Admit(r.wish()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	p, text, err := s.Policy(ctx)
	if err != nil {
		return nil, err
	}
	scheduled := in.Entrance == entrance.Nightly
	sum := sha256.Sum256([]byte(in.Execution))
	start := Start{Run: snapshot.NewRun(in.Started, [4]byte(sum[:])), AsOf: in.Started, Policy: p, Text: text, Deployment: s.Deployment, AcceptFeeds: r.AcceptFeeds, Scheduled: scheduled}
	out := &StepOutput{Run: start.Run, AsOf: in.Started.UTC(), Relay: s.Relay, Groups: adGroups(p), Rests: p.Rests(), Apply: r.Apply}
	if out.Groups == nil {
		out.Groups = []protocol.Group{}
	}
	if r.User != nil {
		start.User, out.User, out.One, out.Sample = *r.User, *r.User, true, evidence.Enough
		return out, s.beginOne(ctx, start, out)
	}
	b, err := s.Begin(ctx, start)
	if err != nil {
		return nil, err
	}
	if out.Parts = b.Partitions; s.Relay {
		out.Since, err = s.Since(ctx, b)
	}
	return out, err
}

func (s *Steps) beginOne(ctx context.Context, start Start, out *StepOutput) error {
	b, sid, known, err := s.BeginOne(ctx, start)
	switch {
	case err != nil:
		return err
	case !known && !s.Relay:
		return fmt.Errorf("read %q: %w in Entra ID, and Active Directory is not set up", start.User, directory.ErrNoPerson)
	case !s.Relay:
		return nil
	}
	people := protocol.People{SIDs: []string{}}
	if sid != "" {
		people.SIDs = append(people.SIDs, sid)
	} else if !known {
		people.Names = append(people.Names, start.User)
	}
	out.Input = layout.Input(b.Run, "one")
	return store.PutJSON(ctx, s.Store, out.Input, &people)
}

func (s *Steps) stepSeal(ctx context.Context, b *snapshot.Begin, of *protocol.Ending) error {
	entra, err := s.EntraReading(ctx, b)
	if err != nil {
		return err
	}
	ad := snapshot.Reading{Source: directory.AD, Absent: of.Absent}
	if of.Key != "" {
		ad, err = s.brought(ctx, b, of.Key)
	} else if !of.Absent {
		ad.Failed = "the relay brought nothing: " + of.Why()
	}
	if err != nil {
		return fmt.Errorf("read what the relay brought: %w", err)
	}
	return s.Seal(ctx, b.Run, entra, ad)
}

// The method "brought" returns the Active Directory reading that the relay stored. If the clock of the relay was wrong,
// the result is a failed reading.
func (s *Steps) brought(ctx context.Context, b *snapshot.Begin, key string) (ad snapshot.Reading, err error) {
	if err := store.GetJSON(ctx, s.Store, key, &ad); err != nil || ad.Began.IsZero() {
		return ad, err
	}
	if err := client.CheckClock(ad.Began, b.AsOf, s.Now()); err != nil {
		return snapshot.Reading{Source: directory.AD, Failed: err.Error()}, nil
	}
	return ad, nil
}

func (s *Steps) stepOne(ctx context.Context, b *snapshot.Begin, p *policy.Policy, of *protocol.Ending) error {
	var ad OneAD
	switch {
	case of.Key != "":
		var e protocol.Evidence
		if err := store.GetJSON(ctx, s.Store, of.Key, &e); err != nil {
			return fmt.Errorf("read what the relay brought: %w", err)
		}
		ad = client.New(&e, s.Now())
	case !of.Absent:
		ad = client.Failed(of.Why())
	}
	return s.SealOne(ctx, b, p, ad)
}
