package decision

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// A run for one person lists the members of no group and counts no holders. So it cannot see that a group or an
// attribute protects far fewer people than before. The newest run for everybody stores such doubts (directory.Earlier),
// and a run for one person uses them.

// Counted returns the number of members of a group, if they were counted. A run for one person counts no members. It
// knows the number only for a group about which the newest run for everybody had a doubt.
func (r *Run) Counted(q directory.Question) (members int, counted bool) {
	if r.Begin.User != "" {
		members, counted = r.Begin.Earlier.Left[q.Key()]
		return members, counted
	}
	reading := &r.Manifest.Readings[q.Ref.Source]
	counted = reading.Failed == "" && !reading.Absent && !slices.Contains(reading.Unreadable, q.Key())
	return reading.Members[q.Key()], counted
}

// FewerExempt returns, in a run for one person, the rules for which the newest run for everybody found far fewer exempt
// holders than before (directory.EarlierExempt.Fewer). The cause may be that values of an attribute in exempt.when are
// lost. It returns nil for any other run, and for a run with --accept-feeds.
func (r *Run) FewerExempt() (rules []string) {
	if r.Begin.User == "" || r.Begin.AcceptFeeds || r.Begin.Earlier == nil {
		return nil
	}
	for _, rule := range r.Policy.Rules {
		if _, doubted := r.Begin.Earlier.ExemptLeft[r.Policy.ExemptAsks(rule)]; doubted {
			rules = append(rules, rule.Name)
		}
	}
	return rules
}
