package decision

import (
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// past adapts a decision to what happened to the license earlier. It reports whether the decision is final, so that no
// further check is needed.
func (r *Run) past(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, holder directory.Flag, past *history.Item) (settled bool) {
	switch {
	case past.State == history.Open:
		d.Pending, d.To = past.Run, past.To
		d.Refused = fmt.Sprintf("pending: run %s began to change this license on %s; `idleseat apply %s` finishes it", past.Run, dayOf(past.At), past.Run)
		return true
	case past.State == history.Taken && d.Outcome == policy.NotHolder:
		r.returned(d, judge, rule, p, past)
		return true
	case past.State == history.Taken && !past.At.Add(directory.Settling).Before(r.Begin.Read):
		if d.Outcome == policy.Reclaim {
			d.Outcome = policy.Undecided
			d.Reason = fmt.Sprintf("undecided: run %s took the license on %s, and these data may be from before that", past.Run, dayOf(past.At))
		}
	case past.State == history.Taken && holder != directory.Yes: // it is unknown whether the person holds the license
	case past.State == history.Taken: // somebody else restored the license at an unknown time
		d.HeldAgain = past.Run
		r.cool(d, judge, rule, p, judge.Now(), fmt.Sprintf("given back by somebody else after run %s took it", past.Run))
	case past.State == history.Restored:
		r.cool(d, judge, rule, p, past.At, "given back on "+dayOf(past.At))
	}
	return d.Refused != ""
}

// cool keeps a license that was restored until the person has been idle for the whole span of the rule since then. at
// is when the license was restored, and what describes the restore in the refusal.
func (r *Run) cool(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, at time.Time, what string) {
	if d.Outcome == policy.Reclaim && judge.Cooling(rule, p, at) {
		d.Outcome = policy.Keep
		d.Refused = "cooling down: " + what + ", and not taken again before the person was idle for the rule's whole span from then on"
	}
}

// renamedItems lists, by person, the past changes in which the license taken or its successor is unknown to the policy.
// Such a license may have been renamed, and nobody can tell which license of the policy it is now.
func renamedItems(past *history.Digest, p *policy.Policy) map[string][]*history.Item {
	items := map[string][]*history.Item{}
	for i := range past.All() {
		if p.LicenseNamed(i.License) == nil || i.To != "" && p.LicenseNamed(i.To) == nil {
			items[i.User] = append(items[i.User], i)
		}
	}
	return items
}

// wasRenamed keeps a license that may have been changed or restored under another name.
func (r *Run) wasRenamed(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person) bool {
	for _, i := range slices.Concat(r.renamed[d.User], r.renamed[d.SID]) {
		known, knownTo := r.Policy.LicenseNamed(i.License) != nil, i.To == "" || r.Policy.LicenseNamed(i.To) != nil
		switch {
		case i.State == history.Open && !known:
			d.Refused = fmt.Sprintf("pending: run %s is changing %s, a license that the policy no longer names; `idleseat apply %s` finishes it", i.Run, i.License, i.Run)
		case i.State == history.Restored && !known:
			r.cool(d, judge, rule, p, i.At, fmt.Sprintf("given back on %s as %s, which the policy no longer names", dayOf(i.At), i.License))
		case i.State == history.Taken && !knownTo:
			r.cool(d, judge, rule, p, i.At, fmt.Sprintf("perhaps given on %s as %s, which the policy no longer names", dayOf(i.At), i.To))
		}
	}
	return d.Refused != ""
}

// returned decides whether a person who lost the license is active again. Only the rule that took the license decides,
// or the first rule for the license if the policy no longer has that rule.
func (r *Run) returned(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, past *history.Item) {
	gone := r.Policy.RuleNamed(past.Rule) == nil
	if past.Rule != rule.Name && !(gone && r.Policy.FirstRule(rule.License) == rule) {
		return
	}
	at, asked := judge.Returned(rule, p, past.Since())
	if at.IsZero() {
		return
	}
	d.RestoreOf, d.Via, d.IdleSince = past.Run, past.Via, at
	d.Reason = fmt.Sprintf("active again on %s, after run %s took the license on %s", dayOf(at), past.Run, dayOf(past.At))
	if rule.License.SKU != "" {
		d.Seat = rule.License.Name
	}
	if b := r.setback(d); b != nil { // a restore is retried each night, after the other changes
		d.Setbacks = b.Times
		d.Reason += "; " + b.Said()
	}
	switch {
	case gone:
		d.Refused = "not given back: the policy no longer has the rule " + past.Rule + " that took it; `idleseat restore " + d.UserPrincipalName + "` does it"
	case past.To != d.To:
		d.Refused = "not given back: the rule now changes to another license than the run that took it"
	case asked != directory.Yes:
		d.Refused = "not given back: the rule's condition \"for\" does not hold for the person, or is not known to"
	case !rule.Restore:
		d.Refused = "not given back: the rule has no onReturn: restore; `idleseat restore " + d.UserPrincipalName + "` does it"
	}
}

// setback returns why the last run that tried the change could not make it, or nil if there was no such run.
func (r *Run) setback(d *plan.Decision) *history.Setback {
	if b := r.History.Setback(d.User, d.License); b != nil || d.SID == "" || d.SID == d.User {
		return b
	}
	return r.History.Setback(d.SID, d.License)
}

// setBack adds to a decision that the last run could not make the change. With each further failure the change waits
// for more nights. A run for one person retries immediately.
func (r *Run) setBack(d *plan.Decision, now time.Time) {
	b := r.setback(d)
	if b == nil {
		return
	}
	if now.Before(b.Due()) && r.Begin.User == "" {
		d.Refused = fmt.Sprintf("%s; tried again from %s on", b.Said(), dayOf(b.Due()))
		return
	}
	d.Setbacks = b.Times
	d.Reason += "; " + b.Said()
}

// notice delays a change until its announcement is old enough. Activity after the announcement makes the announcement
// void.
func notice(d *plan.Decision, rule *policy.Rule, past *history.Item, now time.Time) {
	var idle time.Time
	if past != nil && past.IdleSince != nil {
		idle = *past.IdleSince
	}
	if past == nil || past.State != history.Announced || past.Rule != rule.Name || past.To != d.To || d.IdleSince.After(idle) {
		d.Notice = true
		return
	}
	if due := past.At.Add(time.Duration(rule.Notice) * 24 * time.Hour); now.Before(due) {
		d.Refused = fmt.Sprintf("announced on %s; done from %s on if the person is still idle", dayOf(past.At), due.UTC().Format(time.RFC3339))
	}
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
