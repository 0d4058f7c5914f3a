package gate

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
)

// exemptNow returns the counts of exempt holders by rule. It returns nil if the run is for one person, if a source is not
// healthy, because an exemption may then be unknown, or if exempt.when compares dates with now. Such an exemption ends by
// itself, for many people at once if they were hired together.
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

// exemptBefore returns the counts of the last trusted reading for a rule. The counts are zero if there is no such
// reading, or if an operator accepts the present state.
func (j *judgement) exemptBefore(rule string) directory.EarlierExempt {
	if j.Begin.Earlier == nil || j.Begin.AcceptFeeds {
		return directory.EarlierExempt{}
	}
	return j.Begin.Earlier.Exempt[rule]
}

// fewerExempt returns a reason for each rule whose holders have lost their exemption. The cause may be a sync rule that
// cleared an attribute.
func (j *judgement) fewerExempt() (reasons []string) {
	counts := j.exemptNow()
	for _, r := range j.Policy.Rules {
		now, read := counts[r.Name]
		if before := j.exemptBefore(r.Name); read && before.Lost(now) {
			reasons = append(reasons, fmt.Sprintf("rule %s: exempt.when and the kinds of accounts exempt %d of %s, and exempted %d of %d in an earlier run; look whether an attribute that they read is lost, or plan with --accept-feeds if it is right that these people are exempt no more or hold the license no more",
				r.Name, now.ByAccount, plain.Many(now.Holders, "holder"), before.ByAccount, before.Holders))
		}
	}
	return reasons
}

// keepExempt puts the trusted counts of exempt holders into the object for later runs, and what is left of them if they
// are in doubt.
func (j *judgement) keepExempt(next *directory.Earlier) {
	now := j.exemptNow()
	if now == nil && j.Begin.Earlier != nil {
		next.Exempt, next.ExemptLeft = j.Begin.Earlier.Exempt, j.Begin.Earlier.ExemptLeft
		return
	}
	next.Exempt, next.ExemptLeft = map[string]directory.EarlierExempt{}, map[string]int{}
	for rule, counts := range now {
		before := j.exemptBefore(rule)
		switch {
		case before.Fewer(counts):
			next.Exempt[rule], next.ExemptLeft[rule] = before, counts.ByAccount
		case counts.ByAccount > 0:
			next.Exempt[rule] = counts
		}
	}
}
