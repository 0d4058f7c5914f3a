package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

// The method "past" returns the newest event of a license of the person, such as an announcement or a removal, or nil.
// The ledger has the events under the id in the plan. The run has the events under other ids of the person, too; see
// decision.Run.Past.
//
// Only activity after an announcement makes the announcement void. But this call reads more exact dates than the run
// did, and may find older activity that the run did not see. So "past" sets IdleSince to the time of the announcement,
// and the older activity does not count.
func (m *move) past(ctx context.Context, license string) (past *history.Item, err error) {
	known, names := m.run.Past(m.change.User, m.change.SID, license), []string{license}
	if known != nil && known.InLedger() != license {
		names = append(names, known.InLedger())
	}
	for _, name := range names {
		e, err := m.page.Standing(ctx, name)
		if err != nil {
			return nil, err
		}
		i := history.ItemOf(e)
		if known != nil && known.InLedger() == name {
			i = i.With(known)
		}
		if i = m.run.Present(i); i != nil && i.License == license { // the name in the ledger is another license now
			past = history.Later(past, i)
		}
	}
	if known != nil && known.User != m.change.User && known.User != m.change.SID {
		other := *known
		past = history.Later(past, &other)
	}
	if past != nil && (past.State == history.Announced || past.State == history.Unsure) {
		past.IdleSince = &past.At
	}
	return past, nil
}

// earlierRules asks the rules before the rule "of" in the policy, with the data that this call read. It returns the
// decisions that can forbid a change by the rule "of".
func (m *move) earlierRules(ctx context.Context, of *policy.Rule) (first decision.Conflicts, err error) {
	for _, r := range m.run.Policy.Rules {
		if r == of {
			break
		}
		past, err := m.past(ctx, r.License.Name)
		if err != nil {
			return nil, err
		}
		d := m.run.Decide(m.judge, r, m.person, m.judge.Ask(r, m.person), past, first)
		first.Add(&d)
	}
	return first, nil
}

// The method "conflict" reads the ledger for the person's changes of other licenses. Such a change may take or give a
// license of this change. If it is pending, or ended after the plan was made, the error is ledger.ErrBlocked. The result
// "others" has the changes that are pending, or so recent that reads may not show them yet.
func (m *move) conflict(ctx context.Context) (others []plan.Swap, err error) {
	c, again := m.change, "plan again"
	if m.plan.Restores != "" {
		again = "restore again"
	}
	for _, license := range m.page.Licenses() {
		if license == c.License {
			continue
		}
		e, err := m.page.Latest(ctx, license)
		if errors.Is(err, ledger.ErrDamaged) && m.plan.Restores != "" && !m.mayShare(license) {
			continue // a license goes back although another one has to wait until its ledger is mended
		}
		if err != nil {
			return nil, err
		}
		other := m.run.Present(history.Begun(e))
		shared := decision.Conflict(other.License, other.To, c.License, c.To) != ""
		switch {
		case shared && e.Completion == nil:
			return nil, fmt.Errorf("%w; then %s", ledger.Blocked(e), again)
		case shared && e.Completion.At.After(m.plan.Created):
			return nil, fmt.Errorf("%w, or was after this plan was made: run %s changed %s; %s", ledger.ErrBlocked, e.Run, e.License, again)
		case plan.Via(e.Via) == plan.Notice:
		case e.Completion == nil, e.Completion.Outcome == ledger.Done && m.recent(e):
			others = append(others, swapOf(e))
		}
	}
	return others, nil
}

// The method "mayShare" reports whether a change of another license can affect a license of this change. That is so if
// this change gives the other license. It is also so if a rule of the policy exchanges the other license, and this
// exchange takes or gives a license of this change.
func (m *move) mayShare(license string) bool {
	return license == m.change.To || slices.ContainsFunc(m.run.Policy.Rules, func(r *policy.Rule) bool {
		return r.License.Name == license && r.ChangeTo != nil && decision.Conflict(license, r.ChangeTo.Name, m.change.License, m.change.To) != ""
	})
}

// The function "swapOf" returns the product that the change of an entry takes and the product that it gives. The entry
// of a restore names the products of the restored change, so swapOf exchanges the two.
func swapOf(e *ledger.Entry) plan.Swap {
	if e.RestoreOf != "" {
		return plan.Swap{License: e.To, SKU: e.TargetSKU, TargetSKU: e.SKU}
	}
	return plan.Swap{License: e.License, SKU: e.SKU, TargetSKU: e.TargetSKU}
}

// ask asks the change's rule about the person, by the data of this call. It asks the rule of the run's policy first
// and then the rule of the policy in force. keep gives the reason why the license is not taken. keep is empty if both
// policies reclaim the license.
func (m *move) ask() (rule *policy.Rule, v policy.Verdict, keep string) {
	if rule, v, keep = m.askBy(m.run, m.judge); keep == "" {
		keep = m.keptInForce(rule)
	}
	return rule, v, keep
}

// askBy asks the change's rule by one policy. If the last logon is unknown, the rule must reclaim the license even with
// the latest possible logon.
func (m *move) askBy(run *decision.Run, judge *policy.Judge) (rule *policy.Rule, v policy.Verdict, keep string) {
	c := m.change
	if rule = run.Policy.RuleNamed(c.Rule); rule == nil {
		return nil, v, "the policy has no rule " + c.Rule
	}
	v = judge.Ask(rule, m.person)
	if v.Outcome == policy.Undecided && !m.latest.IsZero() {
		if proven := judge.Ask(rule, m.person.LoggedOnBy(m.latest)); proven.Outcome == policy.Reclaim {
			v = proven
		}
	}
	switch {
	case v.Outcome == policy.Keep && v.Reason == "" && !v.IdleSince.IsZero() && (c.IdleSince == nil || v.IdleSince.After(*c.IdleSince)):
		return rule, v, judge.Ago(rule, v.IdleSince)
	case v.Outcome == policy.Undecided:
		why := judge.Reason(rule, m.person, v)
		for _, key := range m.person.Unreadable {
			why = sentences(why, m.doubts[key])
		}
		why = sentences(why, plain.Prefixed("Active Directory could not be read: ", errorText(m.adError)))
		return rule, v, fmt.Sprintf("%s: %s", v.Outcome, why)
	case v.Outcome != policy.Reclaim:
		return rule, v, fmt.Sprintf("%s: %s", v.Outcome, judge.Reason(rule, m.person, v))
	case c.IdleSince != nil && v.IdleSince.IsZero():
		return rule, v, fmt.Sprintf("undecided: the last %s of %s is no longer there, so the data cannot be trusted", judge.Noun(rule), c.IdleSince.Format("2006-01-02"))
	}
	return rule, v, ""
}
