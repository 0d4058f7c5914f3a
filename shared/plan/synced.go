package plan

import (
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// A group of Active Directory that Entra Connect syncs can be written there alone: Graph
// answers "Unable to update the specified properties for on-premises mastered Directory
// Sync objects or objects currently undergoing migration" (microsoft-graph-docs#7301,
// #18038). Licenses follow its counterpart in Entra ID.

// Counterpart is the group of Entra ID that is synced from the group of a license in
// Active Directory, known by its SID. The refusal says why there is none that gives the
// license and nothing else.
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

// Mirrors is why a group of Entra ID cannot be the counterpart of a license's group in
// Active Directory; empty when it can.
func (t *Tenant) Mirrors(l *policy.License, g *directory.Group) (refusal string) {
	if !g.Synced {
		return fmt.Sprintf("the group %q of Entra ID is not synced from %s any more", g.Name, l.Group)
	}
	here := *g
	here.Synced = false // where it is written
	return t.Gives(l, &here, fmt.Sprintf("%q", g.Name))
}

// SetCounterpart replaces what the run read of a group of Entra ID by what is read now.
func (t *Tenant) SetCounterpart(g directory.Group) { t.others[g.ID] = g }

// syncedRoute is the route of a license that is held by a group of Entra ID which is
// synced from Active Directory.
func (t *Tenant) syncedRoute(p *directory.Person, r *policy.Rule, sku, holds string) (Route, string) {
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
		return Route{}, "the group is the account's primary group, which is not kept as a list of members; give the account another primary group first"
	case !slices.Contains(p.Memberships, key):
		return Route{}, fmt.Sprintf("the group %s does not list the account itself", r.License.Group)
	}
	route := Route{Via: ADGroup, Source: r.License.Group.Name, SKU: sku, SourceEntra: source.ID}
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
