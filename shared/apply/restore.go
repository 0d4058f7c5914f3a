package apply

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
)

// putBack takes one change of a restoring plan as far as it goes now. No rule is
// asked: somebody wants the license back. last is the newest entry of the ledger
// for the person and license.
func (j *job) putBack(ctx context.Context, m *move, last *ledger.Entry) (report.Status, string) {
	if m.entry == nil {
		switch {
		case j.closed != "":
			return report.Refused, j.closed
		case last == nil || last.Run != j.plan.Restores || last.Completion == nil || last.Completion.Outcome != ledger.Done:
			return report.Refused, "it is no longer as run " + j.plan.Restores + " left it; look at the ledger"
		}
		in := last.Intent // what was before is what is to be again
		in.Run, in.PlanHash, in.Rule, in.Reason, in.At = j.plan.Run, j.plan.PlanHash, m.change.Rule, m.change.Reason, j.Now().UTC()
		var err error
		if m.entry, err = j.ledger.Begin(ctx, in); err != nil {
			return troubled, fmt.Sprintf("nothing was done: %v", err)
		}
	}
	if plan.Via(m.entry.Via) == plan.Direct {
		return m.putBackDirect(ctx)
	}
	if plan.Via(m.entry.Via) == plan.ADGroup && (m.AD == nil || m.person.AD == nil) {
		return troubled, "the Active Directory account cannot be read now"
	}
	return m.rollBack(ctx, ledger.Done, "")
}

// putBackDirect gives directly assigned products again, with the service plans
// that were switched off, and takes the successor that was not held before.
func (m *move) putBackDirect(ctx context.Context) (report.Status, string) {
	e := m.entry
	if !m.holds(e.SKU, "") {
		var add []directory.Assignment
		var remove []string
		hadTarget := false
		for _, a := range e.Before.Assignments {
			if a.Group == "" && a.SKU == e.SKU {
				add = append(add, directory.Assignment{SKU: a.SKU, DisabledPlans: a.DisabledPlans})
			}
			hadTarget = hadTarget || a.Group == "" && a.SKU == e.TargetSKU
		}
		if e.TargetSKU != "" && !hadTarget && m.holds(e.TargetSKU, "") {
			remove = append(remove, e.TargetSKU)
		}
		err := m.Entra.ChangeLicenses(ctx, e.Person, add, remove)
		if readErr := m.readBack(ctx); readErr != nil {
			return troubled, readErr.Error()
		}
		if err != nil && !m.holds(e.SKU, "") {
			return m.writeFailed(ctx, err)
		}
	}
	if !m.active(e.SKU, "") {
		return report.Pending, "Graph accepted the change but does not show it yet"
	}
	return m.complete(ctx, ledger.Done, "")
}
