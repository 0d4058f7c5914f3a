package policy

import "github.com/idleseat/idleseat/shared/directory"

// The attributes that say who pays for a person's licenses. A policy has the first one without mapping it.
const (
	departmentAttribute = "department"
	costCenterAttribute = "costCenter"
)

// Payer returns who pays for a person's licenses, by the attributes "department" and "costCenter". An attribute that
// the policy does not have, or that is no text, is unknown.
func (p *Policy) Payer(of *directory.Person) *directory.Payer {
	return &directory.Payer{Department: p.textOf(departmentAttribute, of), CostCenter: p.textOf(costCenterAttribute, of)}
}

func (p *Policy) textOf(name string, of *directory.Person) *string {
	a := p.attributes[name]
	if a == nil || a.kind != directory.Text {
		return nil
	}
	return directory.TextOf(a.of(of))
}
