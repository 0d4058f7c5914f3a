package decision

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// Decide turns a verdict into a decision. Earlier changes of the license may change the outcome: for example, a license
// that was restored lately is kept. If the outcome stays Reclaim, Decide finds the route of the change or a refusal.
// The parameter "past" is the last event of the license in the history, or nil. The parameter "taken" has the decisions
// of earlier rules about the same person.
func (r *Run) Decide(judge *policy.Judge, rule *policy.Rule, p *directory.Person, v policy.Verdict, past *history.Item, taken Conflicts) plan.Decision {
	d := plan.Decision{
		User: p.ID(), SID: p.SID(), UserPrincipalName: p.UserPrincipalName(), Rule: rule.Name, License: rule.License.Name,
		Outcome: v.Outcome, Reason: v.Reason, IdleSince: v.IdleSince, Created: created(p), Place: slices.Index(r.Policy.Rules, rule),
	}
	if rule.ChangeTo != nil {
		d.To = rule.ChangeTo.Name
	}
	d.SavesNothing = r.savesNothing(rule, p)
	if why := cmp.Or(r.damaged[d.User], r.damaged[d.SID]); why != "" && d.Outcome == policy.Reclaim {
		d.Outcome, d.Reason = policy.Undecided, "undecided: "+why
		return d
	}
	if past != nil && r.past(&d, judge, rule, p, v.Holder, past) || d.Outcome != policy.Reclaim {
		return d
	}
	d.Evidence = judge.Evidence(rule, p)
	r.firstReading(&d, p, v, judge.Now())
	if d.Refused = cmp.Or(taken.refusal(&d), r.conflict(&d)); d.Refused != "" || r.justGiven(&d, judge, rule, p) || r.wasRenamed(&d, judge, rule, p) {
		return d
	}
	others := r.swaps(&d, taken)
	route, refusal := r.Tenant.Route(p, rule, others)
	d.Via, d.Refused = route.Via, refusal
	if refusal == "" && d.SavesNothing != "" && d.SavesNothing != rule.License.FreesNothing() {
		d.Reason += "; saves nothing: " + d.SavesNothing
	}
	if lost, _ := r.Tenant.LosesMailbox(p, rule, others); refusal == "" && rule.MailboxLost && lost != directory.No {
		d.Reason += "; the mailbox is left without a license, and Exchange Online deletes its content for good 30 days later"
	}
	if d.Refused == "" {
		preflight(&d, rule, p, &route)
	}
	if d.Refused == "" {
		r.notice(&d, judge, rule, p, past)
		if d.Notice && r.Policy.Notices != nil {
			_, d.Refused = MailFor(p)
		}
	}
	if d.Refused = cmp.Or(d.Refused, r.alone(&d)); d.Refused == "" {
		r.setBack(&d, judge.Now())
		taken.precede(&d)
	}
	if d.Planned() {
		d.Payer = r.Policy.Payer(p)
	}
	return d
}

// The method "precede" makes the change of d come after the planned changes of earlier rules for the same person.
func (c Conflicts) precede(d *plan.Decision) {
	for _, first := range c {
		if first.Planned() {
			d.Follow(first)
		}
	}
}

// savesNothing returns why a change frees no paid seat, or "". An assignment that Entra ID could not process takes no
// seat (Microsoft Entra documentation, "Identify and resolve license assignment problems for a group").
func (r *Run) savesNothing(rule *policy.Rule, p *directory.Person) string {
	switch g := rule.License.Group; {
	case rule.License.SKU != "" || g.Source != directory.AD:
	case slices.Contains(p.Memberships, g.NestedKey()):
		return "the person is in the group by way of a group within it, too, and stays entitled"
	case slices.Contains(p.Unreadable, g.NestedKey()):
		return "whether a group within the group entitles the person, too, is not known: the account may not read its members"
	}
	if rule.License.SKU == "" || p.Entra == nil {
		return rule.License.FreesNothing()
	}
	sku, held := r.Tenant.SKUIDs[rule.License.SKU], false
	for _, a := range p.Entra.Assignments {
		if a.SKU == sku {
			if a.Active() || a.State == "" {
				return ""
			}
			held = true
		}
	}
	if held {
		return "the assignment is in error and takes no seat"
	}
	return ""
}

// Conflicts lists the decisions about one person that block later rules. A run changes a license only once. If two
// rules want the same license, only the first of them in the policy may change it. A license that a rule gives in
// exchange counts, too. Otherwise a later rule could take it in the same run.
type Conflicts []*plan.Decision

// Add appends d if it blocks later rules: its outcome is Reclaim (even with a refusal) or Undecided, or it is a restore
// or about a pending change.
func (c *Conflicts) Add(d *plan.Decision) {
	if d.Outcome == policy.Reclaim || d.Outcome == policy.Undecided || d.RestoreOf != "" || d.Pending != "" {
		*c = append(*c, d)
	}
}

// The method "refusal" returns why the decision d of a later rule is refused. It returns "" if no decision in c has a
// license in common with d.
func (c Conflicts) refusal(d *plan.Decision) string {
	for _, first := range c {
		if shared := Conflict(first.License, first.To, d.License, d.To); shared != "" {
			if first.Outcome == policy.Undecided {
				return fmt.Sprintf("superseded: the rule %s comes first in the policy and is undecided about %s", first.Rule, first.License)
			}
			return fmt.Sprintf("superseded: the rule %s comes first in the policy and changes %s", first.Rule, shared)
		}
	}
	return ""
}

// Conflict returns a license that two changes have in common, or "". For each change, the parameters are the license
// that it takes and the license that it gives, which may be "".
func Conflict(license, to, otherLicense, otherTo string) string {
	switch {
	case license == otherLicense, license == otherTo:
		return license
	case to != "" && (to == otherLicense || to == otherTo):
		return to
	}
	return ""
}

// The method "conflict" returns why a pending change of another license blocks d. It returns "" if none does.
func (r *Run) conflict(d *plan.Decision) string {
	for _, other := range r.Policy.Licenses {
		i := r.Past(d.User, d.SID, other.Name)
		if i == nil || i.State != history.Open || other.Name == d.License {
			continue
		}
		if shared := Conflict(i.License, i.To, d.License, d.To); shared != "" {
			return fmt.Sprintf("pending: run %s is changing %s of the person, which has to end first", i.Run, shared)
		}
	}
	return ""
}

// justGiven refuses d if its license was given in exchange for another one, and the person has not been idle since then
// for the whole span of the rule. Without this, the rule could take the license one night after the exchange. The
// result says whether d is refused.
func (r *Run) justGiven(d *plan.Decision, judge *policy.Judge, rule *policy.Rule, p *directory.Person) bool {
	for g := range r.inExchange(d) {
		g.cool(d, judge, rule, p)
	}
	return d.Refused != ""
}

// inExchange yields each time at which a rule gave the license of d in exchange for another one.
func (r *Run) inExchange(d *plan.Decision) iter.Seq[given] {
	return func(yield func(given) bool) {
		for _, other := range r.Policy.Licenses {
			i := r.Past(d.User, d.SID, other.Name)
			if i != nil && i.State == history.Taken && i.To == d.License &&
				!yield(given{i.At, fmt.Sprintf("given in place of %s on %s", other.Name, dayOf(i.At))}) {
				return
			}
		}
	}
}

// Past returns the last event of a license of a person, or nil. The history may have it under the object id, under the
// SID or, for a license in Active Directory, under another object id with this SID. The latest of these events counts.
// The parameter "license" is the present name in the policy. Past also finds an event under an earlier name.
func (r *Run) Past(user, sid, license string) *history.Item {
	past := history.Later(cmp.Or(r.History.Of(user, license), r.History.Of(sid, license)), r.History.OfSID(sid, license))
	if named := r.present.of[past]; named != nil {
		if past = named; named.License != license { // the policy gives the name to another license now
			past = nil
		}
	}
	for _, who := range []string{user, sid} {
		past = history.Later(past, r.present.by[history.Touch{User: who, License: license}])
	}
	return past
}

// The function "preflight" refuses a change if the person cannot get the license that the rule gives in exchange. It
// also sets the fields Mailbox, Blocked and Seat of d. The gate reads them in its checks of all changes together.
func preflight(d *plan.Decision, rule *policy.Rule, p *directory.Person, route *plan.Route) {
	d.Mailbox = rule.GuardsMailbox()
	d.Blocked = d.Mailbox && p.Entra.Enabled != directory.Yes
	if rule.ChangeTo == nil || route.TargetSKU == "" {
		return
	}
	if d.Refused = route.Unfit(p); d.Refused != "" {
		return
	}
	if !slices.ContainsFunc(p.Entra.Assignments, func(a directory.Assignment) bool { return a.SKU == route.TargetSKU }) {
		d.Seat = rule.ChangeTo.Name
	}
}

// The function "created" returns the creation date of the younger of the person's accounts. For a person who was never
// active, the plan counts the idle time from this date.
func created(p *directory.Person) (t time.Time) {
	if p.Entra != nil {
		t = p.Entra.Created
	}
	if p.AD != nil && p.AD.Created.After(t) {
		t = p.AD.Created
	}
	return t
}
