package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
)

// rollBack returns the person to the state before the change. It completes the change with outcome o, unless another
// call of the run has closed it.
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
		back, err := m.ledger.RollbackMark(ctx, m.entry) // the first mark: an earlier call may have made it
		if err != nil {
			return troubled, err.Error()
		}
		m.leftBy = back.At
	}
	return m.target().goBack(ctx, m, o, why)
}

// undoDirect assigns the products again that a change took from the person directly.
func (m *move) undoDirect(ctx context.Context, o ledger.Outcome, why string) (runs.Status, string) {
	shown, err := m.regain(ctx)
	switch {
	case err != nil:
		return troubled, fmt.Sprintf("%s; going back is not finished, run apply again: %v", why, err)
	case !shown:
		return runs.Pending, sentences(why, "given again, and Graph does not show it yet")
	}
	return m.complete(ctx, o, why)
}

// closedByOther returns the outcome of a change that another call of the run has closed. That call may have rolled back
// before this call took the license. Then closedByOther assigns the license again.
func (m *move) closedByOther(ctx context.Context, took bool) (runs.Status, string) {
	won := m.entry.Completion
	if took && won.Outcome != ledger.Done && m.change.RestoreOf == "" {
		if err := m.write(ctx, m.entry.Source, true); err != nil {
			return runs.Failed, fmt.Sprintf("%s; this call had taken the license meanwhile, and giving it again failed, do it by hand: %v", won.Note, err)
		}
	}
	return runs.Ended(won.Outcome), won.Note
}

// undo rolls back a move between groups. It joins the source again and waits for the license of the source. Only then
// does it leave the group that the change joined. For a while reads may show the state before the source was left.
// During that time undo joins the source whatever the reads show, and does not count the license of the source as
// active.
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
		case reason != "": // reads show a member, and the source cannot be joined
		case err != nil:
			return m.goingBack(why, err)
		case !shown:
			return runs.Pending, sentences(why, rejoined)
		}
	}
	had := m.change.RestoreOf != "" || slices.ContainsFunc(e.Before.Assignments, func(a directory.Assignment) bool { return a.Group == m.from() && a.Active() })
	if m.follows() && had && !(m.readLagOver() && m.active(e.SKU, m.from())) {
		return runs.Pending, sentences(why, rejoined)
	}
	return m.leaveTarget(ctx, o, why)
}

const rejoined = "joined the source group again, waiting for its license before the target is left"

// leaveTarget removes the person from the group that the change joined. It removes them whatever a read shows if the
// change may have joined the group, since a read may show a membership late.
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

// settled reports whether reads can no longer show the state before the source was left. It is also true when the
// source was not left.
func (m *move) readLagOver() bool {
	return m.leftBy.IsZero() || m.Now().Sub(m.leftBy) >= m.readLag()
}

// cannotGoBack ends a change whose source cannot be joined again. The change stays as it is. A restore that cannot go
// back has changed nothing.
func (m *move) cannotGoBack(ctx context.Context, why, reason string) (runs.Status, string) {
	if m.change.RestoreOf != "" {
		return m.complete(ctx, ledger.Failed, reason)
	}
	return m.complete(ctx, ledger.Done, sentences(why, "it could not be put back: "+reason))
}

func (m *move) goingBack(why string, err error) (runs.Status, string) {
	if errors.Is(err, directory.ErrDeferred) {
		return runs.Pending, sentences(why, "going back is "+handedOver)
	}
	return troubled, sentences(why, fmt.Sprintf("going back is not finished, run apply again: %v", err))
}

// sentences joins what happened and what follows. The first may be empty.
func sentences(why, what string) string {
	if why == "" {
		return what
	}
	return why + "; " + what
}

// recent reports whether reads may still show the state before a change ended.
func (m *move) recent(e *ledger.Entry) bool {
	return e.Completion != nil && e.Completion.Outcome != ledger.Announced && m.Now().Sub(e.Completion.At) < directory.Settling
}

// takenBy returns the latest time at which the change that this entry undoes can have ended.
func takenBy(e *ledger.Entry) time.Time {
	if e.TakenAt.IsZero() { // an intent of an earlier version
		return e.At
	}
	return e.TakenAt
}
