package apply

import (
	"context"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "restore" carries out as much of a restore as is possible now. It asks no rule if an operator asked for
// the restore. If a run planned it because the person returned, the person must still be active. The parameter "last"
// is the newest ledger entry for the person and the license.
func (j *job) restore(ctx context.Context, m *move, last *ledger.Entry) (runs.Status, string) {
	if status, note := j.undoneBefore(ctx, m, last); status != "" {
		return status, note
	}
	switch {
	case m.entry != nil:
		if status, note := j.stillOpen(ctx, m); status != "" {
			return status, note
		}
	case j.closed != "":
		return runs.Refused, j.closed
	case j.plan.Restores != "" && last != nil && last.Completion == nil && last.Run == m.change.RestoreOf:
		return j.undoBegun(ctx, m, last)
	default:
		orphan, err := j.orphan(ctx, m, last)
		if err != nil {
			return troubled, fmt.Sprintf("nothing was done: %v", err)
		}
		if m.entry = orphan; orphan != nil {
			if err := m.seen(ctx); err != nil {
				return troubled, err.Error()
			}
			if status, note := j.stillOpen(ctx, m); status != "" {
				return status, note
			}
		} else if status, note := j.beginRestore(ctx, m, last); status != "" {
			return status, note
		} else if why, err := m.contest(ctx, false); err != nil {
			return troubled, err.Error()
		} else if why != "" {
			return m.complete(ctx, ledger.Failed, why)
		}
	}
	m.leftBy = takenBy(m.entry)
	return m.target().giveBack(ctx, m)
}

// restoreGroup adds the person to the group that the person left. Then it removes the person from the group to which
// the restored change added the person. If the group that the person left cannot give its license, the restore fails.
// The person is then removed from this group again, but only if this restore added the person.
func (m *move) restoreGroup(ctx context.Context) (runs.Status, string) {
	rejoined, err := m.ledger.Noted(ctx, m.entry, ledger.Rejoined)
	if err != nil {
		return troubled, err.Error()
	}
	if failed := m.pathError(m.entry.SKU, m.from()); failed != "" {
		if rejoined != nil {
			_, err = m.setMember(ctx, m.entry.Source, false)
		}
		if err != nil {
			return troubled, err.Error()
		}
		return m.complete(ctx, ledger.Failed, "the group does not give the license: "+failed)
	}
	in, err := m.in(ctx, m.entry.Source)
	if err != nil {
		return m.goingBack(m.entry.Note, err)
	}
	status, note := m.undo(ctx, ledger.Done, m.entry.Note)
	if status == runs.Pending && !in && rejoined == nil { // pending: the directory accepted the write, or the relay has it
		if err := m.ledger.Note(ctx, m.entry, ledger.Rejoined, m.Now().UTC()); err != nil {
			return troubled, err.Error()
		}
	}
	return status, note
}

// stillOpen checks whether this call may continue an entry that an earlier call began, because the groups or the entry
// may have changed. The returned status is empty if the call may continue.
func (j *job) stillOpen(ctx context.Context, m *move) (runs.Status, string) {
	in, _, refusal, err := j.wayBack(ctx, m.entry.Intent)
	switch e := m.entry; {
	case err != nil:
		return troubled, err.Error()
	case refusal == "" && sameWay(&in, &e.Intent):
		return "", ""
	case refusal == "":
		refusal = fmt.Sprintf("the groups or products of %s are not those by which it may be restored now", e.Key())
	}
	return m.complete(ctx, ledger.Failed, refusal+"; restore again")
}

// sameWay reports whether two intents change the same groups and the same target product. A source group with the same
// objectGUID is the same group under another DN.
func sameWay(a, b *ledger.Intent) bool {
	source := a.Source == b.Source || a.SourceGUID != "" && a.SourceGUID == b.SourceGUID
	return source && a.SourceEntra == b.SourceEntra && a.TargetEntra == b.TargetEntra && a.Target == b.Target && a.TargetGUID == b.TargetGUID && a.TargetSKU == b.TargetSKU
}

// The method "orphan" looks for an earlier restore of the same license that was not finished and that its own run
// cannot finish. It returns the ledger entry "last" if the entry belongs to such a restore. Otherwise it returns nil.
// The restore that an operator asked for then finishes the entry.
func (j *job) orphan(ctx context.Context, m *move, last *ledger.Entry) (*ledger.Entry, error) {
	if j.plan.Restores == "" || last == nil || last.Completion != nil || last.RestoreOf != m.change.RestoreOf {
		return nil, nil
	}
	err := runs.GoesOn(ctx, j.Store, last.Run)
	if runs.Gone(err) {
		return last, nil
	}
	return nil, err
}

// undoBegun rolls back an open change of the restored run. That run cannot go on, because its data is gone.
func (j *job) undoBegun(ctx context.Context, m *move, begun *ledger.Entry) (runs.Status, string) {
	in, _, refusal, err := j.wayBack(ctx, begun.Intent)
	switch {
	case err != nil:
		return troubled, err.Error()
	case refusal == "" && !sameWay(&in, &begun.Intent):
		refusal = fmt.Sprintf("the groups of %s are not those by which it may be restored now", begun.Key())
	}
	if refusal != "" {
		return runs.Refused, refusal
	}
	m.entry, m.joined = begun, true
	if err := m.seen(ctx); err != nil {
		return troubled, err.Error()
	}
	if m.target().absent(m) {
		return m.withoutAD(ctx)
	}
	status, note := m.rollBack(ctx, ledger.Restored, beingRestored)
	switch status {
	case runs.Kept:
		status = runs.Done
	case runs.Done: // the change stands, so the license is not restored
		status = runs.Failed
	}
	return status, note
}

// The method "undoneBefore" is for a restore whose earlier call rolled back an open change of the restored run, and ended
// before it stored the result. The returned status is empty if the ledger has no such rollback. It is also empty if a
// read does not show the license, because somebody has taken it since.
func (j *job) undoneBefore(ctx context.Context, m *move, last *ledger.Entry) (runs.Status, string) {
	if j.plan.Restores == "" || last == nil || last.Run != m.change.RestoreOf || last.Completion == nil || last.Completion.Outcome != ledger.Restored {
		return "", ""
	}
	why, err := m.unproven(ctx, last)
	m.entry = nil // the entry belongs to the restored run
	switch {
	case err != nil:
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	case why != "":
		return "", ""
	}
	return runs.Done, last.Completion.Note
}

// beginRestore writes the intent to restore a license that the run in the change's RestoreOf took. The returned status
// is empty if the intent was written.
func (j *job) beginRestore(ctx context.Context, m *move, last *ledger.Entry) (runs.Status, string) {
	taken, err := m.page.Standing(ctx, m.change.License)
	if err == nil {
		_, err = m.conflict(ctx)
	}
	m.elsewhere = err == nil && taken != nil && taken.RestoreOf == m.change.RestoreOf
	switch {
	case unbelieved(err):
		return runs.Refused, err.Error()
	case err != nil:
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	case m.elsewhere && taken.Completion == nil:
		return runs.Refused, ledger.Blocked(taken).Error()
	case m.elsewhere:
		return runs.Refused, fmt.Errorf("%w, or was: run %s has restored it", ledger.ErrBlocked, taken.Run).Error()
	case taken == nil || taken.Run != m.change.RestoreOf || taken.Completion == nil || taken.Completion.Outcome != ledger.Done:
		return runs.Refused, "it is no longer as run " + m.change.RestoreOf + " left it; look at the ledger"
	}
	if j.plan.Restores == "" {
		rule := j.run.Policy.RuleNamed(taken.Rule)
		if rule == nil {
			return runs.Refused, "the run's policy has no rule " + taken.Rule
		}
		if at, asked := j.judge.Returned(rule, m.person, history.ItemOf(taken).Since()); at.IsZero() || asked != directory.Yes {
			return runs.Kept, "read again, the person is not known to be active since the license was taken, or the rule no longer asks them"
		}
	}
	refusal, err := j.unplanned(ctx, taken)
	in, note := taken.Intent, "" // the restore returns to the state before the change of the entry "taken"
	if err == nil && refusal == "" {
		in, note, refusal, err = j.wayBack(ctx, in)
	}
	switch {
	case err != nil:
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	case refusal != "":
		return runs.Refused, refusal
	}
	now := j.intent(m.change)
	in.Run, in.PlanHash, in.Rule, in.Reason, in.At, in.IdleSince, in.ApprovedBy = now.Run, now.PlanHash, plan.RestoreRule, now.Reason, now.At, now.IdleSince, now.ApprovedBy
	in.UserPrincipalName, in.MonthlySaving, in.RestoreOf, in.TakenAt = now.UserPrincipalName, now.MonthlySaving, now.RestoreOf, taken.Completion.At
	in.Note = note
	if m.entry, err = j.ledger.Begin(ctx, in, last); unbelieved(err) {
		beside, _ := j.ledger.Latest(ctx, in.Person, in.License)
		m.elsewhere = beside != nil && beside.RestoreOf == m.change.RestoreOf
		return runs.Refused, err.Error()
	} else if err != nil {
		return troubled, fmt.Sprintf("nothing was done: %v", err)
	}
	return "", ""
}

// restoreDirect assigns again the product that the change took (see regain). While reads may be out of date, it writes
// even if a read shows the product, and the restore stays pending. Later it writes only if no read shows the product.
func (m *move) restoreDirect(ctx context.Context) (runs.Status, string) {
	e := m.entry
	shown := m.active(e.SKU, "")
	if !m.holds(e.SKU, "") || !m.readLagOver() {
		var err error
		shown, err = m.regain(ctx)
		if err != nil && !(m.readLagOver() && m.holds(e.SKU, "")) {
			if reason := definite(err); reason != "" {
				return m.complete(ctx, ledger.Failed, reason)
			}
			return m.writeFailed(ctx, err)
		}
	}
	switch {
	case !shown:
		return runs.Pending, notShown
	case !m.readLagOver():
		return runs.Pending, m.watched()
	}
	return m.complete(ctx, ledger.Done, e.Note)
}
