package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// EntraGroup is the target for groups that are written in Entra ID. The group assigns a product to its members, or
// membership in the group is the license.
const EntraGroup Via = "entra-group"

type entraGroup struct{}

func (entraGroup) via() Via                       { return EntraGroup }
func (entraGroup) how() string                    { return "through a group" }
func (entraGroup) writtenIn() directory.Source    { return directory.Entra }
func (entraGroup) unfit(*directory.Person) string { return "" }

func (entraGroup) may(l *policy.License) bool {
	return l.Group == nil || l.Group.Source == directory.Entra
}

func (entraGroup) held(t *Tenant, p *directory.Person, l *policy.License) []string {
	if l.SKU == "" { // the license is membership in the group
		return []string{t.Groups[*l.Group].ID}
	}
	return t.byGroups(p, l)
}

func (entraGroup) route(t *Tenant, _ *directory.Person, r *policy.Rule, group string) (Route, string) {
	groups := r.License.Groups()
	i := slices.IndexFunc(groups, func(ref directory.GroupRef) bool { return t.Groups[ref].ID == group })
	if i < 0 {
		return Route{}, t.elsewhere(r.License, group)
	}
	source, refusal := t.LicenseGroup(r.License, &groups[i])
	if refusal = cmp.Or(refusal, unseen(&source)); refusal != "" {
		return Route{}, refusal
	}
	route := Route{Via: EntraGroup, SKU: t.SKUIDs[r.License.SKU], Source: source.ID}
	if r.ChangeTo == nil {
		return route, ""
	}
	target, refusal := t.LicenseGroup(r.ChangeTo, r.ChangeTo.Group)
	if refusal == "" {
		refusal = cmp.Or(t.Reduced(r.ChangeTo, &target), unseen(&target))
	}
	if refusal != "" {
		return Route{}, refusal
	}
	route.Target, route.TargetSKU = target.ID, t.SKUIDs[r.ChangeTo.SKU]
	return route, ""
}

// The function "called" returns the name of a group for refusals: the name in the policy, and in parentheses the
// displayName if it differs.
func called(g *directory.Group) string {
	if g.Name == "" || strings.EqualFold(g.Name, g.Ref.Name) {
		return g.Ref.String()
	}
	return g.Ref.String() + " (" + g.Name + ")"
}

// The function "unseen" returns a refusal if the members of a group are hidden from the application, and "" otherwise.
// memberOf omits such a group. So no read would show that a change of its members is made, and the change would stay
// pending for ever.
func unseen(g *directory.Group) string {
	if !g.Unseen {
		return ""
	}
	return fmt.Sprintf("the group %s hides its members from this application, so that no read shows whether a change is made; grant the application permission Member.Read.Hidden, or name a group that shows its members", called(g))
}

// Reduced returns a sentence if the group gives the product without an important service plan: one that gives a
// mailbox, or one that the license needs. It also returns a sentence if it is unknown which service plans are missing.
// Otherwise it returns "".
func (t *Tenant) Reduced(l *policy.License, g *directory.Group) string {
	if len(g.Reduced) == 0 {
		return ""
	}
	lacks := "with service plans switched off: what would be left cannot be told"
	if len(g.Off) > 0 { // in a snapshot of an older version, Off is empty
		lacks = t.Lacks(l, g.Off)
	}
	if lacks == "" {
		return ""
	}
	return fmt.Sprintf("the group %s gives %s %s", l.Group, l.Name, lacks)
}

// The method "elsewhere" returns why a license is not changed if the person holds it through a group that the policy
// does not name for the license. The parameter "holds" is the object id of the group.
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

// LicenseGroup returns the Entra group that the policy names as ref for a license. The result "refusal" says why
// idleseat must not change membership in the group, or is "". The parameter "ref" is nil if the policy names no group.
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
	return g, t.Gives(l, &g, called(&g))
}

// Gives returns why idleseat may not change membership in a group to take or give a license, or "". The group must be
// writable. It must assign the product of the license and no other product. If membership in the group is itself the
// license, it must assign no product. The parameter "name" is the name of the group in the refusal.
func (t *Tenant) Gives(l *policy.License, g *directory.Group, name string) (refusal string) {
	switch {
	case g.Unreadable != "":
		return fmt.Sprintf("the group %s cannot be read: %s", name, g.Unreadable)
	case obstacle(g) != "":
		return fmt.Sprintf("the group %s %s", name, obstacle(g))
	case l.SKU == "" && g.Hidden: // memberOf omits a hidden group, so idleseat would read nobody as a member
		return fmt.Sprintf("the group %s hides its members, so that no read shows whether somebody has left it", name)
	case l.SKU == "" && len(g.Grants) > 0:
		return fmt.Sprintf("the group %s grants a product of Microsoft 365 besides: name it as sku of %s", name, l.Name)
	case l.SKU == "":
	case !slices.Contains(g.Grants, t.SKUIDs[l.SKU]):
		return fmt.Sprintf("the group %s does not grant %s", name, l.SKU)
	}
	return ""
}

// The function "obstacle" returns why idleseat cannot or must not change membership in a group, or "".
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
