package gate

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// doubts are what holds the run whatever it would change, until somebody has
// looked: no override sets them aside. A run for one person is looked at by
// whoever asked for it.
func (j *judgement) doubts() []string {
	if j.Begin.User != "" {
		return nil
	}
	return nobodyHolds(j.Run, j.sum.Tallies)
}

// hold holds a plan for other reasons than its limits.
func hold(p *plan.Plan, doubts []string) {
	if len(doubts) > 0 {
		p.Verdict, p.HoldReasons, p.Overridable = plan.Hold, slices.Concat(doubts, p.HoldReasons), false
	}
}

// nobodyHolds names the products whose seats are taken although nobody was found
// who holds one: then the policy asks about another product, or people are missing.
func nobodyHolds(r *decision.Run, tallies []plan.Tally) (reasons []string) {
	if r.Feeds[directory.Entra].State != plan.Healthy {
		return nil // which is told already
	}
	for _, l := range r.Policy.Licenses {
		sku := skuOf(r, l)
		if sku == nil || sku.Consumed == 0 || r.Policy.FirstRule(l) == nil {
			continue
		}
		held := slices.ContainsFunc(tallies, func(t plan.Tally) bool { return t.Holders > 0 && r.Policy.RuleNamed(t.Rule).License == l })
		if !held {
			reasons = append(reasons, fmt.Sprintf("license %s: Graph counts %d seats of %s (skuId %s) as taken, and nobody holds one; check in licenses which product is meant",
				l.Name, sku.Consumed, sku.PartNumber, sku.ID))
		}
	}
	return reasons
}

// skuOf is the tenant's product of a license; nil when it has none.
func skuOf(r *decision.Run, l *policy.License) *directory.SKU {
	id := r.Tenant.SKUIDs[l.SKU]
	i := slices.IndexFunc(r.Begin.SKUs, func(s directory.SKU) bool { return s.ID == id })
	if l.SKU == "" || i < 0 {
		return nil
	}
	return &r.Begin.SKUs[i]
}
