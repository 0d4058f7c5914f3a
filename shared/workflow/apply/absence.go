package apply

import (
	"context"
	"errors"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The constant "inBin" is how long Entra ID keeps a deleted account. During this time, an administrator can restore the
// account with its licenses (Microsoft Graph, directory: deletedItems).
const inBin = 30 * 24 * time.Hour

const inBinNote = "; the change stays open for 30 days, in which the account may come back"

const (
	goneFromEntra = "the account is no longer in Entra ID"
	goneFromAD    = "the account is no longer in Active Directory"
)

// The method "gone" ends a change whose account no longer exists. If the change may have taken the license, the change
// stays open for 30 days (inBin), because the account may come back. The run does not wait for these days, because the
// pending result has the field Retry.
func (m *move) gone(ctx context.Context, why string) (runs.Status, string) {
	left, err := m.ledger.LeavingMark(ctx, m.entry)
	if err != nil {
		return troubled, err.Error()
	}
	in := plan.Via(m.entry.Via).WrittenIn()
	switch {
	case left == nil:
	case in == directory.AD && m.AD == nil:
		return troubled, why + "; whether Active Directory has one is not known, because it is not set up here"
	default:
		if status, note := m.missed(ctx, in, why); status != "" {
			return status, note
		}
	}
	return m.complete(ctx, ledger.Failed, why)
}

// withoutAD handles a change of Active Directory groups if the account is missing or cannot be read. If the account is
// missing, it holds nothing, so the change ends. A change that may have taken the license and is rolled
// back first waits for 30 days (inBin), because the account may come back. A change of a synced group first waits until Entra ID has freed the license.
func (m *move) withoutAD(ctx context.Context) (runs.Status, string) {
	if m.AD == nil || m.person.ADState == directory.NotRead || m.person.ADState == directory.Contradictory {
		return troubled, "the Active Directory account cannot be read now" + plain.Prefixed(": ", m.person.Doubt)
	}
	left, err := m.ledger.LeavingMark(ctx, m.entry)
	returns, returnsErr := m.ledger.Returning(ctx, m.entry)
	if err = errors.Join(err, returnsErr); err != nil {
		return troubled, err.Error()
	}
	returns = returns || m.change.RestoreOf != "" || m.recalled() != ""
	if left != nil && returns && m.entry.RestoreOf == "" {
		if status, note := m.missed(ctx, directory.AD, goneFromAD); status != "" {
			return status, note
		}
	}
	if left != nil && m.change.RestoreOf == "" && m.entry.SourceEntra != "" && m.holds(m.entry.SKU, m.from()) {
		return runs.Pending, goneFromAD + "; waiting for its license to be freed"
	}
	if left != nil && m.change.RestoreOf == "" {
		return m.complete(ctx, ledger.Done, goneFromAD)
	}
	return m.complete(ctx, ledger.Failed, goneFromAD)
}

// The method "missed" records that this reading lacks the account in a directory. The returned status is empty if the
// account has been missed for 30 days (inBin) by now.
func (m *move) missed(ctx context.Context, in directory.Source, why string) (runs.Status, string) {
	since, err := m.ledger.Missed(ctx, m.entry, in, m.Now().UTC())
	switch {
	case err != nil:
		return troubled, err.Error()
	case m.Now().Sub(since) < inBin:
		return troubled, why + inBinNote
	}
	return "", ""
}

// The method "seen" records in the ledger which accounts of the person this reading has. An absence of these accounts
// ends.
func (m *move) seen(ctx context.Context) error {
	if m.person == nil {
		return nil
	}
	if m.person.Entra != nil {
		if err := m.page.SeenAgain(ctx, m.entry, directory.Entra, m.Now().UTC()); err != nil {
			return err
		}
	}
	if m.person.AD != nil || m.leftOut != nil {
		return m.page.SeenAgain(ctx, m.entry, directory.AD, m.Now().UTC())
	}
	return nil
}
