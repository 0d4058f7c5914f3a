package gate

import (
	"fmt"
	"maps"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
)

// exemptNow returns the counts of exempt holders by rule. It returns nil if a source is neither healthy nor absent,
// because an exemption may then be unknown. It returns nil for a run for one person. It also returns nil if exempt.when
// compares dates with now, because such an exemption ends by itself, perhaps for many people at once.
func (j *judgement) exemptNow() map[string]directory.EarlierExempt {
	for _, f := range j.Feeds[:directory.Sources] {
		if f.State != plan.Healthy && f.State != plan.Absent {
			return nil
		}
	}
	if j.Begin.User != "" || j.Policy.ExemptMoves() {
		return nil
	}
	counts := map[string]directory.EarlierExempt{}
	for i, r := range j.Policy.Rules {
		t := j.sum.Tallies[i]
		counts[r.Name] = directory.EarlierExempt{Asks: j.Policy.ExemptAsks(r), Holders: t.Holders, Exempt: t.Exempt, ByAccount: t.ExemptByAccount, Undecided: t.UndecidedHolders}
	}
	return counts
}

// exemptBefore returns the counts of the last trusted reading that asked the same. They are zero if there is no such
// reading, or if an operator accepts the present state.
func (j *judgement) exemptBefore(asks string) directory.EarlierExempt {
	if j.Begin.Earlier == nil || j.Begin.AcceptFeeds {
		return directory.EarlierExempt{}
	}
	return j.Begin.Earlier.Exempt[asks]
}

// fewerExempt returns a reason for each rule whose holders have lost their exemption. The cause may be a sync rule that
// cleared an attribute.
func (j *judgement) fewerExempt() (reasons []string) {
	counts := j.exemptNow()
	for _, r := range j.Policy.Rules {
		now, read := counts[r.Name]
		if before := j.exemptBefore(now.Asks); read && before.Lost(now) {
			reasons = append(reasons, fmt.Sprintf("rule %s: exempt.when and the kinds of accounts exempt %d of %s, and exempted %d of %d in an earlier run; look whether an attribute that they read is lost, or plan with --accept-feeds if it is right that these people are exempt no more or hold the license no more",
				r.Name, now.ByAccount, plain.Many(now.Holders, "holder"), before.ByAccount, before.Holders))
		}
	}
	return reasons
}

// keepExempt puts the trusted counts of exempt holders into the object for later runs, and what is left of them if they
// are in doubt. Counts of another policy stay, so that a plan of a draft does not end a doubt about the policy in
// force.
func (j *judgement) keepExempt(next *directory.Earlier) {
	next.Exempt, next.ExemptLeft = map[string]directory.EarlierExempt{}, map[string]int{}
	if before := j.Begin.Earlier; before != nil {
		maps.Copy(next.Exempt, before.Exempt)
		maps.Copy(next.ExemptLeft, before.ExemptLeft)
	}
	now := j.exemptNow()
	for _, r := range j.Policy.Rules {
		counts, read := now[r.Name]
		switch {
		case !read:
		case j.exemptBefore(counts.Asks).Fewer(counts):
			next.ExemptLeft[counts.Asks] = counts.ByAccount
		case counts.ByAccount > 0:
			next.Exempt[counts.Asks] = counts
			delete(next.ExemptLeft, counts.Asks)
		default:
			delete(next.Exempt, counts.Asks)
			delete(next.ExemptLeft, counts.Asks)
		}
	}
}
