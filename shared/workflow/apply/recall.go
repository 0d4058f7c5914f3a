package apply

import (
	"cmp"
	"context"

	"github.com/idleseat/idleseat/shared/history"
)

const (
	beingRestored  = "its run is being restored"
	askedToRestore = "somebody asked to restore it"
)

// The method "recalled" returns the reason why an operator's restore ends the change. It returns "" if no restore does.
func (m *move) recalled() string {
	switch {
	case m.withdrawn:
		return beingRestored
	case m.stopped[m.change.User]:
		return askedToRestore
	}
	return ""
}

// The method "lookAgain" reads again what another process may have written since this call began. It is called after
// the intent is in the ledger. A restore writes its object first and then reads the ledger. Therefore this call sees
// the restore, or the restore sees the intent and rolls the change back.
func (m *move) lookAgain(ctx context.Context) error {
	by, err := history.Withdrawn(ctx, m.Store, m.plan.Run)
	if err != nil {
		return err
	}
	if by != "" {
		m.withdrawn, m.closed = true, cmp.Or(m.closed, "run "+by+" restores it; plan a new run")
	}
	m.stopped, err = history.Stopped(ctx, m.Store, m.plan.Run)
	return err
}
