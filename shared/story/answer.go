package story

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

func answerOf(one *Story, rule *policy.Rule, a decision.Answer) Answer {
	x := Answer{Answer: a, Decisive: decisive(a.Tree)}
	past := one.pastOf(a.License)
	x.State = stateOf(one, &a, past)
	if x.State == GivenBack {
		x.Cools = past.CoolsUntil
	}
	x.Says = says(&x, past, one)
	x.Change = change(&x, rule, past, one)
	x.resolve()
	x.Do = do(&x, past)
	return x
}

// stateOf returns the state of a license. The ledger comes first, because it may have entries that are newer than the
// run. Then the verdict of the run counts.
func stateOf(one *Story, a *decision.Answer, past *License) State {
	if past != nil {
		switch {
		case past.State == history.Unreadable:
			return Damaged
		case past.State == history.Open:
			return Pending
		case past.State == history.Taken && a.RestoreOf != "":
			return Return
		case past.State == history.Taken && (a.Outcome == policy.NotHolder || !past.item.Settled(one.Read)):
			return Taken
		case past.State == history.Restored && past.Since.After(one.Read):
			return GivenBack
		case past.State == history.Announced && !a.Due.IsZero():
			return Announced
		}
	}
	switch {
	case a.Outcome == policy.NotHolder:
		return NotHeld
	case a.Outcome == policy.Exempt:
		return Exempt
	case a.Outcome == policy.Undecided:
		return Undecided
	case a.Outcome == policy.Keep && (a.Refused != "" || !a.Cools.IsZero()):
		return Cooling
	case a.Outcome == policy.Keep:
		return Kept
	case a.Refused != "":
		return Refused
	}
	return Idle
}

// The function "decisive" returns the innermost parts of a rule that settle the verdict. For a verdict that takes the
// license, the function leaves out parts that are not conditions of the policy, such as a grace period.
func decisive(root *policy.Node) (list []*policy.Node) {
	var visit func(n *policy.Node)
	visit = func(n *policy.Node) {
		switch {
		case !n.Decisive:
		case len(n.Parts) == 0 || n.Why != "":
			list = append(list, n)
		default:
			for _, part := range n.Parts {
				visit(part)
			}
		}
	}
	for _, part := range root.Parts {
		if !part.Spoken() || root.Says != policy.True {
			visit(part)
		}
	}
	return list
}

// The function "says" returns one sentence with the state and its reason, without the full stop.
func says(x *Answer, past *License, one *Story) string {
	name := x.License
	switch x.State {
	case Damaged:
		return name + " is left alone: what earlier runs did to it cannot be read in the ledger"
	case Pending:
		if e := past.newest(); e != nil && e.RestoreOf != "" {
			return fmt.Sprintf("%s is being restored: run %s began on %s and has not finished", name, past.Run, day(past.Since))
		}
		return fmt.Sprintf("%s is being %s: run %s began on %s and has not finished", name, taken(x.Answer.To), past.Run, day(past.Since))
	case Taken:
		return fmt.Sprintf("%s was %s on %s by run %s", name, taken(x.Answer.To), day(past.Since), past.Run)
	case Announced:
		if !x.Due.After(one.Now) {
			does := map[bool]string{true: "takes it", false: "exchanges it"}[x.Answer.To == ""]
			return fmt.Sprintf("%s is due to be %s since %s (announced by run %s on %s); %s", name, taken(x.Answer.To), day(x.Due), past.Run, day(past.Since), lower(one.nextRun(does)))
		}
		return fmt.Sprintf("%s will be %s from %s on (announced by run %s on %s)", name, taken(x.Answer.To), day(x.Due), past.Run, day(past.Since))
	case GivenBack:
		if e := past.newest(); e != nil && e.Outcome == string(ledger.Restored) && e.RestoreOf == "" && e.Rule != plan.RestoreRule {
			return fmt.Sprintf("%s is kept: run %s began to change it, and it was restored on %s, after these data were read", name, past.Run, day(past.Since))
		}
		return fmt.Sprintf("%s was restored on %s by run %s, after these data were read", name, day(past.Since), past.Run)
	case Return:
		if x.Refused != "" {
			return fmt.Sprintf("%s was taken and stays so: %s, %s", name, x.Reason, x.Refused)
		}
		return fmt.Sprintf("%s is to be restored, because the person was %s", name, x.Reason)
	case Cooling:
		if x.Cools.IsZero() { // the end is not known
			return fmt.Sprintf("%s is kept: %s", name, x.Refused)
		}
		return fmt.Sprintf("%s is kept until %s%s", name, day(x.Cools), given(x, past, one))
	case Exempt:
		return fmt.Sprintf("%s is kept, %s", name, one.exemption(x.Reason))
	case Undecided:
		return fmt.Sprintf("%s is kept, undecided: %s", name, one.reworded(strings.TrimPrefix(x.Reason, "undecided: ")))
	case Refused:
		return fmt.Sprintf("%s is unused%s", name, refused(x))
	case Idle:
		if reason, first := strings.CutSuffix(x.Reason, "; first reading"); first {
			return fmt.Sprintf("%s looks unused, but only one reading shows it: %s", name, reason)
		}
		return fmt.Sprintf("%s is due to be %s: %s", name, taken(x.Answer.To), x.Reason)
	case Kept:
		if values, not := strings.CutPrefix(x.Reason, "not asked: "); not {
			return fmt.Sprintf("%s is kept, because the rule does not apply to this person: %s", name, cmp.Or(unmet(x.Decisive), values))
		}
		return fmt.Sprintf("%s is kept: %s", name, last.ReplaceAllString(strings.TrimPrefix(x.Reason, "kept: "), "$1 ago)"))
	}
	return name + " is not held"
}

// The expression "last" matches a reason to keep a license, such as "last sign-in on 2026-11-01 (28 days)".
var last = regexp.MustCompile(`^(last .+ \(\d+ days?)\)$`)

// nextRun says what the next run does in the mode of the policy. The argument "does" is an action, such as "restores
// it".
func (s *Story) nextRun(does string) string {
	switch s.mode {
	case policy.Enforce:
		return "The next run " + does
	case policy.Audit:
		return "The next plan only lists it, because the policy has the mode audit"
	}
	return "The next plan " + does + ", once it is approved"
}

func lower(sentence string) string { return strings.ToLower(sentence[:1]) + sentence[1:] }

func (s *Story) exemption(text string) string {
	name, listed := strings.CutSuffix(text, " is listed")
	_, condition := strings.CutPrefix(text, "exempt: ")
	switch {
	case kindOf(text) != "" || strings.HasPrefix(text, "exempt: on leave until ") || strings.HasPrefix(text, "exempt: member of "):
		return text
	case listed:
		return name + " is listed in the policy (exempt.users)"
	case condition && s.exempted != "":
		return "exempt: " + s.exempted
	}
	return text
}

func taken(to string) string {
	if to == "" {
		return "taken"
	}
	return "exchanged for " + to
}

// The function "change" returns sentences about the events or the values that would change the state of the license.
func change(x *Answer, rule *policy.Rule, past *License, one *Story) string {
	switch x.State {
	case Idle, Announced:
		text := ""
		if x.Notice {
			text = fmt.Sprintf("The plan announces it; it is taken %s later at the earliest. ", plain.Many(rule.Notice, "day"))
		}
		if x.Noun == "" {
			return text + "Other values before the change keep the license."
		}
		return text + fmt.Sprintf("A %s before the change keeps the license.", x.Noun)
	case Kept, Cooling, Exempt:
		return turning(x)
	case Return:
		if x.Refused == "" {
			return one.nextRun("restores it") + "."
		}
	case GivenBack:
		return "The next run reads newer data. No rule can take it until the person has been idle for the rule's full period, counted from " + day(past.Since) + "."
	case Taken:
		if rule.Restore && x.Noun != "" {
			return fmt.Sprintf("After a %s, %s.", x.Noun, lower(one.nextRun("restores it")))
		}
	}
	return ""
}

func turning(x *Answer) string {
	switch {
	case !x.Turns.IsZero() && x.Noun != "" && x.IdleSince.IsZero():
		return fmt.Sprintf("A %s postpones that date.", x.Noun)
	case !x.Turns.IsZero() && x.Noun != "":
		return fmt.Sprintf("Each new %s postpones that date.", x.Noun)
	case !x.Turns.IsZero() || x.State == Cooling:
		return ""
	case x.State == Exempt:
		return "No rule takes the license as long as the exemption holds."
	}
	texts := []string{}
	for _, n := range x.Decisive {
		if !n.Spoken() {
			texts = append(texts, cmp.Or(n.Words, n.Text))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	return fmt.Sprintf("Time alone changes nothing. The rule takes the license only if this becomes true: %s", strings.Join(slices.Compact(texts), ", "))
}

// The function "when" returns the day of t and its distance from the time "now", such as "2026-11-29 (today)". For a
// past time, it returns only the day.
func when(now, t time.Time) string {
	switch n := clock.Days(now, t); {
	case t.Before(now):
		return day(t)
	case n == 0:
		return day(t) + " (today)"
	case n == 1:
		return day(t) + " (in 1 day)"
	default:
		return fmt.Sprintf("%s (in %d days)", day(t), n)
	}
}
