package plan

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Via is the way by which a license is changed.
type Via string

// The ways: one assignLicense call, membership of Entra groups, membership of
// Active Directory groups.
const (
	Direct     Via = "direct"
	EntraGroup Via = "entra-group"
	ADGroup    Via = "ad-group"
)

// Tenant is what a run resolved before it read people.
type Tenant struct {
	SKUIDs map[string]string // part number → skuId
	Groups map[directory.GroupRef]directory.Group
}

// TenantOf indexes what a run resolved.
func TenantOf(skus []directory.SKU, groups []directory.Group) *Tenant {
	t := &Tenant{SKUIDs: map[string]string{}, Groups: map[directory.GroupRef]directory.Group{}}
	for _, s := range skus {
		t.SKUIDs[s.PartNumber] = s.ID
	}
	for _, g := range groups {
		t.Groups[g.Ref] = g
	}
	return t
}

// Route is how one person's license is changed. Source and Target are groups:
// object ids in Entra, distinguished names in Active Directory. SKU and
// TargetSKU are skuIds, empty for a license that is an AD group alone.
type Route struct {
	Via            Via
	Source, Target string
	SKU, TargetSKU string
}

// Route finds how a person holds the license of a rule and how it is changed.
// The refusal says why it cannot be done safely; it is empty when it can.
func (t *Tenant) Route(p *directory.Person, r *policy.Rule) (route Route, refusal string) {
	if r.License.SKU == "" {
		return t.adRoute(r)
	}
	sku := t.SKUIDs[r.License.SKU]
	var direct, byGroup []directory.Assignment
	for _, a := range p.Entra.Assignments {
		switch {
		case a.SKU != sku:
		case a.State == "":
			return Route{}, "Entra does not say by which way the license is assigned"
		case a.Group == "":
			direct = append(direct, a)
		default:
			byGroup = append(byGroup, a)
		}
	}
	switch {
	case len(direct) > 0 && len(byGroup) > 0:
		return Route{}, "held directly and through a group at once"
	case len(byGroup) > 1:
		return Route{}, fmt.Sprintf("held through %d groups at once", len(byGroup))
	case len(direct) > 0:
		return t.directRoute(r, sku), ""
	case len(byGroup) == 1:
		return t.groupRoute(r, sku, byGroup[0].Group)
	default:
		return Route{}, "no longer held"
	}
}

func (t *Tenant) adRoute(r *policy.Rule) (Route, string) {
	route := Route{Via: ADGroup, Source: r.License.Group.Name}
	if r.ChangeTo != nil {
		route.Target = r.ChangeTo.Group.Name
	}
	return route, ""
}

func (t *Tenant) directRoute(r *policy.Rule, sku string) Route {
	route := Route{Via: Direct, SKU: sku}
	if r.ChangeTo != nil {
		route.TargetSKU = t.SKUIDs[r.ChangeTo.SKU]
	}
	return route
}

func (t *Tenant) groupRoute(r *policy.Rule, sku, holds string) (Route, string) {
	source, refusal := t.licenseGroup(r.License)
	if refusal != "" {
		return Route{}, refusal
	}
	if source.ID != holds {
		return Route{}, fmt.Sprintf("held through the group %s, which is not %s of the policy", holds, source.Ref)
	}
	route := Route{Via: EntraGroup, SKU: sku, Source: source.ID}
	if r.ChangeTo == nil {
		return route, ""
	}
	target, refusal := t.licenseGroup(r.ChangeTo)
	if refusal != "" {
		return Route{}, refusal
	}
	route.Target, route.TargetSKU = target.ID, t.SKUIDs[r.ChangeTo.SKU]
	return route, ""
}

// licenseGroup is the group of a license, when its membership can be changed
// and gives that license and nothing else.
func (t *Tenant) licenseGroup(l *policy.License) (g directory.Group, refusal string) {
	if l.Group == nil || l.Group.Source != directory.Entra {
		return g, fmt.Sprintf("the license is held through a group, but the policy names no Entra group for %s", l.Name)
	}
	g, known := t.Groups[*l.Group]
	switch {
	case !known:
		return g, fmt.Sprintf("the group %s was not found", l.Group)
	case g.Unreadable != "":
		return g, fmt.Sprintf("the group %s cannot be read: %s", l.Group, g.Unreadable)
	case g.Dynamic:
		return g, fmt.Sprintf("the group %s is dynamic: its rule decides who is in it", l.Group)
	case g.Synced:
		return g, fmt.Sprintf("the group %s is synced from Active Directory and can only be changed there", l.Group)
	case g.RoleAssignable:
		return g, fmt.Sprintf("the group %s is role-assignable: changing it needs a right idleseat must not have", l.Group)
	case g.MailEnabled:
		return g, fmt.Sprintf("the group %s is mail-enabled and can only be changed in Exchange", l.Group)
	case !slices.Contains(g.Grants, t.SKUIDs[l.SKU]):
		return g, fmt.Sprintf("the group %s does not grant %s", l.Group, l.SKU)
	case len(g.Grants) > 1:
		return g, fmt.Sprintf("the group %s grants %d products at once", l.Group, len(g.Grants))
	}
	return g, ""
}
