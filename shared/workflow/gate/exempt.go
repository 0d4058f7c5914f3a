package gate

import (
	"fmt"
	"maps"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
)

// exemptNow returns the counts of exempt holders by rule. It returns nil for a run for one person. It also returns nil
// if exempt.when compares dates with now, because such an exemption ends by itself, perhaps for many people at once.
func (j *judgement) exemptNow() map[string]directory.EarlierExempt {
	if j.Begin.User != "" || j.Policy.ExemptMoves() {
		return nil
	}
	counts := map[string]directory.EarlierExempt{}
	for i, r := range j.Policy.Rules {
		t := j.sum.Tallies[i]
		counts[r.Name] = directory.EarlierExempt{Asks: j.Policy.ExemptAsks(r), Holders: t.Holders, Exempt: t.Exempt, ByAccount: t.ExemptByAccount, Unknown: t.ExemptUnknown}
	}
	return counts
}

// exemptBefore returns the counts of exempt holders from the last trusted run with the same license and the same
// conditions. The parameter "asks" is a key that stands for this license and these conditions (policy.ExemptAsks).
// Without such a run, the counts are zero.
func (j *judgement) exemptBefore(asks string) directory.EarlierExempt {
	if j.Begin.Earlier == nil {
		return directory.EarlierExempt{}
	}
	return j.Begin.Earlier.Exempt[asks]
}

// exemptLost reports whether many holders of the rule's license lost their exemption, in this run or in an earlier run.
// A loss lasts until a run counts enough exempt holders again.
//
// If the directory of the license was not read in full, this run cannot count, and only the earlier runs decide. If the
// other directory was not read in full, some exemptions are unknown. The counts contain the number of these unknown
// exemptions.
func (j *judgement) exemptLost(r *policy.Rule, now directory.EarlierExempt) bool {
	found := j.Begin.Earlier != nil && j.Begin.Earlier.ExemptLost[now.Asks]
	if !j.trusts(r.License.Source()) {
		return found
	}
	before := j.exemptBefore(now.Asks)
	return before.Lost(now) || found && before.Fewer(now)
}

// The method "trusts" reports whether a directory was read with all its accounts, or is not set up. Unknown dates do
// not matter here.
func (j *judgement) trusts(s directory.Source) bool { return !j.Feeds[s].Incomplete }

// The method "untrusted" returns a sentence about each directory that was not read in full.
func (j *judgement) untrusted() (sentences []string) {
	for _, s := range []directory.Source{directory.Entra, directory.AD} {
		if !j.trusts(s) {
			sentences = append(sentences, fmt.Sprintf("the source %s was not read in full", s))
		}
	}
	return sentences
}

// fewerExempt compares, for each rule, the number of exempt holders now with the number in an earlier run. If the
// number has fallen far, it returns a reason to hold the plan, because a sync rule may have cleared the attribute that
// exempts people. It returns no reasons if an operator accepts the data (--accept-feeds).
func (j *judgement) fewerExempt() (reasons []string) {
	counts := j.exemptNow()
	for _, r := range j.Policy.Rules {
		now, compared := counts[r.Name]
		if !compared || j.Begin.AcceptFeeds || !j.exemptLost(r, now) {
			continue
		}
		before, unhealthy := j.exemptBefore(now.Asks), strings.Join(j.untrusted(), ", ")
		found := fmt.Sprintf("exempt.when and the kinds of accounts exempt %d of %s, and exempted %d of %d in an earlier run",
			now.ByAccount, plain.Many(now.Holders, "holder"), before.ByAccount, before.Holders)
		switch {
		case !j.trusts(r.License.Source()):
			found = fmt.Sprintf("exempt.when and the kinds of accounts exempted %d of %d holders, and far fewer in an earlier run; whether they are exempt again is not known, because %s",
				before.ByAccount, before.Holders, unhealthy)
		case unhealthy != "":
			found += "; a cause may be that " + unhealthy
		}
		reasons = append(reasons, fmt.Sprintf("rule %s: %s; look whether an attribute or the mailbox usage report that they read is lost, or plan with --accept-feeds if it is right that these people are exempt no more or hold the license no more", r.Name, found))
	}
	return reasons
}

// keepExempt stores the counts of exempt holders in "next" for later runs. If a count fell and no operator accepts
// that, the last trusted count stays, and the lower one goes into ExemptLeft. Counts under another policy stay, too. So
// the plan of a draft does not end a doubt that arose under the policy in force.
func (j *judgement) keepExempt(next *directory.Earlier) {
	next.Exempt, next.ExemptLeft, next.ExemptLost = map[string]directory.EarlierExempt{}, map[string]int{}, map[string]bool{}
	if before := j.Begin.Earlier; before != nil {
		maps.Copy(next.Exempt, before.Exempt)
		maps.Copy(next.ExemptLeft, before.ExemptLeft)
		maps.Copy(next.ExemptLost, before.ExemptLost)
	}
	accepted, whole, counts := j.Begin.AcceptFeeds, len(j.untrusted()) == 0, j.exemptNow()
	for _, r := range j.Policy.Rules {
		now, compared := counts[r.Name]
		switch lost := compared && j.exemptLost(r, now); {
		case lost && !accepted:
			next.ExemptLeft[now.Asks], next.ExemptLost[now.Asks] = now.ByAccount, true
		case !compared || !whole && !lost: // such counts are not trusted
		case !accepted && j.exemptBefore(now.Asks).Fewer(now):
			next.ExemptLeft[now.Asks] = now.ByAccount
		default:
			delete(next.ExemptLeft, now.Asks)
			delete(next.ExemptLost, now.Asks)
			if delete(next.Exempt, now.Asks); whole && now.ByAccount > 0 {
				next.Exempt[now.Asks] = now
			}
		}
	}
}
