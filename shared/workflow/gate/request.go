package gate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// Request is the input of an execution that applies a plan or restores licenses.
type Request struct {
	Run      string `json:"apply"`
	PlanHash string `json:"planHash"`
	// Override reports whether to apply the plan although a limit put it on hold.
	Override bool `json:"override"`
	// Restore is the run whose licenses are restored. Run is then empty. User limits the restore to one person. If User
	// is set and Restore is empty, the step finds the run that took the person's licenses.
	Restore string `json:"restore,omitempty"`
	User    string `json:"user,omitempty"`

	wrong error // why the JSON is not a request
}

// UnmarshalJSON keeps the error of a malformed field or of a field that Request does not have. The step then refuses
// the request with this error. Otherwise a misspelled "user" would restore the licenses of everybody.
func (r *Request) UnmarshalJSON(text []byte) error {
	type fields Request
	known := json.NewDecoder(bytes.NewReader(text))
	known.DisallowUnknownFields()
	r.wrong = known.Decode((*fields)(r))
	return nil
}

func (r *Request) check(at entrance.Name, wish entrance.Wish) error {
	if err := cmp.Or(r.wrong, at.Admit(wish)); err != nil {
		return fmt.Errorf("%w: %w", runs.ErrRefused, err)
	}
	return nil
}

// The method "approve" checks that the stored plan is the plan that an operator approved. Every batch checks this
// again, and also checks the plan against the directories.
func (s *Steps) approve(ctx context.Context, in Request) (*StepOutput, error) {
	p, results, err := Conclude(ctx, s.Store, in.Run, s.Now())
	if err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w to apply run %s: %s", runs.ErrRefused, in.Run, fmt.Sprintf(format, args...))
	}
	out := outputOf(p, results, in.Override)
	if err := s.resume(ctx, p, out, results, false); err != nil {
		return nil, err
	}
	if in.PlanHash == "" {
		return nil, refuse("the hash of the plan that was approved is missing; that of this plan is %s", p.PlanHash)
	}
	refusal, err := s.admit(ctx, p, in, out.Batches.any())
	if err != nil {
		return nil, err
	}
	if refusal != "" {
		return nil, refuse("%s", refusal)
	}
	before := *out
	before.conclude(results)
	out.Before, out.Go = before.totals(), true
	out.afford(0)
	return out, nil
}

// The method "admit" returns the reason why an operator may not apply a plan, or "". The parameter "left" says that at
// least one batch of the plan still has changes without a final result.
func (s *Steps) admit(ctx context.Context, p *plan.Plan, in Request, left bool) (refusal string, err error) {
	b, err := snapshot.GetBegin(ctx, s.Store, p.Run)
	if err != nil {
		return "", err
	}
	asked := history.Request{Approved: in.PlanHash}
	if in.Override {
		asked.Override = p.PlanHash
	}
	if left {
		asked.Left = 1
	}
	if p.Restores == "" { // a restore does not need a valid policy
		if asked.Policy, err = s.Policy(ctx); err != nil {
			return "", err
		}
	}
	_, refusal, err = history.Admit(ctx, s.Store, p, b, asked, s.Now())
	return refusal, err
}

// The method "restore" makes the plan of a restore. The request for a restore is also its approval.
func (s *Steps) restore(ctx context.Context, in StepInput) (*StepOutput, error) {
	sum := sha256.Sum256([]byte(in.Execution))
	run := snapshot.NewRun(in.Started, [4]byte(sum[:]))
	asked := restore.Request{Of: in.Request.Restore, User: in.Request.User, Run: run, Deployment: s.Deployment}
	if asked.Of == "" && asked.User != "" {
		took, err := restore.TakenFrom(ctx, s.Store, s.Now(), asked.User, "")
		if err != nil {
			return nil, err
		}
		if len(took.Runs) > 1 { // an execution has one plan
			return nil, fmt.Errorf("%w: licenses of %q were taken by the runs %s; restore them in this order, each when the one before has ended, with --run", runs.ErrRefused, asked.User, strings.Join(took.Runs, " and "))
		}
		asked.Of, asked.User, asked.Unreadable = took.Runs[0], took.User, took.Unreadable
	}
	if inForce, err := s.Policy(ctx); err == nil { // a restore does not need a valid policy
		asked.Policy = inForce
	}
	p, err := restore.Plan(ctx, s.Store, asked, s.Now())
	if err != nil {
		return nil, err
	}
	out := outputOf(p, nil, false)
	if err := s.resume(ctx, p, out, nil, false); err != nil {
		return nil, err
	}
	out.Go = true
	out.afford(0)
	return out, nil
}
