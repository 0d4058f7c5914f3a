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

// The constant "doubtful" is how long calls repeat a write that no read shows. After that time, idleseat cannot tell
// whether the write was never made or somebody reversed it.
const doubtful = time.Hour

// The method "outlived" ends a change that an earlier call began and that must not be finished, such as one whose
// license somebody restored or whose plan has expired. The parameter "held" reports whether the person still has the
// license. The returned status is empty if the change continues.
func (m *move) outlived(ctx context.Context, held bool) (runs.Status, string) {
	switch {
	case !held:
		return "", ""
	case m.left != nil:
		return m.heldAgain(ctx)
	case m.heldTwice():
		return m.rollBack(ctx, ledger.RolledBack, "meanwhile held in another way, too, and leaving one of the two frees nothing")
	case m.expired():
		return m.rollBack(ctx, ledger.Failed, "the plan expired at "+m.plan.Expires.Format(time.RFC3339)+", before the license could be taken")
	case m.entry.Target != "" && m.follows():
		return m.outOfTarget(ctx)
	}
	return "", ""
}

// heldTwice reports whether the person has the product in another way than through the source group, too. A plan
// refuses such a change, so somebody gave the product while the change waited.
func (m *move) heldTwice() bool {
	return m.follows() && m.person.Entra != nil && slices.ContainsFunc(m.person.Entra.Assignments, func(a directory.Assignment) bool {
		return a.SKU == m.entry.SKU && a.Group != m.from()
	})
}

func (m *move) expired() bool { return m.Now().After(m.plan.Expires) }

// heldAgain handles a change that tried to take a license, if a read shows that the person still holds the license or
// holds it again. The read may be out of date, or come from another domain controller, so the change first waits. After
// that, heldAgain ends the change, because somebody restored the license or the write was never made.
func (m *move) heldAgain(ctx context.Context) (runs.Status, string) {
	free, err := m.ledger.Noted(ctx, m.entry, ledger.SeenFree)
	made, madeErr := m.ledger.Noted(ctx, m.entry, ledger.Answered)
	switch {
	case err != nil || madeErr != nil:
		return troubled, errors.Join(err, madeErr).Error()
	case free != nil && m.Now().Sub(free.At) < plan.Via(m.entry.Via).Settling():
		return m.readAgain("the license was seen free, and is read as held")
	case free != nil:
		return m.rollBack(ctx, ledger.Restored, "somebody restored it after it was seen free at "+free.At.Format(time.RFC3339))
	case made != nil && m.Now().Sub(made.At) < plan.Via(m.entry.Via).Settling():
		return m.readAgain("the license was taken, and is read as held")
	case made != nil:
		return m.rollBack(ctx, ledger.Restored, "the directory answered at "+made.At.Format(time.RFC3339)+" that it was taken, and it is held: somebody restored it, or it was never done")
	case m.Now().Sub(m.left.At) >= doubtful:
		return m.rollBack(ctx, ledger.Failed, "taken at "+m.left.At.Format(time.RFC3339)+", and held still or again: the write was not made, or somebody restored it")
	}
	return "", ""
}

// readAgain leaves the change pending until the next call reads the person. If the rule keeps the license by now,
// readAgain returns an empty status instead, and its caller rolls the change back at once.
func (m *move) readAgain(why string) (runs.Status, string) {
	if _, _, keep := m.ask(); keep != "" {
		return "", ""
	}
	return runs.Pending, why + "; it is read again before anything else is done"
}

// outOfTarget ends a change if the target group listed the person and no longer does, or if it did not list the person
// after three tries.
func (m *move) outOfTarget(ctx context.Context) (runs.Status, string) {
	in, err := m.in(ctx, m.entry.Target)
	if err != nil {
		return troubled, err.Error()
	}
	if in {
		return "", ""
	}
	seen, err := m.ledger.Noted(ctx, m.entry, ledger.SeenInTarget)
	switch {
	case err != nil:
		return troubled, err.Error()
	case seen == nil:
		return m.tryAgain(ctx)
	case m.Now().Sub(seen.At) < directory.Settling:
		return "", ""
	}
	return m.rollBack(ctx, ledger.Restored, "somebody took the person out of the target group")
}

// tryAgain is for a target group that has never listed the person. The change adds the person three times, an hour
// apart. An hour after the third time, the change fails.
func (m *move) tryAgain(ctx context.Context) (runs.Status, string) {
	last := m.entry.At
	for _, try := range []ledger.Seen{ledger.SecondTry, ledger.ThirdTry} {
		made, err := m.ledger.Noted(ctx, m.entry, try)
		switch {
		case err != nil:
			return troubled, err.Error()
		case made != nil:
			last = made.At
			continue
		case m.Now().Sub(last) < doubtful:
			return "", ""
		}
		if err := m.ledger.Note(ctx, m.entry, try, m.Now().UTC()); err != nil {
			return troubled, err.Error()
		}
		return "", ""
	}
	if m.Now().Sub(last) < doubtful {
		return "", ""
	}
	return m.rollBack(ctx, ledger.Failed, fmt.Sprintf("the target group was joined three times since %s, and never listed the person", m.entry.At.Format(time.RFC3339)))
}

// The method "waits" handles a change that can continue only when the directory shows the effect of a write. It records
// in the ledger what the reads show now, for later calls. After the plan has expired, it ends the change or asks an
// operator to look.
func (m *move) waits(ctx context.Context, note string) (runs.Status, string) {
	if m.turned || note == handedOver {
		return runs.Pending, note
	}
	held, err := m.in(ctx, m.entry.Source)
	if err != nil {
		return runs.Pending, note // the read failed
	}
	switch {
	case m.left != nil && !held:
		err = m.ledger.Note(ctx, m.entry, ledger.SeenFree, m.Now().UTC())
	case m.left == nil && m.entry.Target != "":
		var in bool
		if in, err = m.in(ctx, m.entry.Target); err == nil && in {
			err = m.ledger.Note(ctx, m.entry, ledger.SeenInTarget, m.Now().UTC())
		}
	}
	switch {
	case err != nil:
		return troubled, note + "; " + err.Error()
	case m.expired() && m.left == nil && !held:
		return m.complete(ctx, ledger.Failed, "somebody else took the license, and what was to be given for it did not come before the plan expired")
	case m.expired():
		return troubled, note + "; the plan expired meanwhile: look in the admin center why the licenses of the group are not processed"
	}
	return runs.Pending, note
}
