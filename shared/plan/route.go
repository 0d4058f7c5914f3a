package plan

import (
	"fmt"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Tenant has the products and groups that a run looked up before it read people.
type Tenant struct {
	SKUIDs map[string]string                      // skuIds, by the names that a policy may use for the product (directory.SKUIDs)
	Groups map[directory.GroupRef]directory.Group // the groups that the policy names
	others map[string]directory.Group             // Entra groups that assign licenses and that the policy does not name, by object id
	// SIDs has the objectSids of Active Directory groups. The keys come from GroupRef.Key(false).
	SIDs map[string]string
	skus map[string]directory.SKU // by skuId
}

// TenantOf returns a Tenant. The parameter "groups" has the groups that the policy names, and "others" the other Entra
// groups that assign licenses.
func TenantOf(skus []directory.SKU, groups, others []directory.Group) *Tenant {
	t := &Tenant{SKUIDs: directory.SKUIDs(skus), Groups: map[directory.GroupRef]directory.Group{}, others: map[string]directory.Group{}, skus: map[string]directory.SKU{}}
	for _, s := range skus {
		t.skus[s.ID] = s
	}
	for _, g := range groups {
		t.Groups[g.Ref] = g
	}
	for _, g := range others {
		t.others[g.ID] = g
	}
	return t
}

// Route is the way to change a license of one person. Source and Target are groups: object ids in Entra ID,
// distinguished names in Active Directory. They are empty for a direct assignment, and Target is also empty for a
// removal. SKU and TargetSKU are skuIds, or empty for a license that is membership in a group.
type Route struct {
	Via            Via
	Source, Target string
	SKU, TargetSKU string
	// If Source and Target are Active Directory groups, SourceEntra and TargetEntra are the object ids of the groups in
	// Entra ID that are synced from them and assign products. Otherwise they are "".
	SourceEntra, TargetEntra string
}

// Route finds out how a person holds the license of a rule: directly, through an Entra group or through an Active
// Directory group. It returns the way to change the license. The result "refusal" says why the license cannot be
// changed safely, or is "". The parameter "others" has the changes of other licenses of the person.
func (t *Tenant) Route(p *directory.Person, r *policy.Rule, others []Swap) (route Route, refusal string) {
	if route, refusal = t.way(p, r); refusal == "" {
		refusal = t.mailRefusal(p, r, others)
	}
	if refusal == "" && r.ChangeTo != nil {
		refusal = t.missing(r.ChangeTo)
	}
	if refusal != "" {
		return Route{}, refusal
	}
	return route, ""
}

// The method "way" does the same as Route without two checks: it ignores a lost mailbox, and service plans that the new
// product lacks.
func (t *Tenant) way(p *directory.Person, r *policy.Rule) (Route, string) {
	for _, a := range t.assigned(p, r.License) {
		if a.State == "" {
			return Route{}, "Entra does not say by which way the license is assigned"
		}
	}
	type place struct {
		in    target
		group string
	}
	var held []place
	for _, in := range targets {
		if !in.may(r.License) {
			continue
		}
		for _, group := range in.held(t, p, r.License) {
			held = append(held, place{in, group})
		}
	}
	if len(held) == 0 {
		return Route{}, "no longer held"
	}
	first, last := held[0], held[len(held)-1]
	switch {
	case len(held) == 1:
		return first.in.route(t, p, r, first.group)
	case first.in == last.in:
		return Route{}, fmt.Sprintf("held through %d groups at once", len(held))
	}
	return Route{}, fmt.Sprintf("held %s and %s at once", first.in.how(), last.in.how())
}

// The method "assigned" returns the assignments in Entra ID by which a person holds a product. There are none for a
// license that is membership in a group.
func (t *Tenant) assigned(p *directory.Person, l *policy.License) (paths []directory.Assignment) {
	if l.SKU == "" || p.Entra == nil {
		return nil
	}
	for _, a := range p.Entra.Assignments {
		if a.SKU == t.SKUIDs[l.SKU] {
			paths = append(paths, a)
		}
	}
	return paths
}

func (t *Tenant) byGroups(p *directory.Person, l *policy.License) (ids []string) {
	for _, a := range t.assigned(p, l) {
		if a.Group != "" {
			ids = append(ids, a.Group)
		}
	}
	return ids
}

// MayBeShared says why the license of a mailbox is not changed if the mailbox may not belong to a person.
const MayBeShared = "sign-in is blocked, so this may be a shared, room or equipment mailbox, whose license is there for another reason than signing in; " +
	"the mailbox usage report does not say which (its version 1.0 has no Recipient Type)"
