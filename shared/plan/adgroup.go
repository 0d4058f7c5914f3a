package plan

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// ADGroup is the target for groups that are written in Active Directory. Membership in the group is the license, or
// Entra Connect syncs the group to Entra ID, where the synced group assigns the product. A synced group can be written
// only in Active Directory. Graph refuses with "Unable to update the specified properties for on-premises mastered
// Directory Sync objects or objects currently undergoing migration" (microsoft-graph-docs#7301, #18038).
const ADGroup Via = "ad-group"

type adGroup struct{}

func (adGroup) via() Via                       { return ADGroup }
func (adGroup) how() string                    { return "through a group" }
func (adGroup) writtenIn() directory.Source    { return directory.AD }
func (adGroup) unfit(*directory.Person) string { return "" }

func (adGroup) may(l *policy.License) bool {
	return l.Group != nil && l.Group.Source == directory.AD
}

func (adGroup) held(t *Tenant, p *directory.Person, l *policy.License) []string {
	if l.SKU == "" { // the license is membership in the group
		return []string{l.Group.Name}
	}
	return t.byGroups(p, l)
}

func (adGroup) route(t *Tenant, p *directory.Person, r *policy.Rule, group string) (Route, string) {
	switch {
	case r.License.Synced():
		return t.syncedRoute(p, r, group)
	case slices.Contains(p.Memberships, r.License.Group.PrimaryKey()):
		return Route{}, primary
	}
	route := Route{Via: ADGroup, Source: group}
	if r.ChangeTo != nil {
		route.Target = r.ChangeTo.Group.Name
	}
	return route, ""
}

const primary = "the group is the account's primary group, which is not kept as a list of members; give the account another primary group first"

// Counterpart returns the Entra group that is synced from the Active Directory group of a license. The two groups have
// the same SID. The result "refusal" is "" if the Entra group gives the license and nothing else. Otherwise it says why
// no change can be made.
func (t *Tenant) Counterpart(l *policy.License) (g directory.Group, refusal string) {
	sid := t.SIDs[l.Group.Key(false)]
	if sid == "" {
		return g, fmt.Sprintf("the SID of the group %s was not read, so that nobody knows which group of Entra ID is synced from it; update the relay, or plan again when Active Directory can be read", l.Group)
	}
	for _, o := range t.others {
		if o.SID == sid {
			return o, t.Mirrors(l, &o)
		}
	}
	return g, fmt.Sprintf("no group of Entra ID that gives %s is synced from %s", l.SKU, l.Group)
}

// Mirrors returns why the Entra group g cannot be the counterpart of the Active Directory group of a license (see
// Counterpart). It returns "" if it can be.
func (t *Tenant) Mirrors(l *policy.License, g *directory.Group) (refusal string) {
	if !g.Synced {
		return fmt.Sprintf("the group %q of Entra ID is not synced from %s any more", g.Name, l.Group)
	}
	here := *g
	here.Synced = false // the group is written in Active Directory
	return t.Gives(l, &here, fmt.Sprintf("%q", g.Name))
}

// SetCounterpart replaces the stored properties of an Entra group by g, which was read just now.
func (t *Tenant) SetCounterpart(g directory.Group) { t.others[g.ID] = g }

// syncedRoute returns the route for a product that a person holds through an Entra group that is synced from Active
// Directory.
func (t *Tenant) syncedRoute(p *directory.Person, r *policy.Rule, holds string) (Route, string) {
	source, refusal := t.Counterpart(r.License)
	key := r.License.Group.Key(true)
	switch {
	case refusal != "":
		return Route{}, refusal
	case source.ID != holds:
		return Route{}, t.elsewhere(r.License, holds)
	case p.AD == nil || p.ADState != directory.Present:
		return Route{}, "the account in Active Directory, where the group is written, is not known"
	case slices.Contains(p.Unreadable, key):
		return Route{}, fmt.Sprintf("whether the group %s lists the account is not known", r.License.Group)
	case slices.Contains(p.Memberships, r.License.Group.PrimaryKey()):
		return Route{}, primary
	case !slices.Contains(p.Memberships, key):
		return Route{}, fmt.Sprintf("the group %s does not list the account itself", r.License.Group)
	}
	route := Route{Via: ADGroup, Source: r.License.Group.Name, SKU: t.SKUIDs[r.License.SKU], SourceEntra: source.ID}
	if r.ChangeTo == nil {
		return route, ""
	}
	if !r.ChangeTo.Synced() {
		return Route{}, fmt.Sprintf("%s is held by a group of Active Directory, and none gives %s: one move cannot be made in both directories", r.License.Name, r.ChangeTo.Name)
	}
	target, refusal := t.Counterpart(r.ChangeTo)
	if refusal == "" {
		refusal = t.Reduced(r.ChangeTo, &target)
	}
	if refusal != "" {
		return Route{}, refusal
	}
	route.Target, route.TargetSKU, route.TargetEntra = r.ChangeTo.Group.Name, t.SKUIDs[r.ChangeTo.SKU], target.ID
	return route, ""
}
