package policy

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
)

// Rests returns the LDAP names of the attributes on which the policy relies, sorted. If such an attribute is empty, it
// may have no value, or the account of idleseat may have no right to read it. idleseat must find out which.
func (p *Policy) Rests() []string {
	names := []string{"lastLogonTimestamp"} // the health of the feed is judged by this attribute
	if anchor := p.Anchor.Attribute(); anchor != "" {
		names = append(names, anchor)
	}
	if len(p.exempt.listed) > 0 {
		names = append(names, "userPrincipalName")
	}
	for _, r := range p.Rules {
		for _, a := range r.asks {
			for _, f := range a.fields {
				if f.Attribute != "" {
					names = append(names, f.Attribute)
				}
			}
		}
	}
	for _, name := range p.restsBesides() {
		f, _ := directory.FieldNamed(name)
		names = append(names, f.Attribute)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// restsBesides returns the fields of Active Directory that no condition reads, but on which the policy relies
// otherwise: for grace.enabledAgain, and for the kind of an account.
func (p *Policy) restsBesides() (names []string) {
	inAD := func(l *License) bool { return l.Source() == directory.AD }
	if p.Grace.EnabledAgain > 0 && slices.ContainsFunc(p.Licenses, inAD) {
		names = append(names, directory.Enabling...)
	}
	asksKind := func(a *attribute) bool { return a.group == nil && a.fields[0].Name == directory.KindName }
	ruleAsksKind := func(r *Rule) bool { return slices.ContainsFunc(r.asks, asksKind) }
	if len(p.Kinds) < len(directory.AccountKinds) || slices.ContainsFunc(p.Rules, ruleAsksKind) {
		names = append(names, directory.KindField)
	}
	return names
}
