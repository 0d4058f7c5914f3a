package decision

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "past" changes d because of earlier changes of the license. It returns true if d is final.
func (r *Run) past(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, holder directory.Flag, past *history.Item) (settled bool) {
	switch {
	case past.State == history.Open:
		d.Pending, d.To = past.Run, past.To
		d.Refused = fmt.Sprintf("pending: run %s began to change this license on %s; `idleseat apply %s` finishes it", past.Run, dayOf(past.At), past.Run)
		return true
	case past.State == history.Taken && d.Outcome == policy.NotHolder:
		r.returned(d, judge, rule, p, past)
		return true
	case past.State == history.Taken && !past.Settled(r.Begin.Read):
		if d.Outcome == policy.Reclaim {
			d.Outcome = policy.Undecided
			d.Reason = fmt.Sprintf("undecided: run %s took the license on %s, and these data may be from before that", past.Run, dayOf(past.At))
		}
	case past.State == history.Taken && holder != directory.Yes: // it is unknown whether the person holds the license now
	case past.State == history.Taken:
		d.HeldAgain = past.Run
	}
	if g, is := r.restored(holder, past, judge.Now()); is {
		g.cool(d, judge, rule, p)
	}
	return d.Refused != ""
}

// The type "given" is a time at which a license was given to a person.
type given struct {
	at  time.Time
	how string // as in "restored on 2026-11-02"
}

// The method "cool" makes d keep the license, with a refusal, if the rule would take the license too soon after it was
// given. The person must first be idle for the whole span of the rule, counted from g.at.
func (g given) cool(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person) {
	if d.Outcome == policy.Reclaim && judge.Cooling(rule, p, g.at) {
		d.Outcome = policy.Keep
		d.Refused = "cooling down: " + g.how + ", and not taken again before the person was idle for the rule's whole span from then on"
	}
}

// The method "restored" returns when and how a license was restored after a run took it. It returns false if no restore
// is known. If this run is the first to see that somebody else restored the license, the time is unknown, and the
// method returns the argument "now".
func (r *Run) restored(holder directory.Flag, past *history.Item, now time.Time) (g given, is bool) {
	switch {
	case !past.Given().IsZero():
		return given{past.Given(), "restored on " + dayOf(past.Given())}, true
	case past.State == history.Taken && holder == directory.Yes && past.Settled(r.Begin.Read):
		return given{now, fmt.Sprintf("restored by somebody else after run %s took it", past.Run)}, true
	}
	return given{}, false
}

// allGiven returns the known times at which the license was given. The parameter "past" is the last event of the
// license in the history, or nil.
func (r *Run) allGiven(d *plan.Decision, holder directory.Flag, past *history.Item, now time.Time) (all []given) {
	if past != nil {
		if g, is := r.restored(holder, past, now); is {
			all = append(all, g)
		}
	}
	all = slices.AppendSeq(all, r.inExchange(d))
	for _, i := range r.renamedOf(d) {
		if g, is := r.asAnother(d, i); is {
			all = append(all, g)
		}
	}
	return all
}

// renamedItems returns the past changes that took or gave a license that the policy does not have, by the id or SID of
// the person. The policy may have this license under a new name. The new name is unknown, because neither the product
// nor the group of the license is known.
func (r *Run) renamedItems() map[string][]*history.Item {
	items, p := map[string][]*history.Item{}, r.Policy
	for i := range r.History.All() {
		if i = cmp.Or(r.present.of[i], i); p.LicenseNamed(i.License) == nil || i.To != "" && p.LicenseNamed(i.To) == nil {
			items[i.User] = append(items[i.User], i)
			if sid := i.HolderSID(); sid != "" && sid != i.User { // the person may have another id in Entra ID now
				items[sid] = append(items[sid], i)
			}
		}
	}
	return items
}

// wasRenamed refuses to take a license that an earlier run may have changed or restored under another name.
func (r *Run) wasRenamed(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person) bool {
	for _, i := range r.renamedOf(d) {
		if i.State == history.Open && r.Policy.LicenseNamed(i.License) == nil {
			d.Refused = fmt.Sprintf("pending: run %s is changing %s, a license that the policy no longer names; `idleseat apply %s` finishes it", i.Run, i.License, i.Run)
		} else if g, is := r.asAnother(d, i); is {
			g.cool(d, judge, rule, p)
		}
	}
	return d.Refused != ""
}

func (r *Run) renamedOf(d *plan.Decision) []*history.Item {
	return slices.Concat(r.renamed[d.User], r.renamed[d.SID])
}

// asAnother returns when and how the license of d was given, according to an item with a license that the policy no
// longer has. That license may be the license of d under an old name. Or the license of d may have been given in
// exchange for it.
func (r *Run) asAnother(d *plan.Decision, i *history.Item) (g given, is bool) {
	switch {
	case i.State == history.Taken && i.To == d.License && r.Policy.LicenseNamed(i.License) == nil:
		return given{i.At, fmt.Sprintf("given on %s in place of %s, which the policy no longer names", dayOf(i.At), i.License)}, true
	case !i.Given().IsZero() && r.Policy.LicenseNamed(i.License) == nil:
		return given{i.Given(), fmt.Sprintf("restored on %s as %s, which the policy no longer names", dayOf(i.Given()), i.License)}, true
	case i.State == history.Taken && i.To != "" && r.Policy.LicenseNamed(i.To) == nil:
		return given{i.At, fmt.Sprintf("perhaps given on %s as %s, which the policy no longer names", dayOf(i.At), i.To)}, true
	}
	return given{}, false
}

// The method "returned" turns the decision into a restore if the person has returned. It does so only for the rule that
// took the license, or for the first rule about the license if the policy lacks that rule. The license may have been
// given in place of another one. If the person has that other license again, nothing is restored.
func (r *Run) returned(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person, past *history.Item) {
	gone := r.Policy.RuleNamed(past.Rule) == nil
	if past.Rule != rule.Name && !(gone && r.Policy.FirstRule(rule.License) == rule) {
		return
	}
	at, asked := judge.Returned(rule, p, past.Since())
	if at.IsZero() {
		return
	}
	if better := r.regained(d, judge, p, past.Began); better != "" {
		d.Reason = "not restored: it was given in place of " + better + ", which the person has again"
		return
	}
	d.RestoreOf, d.Via, d.IdleSince = past.Run, past.Via, at
	d.Reason = fmt.Sprintf("active again on %s, after run %s took the license on %s", dayOf(at), past.Run, dayOf(past.At))
	if past.User != d.User {
		d.TakenAs = past.User
	}
	if rule.License.SKU != "" {
		d.Seat = rule.License.Name
	}
	if b := r.setback(d); b != nil { // a restore is tried again each night, after the other changes
		d.Setbacks = b.Times
		d.Reason += "; " + b.Said()
	}
	byHand := "; `idleseat restore " + plain.Word(cmp.Or(d.UserPrincipalName, d.User)) + "` does it"
	switch {
	case gone:
		d.Refused = "not restored: the policy no longer has the rule " + past.Rule + " that took it" + byHand
	case past.To != d.To:
		d.Refused = "not restored: the rule now changes to another license than the run that took it"
	case asked != directory.Yes:
		d.Refused = "not restored: the rule's condition \"for\" does not hold for the person, or is not known to"
	case !rule.Restore:
		d.Refused = "not restored: the rule has no onReturn: restore" + byHand
	case past.Recorded != "":
		d.Refused = "not restored: the policy has other names for its licenses than when it was taken" + byHand
	}
}

// The license of d may have been given in exchange for another license. The method "regained" returns this other
// license if the person has it again or is getting it, and "" otherwise. It also follows a chain of exchanges. The
// parameter "before" is when a run took the license of d.
func (r *Run) regained(d *plan.Decision, judge *policy.Judge, p *directory.Person, before time.Time) string {
	for _, other := range r.Policy.Licenses {
		i := r.Past(d.User, d.SID, other.Name)
		if i == nil || i.To != d.License || other.Name == d.License {
			continue
		}
		switch {
		case i.State == history.Open && i.Rule == plan.RestoreRule,
			i.State == history.Restored && i.TakenAt.Before(before) && i.At.After(before),
			i.State == history.Taken && i.Began.Before(before) && r.holds(judge, p, other):
			return other.Name
		case i.State == history.Taken && i.Began.Before(before):
			upper := plan.Decision{User: d.User, SID: d.SID, License: other.Name}
			if better := r.regained(&upper, judge, p, i.Began); better != "" {
				return better
			}
		}
	}
	return ""
}

// The method "holds" reports whether the person is known to hold the license. It is false for a license without a rule.
func (r *Run) holds(judge *policy.Judge, p *directory.Person, l *policy.License) bool {
	rule := r.Policy.FirstRule(l)
	return rule != nil && judge.Ask(rule, p).Holder == directory.Yes
}

// The method "setback" returns the setback of the change, or nil. A change has one if the last run that tried it could
// not make it.
func (r *Run) setback(d *plan.Decision) *history.Setback {
	if b := r.History.Setback(d.User, d.License); b != nil || d.SID == "" || d.SID == d.User {
		return b
	}
	return r.History.Setback(d.SID, d.License)
}

// The method "setBack" refuses a change that could not be made lately, until its setback is due (history.Setback.Due).
// After each further failure, the change waits for more nights. A run for one person does not wait.
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

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
