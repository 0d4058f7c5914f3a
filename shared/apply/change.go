package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
		return result(troubled, "%v", err)
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
	case e.adError != nil && c.Via == plan.ADGroup:
		return result(troubled, "nothing was done: Active Directory could not be read: %v", e.adError)
	case e.person == nil && ours:
		status, note := m.complete(ctx, ledger.Failed, e.why)
		return result(status, "%s", note)
	case e.person == nil:
		return result(report.Kept, "%s", e.why)
	}
	if j.plan.Restores != "" {
		status, note := j.putBack(ctx, m, last)
		return result(status, "%s", note)
	}
	if !ours {
		if r, stop := j.begin(ctx, m, result); stop {
			return r
		}
	}
	status, note := m.advance(ctx)
	return result(status, "%s", note)
}

// statusOf is the status of a completed change.
func statusOf(o ledger.Outcome) report.Status {
	switch o {
	case ledger.Done:
		return report.Done
	case ledger.RolledBack:
		return report.Kept
	default:
		return report.Failed
	}
}

// begin asks the rule again and writes the intent. stop tells that the change
// ends here.
func (j *job) begin(ctx context.Context, m *move, result func(report.Status, string, ...any) report.Result) (r report.Result, stop bool) {
	if j.closed != "" {
		return result(report.Refused, "%s", j.closed), true
	}
	rule, keep := m.ask()
	if keep != "" {
		return result(report.Kept, "%s", keep), true
	}
	route, refusal := j.run.Tenant.Route(m.person, rule)
	if refusal != "" {
		return result(report.Refused, "%s", refusal), true
	}
	if route.Via != m.change.Via {
		return result(report.Refused, "now held in another way (%s) than when it was planned (%s); plan again", route.Via, m.change.Via), true
	}
	in := ledger.Intent{
		Person: m.change.User, License: m.change.License, Run: j.plan.Run, PlanHash: j.plan.PlanHash, Rule: rule.Name,
		To: m.change.To, Via: string(route.Via), Source: route.Source, Target: route.Target, SKU: route.SKU, TargetSKU: route.TargetSKU,
		Reason: m.change.Reason, At: j.Now().UTC(),
	}
	var err error
	if in.Before, err = m.holding(ctx, &in); err != nil {
		return result(troubled, "nothing was done: what the person holds could not be read: %v", err), true
	}
	in.InTarget = in.Target != "" && slices.Contains(in.Before.InGroups, in.Target)
	if m.entry, err = j.ledger.Begin(ctx, in); errors.Is(err, ledger.ErrBlocked) {
		return result(report.Refused, "%v", err), true
	} else if err != nil {
		return result(troubled, "nothing was done: %v", err), true
	}
	return report.Result{}, false
}

// ask asks the change's rule about the person as just read. keep is why nothing
// is taken, empty when the rule still reclaims. Where the last logon is not
// known, the rule must reclaim also with the latest that it can be.
func (m *move) ask() (rule *policy.Rule, keep string) {
	c := m.change
	i := slices.IndexFunc(m.run.Policy.Rules, func(r *policy.Rule) bool { return r.Name == c.Rule })
	if i < 0 {
		return nil, "the run's policy has no rule " + c.Rule
	}
	rule = m.run.Policy.Rules[i]
	v := m.judge.Ask(rule, m.person)
	if v.Outcome == policy.Undecided && !m.latest.IsZero() {
		if proven := m.judge.Ask(rule, m.person.LoggedOnBy(m.latest)); proven.Outcome == policy.Reclaim {
			v = proven
		}
	}
	switch {
	case v.Outcome != policy.Reclaim:
		return rule, fmt.Sprintf("%s: %s", v.Outcome, m.judge.Reason(rule, m.person, v))
	case c.IdleSince != nil && v.IdleSince.IsZero():
		return rule, fmt.Sprintf("undecided: the last sign-in of %s is no longer there, so the data cannot be trusted", c.IdleSince.Format("2006-01-02"))
	}
	return rule, ""
}
