// Package gate makes the plan of a run from the decisions of all partitions:
// it counts, applies the limits and the health of the feeds, keeps the changes
// that fit, and writes plan.json and changes.csv. It reads objects only.
package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/store"
)

// Run makes the plan of a run whose partitions are all evaluated. now is the
// real clock, from which the plan expires. Running it again replaces the plan
// by the same one.
func Run(ctx context.Context, s store.Store, run string, now time.Time) (*plan.Plan, error) {
	r, err := decision.Open(ctx, s, run)
	if err != nil {
		return nil, err
	}
	p := begin(r, now)
	chosen := plan.NewSelection(r.Policy.Limits.PerRun)
	sum, err := r.Each(ctx, func(d *plan.Decision) error {
		if d.Outcome == policy.Reclaim && d.Refused == "" {
			chosen.Offer(*d)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("plan run %s: %w", run, err)
	}
	p.Changes, p.Deferred = chosen.Changes(r.Policy), chosen.Deferred()
	p.Counts = count(sum)
	for _, c := range p.Changes {
		p.MonthlySaving += c.MonthlySaving
	}
	p.Verdict, p.HoldReasons, p.Overridable = plan.Decide(p.Mode, len(p.Changes), plan.Exceeded(r.Policy.Limits, sum.Tallies), unhealthy(r))
	p.PlanHash = p.Hash()
	if err := report.PutPlan(ctx, s, p, r.Each); err != nil {
		return nil, err
	}
	return p, report.PutChanges(ctx, s, p)
}

func begin(r *decision.Run, now time.Time) *plan.Plan {
	return &plan.Plan{
		Run: r.Begin.Run, AsOf: r.Begin.AsOf, Tenant: r.Begin.Tenant, Mode: r.Policy.Mode, Currency: r.Policy.Currency,
		Sources:      map[string]plan.Feed{"entra": r.Feeds[directory.Entra], "ad": r.Feeds[directory.AD]},
		ManifestHash: r.ManifestHash, PolicyHash: r.Begin.PolicyHash(), Tool: r.Begin.Tool,
		Created: now.UTC(), Expires: now.UTC().Add(plan.Lifetime),
	}
}

func count(sum decision.Summary) plan.Counts {
	c := plan.Counts{Users: sum.People}
	for _, t := range sum.Tallies {
		c.Keep += t.Keep
		c.Reclaim += t.Reclaim
		c.Undecided += t.Undecided
		c.Exempt += t.Exempt
	}
	return c
}

// unhealthy lists what is wrong with the sources. One that is not set up is
// the operator's choice and no reason to hold. A run for one person is looked
// at by whoever asked for it, and shows what is not known itself.
func unhealthy(r *decision.Run) []string {
	if r.Begin.User != "" {
		return nil
	}
	var reasons []string
	for src, f := range r.Feeds {
		if f.State == plan.Unhealthy {
			reasons = append(reasons, fmt.Sprintf("source %s is unhealthy: %s", directory.Source(src), f.Reason))
		}
	}
	return reasons
}
