package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
)

// change takes one change as far as it goes now.
func (j *job) change(ctx context.Context, c *plan.Change, e evidence) report.Result {
	result := func(s report.Status, format string, args ...any) report.Result {
		again := s == troubled
		if again {
			s = report.Pending
		}
		r := report.ResultOf(c, s, fmt.Sprintf(format, args...))
		r.Again = again
		return r
	}
	last, err := j.ledger.Latest(ctx, c.User, c.License)
	if err != nil {
		return result(troubled, "nothing was done: %v", err)
	}
	ours := last != nil && last.Run == j.plan.Run
	if ours && last.Completion != nil {
		return result(statusOf(last.Completion.Outcome), "%s", last.Completion.Note)
	}
	m := &move{job: j, person: e.person, latest: e.latest, change: c}
	if ours {
		m.entry = last
	}
	switch {
	case e.person == nil && !e.gone:
		return result(troubled, "nothing was done: %s", e.why)
	case e.adError != nil && (c.Via == plan.ADGroup || ours && plan.Via(last.Via) == plan.ADGroup):
		return result(troubled, "nothing was done: Active Directory could not be read: %v", e.adError)
	case e.person == nil && ours:
		status, note := m.complete(ctx, ledger.Failed, e.why)
		return result(status, "%s", note)
	case e.person == nil:
		return result(report.Kept, "%s", e.why)
	}
	if c.Back != "" {
		status, note := j.putBack(ctx, m, last)
		return result(status, "%s", note)
	}
	if !ours {
		if r, stop := j.begin(ctx, m, last, result); stop {
			return r
		}
	}
	if c.Via == plan.Notice {
		status, note := m.complete(ctx, ledger.Noticed, "announced")
		return result(status, "%s", note)
	}
	status, note := m.advance(ctx)
	return result(status, "%s", note)
}

// statusOf is the status of a completed change.
func statusOf(o ledger.Outcome) report.Status {
	switch o {
	case ledger.Done:
		return report.Done
	case ledger.Noticed:
		return report.Announced
	case ledger.RolledBack:
		return report.Kept
	default:
		return report.Failed
	}
}

// begin asks the rule again and writes the intent. last is the newest entry of
// the ledger for the person and license. stop tells that the change ends here.
func (j *job) begin(ctx context.Context, m *move, last *ledger.Entry, result func(report.Status, string, ...any) report.Result) (r report.Result, stop bool) {
	if j.closed != "" {
		return result(report.Refused, "%s", j.closed), true
	}
	if last != nil && last.Completion != nil && last.Completion.At.After(j.plan.Created) {
		return result(report.Refused, "run %s changed it after this plan was made; plan again", last.Run), true
	}
	rule, v, keep := m.ask()
	if keep != "" {
		return result(report.Kept, "%s", keep), true
	}
	past, err := j.past(ctx, m.change)
	if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	d := j.run.Decide(j.judge, rule, m.person, v, past, nil)
	route, _ := j.run.Tenant.Route(m.person, rule)
	switch {
	case d.Refused != "":
		return result(report.Refused, "%s", d.Refused), true
	case d.Notice != (m.change.Via == plan.Notice):
		return result(report.Refused, "it would now have to be announced first, or was announced already; plan again"), true
	case !d.Notice && d.Via != m.change.Via:
		return result(report.Refused, "now held in another way (%s) than when it was planned (%s); plan again", d.Via, m.change.Via), true
	}
	in := j.intent(m.change)
	if !d.Notice {
		in.Via, in.Source, in.Target, in.SKU, in.TargetSKU = string(route.Via), route.Source, route.Target, route.SKU, route.TargetSKU
		if in.Before, err = m.holding(ctx, &in); err != nil {
			return result(troubled, "nothing was done: what the person holds could not be read: %v", err), true
		}
		in.InTarget = in.Target != "" && slices.Contains(in.Before.InGroups, in.Target)
	}
	if m.entry, err = j.ledger.Begin(ctx, in, last); errors.Is(err, ledger.ErrBlocked) {
		return result(report.Refused, "%v", err), true
	} else if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	return report.Result{}, false
}

// intent is what is about to be done for a change, but for the way.
func (j *job) intent(c *plan.Change) ledger.Intent {
	return ledger.Intent{
		Person: c.User, License: c.License, Run: j.plan.Run, PlanHash: j.plan.PlanHash, Rule: c.Rule, To: c.To, Via: string(c.Via),
		Reason: c.Reason, At: j.Now().UTC(), IdleSince: c.IdleSince, ApprovedBy: j.approver,
	}
}

// past is what last became of the license. Fresh dates are finer than those that
// a notice rests on, so only what came after the notice makes it void.
func (j *job) past(ctx context.Context, c *plan.Change) (*history.Item, error) {
	e, err := j.ledger.Standing(ctx, c.User, c.License)
	if err != nil {
		return nil, err
	}
	past := history.ItemOf(e)
	if past != nil && past.State == history.Noticed {
		past.IdleSince = &past.At
	}
	return past, nil
}

// ask asks the change's rule about the person as just read. keep is why nothing
// is taken, empty when the rule still reclaims. Where the last logon is not
// known, the rule must reclaim also with the latest that it can be.
func (m *move) ask() (rule *policy.Rule, v policy.Verdict, keep string) {
	c := m.change
	i := slices.IndexFunc(m.run.Policy.Rules, func(r *policy.Rule) bool { return r.Name == c.Rule })
	if i < 0 {
		return nil, v, "the run's policy has no rule " + c.Rule
	}
	rule = m.run.Policy.Rules[i]
	v = m.judge.Ask(rule, m.person)
	if v.Outcome == policy.Undecided && !m.latest.IsZero() {
		if proven := m.judge.Ask(rule, m.person.LoggedOnBy(m.latest)); proven.Outcome == policy.Reclaim {
			v = proven
		}
	}
	switch {
	case v.Outcome == policy.Keep && !v.IdleSince.IsZero() && (c.IdleSince == nil || v.IdleSince.After(*c.IdleSince)):
		return rule, v, m.judge.Ago(rule, v.IdleSince)
	case v.Outcome != policy.Reclaim:
		return rule, v, fmt.Sprintf("%s: %s", v.Outcome, m.judge.Reason(rule, m.person, v))
	case c.IdleSince != nil && v.IdleSince.IsZero():
		return rule, v, fmt.Sprintf("undecided: the last sign-in of %s is no longer there, so the data cannot be trusted", c.IdleSince.Format("2006-01-02"))
	}
	return rule, v, ""
}
