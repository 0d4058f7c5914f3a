package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
)

// minMatches is the smallest number of matches to which the percent limit applies. A smaller number, such as three of
// eleven holders, does not suggest a mistake.
const minMatches = 10

// If a license has at least minHolders holders about whom a rule can decide, and the rule matches all of them, the plan
// is put on hold, because no company stops using a license in one night. The rule cannot decide about holders who are
// exempt or undecided. Holders whom an operator accepted are decided already.
const minHolders = 3

// Exceeded returns a sentence for each rule that matches more people than the policy allows. The map "accepted" has the
// number of matched people whom an operator accepted in spite of the limits, for each rule. These people do not count
// against the limits.
func Exceeded(limits policy.Limits, tallies []Tally, accepted map[string]int) []string {
	var reasons []string
	for i := range tallies {
		if why := exceeded(limits, &tallies[i], accepted[tallies[i].Rule]); why != "" {
			reasons = append(reasons, why)
		}
	}
	return reasons
}

func exceeded(limits policy.Limits, t *Tally, accepted int) string {
	matches, besides := t.Reclaim-accepted, ""
	if accepted > 0 {
		besides = fmt.Sprintf(", besides the %d whom an override accepted", accepted)
	}
	percent := 100 * float64(matches) / float64(max(1, t.Holders))
	switch {
	case matches <= 0:
	case matches > limits.StopAboveCount:
		return fmt.Sprintf("rule %s matches %s%s, more than limits.stopAbove.count %d", t.Rule, plain.Many(matches, "person"), besides, limits.StopAboveCount)
	case everyone(t, accepted):
		return fmt.Sprintf("rule %s matches %s, which is a sign of broken data", t.Rule, allOf(t, accepted))
	case matches < minMatches:
	case percent > limits.StopAbovePercent:
		return fmt.Sprintf("rule %s matches %d of %d holders (%.1f %%)%s, more than limits.stopAbove.percent %g", t.Rule, matches, t.Holders, percent, besides, limits.StopAbovePercent)
	}
	return ""
}

// The function "everyone" reports whether the rule matches every holder about whom it can decide. Otherwise one exempt
// or undecided holder, or one whom an operator accepted, would be enough to pass this limit.
func everyone(t *Tally, accepted int) bool {
	return t.Reclaim-accepted >= minHolders && t.Reclaim == t.Holders-t.ExemptHolders-t.UndecidedHolders
}

// The function "allOf" names the holders whom a rule matches if "everyone" is true.
func allOf(t *Tally, accepted int) string {
	var others []string
	for _, x := range []struct {
		n    int
		what string
	}{{t.ExemptHolders, "exempt"}, {t.UndecidedHolders, "undecided"}, {accepted, "accepted by an override"}} {
		if x.n > 0 {
			others = append(others, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	all := "every one of the " + plain.Many(t.Holders, "holder")
	if len(others) > 0 {
		all += " except " + strings.Join(others, ", ")
	}
	return all
}

// MostChosen is the maximum number of changes that an operator may choose from a plan that is on hold because of its
// limits. The command line shows this many changes in full before it asks. More changes need an override.
const MostChosen = 25

// ExceededByChoice is like Exceeded, for changes that an operator chose from a larger plan. The parameter "takes" has
// the number of licenses that the chosen changes take or announce, by rule, and "all" the number of chosen changes.
// Each rule that exceeds a limit gives a sentence in "held" or in "lifted". A sentence in "held" puts the plan on hold.
// A sentence in "lifted" does not, because the choice has no change of the rule, or is small and within the limits. If
// a rule of the choice matches every holder, the plan is on hold, because a smaller plan rests on the same data.
func ExceededByChoice(limits policy.Limits, tallies []Tally, accepted, takes map[string]int, all int) (held, lifted []string) {
	for i := range tallies {
		t := &tallies[i]
		why := exceeded(limits, t, accepted[t.Rule])
		n, percent := takes[t.Rule], 100*float64(takes[t.Rule])/float64(max(1, t.Holders))
		switch {
		case why == "":
		case n == 0:
			lifted = append(lifted, why)
		case everyone(t, accepted[t.Rule]):
			held = append(held, fmt.Sprintf("rule %s matches %s, which is a sign of broken data, and a choice of some does not mend data", t.Rule, allOf(t, accepted[t.Rule])))
		case all > MostChosen:
			held = append(held, fmt.Sprintf("%s; %s chosen, and up to %d can be made without setting the limits aside", why, plain.ManyAre(all, "change"), MostChosen))
		case n > limits.StopAboveCount:
			held = append(held, fmt.Sprintf("the choice has %s of rule %s, more than limits.stopAbove.count %d", plain.Many(n, "change"), t.Rule, limits.StopAboveCount))
		case n >= minMatches && percent > limits.StopAbovePercent:
			held = append(held, fmt.Sprintf("the choice has %d changes of rule %s, whose license %d people hold (%.1f %%), more than limits.stopAbove.percent %g", n, t.Rule, t.Holders, percent, limits.StopAbovePercent))
		default:
			lifted = append(lifted, why)
		}
	}
	return held, lifted
}

// Window is the period over which the changes of a rule are added up.
const Window = 30 * 24 * time.Hour

// Drain counts the licenses that one rule takes within Window. It does not count licenses that an operator accepted in
// spite of the limits.
type Drain struct {
	Rule    string
	Before  int // licenses that the rule took earlier and that are not restored
	Now     int // licenses that this plan takes
	Holders int // people who hold the license, or from whom the rule took it
	Runs    []string
}

// Drained returns a sentence for each rule that takes more licenses within Window than the percent limit allows for a
// single night.
func Drained(limits policy.Limits, drains []Drain) []string {
	var reasons []string
	for _, d := range drains {
		all := d.Before + d.Now
		percent := 100 * float64(all) / float64(max(1, d.Holders))
		if d.Before == 0 || d.Now == 0 || all < minMatches || percent <= limits.StopAbovePercent {
			continue // Exceeded checks the matches of a single night
		}
		reasons = append(reasons, fmt.Sprintf("rule %s took %s in the last %d days that are not restored, and would take %d more now: %d of %d (%.1f %%), more than limits.stopAbove.percent %g. "+
			"Look at who they are (%s): if they really are idle, apply this plan with its limits set aside, which accepts the people of this plan and nobody else; if not, restore those runs and look for what is wrong with the dates",
			d.Rule, plain.Many(d.Before, "license"), int(Window/(24*time.Hour)), d.Now, all, d.Holders, percent, limits.StopAbovePercent, runList(d.Runs)))
	}
	return reasons
}

// runList names the first five runs of a list, and says how many more there are.
func runList(runs []string) string {
	const shown = 5
	if len(runs) > shown {
		return fmt.Sprintf("runs %s and %d more", strings.Join(runs[:shown], ", "), len(runs)-shown)
	}
	return "runs " + strings.Join(runs, ", ")
}
