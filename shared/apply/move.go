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
)

// move is one change under way. Where it stands is read from the directory
// each time, so that it can be taken up after any interruption.
type move struct {
	*job
	person *directory.Person
	latest time.Time // of a last logon that is not known, as evidence has it
	change *plan.Change
	entry  *ledger.Entry
}

// advance does the next steps of the change, as far as the directory follows.
func (m *move) advance(ctx context.Context) (Status, string) {
	switch plan.Via(m.entry.Via) {
	case plan.Direct:
		return m.direct(ctx)
	case plan.EntraGroup:
		return m.byGroup(ctx)
	case plan.ADGroup:
		return m.byADGroup(ctx)
	default:
		return Pending, fmt.Sprintf("the ledger names an unknown way %q; use the version of idleseat that wrote it", m.entry.Via)
	}
}

// direct changes directly assigned products in one call.
func (m *move) direct(ctx context.Context) (Status, string) {
	if m.holds(m.entry.SKU, "") {
		var add []directory.Assignment
		if m.entry.TargetSKU != "" && !m.active(m.entry.TargetSKU, "") {
			add = append(add, directory.Assignment{SKU: m.entry.TargetSKU})
		}
		err := m.Entra.ChangeLicenses(ctx, m.change.User, add, []string{m.entry.SKU})
		if readErr := m.readBack(ctx); readErr != nil {
			return Pending, readErr.Error()
		}
		if err != nil && m.holds(m.entry.SKU, "") {
			return m.writeFailed(ctx, err)
		}
	}
	if m.holds(m.entry.SKU, "") || m.entry.TargetSKU != "" && !m.active(m.entry.TargetSKU, "") {
		return Pending, "Graph accepted the change but does not show it yet"
	}
	return m.complete(ctx, ledger.Done, "")
}

// byGroup moves between Entra license groups: join the target, wait until it
// gives its license, only then leave the source, wait until that is free.
func (m *move) byGroup(ctx context.Context) (Status, string) {
	e := m.entry
	if e.Target != "" && !m.active(e.TargetSKU, e.Target) {
		if note := m.targetError(); note != "" {
			return m.rollBack(ctx, "the target group does not give its license: "+note)
		}
		if err := m.Entra.AddMember(ctx, e.Target, e.Person); err != nil {
			return m.writeFailed(ctx, err)
		}
		if err := m.readBack(ctx); err != nil {
			return Pending, err.Error()
		}
		if !m.active(e.TargetSKU, e.Target) {
			return Pending, "joined the target group; waiting for its license to become active"
		}
	}
	if !m.holds(e.SKU, e.Source) {
		return m.complete(ctx, ledger.Done, "")
	}
	in, err := m.Entra.MemberOf(ctx, e.Person, e.Source)
	if err != nil {
		return Pending, err.Error()
	}
	if in {
		if _, keep := m.ask(); keep != "" {
			return m.rollBack(ctx, keep)
		}
		if err := m.Entra.RemoveMember(ctx, e.Source, e.Person); err != nil {
			return Pending, fmt.Sprintf("the target license is active, but the source group could not be left: %v", err)
		}
		if err := m.readBack(ctx); err != nil {
			return Pending, err.Error()
		}
	}
	if m.holds(e.SKU, e.Source) {
		return Pending, "left the source group; waiting for its license to be freed"
	}
	return m.complete(ctx, ledger.Done, "")
}

// byADGroup changes membership of AD groups, which counts at once.
func (m *move) byADGroup(ctx context.Context) (Status, string) {
	e := m.entry
	if m.AD == nil || m.person.AD == nil {
		return Pending, "the Active Directory account cannot be read now"
	}
	sid, guid := m.person.AD.SID, m.person.AD.GUID
	if e.Target != "" {
		if err := m.AD.AddMember(ctx, e.Target, guid); err != nil {
			return m.writeFailed(ctx, err)
		}
		if in, err := m.AD.MemberOf(ctx, sid, e.Target, true); err != nil || !in {
			return Pending, fmt.Sprintf("membership of the target group does not show after it was added: %v", err)
		}
	}
	err := m.AD.RemoveMember(ctx, e.Source, guid)
	if _, refused := errors.AsType[*directory.Refusal](err); refused {
		return m.writeFailed(ctx, err)
	}
	in, readErr := m.AD.MemberOf(ctx, sid, e.Source, true)
	switch {
	case readErr != nil:
		return Pending, fmt.Sprintf("the group could not be read again: %v", readErr)
	case in && err != nil:
		return m.writeFailed(ctx, err)
	case in:
		return Pending, "Active Directory accepted the change but still shows the member"
	}
	return m.complete(ctx, ledger.Done, "")
}

// rollBack leaves the target group again, unless the person was in it before.
func (m *move) rollBack(ctx context.Context, why string) (Status, string) {
	e := m.entry
	if e.Target != "" && !e.InTarget {
		if err := m.Entra.RemoveMember(ctx, e.Target, e.Person); err != nil {
			return Pending, fmt.Sprintf("%s; going back failed, run apply again: %v", why, err)
		}
	}
	return m.complete(ctx, ledger.RolledBack, why)
}

// writeFailed ends a change that the directory refused. When the answer does
// not tell whether the write happened, the change stays open.
func (m *move) writeFailed(ctx context.Context, err error) (Status, string) {
	var refusal *directory.Refusal
	if !errors.As(err, &refusal) {
		return Pending, fmt.Sprintf("the write did not go through, run apply again: %v", err)
	}
	return m.complete(ctx, ledger.Failed, refusal.Reason)
}

func (m *move) complete(ctx context.Context, o ledger.Outcome, note string) (Status, string) {
	c := ledger.Completion{Outcome: o, Note: note, After: m.holding(&m.entry.Intent), At: m.Now().UTC()}
	if err := m.ledger.Complete(ctx, m.entry, c); err != nil {
		return Pending, err.Error()
	}
	return statusOf(o), note
}

// readBack reads the person again after a write.
func (m *move) readBack(ctx context.Context) error {
	users, err := m.Entra.ReadPeople(ctx, []string{m.change.User})
	if err != nil {
		return fmt.Errorf("the person could not be read again after the write: %w", err)
	}
	u, found := users[m.change.User]
	if !found {
		return errors.New("the person is gone after the write")
	}
	m.person.Entra = &u
	return nil
}

func (m *move) paths(sku, group string) []directory.Assignment {
	if m.person.Entra == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.person.Entra.Assignments), func(a directory.Assignment) bool {
		return a.SKU != sku || a.Group != group
	})
}

// holds tells whether the person has a product by a path, in whatever state.
func (m *move) holds(sku, group string) bool { return len(m.paths(sku, group)) > 0 }

// active tells whether a path gives its product now.
func (m *move) active(sku, group string) bool {
	return slices.ContainsFunc(m.paths(sku, group), directory.Assignment.Active)
}

// targetError is the error of the target path, empty while there is none.
func (m *move) targetError() string {
	for _, a := range m.paths(m.entry.TargetSKU, m.entry.Target) {
		if a.State == "Error" {
			return a.Error
		}
	}
	return ""
}

func (m *move) inTarget(ctx context.Context, in *ledger.Intent) (bool, error) {
	if plan.Via(in.Via) != plan.EntraGroup || in.Target == "" {
		return false, nil
	}
	return m.Entra.MemberOf(ctx, in.Person, in.Target)
}

// holding is what the ledger keeps of the person for the way back.
func (m *move) holding(in *ledger.Intent) ledger.Holding {
	var h ledger.Holding
	if m.person.Entra != nil {
		for _, a := range m.person.Entra.Assignments {
			if in.SKU != "" && a.SKU == in.SKU || in.TargetSKU != "" && a.SKU == in.TargetSKU {
				h.Assignments = append(h.Assignments, a)
			}
		}
	}
	return h
}
