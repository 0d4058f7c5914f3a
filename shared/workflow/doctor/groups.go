package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
)

const hiddenCheck = "hidden membership"

// checkGroups finds the Entra groups of the policy. Package plan judges whether licenses can be changed through them.
func checkGroups(ctx context.Context, e *exam) (found []Finding, _ func()) {
	var groups []directory.Group
	for _, ref := range e.Policy.GroupRefs() {
		if ref.Source != directory.Entra {
			continue
		}
		g, err := e.Entra.FindGroup(ctx, ref.Name)
		if err != nil {
			found = append(found, e.noGroup(ref, err))
			continue
		}
		g.Ref = ref
		groups = append(groups, g)
	}
	for i := range groups {
		g := &groups[i]
		if len(givenBy(e.Policy, g.Ref)) > 0 || g.Hidden {
			found = append(found, e.group(g, plan.TenantOf(e.skus, groups, nil)))
		} else {
			found = append(found, e.crowd(ctx, g))
		}
		if g.Hidden {
			found = append(found, e.hidden(ctx, g))
		}
	}
	if len(found) == 0 {
		return one(Finding{State: OK, Means: "The policy names no group of Entra ID."})
	}
	return found, nil
}

func (e *exam) noGroup(ref directory.GroupRef, err error) Finding {
	f := Finding{About: ref.Name, State: Failed, Means: sentence("%v", err)}
	switch {
	case errors.Is(err, directory.ErrNoGroup) && len(givenBy(e.Policy, ref)) == 0:
		f.Means = "No group has this name or id, so who is in it is unknown, and everybody who may be in it is undecided."
		f.Mend = e.alike("Correct the name in the policy, or take it out; the first command shows names that begin alike. A new group has no members, so nobody would be exempt by it.",
			"group", "displayName", ref.Name)
	case errors.Is(err, directory.ErrNoGroup):
		f.Means = "No group has this name or id, and a run with a license of it is refused."
		f.Mend = e.edit("Correct the name in the policy, or create the group with the first command.")
		f.Mend.Bash = "az ad group create --display-name " + word(ref.Name) + " --mail-nickname " + word(nickname(ref.Name)) + "\n" + f.Mend.Bash
		f.Mend.PowerShell = "az ad group create --display-name " + literal(ref.Name) + " --mail-nickname " + literal(nickname(ref.Name)) + "\n" + f.Mend.PowerShell
	case errors.Is(err, directory.ErrAmbiguousGroup):
		f.Mend = e.edit("Name the object id of the right one in the policy.")
	default:
		f.State, f.Mend = Unknown, e.afterRefusal(err, "Group.Read.All")
	}
	return f
}

// The function "about" returns the name of a group in a finding: the group's name, with the policy's name in
// parentheses if the names differ.
func about(g *directory.Group) string {
	if g.Name == "" || strings.EqualFold(g.Name, g.Ref.Name) {
		return g.Ref.Name
	}
	return g.Name + " (" + g.Ref.Name + ")"
}

// The function "nickname" makes a mail nickname from a name, without the characters that a mail nickname must not
// have.
func nickname(name string) string {
	var kept []rune
	for _, r := range name {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return "idleseat"
	}
	return string(kept[:min(len(kept), 64)])
}

func (e *exam) group(g *directory.Group, t *plan.Tenant) Finding {
	for _, l := range givenBy(e.Policy, g.Ref) {
		if l.Synced() {
			continue
		}
		if _, refusal := t.LicenseGroup(l, &g.Ref); refusal != "" {
			return Finding{About: about(g), State: Warning, Means: sentence("No license changes through it: %s", refusal), Mend: e.makeWritable(g, l, t.SKUIDs[l.SKU])}
		}
		return Finding{About: about(g), State: OK, Means: sentence("The group is there, gives %s, and its members can be changed", l.Name)}
	}
	return Finding{About: about(g), State: OK, Means: "The group is there."}
}

// The method "crowd" returns the finding about a group that gives no license of a rule, such as a group of
// exempt.groups: whether anybody is in it.
func (e *exam) crowd(ctx context.Context, g *directory.Group) Finding {
	err := e.Entra.ListMembers(ctx, *g, "", func(members []directory.Member, _ string) error {
		if len(members) == 0 {
			return nil
		}
		return errSeen
	})
	switch {
	case err == nil:
		return e.empty(about(g))
	case !errors.Is(err, errSeen):
		return Finding{About: about(g), State: Unknown, Means: sentence("Who is in the group is unknown: %v", err), Mend: e.afterRefusal(err, "Group.Read.All")}
	}
	return Finding{About: about(g), State: OK, Means: "The group is there, and has members."}
}

func (e *exam) empty(about string) Finding {
	return Finding{About: about, State: Warning, Means: "The group is there, and has no members, so it exempts or chooses nobody.",
		Mend: e.edit("Put the people into it who are meant, or name another group in the policy.")}
}

// makeWritable returns how to repair a group in which idleseat cannot change a license, such as a dynamic group.
func (e *exam) makeWritable(g *directory.Group, l *policy.License, sku string) *Mend {
	const scope = "Group.ReadWrite.All"
	switch {
	case g.Dynamic:
		return graphWrite("Take the rule from the group; its members stay. For a Microsoft 365 group, keep Unified in groupTypes. Or name another group in the policy.", scope, "patch", "/groups/"+g.ID,
			`{"groupTypes":[],"membershipRuleProcessingState":"Paused"}`, "@{groupTypes=@(); membershipRuleProcessingState='Paused'}")
	case g.Synced:
		return e.edit("Name the group of Active Directory in the policy instead, as group: {ad: \"CN=…\"}.")
	case g.Restricted:
		return read("Take the group out of the restricted unit, as an administrator of the unit; this shows the unit.", "/groups/"+g.ID+"/memberOf/microsoft.graph.administrativeUnit", "value[].[id,displayName]")
	case g.RoleAssignable, g.MailEnabled, len(g.Grants) > 1, l.SKU == "":
		m := e.edit("Use a security group that gives this license alone; create it with the first command, and name it in the policy.")
		name := nickname(g.Ref.Name) + "-idleseat"
		create := "az ad group create --display-name " + name + " --mail-nickname " + name + "\n"
		m.Bash, m.PowerShell = create+m.Bash, create+m.PowerShell
		return m
	}
	return graphWrite("Let the group give the product, or name another group in the policy.", scope, "post", "/groups/"+g.ID+"/assignLicense",
		fmt.Sprintf(`{"addLicenses":[{"skuId":"%s","disabledPlans":[]}],"removeLicenses":[]}`, sku), fmt.Sprintf("@{addLicenses=@(@{skuId='%s'; disabledPlans=@()}); removeLicenses=@()}", sku))
}

var errSeen = errors.New("enough was seen")

// The method "hidden" returns the finding about a group with hidden membership: whether this application may read its
// members.
func (e *exam) hidden(ctx context.Context, g *directory.Group) Finding {
	err := e.Entra.ListMembers(ctx, *g, "", func(_ []directory.Member, _ string) error { return errSeen })
	f := Finding{Check: hiddenCheck, About: about(g), State: OK, Means: "The group hides its members, and this application may see them."}
	if err != nil && !errors.Is(err, errSeen) {
		f.State, f.Means = Failed, "The group hides its members from this application. Nobody is moved into or out of it, and who is exempt by it is unknown."
		f.Mend = grantRole("Grant Member.Read.Hidden, or name a group that shows its members.", e.grant.Application, "Member.Read.Hidden")
		if !errors.Is(err, directory.ErrHidden) {
			f.State, f.Means, f.Mend = Unknown, sentence("Who is in the group is unknown: %v", err), e.afterRefusal(err, "Group.Read.All")
		}
	}
	return f
}
