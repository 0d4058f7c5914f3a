package policy

import "github.com/idleseat/idleseat/shared/directory"

// The names of the attributes that say who pays for a person's licenses. The attribute "department" exists in every
// policy. The attribute "costCenter" exists only if the policy maps it.
const (
	departmentAttribute = "department"
	costCenterAttribute = "costCenter"
)

// Payer returns who pays for a person's licenses, by the attributes "department" and "costCenter". The value of an
// attribute is nil if the policy lacks the attribute or if the attribute is no text.
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
