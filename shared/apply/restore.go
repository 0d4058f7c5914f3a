package apply

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
)

// putBack takes one change that gives a license back as far as it goes now. When
// somebody asked for it no rule is asked; when the run did, the person must still
// be active again. last is the newest entry of the ledger for the person and
// license.
func (j *job) putBack(ctx context.Context, m *move, last *ledger.Entry) (report.Status, string) {
	if m.entry == nil {
		if j.closed != "" {
			return report.Refused, j.closed
		}
		if status, note := j.beginBack(ctx, m, last); status != "" {
			return status, note
		}
	}
	via := plan.Via(m.entry.Via)
	if via == plan.Direct {
		return m.putBackDirect(ctx)
	}
	if via == plan.ADGroup && (m.AD == nil || m.person.AD == nil) {
		return m.withoutAD(ctx)
	}
	if why := m.pathError(m.entry.SKU, m.entry.Source); why != "" {
		if err := m.setMember(ctx, plan.EntraGroup, m.entry.Source, false); err != nil {
			return troubled, err.Error()
		}
		return m.complete(ctx, ledger.Failed, "the group does not give the license: "+why)
	}
	return m.undo(ctx, ledger.Done, "")
}

// beginBack writes the intent of giving back what the change's run took. The
// status is empty when that is done.
func (j *job) beginBack(ctx context.Context, m *move, last *ledger.Entry) (report.Status, string) {
	taken, err := m.page.Standing(ctx, m.change.License)
	if err == nil {
		err = m.entangled(ctx)
	}
	switch {
	case unbelieved(err):
		return report.Refused, err.Error()
	case err != nil:
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	case taken == nil || taken.Run != m.change.Back || taken.Completion == nil || taken.Completion.Outcome != ledger.Done:
		return report.Refused, "it is no longer as run " + m.change.Back + " left it; look at the ledger"
	}
	if j.plan.Restores == "" {
		rule := j.run.Policy.RuleNamed(taken.Rule)
		if rule == nil {
			return report.Refused, "the run's policy has no rule " + taken.Rule
		}
		if at, asked := j.judge.Returned(rule, m.person, history.ItemOf(taken).Since()); at.IsZero() || asked != directory.Yes {
			return report.Kept, "read again, the person is not known to be active since the license was taken, or the rule no longer asks them"
		}
	}
	in := taken.Intent // what was before is what is to be again
	now := j.intent(m.change)
	in.Run, in.PlanHash, in.Rule, in.Reason, in.At, in.IdleSince, in.ApprovedBy = now.Run, now.PlanHash, plan.RestoreRule, now.Reason, now.At, now.IdleSince, now.ApprovedBy
	in.UserPrincipalName, in.MonthlySaving, in.Back = now.UserPrincipalName, now.MonthlySaving, now.Back
	if m.entry, err = j.ledger.Begin(ctx, in, last); unbelieved(err) {
		return report.Refused, err.Error()
	} else if err != nil {
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	}
	return "", ""
}

// putBackDirect gives directly assigned products again, with the service plans
// that were switched off, and takes the successor that was not held before.
func (m *move) putBackDirect(ctx context.Context) (report.Status, string) {
	e := m.entry
	if !m.holds(e.SKU, "") {
		if err := m.regain(ctx); err != nil && !m.holds(e.SKU, "") {
			if reason := definite(err); reason != "" {
				return m.complete(ctx, ledger.Failed, reason)
			}
			return m.writeFailed(ctx, err)
		}
	}
	if !m.active(e.SKU, "") {
		return report.Pending, "Graph accepted the change but does not show it yet"
	}
	return m.complete(ctx, ledger.Done, "")
}
