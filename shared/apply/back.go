package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/report"
)

// rollBack puts the person back to where the change began, and completes it as
// o, unless another call of the run has closed it.
func (m *move) rollBack(ctx context.Context, o ledger.Outcome, why string) (report.Status, string) {
	left, err := m.ledger.GoBack(ctx, m.entry, ledger.Mark{Outcome: o, Why: why, At: m.Now().UTC()})
	if err != nil {
		return troubled, err.Error()
	}
	if closed, err := m.ledger.Completed(ctx, m.entry); err != nil {
		return troubled, err.Error()
	} else if closed {
		return m.closedByOther(ctx, m.took)
	}
	if plan.Via(m.entry.Via) != plan.Direct {
		return m.undo(ctx, o, why)
	}
	// One call makes it whole or not at all. Where it may have been made, reading
	// that it was not proves nothing: it may show later.
	if left && !m.unchanged {
		if err := m.regain(ctx); err != nil {
			return troubled, fmt.Sprintf("%s; going back is not finished, run apply again: %v", why, err)
		}
	}
	return m.complete(ctx, o, why)
}

// closedByOther is how the change ended that another call of the run has closed. If
// that one put back what this one has taken since, it is given again.
func (m *move) closedByOther(ctx context.Context, took bool) (report.Status, string) {
	won := m.entry.Completion
	if took && won.Outcome != ledger.Done && m.change.Back == "" {
		if err := m.regain(ctx); err != nil {
			return report.Failed, fmt.Sprintf("%s; this call had taken the license meanwhile, and giving it again failed, do it by hand: %v", won.Note, err)
		}
	}
	return statusOf(won.Outcome), won.Note
}

// undo goes back between groups: what was left is had again before what was joined
// is left.
func (m *move) undo(ctx context.Context, o ledger.Outcome, why string) (report.Status, string) {
	e, via := m.entry, plan.Via(m.entry.Via)
	in, err := m.inGroup(ctx, via, e.Source)
	if err == nil && !in {
		err = m.setMember(ctx, via, e.Source, true)
	}
	if reason := definite(err); reason != "" {
		return m.cannotGoBack(ctx, why, reason)
	}
	if err != nil {
		return m.goingBack(why, err)
	}
	had := m.change.Back != "" || slices.ContainsFunc(e.Before.Assignments, func(a directory.Assignment) bool { return a.Group == e.Source && a.Active() })
	if via == plan.EntraGroup && had && !m.active(e.SKU, e.Source) {
		return report.Pending, sentences(why, "joined the source group again, waiting for its license before the target is left")
	}
	if e.Target == "" || e.InTarget {
		return m.complete(ctx, o, why)
	}
	in, err = m.inGroup(ctx, via, e.Target)
	if err == nil && in {
		err = m.setMember(ctx, via, e.Target, false)
	}
	if reason := definite(err); reason != "" {
		return m.complete(ctx, o, sentences(why, "still in the target group: "+reason))
	}
	if err != nil {
		return m.goingBack(why, err)
	}
	return m.complete(ctx, o, why)
}

// cannotGoBack ends a change whose source cannot be joined again: it stands as it
// is. One that gives back has changed nothing.
func (m *move) cannotGoBack(ctx context.Context, why, reason string) (report.Status, string) {
	if m.change.Back != "" {
		return m.complete(ctx, ledger.Failed, reason)
	}
	return m.complete(ctx, ledger.Done, sentences(why, "it could not be put back: "+reason))
}

func (m *move) goingBack(why string, err error) (report.Status, string) {
	if errors.Is(err, directory.ErrDeferred) {
		return report.Pending, sentences(why, "going back is "+handedOver)
	}
	return troubled, sentences(why, fmt.Sprintf("going back is not finished, run apply again: %v", err))
}

// sentences joins what happened and what follows, of which the first may be empty.
func sentences(why, what string) string {
	if why == "" {
		return what
	}
	return why + "; " + what
}

// regain gives what the change took, whatever is read: directly assigned products
// with the service plans that were switched off, or membership of the source.
func (m *move) regain(ctx context.Context) error {
	e := m.entry
	if via := plan.Via(e.Via); via != plan.Direct {
		return m.setMember(ctx, via, e.Source, true)
	}
	var add []directory.Assignment
	var remove []string
	hadTarget := false
	for _, a := range e.Before.Assignments {
		if a.Group == "" && a.SKU == e.SKU {
			add = append(add, directory.Assignment{SKU: a.SKU, DisabledPlans: a.DisabledPlans})
		}
		hadTarget = hadTarget || a.Group == "" && a.SKU == e.TargetSKU
	}
	if len(add) == 0 { // the ledger does not say with which service plans
		add = append(add, directory.Assignment{SKU: e.SKU})
	}
	if e.TargetSKU != "" && !hadTarget && m.holds(e.TargetSKU, "") {
		remove = append(remove, e.TargetSKU)
	}
	err := m.Entra.ChangeLicenses(ctx, e.Person, add, remove)
	return errors.Join(err, m.readBack(ctx))
}

// setMember puts the person into a group or takes them out, and believes it
// when reading shows it.
func (m *move) setMember(ctx context.Context, via plan.Via, group string, member bool) error {
	if err := m.writeMember(ctx, via, group, member); err != nil {
		return err
	}
	in, err := m.inGroup(ctx, via, group)
	if err == nil && in != member {
		err = fmt.Errorf("membership of %s does not show what was written", group)
	}
	return err
}

// writeMember puts the person into a group or takes them out. What was read of
// groups before counts no longer.
func (m *move) writeMember(ctx context.Context, via plan.Via, group string, member bool) error {
	m.groups, m.listed = nil, nil
	write, person := m.Entra.AddMember, m.entry.Person
	if !member {
		write = m.Entra.RemoveMember
	}
	if via == plan.ADGroup {
		write, person = m.AD.AddMember, m.person.AD.GUID
		if !member {
			write = m.AD.RemoveMember
		}
	}
	return write(ctx, group, person)
}
