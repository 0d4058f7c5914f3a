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
// o. What was left is had again before what was joined is left.
func (m *move) rollBack(ctx context.Context, o ledger.Outcome, why string) (report.Status, string) {
	e, via := m.entry, plan.Via(m.entry.Via)
	if via == plan.Direct { // one call: it was made whole or not at all
		return m.complete(ctx, o, why)
	}
	again := func(err error) (report.Status, string) {
		if errors.Is(err, directory.ErrDeferred) {
			return report.Pending, why + "; going back is " + handedOver
		}
		return troubled, fmt.Sprintf("%s; going back is not finished, run apply again: %v", why, err)
	}
	in, err := m.inGroup(ctx, via, e.Source)
	if err != nil {
		return again(err)
	}
	if !in {
		if err := m.setMember(ctx, via, e.Source, true); err != nil {
			return again(err)
		}
	}
	had := slices.ContainsFunc(e.Before.Assignments, func(a directory.Assignment) bool { return a.Group == e.Source && a.Active() })
	if via == plan.EntraGroup && e.Target != "" && had && !m.active(e.SKU, e.Source) {
		return report.Pending, why + "; joined the source group again, waiting for its license before the target is left"
	}
	if e.Target == "" || e.InTarget {
		return m.complete(ctx, o, why)
	}
	in, err = m.inGroup(ctx, via, e.Target)
	if err == nil && in {
		err = m.setMember(ctx, via, e.Target, false)
	}
	if err != nil {
		return again(err)
	}
	return m.complete(ctx, o, why)
}

// setMember puts the person into a group or takes them out, and believes it
// when reading shows it.
func (m *move) setMember(ctx context.Context, via plan.Via, group string, member bool) error {
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
	if err := write(ctx, group, person); err != nil {
		return err
	}
	in, err := m.inGroup(ctx, via, group)
	if err == nil && in != member {
		err = fmt.Errorf("membership of %s does not show what was written", group)
	}
	return err
}

// inGroup reads direct membership of a group.
func (m *move) inGroup(ctx context.Context, via plan.Via, group string) (bool, error) {
	if via == plan.ADGroup {
		return m.AD.MemberOf(ctx, m.person.AD.SID, group, true)
	}
	return m.Entra.MemberOf(ctx, m.change.User, group)
}

// readBack reads the person again after a write.
func (m *move) readBack(ctx context.Context) error {
	users, err := m.Entra.ReadPeople(ctx, []string{m.change.User})
	if err != nil {
		return fmt.Errorf("the person could not be read again after the write: %w", err)
	}
	u, found := users[m.change.User]
	if !found {
		return fmt.Errorf("the person is gone after the write")
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

// pathError is the error of a path to a product, empty while there is none.
func (m *move) pathError(sku, group string) string {
	for _, a := range m.paths(sku, group) {
		if a.State == "Error" {
			return reasonOf(a.Error)
		}
	}
	return ""
}

// reasonOf puts an error of licenseAssignmentStates into words.
func reasonOf(code string) string {
	words := map[string]string{
		"CountViolation":                     "no free seat of the license is left; buy one or free one first",
		"MutuallyExclusiveViolation":         "the license conflicts with another one the person holds; the two exclude each other",
		"DependencyViolation":                "another plan of the person depends on this license; change both together",
		"ProhibitedInUsageLocationViolation": "the license may not be used in the person's usage location",
		"UniquenessViolation":                "a mail address of the person is in use elsewhere",
	}[code]
	if words == "" {
		return code
	}
	return words + " (" + code + ")"
}

// holding is what the ledger keeps of the person for the way back: how the two
// products are held, and which of the two groups the person is in.
func (m *move) holding(ctx context.Context, in *ledger.Intent) (h ledger.Holding, err error) {
	if m.person.Entra != nil {
		for _, a := range m.person.Entra.Assignments {
			if in.SKU != "" && a.SKU == in.SKU || in.TargetSKU != "" && a.SKU == in.TargetSKU {
				h.Assignments = append(h.Assignments, a)
			}
		}
	}
	for _, group := range []string{in.Source, in.Target} {
		if group == "" {
			continue
		}
		member, err := m.inGroup(ctx, plan.Via(in.Via), group)
		if err != nil {
			return h, err
		}
		if member {
			h.InGroups = append(h.InGroups, group)
		}
	}
	return h, nil
}
