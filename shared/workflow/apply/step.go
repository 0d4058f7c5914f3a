package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/evidence"
	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/relay/client"
	"github.com/idleseat/idleseat/shared/relay/protocol"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Steps contains the steps of the state machine that apply a batch. Between the steps, a relay reads and writes Active
// Directory.
type Steps struct {
	Applier
	// Policy returns the text of the policy in force.
	Policy func(context.Context) (string, error)
	Relay  bool // whether a relay reaches Active Directory
}

// StepInput is the input of a step. Op names the step: prepare or change.
type StepInput struct {
	Op    string     `json:"op"`
	Batch BatchState `json:"batch"`
}

// BatchState is a batch in progress. Each step passes it to the next step.
type BatchState struct {
	Run      string     `json:"run"`
	PlanHash string     `json:"planHash"`
	Override bool       `json:"override"`
	Scope    runs.Scope `json:"scope"`    // the changes of the batch to work on; empty in the state of older versions: all
	Approver string     `json:"approver"` // the execution; CloudTrail records who started the execution
	Round    int        `json:"round"`
	Batch    string     `json:"batch"`
	Results  []string   `json:"results"` // keys of the results of the relay's writes in this round
	Tries    int        `json:"tries"`   // how often the relay was asked to write in this round
	Restores bool       `json:"restores"`

	// Ask reports whether the state machine must send a message to the relay. After the step "prepare", the relay reads
	// the people of Input. After the step "change", it makes the changes of Input.
	Ask    bool             `json:"ask"`
	Input  string           `json:"input"`
	Groups []protocol.Group `json:"groups"`
	Sample int              `json:"sample"` // how many last logons to sample; 0 if the batch only returns licenses
	// Asked is the time at which the step "prepare" asked for evidence. It is set only if all changes of the batch
	// return licenses, because these changes need no dates. The evidence then counts as read at this time, so a wrong
	// clock of the relay does no harm.
	Asked time.Time `json:"asked,omitzero"`

	Evidence *protocol.Ending `json:"evidence,omitempty"`
	Written  *protocol.Ending `json:"written,omitempty"`

	Counts map[runs.Status]int `json:"counts,omitempty"`
}

// The method "asksPolicy" reports whether the batch needs the policy in force. A restore and a rollback do not, because
// they must work without a valid policy.
func (b *BatchState) asksPolicy() bool { return !b.Restores && b.Scope != runs.Back }

// MostTries is how often a batch may send changes to the relay in one round. More than one try is necessary, because a
// round may make a change and roll it back.
const MostTries = 4

// Do carries out the step that in.Op names. If the step fails, the results of the batch say why.
func (s *Steps) Do(ctx context.Context, in StepInput) (*BatchState, error) {
	step := map[string]func(context.Context, BatchState) (*BatchState, error){"prepare": s.prepare, "change": s.change}[in.Op]
	if step == nil {
		return nil, fmt.Errorf("%w: the step %q is not known", runs.ErrRefused, in.Op)
	}
	out, err := step(ctx, in.Batch)
	if err == nil || errors.Is(err, runs.ErrRefused) { // the step itself stores a refusal
		return out, err
	}
	failed := s.undone(context.WithoutCancel(ctx), &in.Batch, "the last call failed: "+plain.OneLine(err.Error()), "", true)
	if failed != nil && failed.Error() != err.Error() {
		err = fmt.Errorf("%w; the results do not say so: %w", err, failed)
	}
	return nil, err
}

// The method "prepare" finds the people whom the relay must read, and stores the list of their SIDs. It sets Ask if
// there is anybody to read.
func (s *Steps) prepare(ctx context.Context, b BatchState) (*BatchState, error) {
	if b.Written != nil {
		b.Results = append(b.Results, b.Written.Key)
	}
	b.Evidence, b.Written, b.Ask, b.Input, b.Groups, b.Sample, b.Asked = nil, nil, false, "", []protocol.Group{}, 0, time.Time{}
	j, err := s.open(ctx, Request{Run: b.Run, Batch: b.Batch, Scope: b.Scope})
	if err != nil {
		return nil, err
	}
	if b.Restores = j.plan.Restores != ""; b.asksPolicy() {
		text, err := s.Policy(ctx)
		if err != nil {
			return nil, err
		}
		if err := j.force(text); err != nil {
			return nil, err
		}
	}
	inAD := slices.ContainsFunc(j.plan.Changes, func(c plan.Change) bool { return c.Via.WrittenIn() == directory.AD })
	if !s.Relay || !inAD && !wasRead(&j.run.Manifest.Readings[directory.AD]) {
		return &b, nil
	}
	people := protocol.People{SIDs: []string{}}
	for _, of := range j.batches {
		for i := range of.Changes {
			if c := &of.Changes[i]; c.SID != "" && !j.results.Final(c) && !slices.Contains(people.SIDs, c.SID) {
				people.SIDs = append(people.SIDs, c.SID)
			}
		}
	}
	if people.ImmutableIDs, err = j.immutableIDs(ctx); err != nil {
		return nil, err
	}
	if people.Anchor = j.run.Policy.Anchor; len(people.SIDs)+len(people.ImmutableIDs) == 0 {
		return &b, nil
	}
	if b.Groups, err = j.questions(ctx); err != nil {
		return nil, err
	}
	if b.Ask, b.Sample = true, evidence.Enough; j.onlyGivesBack() {
		b.Sample, b.Asked = 0, s.Now()
	}
	b.Input = layout.Input(b.Run, b.Batch+"-"+layout.Attempt())
	return &b, store.PutJSONIfAbsent(ctx, s.Store, b.Input, &people)
}

// The function "wasRead" reports whether the run read accounts of Active Directory. If it read none, the relay may be
// down, and a batch that writes only in Entra ID does not wait for it. If it read some, apply must read them, too, even
// if the dates cannot be trusted: what the run knew of a person would otherwise be unknown.
func wasRead(r *snapshot.Reading) bool { return !r.Absent && r.Failed == "" && r.Sampled > 0 }

// The method "immutableIDs" returns the immutable ids of people who have no SID in the plan and none in Entra ID now.
// The relay must look for their accounts by these ids. It looks for all other accounts by the SID.
func (j *job) immutableIDs(ctx context.Context) (ids []string, err error) {
	if j.onlyGivesBack() { // the way back needs no account that the plan does not name
		return nil, nil
	}
	var without []string
	for _, of := range j.batches {
		for i := range of.Changes {
			if c := &of.Changes[i]; c.SID == "" && !isSID(c.User) && !j.results.Final(c) && !slices.Contains(without, c.User) {
				without = append(without, c.User)
			}
		}
	}
	if len(without) == 0 {
		return nil, nil
	}
	users, err := j.Entra.ReadPeople(ctx, without)
	for _, u := range users {
		if u.SID == "" && u.ImmutableID != "" {
			ids = append(ids, u.ImmutableID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// The method "change" applies the batch as far as the evidence allows. It stores the writes that the relay must make.
func (s *Steps) change(ctx context.Context, b BatchState) (*BatchState, error) {
	if b.Evidence != nil && b.Evidence.Error != "" && strings.HasPrefix(b.Batch, "ad-") {
		b.Ask = false
		return &b, s.undone(ctx, &b, "nothing was done: the relay brought no evidence: "+b.Evidence.Why(), "", false)
	}
	var text string
	var err error
	if b.asksPolicy() {
		if text, err = s.Policy(ctx); err != nil {
			return nil, err
		}
	}
	ad, err := s.relayed(ctx, &b)
	if err != nil {
		return nil, err
	}
	applier := s.Applier
	if ad != nil {
		applier.AD = ad
	}
	in := Request{Run: b.Run, PlanHash: b.PlanHash, Policy: text, Batch: b.Batch, Scope: b.Scope, Approver: b.Approver}
	if b.Override {
		in.Override = b.PlanHash
	}
	results, err := applier.Apply(ctx, in)
	pending := new(protocol.Changes)
	if ad != nil && b.Tries < MostTries {
		pending = ad.PendingWrites()
	}
	refused := errors.Is(err, runs.ErrRefused)
	if refused {
		if failed := s.undone(ctx, &b, "nothing was done: "+err.Error(), err.Error(), true); failed != nil {
			return nil, errors.Join(err, failed)
		}
	}
	if err != nil && (!refused || len(pending.Changes) == 0) { // a refused plan has only writes that return a license
		return nil, err
	}
	b.Ask, b.Input, b.Counts = false, "", map[runs.Status]int{}
	for _, r := range results.Results {
		b.Counts[r.Status]++
	}
	if len(pending.Changes) == 0 {
		return &b, nil
	}
	pending.Groups = b.Groups
	b.Ask, b.Tries, b.Input = true, b.Tries+1, layout.Input(b.Run, b.Batch+"-"+layout.Attempt())
	return &b, store.PutJSONIfAbsent(ctx, s.Store, b.Input, pending)
}

// The method "undone" stores a pending result with the reason "why" for each change of the batch that has no final
// result. The parameter "refused" is the reason if a safety check stopped the batch, or "". The parameter "stopped"
// reports whether a safety check or an error stopped the batch. After such a stop, a change that waits for the directory
// keeps its result, because a later call may finish it. A change that returns a license keeps its result, too, because
// the stopped call or a batch of its own has worked on it.
func (s *Steps) undone(ctx context.Context, b *BatchState, why, refused string, stopped bool) error {
	j, err := s.open(ctx, Request{Run: b.Run, Batch: b.Batch, Scope: b.Scope})
	if err != nil {
		return err
	}
	if b.Scope == runs.Begun || b.Scope == runs.All && (stopped || j.plan.Restores == "") {
		back, err := s.open(ctx, Request{Run: b.Run, Batch: b.Batch, Scope: runs.Back})
		if err != nil {
			return err
		}
		for i := range j.batches {
			j.batches[i].Changes = slices.DeleteFunc(j.batches[i].Changes, func(c plan.Change) bool {
				return slices.ContainsFunc(back.batches[i].Changes, func(x plan.Change) bool { return x.User == c.User && x.License == c.License })
			})
		}
	}
	for _, of := range j.batches {
		for i := range of.Changes {
			c := &of.Changes[i]
			known := j.results.Of(c)
			waits := stopped && known != nil && !known.Retry
			if !j.results.Final(c) && !waits {
				r := runs.ResultOf(c, runs.Pending, why)
				r.Retry = true
				j.results.Set(r)
			}
		}
		results := j.of(of)
		if refused != "" || !stopped { // an error says nothing about an earlier refusal
			results.Refused = refused
		}
		if err := runs.PutResults(ctx, s.Store, of.Name, results); err != nil {
			return err
		}
	}
	return nil
}

// The method "relayed" returns Active Directory as the relay read it, or nil if there is no relay. If the relay brought
// no evidence, every read of the returned directory fails.
func (s *Steps) relayed(ctx context.Context, b *BatchState) (*client.Directory, error) {
	switch {
	case !s.Relay:
		return nil, nil
	case b.Evidence == nil || b.Evidence.Absent:
		return client.Failed("it was not asked"), nil
	case b.Evidence.Key == "":
		return client.Failed(b.Evidence.Why()), nil
	}
	var e protocol.Evidence
	if err := store.GetJSON(ctx, s.Store, b.Evidence.Key, &e); err != nil {
		return nil, fmt.Errorf("read what the relay brought: %w", err)
	}
	written := make([]protocol.Results, len(b.Results))
	for i, key := range b.Results {
		if err := store.GetJSON(ctx, s.Store, key, &written[i]); err != nil {
			return nil, fmt.Errorf("read what the relay wrote: %w", err)
		}
	}
	if !b.Asked.IsZero() {
		e.Undate(b.Asked)
	}
	return client.New(&e, s.Now(), written...), nil
}
