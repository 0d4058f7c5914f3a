package apply

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// A move is a change in progress. Each call reads the state from the directory, so that a change can continue after an
// interruption.
//
// The successor is the license that replaces the taken license. A change takes a license by removing the person from
// the source group. Comments call this leaving the source. A change gives the successor by adding the person to the
// target group. Comments call this joining the target. For a direct assignment, leaving the source means that the
// product is removed.
type move struct {
	*job
	page   *ledger.Page
	person *directory.Person
	// The field "leftOut" is the person's account in Active Directory if the settings leave it out. Only a change that
	// was begun, or that gives a license back, may use it.
	leftOut *directory.ADUser
	groups  []string        // Entra groups that list the person; nil: not read yet
	listed  map[string]bool // whether an Active Directory group lists the person, by group; missing: not read
	latest  time.Time       // the latest possible last logon, if the last logon is unknown
	adError error           // the reason why Active Directory could not be read, or nil
	read    time.Time       // time at which the reading of the person began
	change  *plan.Change
	entry   *ledger.Entry
	left    *ledger.Mark // the ledger's mark that the license is about to be taken; nil: no mark
	// The field "first" reports whether this call makes the first write that can take the license.
	first bool
	// The field "joined" reports whether this change may have put the person into the target group.
	joined bool
	// The field "leftBy" is for a rollback or a restore. It is the latest time at which the undone change may have left
	// the source. It is zero if that change did not leave the source.
	leftBy time.Time
	// The field "contested" is the reason why another change of the person forbids this one. It is empty if none does.
	contested string
	// The field "elsewhere" is for a restore that is refused. It reports whether another run restores or has restored
	// the same license.
	elsewhere bool
	turned    bool
	// The field "took" reports whether this call may have taken the license.
	took bool
	// The field "unchanged" reports whether the person certainly keeps the license, because the only write was refused or
	// never sent.
	unchanged bool
}

// The method "advance" makes the next steps of the change. The parameter "resumed" reports whether an earlier call, or
// an earlier try of this call, began the change.
func (m *move) advance(ctx context.Context, resumed bool) (runs.Status, string) {
	t := m.target()
	if t == nil {
		return troubled, fmt.Sprintf("the ledger names an unknown way %q; use the version of idleseat that wrote it", m.entry.Via)
	}
	if t.absent(m) {
		return m.withoutAD(ctx)
	}
	if m.joined = resumed; resumed {
		back, err := m.ledger.RollbackMark(ctx, m.entry)
		if err == nil {
			m.left, err = m.ledger.LeavingMark(ctx, m.entry)
		}
		if err != nil {
			return troubled, err.Error()
		}
		if back != nil {
			return m.rollBack(ctx, back.Outcome, back.Why)
		}
	}
	if why := m.recalled(); why != "" {
		return m.rollBack(ctx, ledger.Restored, why)
	}
	if m.contested != "" && m.left == nil {
		return m.rollBack(ctx, ledger.RolledBack, m.contested)
	}
	held, err := m.in(ctx, m.entry.Source)
	if err != nil {
		return troubled, err.Error()
	}
	if resumed {
		if status, note := m.outlived(ctx, held); status != "" {
			return status, note
		}
	}
	if held {
		if _, _, keep := m.ask(); keep != "" {
			return m.rollBack(ctx, ledger.RolledBack, keep)
		}
	}
	status, note := t.advance(ctx, m)
	if status == runs.Pending {
		return m.waits(ctx, note)
	}
	return status, note
}

// The method "leave" records in the ledger that the license is about to be taken. The returned status is empty if this
// call may take the license.
func (m *move) leave(ctx context.Context) (runs.Status, string) {
	if m.current() != nil {
		return aged, ""
	}
	first, back, err := m.ledger.Leave(ctx, m.entry, m.Now().UTC())
	switch {
	case err != nil:
		return troubled, err.Error()
	case back != nil:
		return m.rollBack(ctx, back.Outcome, back.Why)
	}
	if m.first, m.took = m.first || first, true; m.left == nil {
		m.left = &ledger.Mark{At: m.Now().UTC()}
	}
	if err := m.current(); err != nil { // the store may have been slow
		return m.writeFailed(ctx, err)
	}
	m.unchanged = false
	return "", ""
}

// The method "answered" records in the ledger that the directory accepted the write that takes the license. A later
// call of apply needs the record: if a read still shows the license after a long time, somebody has probably restored
// it, and apply must not take it again. The method records nothing if err, the error of the write, is not nil. The
// returned status is empty unless the record cannot be written.
func (m *move) answered(ctx context.Context, err error) (runs.Status, string) {
	if err != nil {
		return "", ""
	}
	if err := m.ledger.Note(ctx, m.entry, ledger.Answered, m.Now().UTC()); err != nil {
		return troubled, err.Error()
	}
	return "", ""
}

// The method "taking" returns a context that permits writes only while the evidence is fresh.
func (m *move) taking(ctx context.Context) context.Context {
	return directory.WithPermit(ctx, m.current)
}

// byLicense moves the person between license groups. It waits for the target group's license before the person leaves
// the source group, and then until the source group's license is gone.
func (m *move) byLicense(ctx context.Context) (runs.Status, string) {
	e := m.entry
	in, err := m.in(ctx, e.Source)
	if err != nil {
		return troubled, err.Error()
	}
	if e.Target != "" {
		if status, note := m.join(ctx, in); status != "" {
			return status, note
		}
	}
	if in {
		if status, note := m.leave(ctx); status != "" {
			return status, note
		}
		if err := m.write(m.taking(ctx), e.Source, false); err != nil {
			return m.writeFailed(ctx, err)
		}
		if status, note := m.answered(ctx, nil); status != "" {
			return status, note
		}
		if err := m.readBack(ctx); err != nil {
			return troubled, err.Error()
		}
		if in, err = m.in(ctx, e.Source); err != nil {
			return troubled, err.Error()
		}
		if e.Target != "" {
			if given, err := m.given(ctx); err != nil {
				return troubled, err.Error()
			} else if !given {
				return runs.Pending, targetHidden
			}
		}
	}
	if in || m.holds(e.SKU, m.from()) {
		return runs.Pending, "left the source group; waiting for its license to be freed"
	}
	return m.freed(ctx)
}

const (
	targetGone    = "the license of the target group was gone again when the source group was left"
	targetHidden  = "left the source group; the license of the target group, which was active before, is not shown now, and is looked for again"
	successorGone = "the license was taken, and what it was changed to is gone again: somebody else changed it"
	notShown      = "Graph accepted the change but does not show it yet"
)

// The method "leaving" reports whether less than directory.Settling has passed since this change was about to take the
// license. Reads may then still show the state before the write.
func (m *move) leaving() bool {
	return m.left != nil && m.Now().Sub(m.left.At) < directory.Settling
}

// The method "join" puts the person into the target group. The returned status is empty once the target group gives its
// license. The method rolls the change back if the group cannot give its license. It also does so if the group gives
// the license without service plans that the person may need, and the person is still in the source group.
//
// If the person has left the source group and the target group's license disappears, the method waits while reads may
// be out of date. Then it rolls the change back.
func (m *move) join(ctx context.Context, inSource bool) (runs.Status, string) {
	e := m.entry
	given, err := m.given(ctx)
	if err != nil {
		return troubled, err.Error()
	}
	if note := m.switchedOff(e.TargetSKU, m.to()); note != "" && inSource {
		return m.rollBack(ctx, ledger.RolledBack, note)
	}
	if given {
		return "", ""
	}
	why := ""
	if note := m.pathError(e.TargetSKU, m.to()); note != "" {
		why = "the target group does not give its license: " + note
	}
	switch {
	case m.left != nil && !inSource && m.leaving(): // the read may show the state before the last write to a group
		return runs.Pending, targetHidden
	case m.left != nil && !inSource:
		return m.rollBack(ctx, ledger.RolledBack, cmp.Or(why, targetGone))
	case why != "":
		return m.rollBack(ctx, ledger.RolledBack, why)
	}
	listed, err := m.in(ctx, e.Target)
	if err != nil {
		return troubled, err.Error()
	}
	if !listed {
		err := m.write(ctx, e.Target, true)
		if m.joined = m.joined || definite(err) == ""; err != nil {
			return m.writeFailed(ctx, err)
		}
		if err := m.readBack(ctx); err != nil {
			return troubled, err.Error()
		}
		if given, err = m.given(ctx); err != nil {
			return troubled, err.Error()
		}
	}
	if !given {
		return runs.Pending, "joined the target group; waiting for its license to become active"
	}
	return "", ""
}

// The method "given" reports whether the target group gives its license to the person. Licenses follow membership late,
// so the group must list the person, and the assignments must contain the license.
func (m *move) given(ctx context.Context) (bool, error) {
	if !m.active(m.entry.TargetSKU, m.to()) {
		return false, nil
	}
	return m.in(ctx, m.entry.Target)
}
