package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
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
// As long as the source is not given up, the rule has the last word each time.
func (m *move) advance(ctx context.Context) (report.Status, string) {
	steps := map[plan.Via]func(context.Context) (report.Status, string){
		plan.Direct: m.direct, plan.EntraGroup: m.byGroup, plan.ADGroup: m.byADGroup,
	}
	step := steps[plan.Via(m.entry.Via)]
	if step == nil {
		return troubled, fmt.Sprintf("the ledger names an unknown way %q; use the version of idleseat that wrote it", m.entry.Via)
	}
	held, err := m.inSource(ctx)
	if err != nil {
		return troubled, err.Error()
	}
	if held {
		if _, _, keep := m.ask(); keep != "" {
			return m.rollBack(ctx, ledger.RolledBack, keep)
		}
	}
	return step(ctx)
}

// inSource tells whether the person still has what the change takes: the direct
// assignment, or membership of the source group.
func (m *move) inSource(ctx context.Context) (bool, error) {
	switch plan.Via(m.entry.Via) {
	case plan.Direct:
		return m.holds(m.entry.SKU, ""), nil
	case plan.ADGroup:
		if m.AD == nil || m.person.AD == nil {
			return false, errors.New("the Active Directory account cannot be read now")
		}
		return m.inGroup(ctx, plan.ADGroup, m.entry.Source)
	default:
		return m.inGroup(ctx, plan.EntraGroup, m.entry.Source)
	}
}

// direct changes directly assigned products in one call.
func (m *move) direct(ctx context.Context) (report.Status, string) {
	e := m.entry
	if m.holds(e.SKU, "") {
		var add []directory.Assignment
		if e.TargetSKU != "" && !m.active(e.TargetSKU, "") {
			add = append(add, directory.Assignment{SKU: e.TargetSKU})
		}
		err := m.Entra.ChangeLicenses(ctx, e.Person, add, []string{e.SKU})
		if readErr := m.readBack(ctx); readErr != nil {
			return troubled, readErr.Error()
		}
		if err != nil && m.holds(e.SKU, "") {
			return m.writeFailed(ctx, err)
		}
	}
	switch {
	case m.holds(e.SKU, ""), e.TargetSKU != "" && m.holds(e.TargetSKU, "") && !m.active(e.TargetSKU, ""):
		return report.Pending, "Graph accepted the change but does not show it yet"
	case e.TargetSKU != "" && !m.holds(e.TargetSKU, ""):
		return m.complete(ctx, ledger.Failed, "the license is gone, and what it should be changed to is not there: somebody else changed it")
	}
	return m.complete(ctx, ledger.Done, "")
}

// byGroup moves between Entra license groups: join the target, wait until it
// gives its license, only then leave the source, wait until that is free.
func (m *move) byGroup(ctx context.Context) (report.Status, string) {
	e := m.entry
	if e.Target != "" && !m.active(e.TargetSKU, e.Target) {
		if note := m.pathError(e.TargetSKU, e.Target); note != "" {
			return m.rollBack(ctx, ledger.RolledBack, "the target group does not give its license: "+note)
		}
		if err := m.Entra.AddMember(ctx, e.Target, e.Person); err != nil {
			return m.writeFailed(ctx, err)
		}
		if err := m.readBack(ctx); err != nil {
			return troubled, err.Error()
		}
		if !m.active(e.TargetSKU, e.Target) {
			return report.Pending, "joined the target group; waiting for its license to become active"
		}
	}
	in, err := m.inGroup(ctx, plan.EntraGroup, e.Source)
	if err != nil {
		return troubled, err.Error()
	}
	if in {
		if err := m.Entra.RemoveMember(ctx, e.Source, e.Person); err != nil {
			return m.writeFailed(ctx, err)
		}
		if err := m.readBack(ctx); err != nil {
			return troubled, err.Error()
		}
	}
	if m.holds(e.SKU, e.Source) {
		return report.Pending, "left the source group; waiting for its license to be freed"
	}
	return m.complete(ctx, ledger.Done, "")
}

// byADGroup changes membership of AD groups, which counts at once.
func (m *move) byADGroup(ctx context.Context) (report.Status, string) {
	e, guid := m.entry, m.person.AD.GUID
	if e.Target != "" {
		switch err := m.AD.AddMember(ctx, e.Target, guid); {
		case errors.Is(err, directory.ErrDeferred): // leaving is handed over too, to follow it
		case err != nil:
			return m.writeFailed(ctx, err)
		default:
			in, err := m.inGroup(ctx, plan.ADGroup, e.Target)
			if err == nil && !in {
				err = errors.New("it does not show the person")
			}
			if err != nil {
				return troubled, fmt.Sprintf("the target group was written and read again: %v", err)
			}
		}
	}
	err := m.AD.RemoveMember(ctx, e.Source, guid)
	if errors.Is(err, directory.ErrDeferred) {
		return report.Pending, handedOver
	}
	if _, refused := errors.AsType[*directory.Refusal](err); refused {
		return m.writeFailed(ctx, err)
	}
	in, readErr := m.inGroup(ctx, plan.ADGroup, e.Source)
	switch {
	case readErr != nil:
		return troubled, fmt.Sprintf("the group could not be read again: %v", readErr)
	case in && err != nil:
		return m.writeFailed(ctx, err)
	case in:
		return report.Pending, "Active Directory accepted the change but still shows the member"
	}
	return m.complete(ctx, ledger.Done, "")
}

// handedOver is the note of a change that waits for a worker's write.
const handedOver = "handed to the relay; waiting for its answer"

// writeFailed ends a change that the directory refused, putting back what was
// begun of it. When the answer does not tell whether the write happened, the
// change stays open.
func (m *move) writeFailed(ctx context.Context, err error) (report.Status, string) {
	if errors.Is(err, directory.ErrDeferred) {
		return report.Pending, handedOver
	}
	var refusal *directory.Refusal
	if !errors.As(err, &refusal) {
		return troubled, fmt.Sprintf("the write did not go through, run apply again: %v", err)
	}
	return m.rollBack(ctx, ledger.Failed, refusal.Reason)
}

func (m *move) complete(ctx context.Context, o ledger.Outcome, note string) (report.Status, string) {
	c := ledger.Completion{Outcome: o, Note: note, At: m.Now().UTC()}
	if m.person != nil && o != ledger.Noticed {
		var err error
		if c.After, err = m.holding(ctx, &m.entry.Intent); err != nil {
			return troubled, fmt.Sprintf("what the person holds now could not be read: %v", err)
		}
	}
	if err := m.ledger.Complete(ctx, m.entry, c); err != nil {
		return troubled, err.Error()
	}
	return statusOf(o), note
}
