package apply

import (
	"context"
	"errors"
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

const handedOver = "handed to the relay; waiting for its answer"

// The function "definite" returns the reason if err means that the directory will never make the write. It returns ""
// for any other error.
func definite(err error) string {
	if refusal, refused := errors.AsType[*directory.Refusal](err); refused {
		return refusal.Reason
	}
	if errors.Is(err, directory.ErrNoGroup) {
		return "the group is gone: " + err.Error()
	}
	return ""
}

// writeFailed ends or keeps a change whose write failed. If the directory refused the write, it rolls the change back.
// If the evidence became too old for the write (errAged), it returns the status "aged". Otherwise the change stays
// open, because the write may have happened or may still happen.
func (m *move) writeFailed(ctx context.Context, err error) (runs.Status, string) {
	if errors.Is(err, directory.ErrDeferred) {
		return runs.Pending, handedOver
	}
	if errors.Is(err, errAged) {
		if m.first = m.first && !errors.Is(err, directory.ErrUncertain); m.first {
			m.unchanged, m.took = true, false
		}
		return aged, ""
	}
	reason := definite(err)
	if reason == "" {
		m.first = false
		return troubled, fmt.Sprintf("the write did not go through, run apply again: %v", err)
	}
	// Only a refusal of the first write proves that the person keeps the license. A later write may be refused because
	// an earlier one succeeded.
	m.unchanged, m.took = m.first, false
	return m.rollBack(ctx, ledger.Failed, reason)
}

// The method "freed" ends a change after the person has lost the license. If another call has begun to roll the change
// back, this call rolls it back, too.
func (m *move) freed(ctx context.Context) (runs.Status, string) {
	back, err := m.ledger.RollbackMark(ctx, m.entry)
	switch {
	case err != nil:
		return troubled, err.Error()
	case back != nil:
		return m.rollBack(ctx, back.Outcome, back.Why)
	}
	return m.complete(ctx, ledger.Done, "")
}

// The method "complete" closes the entry. If another call of the run has closed it, the outcome of that call is kept.
func (m *move) complete(ctx context.Context, o ledger.Outcome, note string) (runs.Status, string) {
	c := ledger.Completion{Outcome: o, Note: note, At: m.Now().UTC()}
	if m.person != nil && plan.Via(m.entry.Via) != plan.Notice {
		var err error
		if c.After, err = m.holding(ctx, &m.entry.Intent); err != nil {
			return troubled, fmt.Sprintf("what the person holds now could not be read: %v", err)
		}
	}
	if err := m.ledger.Complete(ctx, m.entry, c); err != nil {
		return troubled, err.Error()
	}
	return m.closedByOther(ctx, o == ledger.Done)
}
