package apply

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

func (m *move) readBack(ctx context.Context) error {
	if m.person.Entra == nil { // the account in Active Directory alone is left
		return nil
	}
	held, err := m.Entra.ReadLicenses(ctx, m.person.Entra.ID)
	if err != nil {
		return fmt.Errorf("the person could not be read again after the write: %w", err)
	}
	m.person.Entra.Assignments = held
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

// The method "holds" reports whether the person has an assignment of a product through a group, in any state. An empty
// group means a direct assignment.
func (m *move) holds(sku, group string) bool { return len(m.paths(sku, group)) > 0 }

// The method "active" reports whether the person has an active assignment of a product through a group. An empty group
// means a direct assignment.
func (m *move) active(sku, group string) bool {
	return slices.ContainsFunc(m.paths(sku, group), directory.Assignment.Active)
}

// pathError returns the reason why the group could not give the product to the person. It returns "" if Entra ID
// reports no error.
func (m *move) pathError(sku, group string) string {
	for _, a := range m.paths(sku, group) {
		if a.State == "Error" {
			return reasonOf(a.Error)
		}
	}
	return ""
}

// switchedOff returns a phrase for a note if the group gives the product without service plans that the person may
// need. It returns "" otherwise.
func (m *move) switchedOff(sku, group string) string {
	i := slices.IndexFunc(m.run.Policy.Licenses, func(l *policy.License) bool { return l.SKU != "" && m.run.Tenant.SKUIDs[l.SKU] == sku })
	for _, a := range m.paths(sku, group) {
		lacks := "with service plans switched off: what would be left cannot be told"
		if len(a.DisabledPlans) == 0 {
			continue
		}
		if i >= 0 {
			lacks = m.run.Tenant.Lacks(m.run.Policy.Licenses[i], a.DisabledPlans)
		}
		if lacks != "" {
			return "the target group gives its license " + lacks
		}
	}
	return ""
}

// reasonOf returns the meaning of an error code of licenseAssignmentStates as a phrase. An unknown code is returned as
// it is.
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

// The method "holding" returns how the person holds the licenses of a change now. The ledger records this before and
// after the change. InGroups has the source group and the target group of the change if they list the person.
func (m *move) holding(ctx context.Context, in *ledger.Intent) (h ledger.Holding, err error) {
	if m.person.Entra != nil {
		for _, a := range m.person.Entra.Assignments {
			if in.SKU != "" && a.SKU == in.SKU || in.TargetSKU != "" && a.SKU == in.TargetSKU {
				a.Updated = time.Time{} // a restore does not need the date of an assignment
				h.Assignments = append(h.Assignments, a)
			}
		}
	}
	t := targets[plan.Via(in.Via)]
	if t == nil || t.absent(m) {
		return h, nil // an account that does not exist is in no group
	}
	for _, group := range []string{in.Source, in.Target} {
		if group == "" {
			continue
		}
		member, err := t.has(ctx, m, group)
		if err != nil {
			return h, err
		}
		if member {
			h.InGroups = append(h.InGroups, group)
		}
	}
	return h, nil
}
