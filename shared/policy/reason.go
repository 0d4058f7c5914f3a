package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// Reason returns the reason for a verdict, even if AskAll returned it without one.
func (j *Judge) Reason(r *Rule, p *directory.Person, v Verdict) string {
	switch {
	case v.Reason != "":
		return v.Reason
	case v.Outcome == NotHolder:
		return "does not hold " + r.License.Name
	}
	j.about(r, p)
	if r.scope != nil {
		if flag, _ := j.eval(r.scope, p); flag == directory.No {
			return "not asked: " + values(r.scope.reads, p)
		}
	}
	if since, never := newestOf(r.when.activity, p); never == directory.No {
		return fmt.Sprintf("last %s %s (%s)", verb(r.when.activity).noun, dayOf(since), j.daysSince(since))
	}
	return "kept: " + values(r.when.reads, p)
}

func (j *Judge) reclaimReason(r *Rule, p *directory.Person) string {
	since, never := newestOf(r.when.activity, p)
	word := verb(r.when.activity)
	switch {
	case len(r.when.activity) == 0, never == directory.Unset:
		return "matches: " + values(r.when.reads, p)
	case never == directory.No:
		return fmt.Sprintf("no %s since %s (%s)", word.noun, dayOf(since), j.daysSince(since))
	}
	if created := j.policy.attributes["created"].of(p); created.State == directory.Known {
		return fmt.Sprintf("never %s; account created %s", word.past, dayOf(created.Time))
	}
	return "never " + word.past
}

func (j *Judge) exemptReason(e exemption) string {
	switch {
	case e.leave != nil && e.leave.Reason != "":
		return fmt.Sprintf("exempt: on leave until %s (%s)", e.leave.written, e.leave.Reason)
	case e.leave != nil:
		return "exempt: on leave until " + e.leave.written
	case e.user != "":
		return "exempt: " + e.user + " is listed"
	case e.group != nil:
		return "exempt: member of " + e.group.Ref.String()
	case e.kind != "":
		return "exempt: the account is of the kind " + e.kind
	}
	return "exempt: " + j.policy.Exempt.When
}

// The type "words" has a noun and a past form for activity, such as "sign-in" and "signed in". The function "verb"
// chooses them by the dates that a rule reads. For dates of several kinds, it returns "activity" and "active" if one
// kind comes from a usage report, and otherwise the words for a sign-in.
type words struct{ noun, past string }

func verb(activity []*attribute) words {
	var all []directory.Signal
	for _, a := range activity {
		all = append(all, a.signals()...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	switch {
	case len(all) == 1:
		noun, past := all[0].Words()
		return words{noun, past}
	case len(all) > 0 && all[len(all)-1].Reported():
		return words{"activity", "active"}
	}
	noun, past := directory.SignIns.Words()
	return words{noun, past}
}

// ReadsActivity reports whether the condition "when" reads a date of use. Without one, the rule cannot show that a
// person returned.
func (r *Rule) ReadsActivity() bool { return len(r.when.activity) > 0 }

// Noun returns the word for the activity that the rule reads, such as "sign-in".
func (j *Judge) Noun(r *Rule) string { return verb(r.when.activity).noun }

// Ago returns when a person was active, such as "signed in 3 minutes ago", with the verb for the rule's dates.
func (j *Judge) Ago(r *Rule, at time.Time) string {
	since, n, unit := j.now.Sub(at), 0, "second"
	switch {
	case since >= day:
		n, unit = int(since/day), "day"
	case since >= time.Hour:
		n, unit = int(since/time.Hour), "hour"
	case since >= time.Minute:
		n, unit = int(since/time.Minute), "minute"
	default:
		n = max(0, int(since/time.Second))
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%s %d %s ago", verb(r.when.activity).past, n, unit)
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// daysSince returns the whole days since t in words. Less than a day is "today".
func (j *Judge) daysSince(t time.Time) string {
	switch n := int(j.now.Sub(t) / day); n {
	case 0:
		return "today"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}

func values(list []*attribute, p *directory.Person) string {
	parts := make([]string, len(list))
	for i, a := range list {
		parts[i] = a.name + " " + show(a.kind, a.of(p))
	}
	if len(parts) == 0 {
		return "everybody"
	}
	return strings.Join(parts, ", ")
}
