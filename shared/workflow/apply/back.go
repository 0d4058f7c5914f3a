package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// rollBack undoes the change and completes it with outcome o. If another call of the run has completed the change, the
// outcome of that call is kept.
func (m *move) rollBack(ctx context.Context, o ledger.Outcome, why string) (runs.Status, string) {
	m.turned = true
	left, err := m.ledger.RollBack(ctx, m.entry, ledger.Mark{Outcome: o, Why: why, At: m.Now().UTC()})
	if err != nil {
		return troubled, err.Error()
	}
	if closed, err := m.ledger.Completed(ctx, m.entry); err != nil {
		return troubled, err.Error()
	} else if closed {
		return m.closedByOther(ctx, m.took)
	}
	if left && !m.unchanged {
		back, err := m.ledger.RollbackMark(ctx, m.entry) // returns the first mark, which an earlier call may have written
		if err != nil {
			return troubled, err.Error()
		}
		m.leftBy = back.At
	}
	return m.target().goBack(ctx, m, o, why)
}

// undoDirect assigns again the product that a change removed from the person's direct assignments. A write that another
// call has sent may still remove the product. So each call assigns it again, and the change stays pending until
// readLagOver is true. The change counts as done if Graph refuses the assignment and the person lacks the product.
func (m *move) undoDirect(ctx context.Context, o ledger.Outcome, why string) (runs.Status, string) {
	shown, err := m.regain(ctx)
	switch reason := definite(err); {
	case reason != "" && !m.holds(m.entry.SKU, ""):
		return m.cannotGoBack(ctx, why, reason)
	case err != nil && reason == "":
		return m.goingBack(why, err)
	case !m.readLagOver():
		return runs.Pending, sentences(why, m.watched())
	case !shown && reason == "": // Graph refuses only what the person has already
		return runs.Pending, sentences(why, "given again, and Graph does not show it yet")
	}
	return m.complete(ctx, o, why)
}

// closedByOther returns the status and the note of a completed change. The parameter "took" reports whether this call
// took the license. If another call rolled the change back at the same time, closedByOther gives the license to the
// person again. It does not do this for a restore, which takes no license.
func (m *move) closedByOther(ctx context.Context, took bool) (runs.Status, string) {
	won := m.entry.Completion
	if took && won.Outcome != ledger.Done && m.change.RestoreOf == "" {
		if err := m.write(ctx, m.entry.Source, true); err != nil {
			return runs.Failed, fmt.Sprintf("%s; this call had taken the license meanwhile, and giving it again failed, do it by hand: %v", won.Note, err)
		}
	}
	return runs.Ended(won.Outcome), won.Note
}

// The method "takenSince" is for a change that was rolled back. Another call may have taken the license after that. If
// a read does not show the license, takenSince gives it again and returns a note. It does so only until the plan
// expires. Later, somebody else has probably taken the license.
func (m *move) takenSince(ctx context.Context, e *ledger.Entry) (note string, err error) {
	if e.Completion.Outcome == ledger.Done || e.RestoreOf != "" || m.change.RestoreOf != "" || m.person == nil || m.expired() {
		return "", nil
	}
	left, err := m.ledger.LeavingMark(ctx, e)
	if left == nil || err != nil {
		return "", err
	}
	m.entry = e
	if why, err := m.altered(ctx, e, m.change); err != nil || why != "" || m.target() == nil || m.target().absent(m) {
		return "", err
	}
	held, err := m.in(ctx, e.Source)
	if held || err != nil {
		return "", err
	}
	then := "given again, and looked at once more"
	if err := m.write(ctx, e.Source, true); definite(err) != "" {
		then = "it cannot be given again, do it by hand: " + definite(err)
	} else if err != nil {
		then = fmt.Sprintf("giving it again is not finished, run apply again: %v", err)
	}
	return sentences(e.Completion.Note, "another call had taken the license after that; "+then), nil
}

// The method "undo" rolls back a move between groups, or carries out a restore of such a move. It adds the person to
// the source group, waits for that group's license, and then removes the person from the target group. It does not wait
// if membership itself is the license, or if the person did not get the license through the source group before.
//
// While readLagOver is false, reads may be out of date, and a write of another call or of a relay may still remove the
// person. So undo adds the person whatever the reads show, and the change stays pending.
//
// If the account in Entra ID was deleted, the license cannot come. undo then waits until the account has been missed for
// the time inBin, because an administrator may bring the account back. If the source group cannot give its
// license, as without a free seat, undo waits until an administrator has mended that.
func (m *move) undo(ctx context.Context, o ledger.Outcome, why string) (runs.Status, string) {
	e := m.entry
	in, err := m.in(ctx, e.Source)
	if err != nil {
		return m.goingBack(why, err)
	}
	if !in || !m.readLagOver() {
		shown, err := m.setMember(ctx, e.Source, true)
		reason := definite(err)
		switch {
		case reason != "" && !in:
			return m.cannotGoBack(ctx, why, reason)
		case reason != "": // the directory refuses to add the person, but a read shows the person in the group already: go on
		case err != nil:
			return m.goingBack(why, err)
		case !shown:
			return runs.Pending, sentences(why, rejoined)
		}
	}
	had := m.change.RestoreOf != "" || slices.ContainsFunc(e.Before.Assignments, func(a directory.Assignment) bool { return a.Group == m.from() && a.Active() })
	awaits := m.follows() && had && !(m.readLagOver() && m.active(e.SKU, m.from()))
	failed := m.pathError(e.SKU, m.from())
	switch gone := m.person.Entra == nil; {
	case awaits && gone:
		if status, note := m.missed(ctx, directory.Entra, "joined the source group again; "+goneFromEntra); status != "" {
			return m.forRepair(), sentences(why, note)
		}
		why = sentences(why, goneFromEntra+", so only the groups of Active Directory are as they were")
	case awaits && failed != "":
		return m.forRepair(), sentences(why, "joined the source group again, which does not give its license: "+failed+reprocess)
	case awaits:
		return runs.Pending, sentences(why, rejoined)
	}
	if !m.readLagOver() {
		return runs.Pending, sentences(why, m.watched())
	}
	return m.leaveTarget(ctx, o, why)
}

const rejoined = "joined the source group again, waiting for its license before the target is left"

// The constant "reprocess" says what gives a license that a group could not give before. Entra ID does not try again by
// itself when a seat becomes free (Microsoft Learn, "Identify and resolve license assignment problems for a group in
// Microsoft Entra ID", section "Force group license processing"; Microsoft Graph, user: reprocessLicenseAssignment).
const reprocess = "; when that is resolved, reprocess the person's licenses in the admin center"

// The method "forRepair" returns the status of a rollback that waits for an administrator. A night does not wait for
// that. As long as readLagOver is false, it does, because each call gives the license again.
func (m *move) forRepair() runs.Status {
	if m.readLagOver() {
		return troubled
	}
	return runs.Pending
}

// leaveTarget removes the person from the target group, and completes the change with outcome o. A person who was in
// the group before the change stays there. Reads may show a new membership late. So a rollback also removes a person
// whom no read shows, if the change may have added the person. A restore removes the person only if a read shows the
// membership.
func (m *move) leaveTarget(ctx context.Context, o ledger.Outcome, why string) (runs.Status, string) {
	e := m.entry
	if e.Target == "" || e.InTarget {
		return m.complete(ctx, o, why)
	}
	in, err := m.in(ctx, e.Target)
	if err != nil {
		return m.goingBack(why, err)
	}
	if in || m.joined && e.RestoreOf == "" {
		gone, err := m.setMember(ctx, e.Target, false)
		reason := definite(err)
		switch {
		case reason != "" && in:
			return m.complete(ctx, o, sentences(why, "still in the target group: "+reason))
		case reason != "":
			return m.complete(ctx, o, why)
		case err != nil:
			return m.goingBack(why, err)
		case !gone:
			return runs.Pending, sentences(why, "left the target group again, which the directory does not show yet")
		}
	}
	return m.complete(ctx, o, why)
}

func (m *move) watched() string {
	return "given again at once; each call gives it again until " + m.leftBy.Add(m.readLag()).UTC().Format(time.RFC3339) + ", because the removal may still take effect"
}

// readLagOver reports whether the time readLag has passed since the person left the source group. Reads then show the
// present state, and no write that takes the license can still be on its way. It also returns true if the person did
// not leave the source group.
func (m *move) readLagOver() bool {
	return m.leftBy.IsZero() || m.Now().Sub(m.leftBy) >= m.readLag()
}

// cannotGoBack ends a rollback or a restore that cannot give the license to the person again. The change that should be
// rolled back counts as done, because its license stays taken. A restore counts as failed, because it has changed
// nothing.
func (m *move) cannotGoBack(ctx context.Context, why, reason string) (runs.Status, string) {
	if m.entry.RestoreOf != "" {
		return m.complete(ctx, ledger.Failed, reason)
	}
	return m.complete(ctx, ledger.Done, sentences(why, "it could not be restored: "+reason))
}

func (m *move) goingBack(why string, err error) (runs.Status, string) {
	if errors.Is(err, directory.ErrDeferred) {
		return runs.Pending, sentences(why, "going back is "+handedOver)
	}
	return troubled, sentences(why, fmt.Sprintf("going back is not finished, run apply again: %v", err))
}

func sentences(why, what string) string {
	if why == "" || what == "" {
		return why + what
	}
	return why + "; " + what
}

// The method "recent" reports whether the change of an entry ended so recently that reads may still show the state
// before the change. It is false for an announcement, which changes nothing in a directory.
func (m *move) recent(e *ledger.Entry) bool {
	told := plan.Via(e.Via) == plan.Notice || e.Completion != nil && e.Completion.Outcome == ledger.Announced
	return e.Completion != nil && !told && m.Now().Sub(e.Completion.At) < directory.Settling
}

// takenBy is for the entry of a restore. It returns the latest time at which the change that took the license can have
// ended.
func takenBy(e *ledger.Entry) time.Time {
	if e.TakenAt.IsZero() { // an intent of an earlier version
		return e.At
	}
	return e.TakenAt
}
