package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Via is the way by which a license is changed.
type Via string

// The ways are the names of the targets in which licenses are held and written: direct
// assignments, by one assignLicense call; groups of Entra ID; groups of Active Directory.
const (
	Direct     Via = "direct"
	EntraGroup Via = "entra-group"
	ADGroup    Via = "ad-group"
)

// Known tells whether this version writes the target.
func (v Via) Known() bool { return v == Direct || v.ByGroup() }

// ByGroup tells that a license is held by membership of a group there.
func (v Via) ByGroup() bool { return v == EntraGroup || v.InAD() }

// InAD tells that the target is written in Active Directory, which the relay does.
func (v Via) InAD() bool { return v == ADGroup }

// Tenant is what a run resolved before it read people.
type Tenant struct {
	SKUIDs map[string]string                      // see directory.SKUIDs
	Groups map[directory.GroupRef]directory.Group // that the policy names
	others map[string]directory.Group             // that give licenses besides, by object id
	// SIDs are the objectSids of groups of Active Directory, by GroupRef.Key(false).
	SIDs map[string]string
	skus map[string]directory.SKU // by skuId
}

// TenantOf indexes what a run resolved: groups are those that the policy names,
// others those of Entra ID that give licenses besides.
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

// Route is how one person's license is changed. Source and Target are groups:
// object ids in Entra, distinguished names in Active Directory. SKU and
// TargetSKU are skuIds, empty for a license that is membership of a group.
type Route struct {
	Via            Via
	Source, Target string
	SKU, TargetSKU string
	// SourceEntra and TargetEntra are the object ids in Entra ID of groups of Active
	// Directory that give products: licenses name these.
	SourceEntra, TargetEntra string
}

// Route finds how a person holds the license of a rule and how it is changed.
// The refusal says why it cannot be done safely; it is empty when it can.
func (t *Tenant) Route(p *directory.Person, r *policy.Rule) (route Route, refusal string) {
	if r.License.SKU == "" {
		return t.memberRoute(p, r)
	}
	if route, refusal = t.way(p, r); refusal == "" {
		refusal = t.mailRefusal(p, r)
	}
	if refusal == "" && r.ChangeTo != nil {
		refusal = t.missing(r.ChangeTo)
	}
	if refusal != "" {
		return Route{}, refusal
	}
	return route, ""
}

// way is the route without what becomes of mail.
func (t *Tenant) way(p *directory.Person, r *policy.Rule) (Route, string) {
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
		return t.directRoute(p, r, sku)
	case len(byGroup) == 1:
		return t.groupRoute(p, r, sku, byGroup[0].Group)
	default:
		return Route{}, "no longer held"
	}
}

// memberRoute is the route of a license that is membership of a group.
func (t *Tenant) memberRoute(p *directory.Person, r *policy.Rule) (Route, string) {
	if r.License.Group.Source == directory.AD {
		return t.adRoute(p, r)
	}
	source, refusal := t.LicenseGroup(r.License, r.License.Group)
	if refusal != "" {
		return Route{}, refusal
	}
	route := Route{Via: EntraGroup, Source: source.ID}
	if r.ChangeTo == nil {
		return route, ""
	}
	target, refusal := t.LicenseGroup(r.ChangeTo, r.ChangeTo.Group)
	if refusal != "" {
		return Route{}, refusal
	}
	route.Target = target.ID
	return route, ""
}

func (t *Tenant) adRoute(p *directory.Person, r *policy.Rule) (Route, string) {
	if slices.Contains(p.Memberships, r.License.Group.PrimaryKey()) {
		return Route{}, "the group is the account's primary group, which is not kept as a list of members; give the account another primary group first"
	}
	route := Route{Via: ADGroup, Source: r.License.Group.Name}
	if r.ChangeTo != nil {
		route.Target = r.ChangeTo.Group.Name
	}
	return route, ""
}

func (t *Tenant) directRoute(p *directory.Person, r *policy.Rule, sku string) (Route, string) {
	route := Route{Via: Direct, SKU: sku}
	if r.ChangeTo == nil {
		return route, ""
	}
	route.TargetSKU = t.SKUIDs[r.ChangeTo.SKU]
	for _, a := range p.Entra.Assignments {
		if a.SKU != route.TargetSKU || a.Group != "" {
			continue
		}
		if lacks := t.Lacks(r.ChangeTo, a.DisabledPlans); lacks != "" {
			return Route{}, fmt.Sprintf("holds %s already, %s", r.ChangeTo.Name, lacks)
		}
	}
	return route, ""
}

func (t *Tenant) groupRoute(p *directory.Person, r *policy.Rule, sku, holds string) (Route, string) {
	if r.License.Synced() {
		return t.syncedRoute(p, r, sku, holds)
	}
	groups := r.License.Groups()
	i := slices.IndexFunc(groups, func(ref directory.GroupRef) bool { return t.Groups[ref].ID == holds })
	if i < 0 {
		return Route{}, t.elsewhere(r.License, holds)
	}
	source, refusal := t.LicenseGroup(r.License, &groups[i])
	if refusal != "" {
		return Route{}, refusal
	}
	route := Route{Via: EntraGroup, SKU: sku, Source: source.ID}
	if r.ChangeTo == nil {
		return route, ""
	}
	target, refusal := t.LicenseGroup(r.ChangeTo, r.ChangeTo.Group)
	if refusal == "" {
		refusal = t.Reduced(r.ChangeTo, &target)
	}
	if refusal != "" {
		return Route{}, refusal
	}
	route.Target, route.TargetSKU = target.ID, t.SKUIDs[r.ChangeTo.SKU]
	return route, ""
}

// Reduced says which service plans that matter a group does not give with its license;
// empty: none.
func (t *Tenant) Reduced(l *policy.License, g *directory.Group) string {
	if len(g.Reduced) == 0 {
		return ""
	}
	lacks := "with service plans switched off: what would be left cannot be told"
	if len(g.Off) > 0 { // else an older version read it
		lacks = t.Lacks(l, g.Off)
	}
	if lacks == "" {
		return ""
	}
	return fmt.Sprintf("the group %s gives %s %s", l.Group, l.Name, lacks)
}

// elsewhere says why a license is left alone that comes from another group than
// the policy names for it.
func (t *Tenant) elsewhere(l *policy.License, holds string) string {
	where := "held through the group " + holds
	if g, known := t.others[holds]; known {
		where = fmt.Sprintf("held through the group %q", g.Name)
		if o := obstacle(&g); o != "" {
			return where + ", which " + o
		}
	}
	if l.Group == nil {
		return fmt.Sprintf("%s, but the policy names no group for %s", where, l.Name)
	}
	var names []string
	for _, ref := range l.Groups() {
		names = append(names, ref.String())
	}
	return fmt.Sprintf("%s, which is not %s of the policy", where, strings.Join(names, " or "))
}

// LicenseGroup is one of the groups that give a license, and why its membership may not be
// changed for it. The refusal is empty when it may be. ref is nil where there is none.
func (t *Tenant) LicenseGroup(l *policy.License, ref *directory.GroupRef) (g directory.Group, refusal string) {
	switch {
	case ref == nil:
		return g, fmt.Sprintf("held through a group, but the policy names no group for %s", l.Name)
	case l.Synced():
		return g, fmt.Sprintf("%s is given by %s, which is written in Active Directory, and the change is made in Entra ID", l.Name, ref)
	}
	g, known := t.Groups[*ref]
	if !known {
		return g, fmt.Sprintf("the group %s was not found", ref)
	}
	return g, t.Gives(l, &g, ref.String())
}

// Gives is why membership of a group may not be changed for a license: that is done
// only where it can be, and gives that license and nothing else. A group that is the
// license itself grants no product. name is how the group is called.
func (t *Tenant) Gives(l *policy.License, g *directory.Group, name string) (refusal string) {
	switch {
	case g.Unreadable != "":
		return fmt.Sprintf("the group %s cannot be read: %s", name, g.Unreadable)
	case obstacle(g) != "":
		return fmt.Sprintf("the group %s %s", name, obstacle(g))
	case l.SKU == "" && g.Hidden: // memberOf leaves such a group out, so that nobody would be read as a member
		return fmt.Sprintf("the group %s hides its members, so that no read shows whether somebody has left it", name)
	case l.SKU == "" && len(g.Grants) > 0:
		return fmt.Sprintf("the group %s grants a product of Microsoft 365 besides: name it as sku of %s", name, l.Name)
	case l.SKU == "":
	case !slices.Contains(g.Grants, t.SKUIDs[l.SKU]):
		return fmt.Sprintf("the group %s does not grant %s", name, l.SKU)
	}
	return ""
}

// MayBeShared is why the license of a mailbox is left alone that is not known to be
// a person's.
const MayBeShared = "sign-in is blocked, so this may be a shared, room or equipment mailbox, whose license is there for another reason than signing in; " +
	"the mailbox usage report does not say which (its version 1.0 has no Recipient Type)"

// obstacle is what keeps a license from being changed by membership of a group;
// empty when nothing does.
func obstacle(g *directory.Group) string {
	switch {
	case g.Dynamic:
		return "is dynamic: its rule decides who is in it"
	case g.Synced:
		return "is synced from Active Directory and can only be changed there"
	case g.Restricted:
		return "is in a restricted management administrative unit: only administrators of that unit may change it"
	case g.RoleAssignable:
		return "is role-assignable: changing it needs a right idleseat must not have"
	case g.MailEnabled:
		return "is mail-enabled and can only be changed in Exchange"
	case len(g.Grants) > 1:
		return fmt.Sprintf("grants %d products at once", len(g.Grants))
	}
	return ""
}
