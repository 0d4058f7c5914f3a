package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
)

func checkPolicy(_ context.Context, e *exam) ([]Finding, func()) {
	switch {
	case e.Away():
		return one(Finding{State: NotTried, Means: sentence("Not tried, because no policy is named on this machine, and %s has its own. To examine that one, download policy.yaml of its bucket and give --policy policy.yaml", e.Stack)})
	case e.PolicyErr != nil && e.PolicyFile == "":
		m := same("Write a first policy from what the tenant has, or name yours.", "idleseat init")
		bash, powershell := setVariable("IDLESEAT_POLICY", "policy.yaml")
		m.Bash, m.PowerShell = m.Bash+"\n"+bash, m.PowerShell+"\n"+powershell
		return one(Finding{State: Failed, Means: "No policy is named, so nothing says which licenses rules are about.", Mend: m})
	case e.PolicyErr != nil:
		return one(Finding{State: Failed, Means: sentence("%v", e.PolicyErr), Mend: e.edit("Correct the policy; idleseat policy check shows each fault.")})
	}
	found := []Finding{{State: OK, Means: fmt.Sprintf("%s for %s, mode %s.", plain.Many(len(e.Policy.Rules), "rule"), plain.Many(len(e.Policy.Licenses), "license"), e.Policy.Mode)}}
	for _, note := range e.Policy.Over(e.now) {
		found = append(found, Finding{About: "leave", State: Warning, Means: sentence("%s", note), Mend: e.edit("Give the leave a later day, or take it out.")})
	}
	return found, nil
}

// The function "used" returns the licenses that at least one rule takes or gives.
func used(p *policy.Policy) (list []*policy.License) {
	for _, l := range p.Licenses {
		if slices.ContainsFunc(p.Rules, func(r *policy.Rule) bool { return r.License == l || r.ChangeTo == l }) {
			list = append(list, l)
		}
	}
	return list
}

// givenBy returns the licenses of the policy's rules that a group gives.
func givenBy(p *policy.Policy, ref directory.GroupRef) []*policy.License {
	return slices.DeleteFunc(used(p), func(l *policy.License) bool { return !slices.Contains(l.Groups(), ref) })
}

// checkProducts checks whether the tenant has each product, and whether a product to which a rule changes has free
// seats.
func checkProducts(_ context.Context, e *exam) (found []Finding, _ func()) {
	for _, l := range e.Policy.Licenses {
		if l.SKU == "" {
			continue
		}
		found = append(found, e.product(l))
	}
	if len(found) == 0 {
		return one(Finding{State: OK, Means: "No license of the policy is a product, so no product is needed."})
	}
	return found, nil
}

func (e *exam) product(l *policy.License) Finding {
	ids := directory.SKUIDs(e.skus)
	if same := directory.SameName(e.skus, l.SKU); len(same) > 1 {
		return Finding{About: l.Name, State: Failed, Means: sentence("%d products of the tenant have the part number %s: %s", len(same), l.SKU, strings.Join(same, " and ")),
			Mend: e.edit("Name the right one by its skuId.")}
	}
	id, has := ids[l.SKU]
	if !has {
		return Finding{About: l.Name, State: Failed, Means: sentence("The tenant has no product %s%s", l.SKU, e.likeProduct(l.SKU)), Mend: e.edit("Name a product that the tenant has.")}
	}
	s := e.skus[slices.IndexFunc(e.skus, func(s directory.SKU) bool { return s.ID == id })]
	free := s.Enabled - s.Consumed - l.KeepSeats
	given := slices.ContainsFunc(e.Policy.Rules, func(r *policy.Rule) bool { return r.ChangeTo == l })
	if given && free <= 0 {
		return Finding{About: l.Name, State: Warning, Means: fmt.Sprintf("%d of %d seats are used and the policy keeps %d free, so nobody can be changed to it.", s.Consumed, s.Enabled, l.KeepSeats),
			Mend: read("Buy seats or free some; this shows which products have how many.", "/subscribedSkus", "value[].[skuPartNumber,consumedUnits,prepaidUnits.enabled]")}
	}
	return Finding{About: l.Name, State: OK, Means: fmt.Sprintf("%d of %d seats are used.", s.Consumed, s.Enabled)}
}

// likeProduct returns the end of a sentence about an unknown product, such as "; is it SPE_E3?". It returns "" if no
// part number of the tenant is similar.
func (e *exam) likeProduct(name string) string {
	best, nearest := "", 4
	for _, s := range e.skus {
		if d := plain.Distance(strings.ToUpper(name), s.PartNumber); d < nearest && len(s.PartNumber) < 200 {
			best, nearest = s.PartNumber, d
		}
	}
	if best == "" {
		return ""
	}
	return "; is it " + best + "?"
}

// checkNames looks for the people whom the policy lists. A name that nobody has exempts nobody.
func checkNames(ctx context.Context, e *exam) (found []Finding, _ func()) {
	names, matched := e.Policy.Listed(e.now), 0
	for _, name := range names {
		there, err := e.somebody(ctx, name)
		switch {
		case err != nil:
			found = append(found, Finding{About: name, State: Unknown, Means: sentence("Whether anybody has this name is unknown: %v", err), Mend: e.again()})
		case there:
			matched++
		default:
			found = append(found, Finding{About: name, State: Warning, Means: "The policy exempts this name, but nobody has it, so it protects nobody.", Mend: e.alike("Correct the name, or take it out; the first command shows names that begin alike.", "user", "userPrincipalName", name)})
		}
	}
	if matched > 0 || len(names) == 0 {
		found = append([]Finding{{State: OK, Means: fmt.Sprintf("%d of the %d names that the policy lists match an account.", matched, len(names))}}, found...)
	}
	return found, nil
}

// The method "somebody" reports whether any person has the given name. It asks Active Directory if nobody in Entra ID
// has the name. It returns an error if a directory does not answer, or if Active Directory could not be set up.
func (e *exam) somebody(ctx context.Context, name string) (bool, error) {
	_, err := e.Entra.FindID(ctx, name)
	if err == nil || !errors.Is(err, directory.ErrNoPerson) {
		return err == nil, err
	}
	if e.AD == nil {
		return false, e.ADErr
	}
	_, err = e.AD.FindPerson(ctx, name)
	switch {
	case err == nil, errors.Is(err, directory.ErrAmbiguousPerson):
		return true, nil
	case errors.Is(err, directory.ErrNoPerson):
		return false, nil
	}
	return false, err
}

// The method "alike" returns a Mend that lists the accounts or groups whose names begin like the given name, and then
// opens the policy. The parameters "kind" and "property" are words of the Azure CLI and of Graph.
func (e *exam) alike(do, kind, property, name string) *Mend {
	begin := []rune(name)
	special := func(r rune) bool { return !unicode.In(r, unicode.L, unicode.N) && !strings.ContainsRune(" .-_", r) }
	if i := slices.IndexFunc(begin, special); i >= 0 {
		begin = begin[:i]
	}
	m := e.edit(do)
	if len(begin) == 0 {
		return m
	}
	like := "az ad " + kind + ` list --filter "startswith(` + property + `,'` + string(begin[:min(len(begin), 4)]) + `')" --query "[].` + property + `" --output tsv` + "\n"
	m.Bash, m.PowerShell = like+m.Bash, like+m.PowerShell
	return m
}
