package history

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/layout"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// Request says how an operator or the state machine wants to apply a plan.
type Request struct {
	// Approved is the hash of the approved plan, or empty for no comparison.
	Approved string
	// Override is the hash of the plan on hold whose limits an operator overrides, or empty.
	Override string
	// Policy is the text of the policy in force, or empty for no comparison.
	Policy string
	// ManifestHash is the hash of the manifest of the run's snapshot, or empty for no comparison.
	ManifestHash string
	// Left is the number of changes without a final result, in the plan and in the plans that it resumes.
	Left int
}

// Admission says which changes of an admitted plan may be made.
type Admission struct {
	// Closed says why no further change may begin, or is empty. Changes that have begun are finished even so.
	Closed    string
	Withdrawn bool
}

// Admit decides whether a plan may be applied now. It reads the store, and no directory. The parameter "b" is the
// begin.json of the plan's run. The result "refusal" says why the plan may not be applied, or is "".
func Admit(ctx context.Context, s store.Store, p *plan.Plan, b *snapshot.Begin, in Request, now time.Time) (a Admission, refusal string, err error) {
	if refusal = refused(p, b, in); refusal != "" {
		return a, refusal, nil
	}
	if a.Closed, a.Withdrawn, err = closed(ctx, s, p, b, in.Policy, now); err != nil {
		return a, "", err
	}
	if a.Closed == "" {
		return a, final(in), nil
	}
	if begun, err := begun(ctx, ledger.In(s), p); err != nil || begun {
		return a, "", err
	}
	return a, a.Closed, nil
}

// The function "final" returns a refusal if the plan has no change left to make, and "" otherwise.
func final(in Request) string {
	if in.Left == 0 {
		return "every change of the plan is final already"
	}
	return ""
}

// The function "again" returns what an operator can do in place of applying the plan.
func again(p *plan.Plan) string {
	if p.Restores != "" {
		return "restore again"
	}
	return "plan again"
}

// The function "refused" returns a refusal if the content of the plan or a hash does not allow its application.
// Otherwise it returns "".
func refused(p *plan.Plan, b *snapshot.Begin, in Request) string {
	again := again(p)
	switch {
	case p.Mode == policy.Audit && p.Restores == "":
		return "the policy is in mode audit, in which nothing is written; set mode to review or enforce and plan again"
	case p.Verdict == plan.Nothing && (len(p.Resumes) == 0 || in.Left == 0):
		return "the plan changes nothing"
	case in.ManifestHash != "" && p.PolicyHash != b.PolicyHash():
		return "the plan was made from another policy than " + layout.Begin(p.Run) + " has now; " + again
	case in.ManifestHash != "" && p.ManifestHash != in.ManifestHash:
		return "the plan was made from another snapshot than " + layout.Manifest(p.Run) + " describes now; " + again
	case in.Approved != "" && in.Approved != p.PlanHash:
		return "what was approved is the plan " + in.Approved + ", but the hash of this plan is " + p.PlanHash
	case in.Override != "" && in.Override != p.PlanHash:
		return "--override-limits names " + in.Override + ", but the hash of this plan is " + p.PlanHash
	case p.Verdict == plan.Hold && !p.Overridable:
		return "the plan is held: " + strings.Join(p.HoldReasons, "; ")
	case p.Verdict == plan.Hold && in.Override == "":
		return "the plan is held: " + strings.Join(p.HoldReasons, "; ") + "; to apply this very plan all the same: " + overriding(p, b)
	}
	return ""
}

// The function "overriding" returns what an operator gives to the command that applies a held plan. In a deployment
// this is another command than on a machine, and its flag has no value.
func overriding(p *plan.Plan, b *snapshot.Begin) string {
	if b.Deployment != "" {
		return "idleseat approve " + p.Run + " " + p.PlanHash + " --override-limits --aws " + plain.Word(b.Deployment)
	}
	return "--override-limits " + p.PlanHash
}

// The function "closed" returns why no change may begin, or "". The parameter "inForce" is the text of the policy in
// force, or "" for no comparison. The result "withdrawn" means that another run restores the licenses that the plan's
// run took.
func closed(ctx context.Context, s store.Store, p *plan.Plan, b *snapshot.Begin, inForce string, now time.Time) (why string, withdrawn bool, err error) {
	if p.Restores == "" {
		by, err := Withdrawn(ctx, s, p.Run)
		if err != nil || by != "" {
			return "run " + by + " restores it, so it cannot be applied again; plan a new run", err == nil, err
		}
	}
	from := p.Run
	if b.Choice != nil { // a chosen plan closes together with the plan from which it was chosen
		from = b.Choice.From
		if by, err := Withdrawn(ctx, s, from); err != nil || by != "" {
			return "run " + by + " restores what run " + from + " took, from whose plan this one was chosen", false, err
		}
	}
	again := again(p)
	switch {
	case snapshot.Ahead(p.Run, now):
		return "the plan was made by a clock that was ahead: it is named " + p.Run + ", and now it is " + now.UTC().Format(time.RFC3339) + "; set the clocks right and " + again, false, nil
	case p.Restores == "" && inForce != "" && inForce != b.Policy:
		return "the policy has changed since the plan was made; plan again", false, nil
	case now.After(p.Expires):
		return "the plan expired at " + p.Expires.Format(time.RFC3339) + "; " + again, false, nil
	case p.Restores != "" || b.User != "":
		return "", false, nil
	}
	newer, err := Newer(ctx, s, from, now)
	if err != nil || newer == "" {
		return "", false, err
	}
	why, err = superseded(ctx, s, newer, now)
	return why, false, err
}

// The function "superseded" returns the refusal for a plan that the plan of the run "newer" supersedes. It proposes the
// newer plan only if changes of that plan may begin.
func superseded(ctx context.Context, s store.Store, newer string, now time.Time) (string, error) {
	p, err := GetPlanned(ctx, s, newer)
	if err != nil {
		return "", err
	}
	by, err := Withdrawn(ctx, s, newer)
	if err != nil {
		return "", err
	}
	if len(p.Touches) == 0 || by != "" || now.After(p.Expires) {
		return "the plan of run " + newer + " superseded it, and no change of that one can begin; plan again", nil
	}
	return "the plan of run " + newer + " superseded it; apply that one", nil
}

// The function "begun" reports whether a change of the plan's run is open in the ledger. Package apply finishes it even
// if no further change may begin.
func begun(ctx context.Context, book *ledger.Ledger, p *plan.Plan) (bool, error) {
	for _, c := range slices.Concat(p.Changes, p.Notices) {
		last, err := book.Latest(ctx, c.Person(), c.License)
		if errors.Is(err, ledger.ErrDamaged) {
			continue // nothing finishes a damaged change
		}
		if err != nil || last != nil && last.Run == p.Run && last.Completion == nil {
			return err == nil, err
		}
	}
	return false, nil
}
