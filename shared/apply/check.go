package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// check holds everything that forbids a plan before the first write.
func (a *Applier) check(ctx context.Context, run *decision.Run, p *plan.Plan, before *Results, in Request) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w to apply run %s: %s", ErrRefused, in.Run, fmt.Sprintf(format, args...))
	}
	started := len(before.Results) > 0
	switch {
	case p.Mode == policy.Audit:
		return refuse("the policy is in mode audit, in which nothing is written; set mode to review or enforce and plan again")
	case p.Verdict == plan.Nothing:
		return refuse("the plan changes nothing")
	case p.PolicyHash != run.Begin.PolicyHash() || p.ManifestHash != run.ManifestHash:
		return refuse("the plan was made from another policy or snapshot than the run holds now")
	case in.Policy != "" && in.Policy != run.Begin.Policy:
		return refuse("the policy has changed since the plan was made; plan again")
	case in.Override != "" && in.Override != p.PlanHash:
		return refuse("--override-limits names %s, but the hash of this plan is %s", in.Override, p.PlanHash)
	case p.Verdict == plan.Hold && !(p.Overridable && in.Override == p.PlanHash):
		return refuse("%s", heldBecause(p))
	case started && before.Count(Pending) == 0 && len(before.Results) == len(p.Changes):
		return refuse("every change of the plan is final already")
	case !started && a.Now().After(p.Expires):
		return refuse("the plan expired at %s; plan again", p.Expires.Format(time.RFC3339))
	}
	tenant, _, err := a.Entra.Tenant(ctx)
	if err != nil {
		return fmt.Errorf("apply run %s: %w", in.Run, err)
	}
	if tenant != p.Tenant {
		return refuse("the plan is for tenant %s, but Graph answered for %s", p.Tenant, tenant)
	}
	return a.probe(ctx, refuse)
}

func heldBecause(p *plan.Plan) string {
	text := "the plan is held: " + strings.Join(p.HoldReasons, "; ")
	if p.Overridable {
		text += "; to apply this very plan all the same: --override-limits " + p.PlanHash
	}
	return text
}

var errEnough = errors.New("enough")

// probe looks at the first page of sign-in dates: when the feed broke after
// the plan was made, everybody would look as if they had never signed in.
func (a *Applier) probe(ctx context.Context, refuse func(string, ...any) error) error {
	facts := plan.FeedFacts{}
	err := a.Entra.ListPeople(ctx, "", func(page []directory.EntraUser, _ string) error {
		for i := range page {
			facts.Sampled++
			if t := page[i].LastActivity(); !t.IsZero() {
				facts.WithActivity++
				if t.After(facts.Newest) {
					facts.Newest = t
				}
			}
		}
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("read sign-in dates before applying: %w", err)
	}
	if facts.WithActivity == 0 {
		return refuse("source entra is unhealthy: %s", plan.Health(directory.Entra, facts, a.Now()).Reason)
	}
	return nil
}
