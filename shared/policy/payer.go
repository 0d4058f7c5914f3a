package policy

import "github.com/idleseat/idleseat/shared/directory"

// These attributes say who pays for a person's licenses. Each policy has the attribute "department". The attribute
// "costCenter" exists only if the policy maps it.
const (
	departmentAttribute = "department"
	costCenterAttribute = "costCenter"
)

// Payer returns who pays for a person's licenses. A value is nil if it was not read, or if the policy has no text
// attribute with this name.
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
