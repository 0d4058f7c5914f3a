package gate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "doubts" returns the reasons why an operator must look at the run before it changes anything. They do not
// depend on the planned changes, and an override does not lift them. A run for one person has fewer doubts, because the
// operator looks at it anyway.
func (j *judgement) doubts() []string {
	nobody := j.Begin.Unnamed
	if j.Begin.User == "" {
		nobody = j.listed.Nobody
	}
	var reasons []string
	if n := len(nobody); n > 0 { // many people read hold reasons, so only the notes contain names of people
		reasons = append(reasons, fmt.Sprintf("%d of the names in exempt.users and exempt.leave have never been anybody's, so that somebody who is meant to be exempt may not be; the notes of the plan say which; correct them, or take them out of the policy", n))
	}
	if j.Begin.User != "" {
		return reasons
	}
	return slices.Concat(reasons, nobodyHolds(j.Run, j.sum.Tallies), doubtfulGroups(j.Run), j.fewerExempt())
}

// findListed finds the people and groups that the policy names, stores them in j.listed for later runs, and adds notes
// to the plan. A run for one person gets only the notes.
func (j *judgement) findListed(ctx context.Context) error {
	j.plan.Notes = slices.Concat(j.plan.Notes, notes(j.Run), converted(j.sum.Converted))
	if j.Begin.User != "" {
		for _, name := range j.Begin.Unnamed {
			j.plan.Notes = append(j.plan.Notes, fmt.Sprintf("the policy lists %q, and nobody has that name; a plan for everybody finds who is meant", name))
		}
		j.plan.Notes = append(j.plan.Notes, nightDoubts(j.Run)...)
		return nil
	}
	j.listed = j.Listed(j.sum.Named)
	nobody, err := j.Lookalikes(ctx, j.listed.Nobody)
	j.plan.Notes = slices.Concat(j.plan.Notes, nobody, j.listed.Notes)
	return err
}

// The function "hold" puts a plan on hold if there are doubts. An override does not lift this hold.
func hold(p *plan.Plan, doubts []string) {
	if len(doubts) > 0 {
		p.Verdict, p.HoldReasons, p.Overridable = plan.Hold, slices.Concat(doubts, p.HoldReasons), false
	}
}

// nobodyHolds returns a hold reason for each product that nobody in the snapshot holds, although Graph counts seats of
// it as taken. Then the policy names the wrong product, or the snapshot lacks people. It checks only products for which
// the policy has a rule.
func nobodyHolds(r *decision.Run, tallies []plan.Tally) (reasons []string) {
	if r.Feeds[directory.Entra].State != plan.Healthy {
		return nil // the state of the source already gives the reason
	}
	for _, l := range r.Policy.Licenses {
		sku := skuOf(r, l)
		if sku == nil || sku.Consumed == 0 || r.Policy.FirstRule(l) == nil {
			continue
		}
		held := slices.ContainsFunc(tallies, func(t plan.Tally) bool { return t.Holders > 0 && r.Policy.RuleNamed(t.Rule).License == l })
		if !held {
			reasons = append(reasons, fmt.Sprintf("license %s: Graph counts %s of %s (skuId %s) as taken, and nobody holds one; check in licenses which product is meant",
				l.Name, plain.Many(sku.Consumed, "seat"), sku.PartNumber, sku.ID))
		}
	}
	return reasons
}

// doubtfulGroups returns a reason for each group whose identity changed or that lost many members.
func doubtfulGroups(r *decision.Run) (reasons []string) {
	for _, g := range r.Begin.Groups {
		if g.Doubt {
			reasons = append(reasons, g.Unreadable)
		}
	}
	shrunk := r.Shrunk()
	for _, q := range r.Policy.MemberQueries() {
		if before, is := shrunk[q.Key()]; is {
			now := "none"
			if n := r.Manifest.Readings[q.Ref.Source].Members[q.Key()]; n > 0 {
				now = strconv.Itoa(n)
			}
			reasons = append(reasons, fmt.Sprintf("the group %s had %s in an earlier run and has %s now, so that nobody knows who belongs to it; put them back, or plan with --accept-feeds if that is right", q.Ref, plain.Many(before, "member"), now))
		}
	}
	for _, ref := range r.Remade() {
		before := r.Begin.Earlier.Group(ref)
		reasons = append(reasons, fmt.Sprintf("the group %s is another one (objectGUID %s) than the one that run %s read (%s), so that nobody knows who belongs to it; if the new one is right, plan with --accept-feeds",
			ref, r.ADGroup(ref), before.Run, before.ID))
	}
	return reasons
}

// nightDoubts returns notes for the plan of a run for one person. A note says that the newest run for everybody found
// fewer members in a group, or fewer exempt holders for a rule, than it can trust.
func nightDoubts(r *decision.Run) (lines []string) {
	shrunk := r.Shrunk()
	for _, q := range r.Policy.MemberQueries() {
		if before, is := shrunk[q.Key()]; is {
			now, _ := r.Counted(q)
			lines = append(lines, fmt.Sprintf("the group %s had %s in an earlier run and %d in the newest run for everybody, so that nobody knows who belongs to it; put them back and plan for everybody, or plan with --accept-feeds if that is right", q.Ref, plain.Many(before, "member"), now))
		}
	}
	for _, rule := range r.FewerExempt() {
		lines = append(lines, fmt.Sprintf("rule %s: the newest run for everybody found that exempt.when and the kinds of accounts exempt far fewer holders than before, so that nobody knows who is exempt; bring back the attribute that is lost and plan for everybody, or plan with --accept-feeds if that is right", rule))
	}
	return lines
}

// The function "withheld" returns, for each group whose members could not be read, the reason why not. The method
// "doubts" has the reason of a group in doubt.
func withheld(r *decision.Run) (reasons []string) {
	for _, g := range r.Begin.Groups {
		if g.Unreadable != "" && !g.Doubt {
			reasons = append(reasons, fmt.Sprintf("the policy names the group %s, and it was not found (%s), so that nobody knows who belongs to it; correct the name, create the group, or take it out of the policy", g.Ref, g.Unreadable))
		}
	}
	for _, reading := range r.Manifest.Readings {
		for _, key := range slices.Sorted(maps.Keys(reading.Why)) {
			reasons = append(reasons, reading.Why[key])
		}
	}
	return reasons
}

func notes(r *decision.Run) (lines []string) {
	for _, g := range r.Begin.Groups {
		if g.Note != "" {
			lines = append(lines, g.Note)
		}
	}
	lines = append(lines, hiresLost(r)...)
	return append(lines, withheld(r)...)
}

// The function "hiresLost" returns a sentence if many hire dates are gone, and otherwise none.
func hiresLost(r *decision.Run) []string {
	before := r.HiresLost()
	if before == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s in Entra ID with a hire date, and %d had one in an earlier run: the rules that use it are undecided about people without one; let the application read employeeHireDate again, or plan with --accept-feeds if that is right",
		plain.Many(r.Manifest.Readings[directory.Entra].WithHired, "account"), before)}
}

func converted(n int) (lines []string) {
	switch {
	case n == 1:
		lines = append(lines, "1 account carries a SID of Active Directory, is mastered in Entra ID (onPremisesSyncEnabled is off) and has no account there: it counts as an account of Entra ID alone")
	case n > 1:
		lines = append(lines, fmt.Sprintf("%d accounts carry a SID of Active Directory, are mastered in Entra ID (onPremisesSyncEnabled is off) and have no account there: they count as accounts of Entra ID alone", n))
	}
	return lines
}

// The method "earlier" returns the state of what the policy names, groups and people. Later runs compare their own
// reading with it. A group in doubt keeps its last state that was not in doubt. If the run evaluates another run's
// snapshot, a state newer than that snapshot may already be stored. The method then returns nil, so that the newer
// state stays. If the stored state is as old as the snapshot, the method returns a state only if an operator accepted
// the snapshot's data (AcceptFeeds).
func (j *judgement) earlier() *directory.Earlier {
	if before := j.Begin.Earlier; j.Begin.Copy != "" && before != nil && !j.Begin.Read.After(before.Read) && !(j.Begin.AcceptFeeds && j.Begin.Read.Equal(before.Read)) {
		return nil
	}
	next := &directory.Earlier{Read: j.Begin.Read, Groups: map[string]directory.EarlierGroup{}, Members: map[string]int{}, Left: map[string]int{}}
	if before := j.Begin.Earlier; before != nil {
		maps.Copy(next.Groups, before.Groups)
		maps.Copy(next.Members, before.Members)
		maps.Copy(next.Left, before.Left)
	}
	j.keepExempt(next)
	next.People = j.listed.People
	for _, g := range j.Begin.Groups {
		if g.Ref.Source == directory.Entra && g.Unreadable == "" {
			next.Groups[g.Ref.Key(false)] = directory.EarlierGroup{ID: g.ID, Run: j.Begin.Run, At: j.Begin.Read, Hidden: slices.Contains(j.Manifest.Readings[directory.Entra].Hidden, g.Ref.Key(false))}
		}
	}
	shrunk, remade := j.Shrunk(), j.Remade()
	for _, q := range j.Policy.MemberQueries() {
		if guid := j.ADGroup(q.Ref); guid != "" && !slices.Contains(remade, q.Ref) {
			next.Groups[q.Ref.Key(false)] = directory.EarlierGroup{ID: guid, Run: j.Begin.Run, At: j.Begin.Read}
		}
		now, counted := j.Counted(q)
		switch _, is := shrunk[q.Key()]; {
		case is:
			next.Left[q.Key()] = now
		case counted:
			next.Members[q.Key()] = now
			delete(next.Left, q.Key())
		}
	}
	return next
}

// skuOf returns the tenant's product for a license, or nil if the tenant has no such product.
func skuOf(r *decision.Run, l *policy.License) *directory.SKU {
	id := r.Tenant.SKUIDs[l.SKU]
	i := slices.IndexFunc(r.Begin.SKUs, func(s directory.SKU) bool { return s.ID == id })
	if l.SKU == "" || i < 0 {
		return nil
	}
	return &r.Begin.SKUs[i]
}
