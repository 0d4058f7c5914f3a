package apply

import (
	"cmp"
	"context"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plan"
)

const (
	beingRestored  = "its run is being restored"
	askedToRestore = "somebody asked to restore it"
)

func (m *move) recalled() string {
	switch {
	case m.withdrawn:
		return beingRestored
	case m.stopped[m.change.User]:
		return askedToRestore
	}
	return ""
}

// The method "lookAgain" reads again what another process may have written since this call of apply began. The intent
// must already be in the ledger. A restore stores its request first and then reads the ledger. So either lookAgain sees
// the restore, or the restore sees the intent and rolls the change back. The parameter "ours" is true if an earlier
// call wrote the intent.
func (m *move) lookAgain(ctx context.Context, ours bool) error {
	by, err := history.Withdrawn(ctx, m.Store, m.plan.Run)
	if err != nil {
		return err
	}
	if by != "" {
		m.withdrawn, m.closed = true, cmp.Or(m.closed, "run "+by+" restores it; plan a new run")
	}
	if m.stopped, err = history.Stopped(ctx, m.Store, m.plan.Run); err != nil || m.change.Via == plan.Notice {
		return err
	}
	m.contested, err = m.contest(ctx, ours)
	return err
}

// The method "contest" returns the reason why this change must not take its license, or "". Two runs may begin
// conflicting changes at the same moment. Each run writes its intent and then lists the ledger. So at least one of them
// sees the other change and rolls its own back. Another reason is that somebody took the license that was to keep the
// mailbox. If "ours" is true, the ledger was listed after the intent was written, and contest does not list it again.
func (m *move) contest(ctx context.Context, ours bool) (why string, err error) {
	if !ours {
		if m.page, err = m.ledger.Of(ctx, m.change.Person()); err != nil {
			return "", err
		}
	}
	others, err := m.conflict(ctx)
	if unbelieved(err) {
		return err.Error(), nil
	}
	rule := m.run.Policy.RuleNamed(m.change.Rule)
	if err != nil || rule == nil || rule.MailboxLost {
		return "", err
	}
	switch lost, too := m.run.Tenant.LosesMailbox(m.person, rule, others); {
	case lost == directory.No:
		return "", nil
	case too != "":
		return "the mailbox would be left without a license, since " + too + " is taken, too", nil
	}
	return "the mailbox would be left without a license, since no other license of the person is known to give one any more", nil
}
