package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/runs"
)

func (m *move) direct(ctx context.Context) (runs.Status, string) {
	e := m.entry
	if m.holds(e.SKU, "") {
		if status, note := m.leave(ctx); status != "" {
			return status, note
		}
		err := m.write(m.taking(ctx), "", false)
		if status, note := m.answered(ctx, err); status != "" {
			return status, note
		}
		if errors.Is(err, errAged) {
			return m.writeFailed(ctx, err)
		}
		if readErr := m.readBack(ctx); readErr != nil {
			return troubled, readErr.Error()
		}
		if err != nil && (definite(err) != "" || !errors.Is(err, directory.ErrNotHeld)) && m.holds(e.SKU, "") {
			return m.writeFailed(ctx, err)
		}
	}
	switch {
	case m.holds(e.SKU, ""), e.TargetSKU != "" && m.holds(e.TargetSKU, "") && !m.active(e.TargetSKU, ""):
		return runs.Pending, notShown
	case e.TargetSKU != "" && !m.holds(e.TargetSKU, "") && m.leaving():
		return runs.Pending, notShown
	case e.TargetSKU != "" && !m.holds(e.TargetSKU, "") && m.left != nil: // this change may have taken the license, so the person is worse off than before
		return m.rollBack(ctx, ledger.RolledBack, successorGone)
	case e.TargetSKU != "" && !m.holds(e.TargetSKU, ""):
		return m.complete(ctx, ledger.Failed, "the license is gone, and what it should be changed to is not there: somebody else changed it")
	}
	return m.freed(ctx)
}

// byMembership changes a license that is nothing but membership in a group, such as the Citrix group. The person first
// joins the target group, if there is one, and then leaves the source group.
func (m *move) byMembership(ctx context.Context) (runs.Status, string) {
	e := m.entry
	if e.Target != "" {
		err := m.write(ctx, e.Target, true)
		m.joined = m.joined || definite(err) == ""
		switch {
		case errors.Is(err, directory.ErrDeferred): // after this write, the relay also leaves the source group
		case err != nil:
			return m.writeFailed(ctx, err)
		default:
			in, err := m.in(ctx, e.Target)
			switch {
			case err == nil && !in:
				return m.target().unshown(), fmt.Sprintf("the target group was written and read again: %v", errUnshown)
			case err != nil:
				return troubled, fmt.Sprintf("the target group was written and read again: %v", err)
			}
		}
	}
	if status, note := m.leave(ctx); status != "" {
		return status, note
	}
	err := m.write(m.taking(ctx), e.Source, false)
	if status, note := m.answered(ctx, err); status != "" {
		return status, note
	}
	if errors.Is(err, directory.ErrDeferred) {
		return runs.Pending, handedOver
	}
	if errors.Is(err, errAged) {
		return m.writeFailed(ctx, err)
	}
	// byMembership reads the group even after a refusal, because another call may have made the write. The directory
	// also refuses the write if the person is still in the group through another group.
	in, readErr := m.in(ctx, e.Source)
	switch {
	case readErr != nil && definite(err) != "":
		return m.writeFailed(ctx, err)
	case readErr != nil:
		return troubled, fmt.Sprintf("the group could not be read again: %v", readErr)
	case in && err != nil:
		return m.writeFailed(ctx, err)
	case in:
		return runs.Pending, m.target().system() + " accepted the change but still shows the member"
	}
	return m.freed(ctx)
}
