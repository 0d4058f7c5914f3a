package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// People hold a license in one of two ways. A product is held through assignments in Entra ID. Any other license is
// membership in a group (License.holders). This file covers both ways for one person, and crowd.go for many people.
// shared/plan/target.go determines the target in which a person holds a license, and how the license is changed there.

// The method "source" returns the directory in which people hold the license.
func (l *License) source() directory.Source {
	if l.holders != nil {
		return l.holders.Ref.Source
	}
	return directory.Entra
}

// The method "questions" returns the group whose members a run must read for the license. This is the group whose
// membership is the license, or the synced group that grants the product. A change in a synced group needs the list of
// its members and its SID. Other licenses have no such group.
func (l *License) questions() (queries []MemberQuery) {
	if l.holders != nil {
		queries = append(queries, *l.holders)
	}
	if l.Synced() {
		queries = append(queries, newMemberQuery(*l.Group, true))
	}
	return queries
}

// The method "holds" reports whether the person holds the license, through any assignment in any state. If only the
// match with the account in Active Directory is in doubt, the licenses in Entra ID are still known.
func (j *Judge) holds(l *License, p *directory.Person) directory.Flag {
	if l.holders != nil {
		return l.holders.has(p)
	}
	switch {
	case p.EntraState == directory.NoAccount:
		return directory.No
	case p.Entra == nil, p.EntraState != directory.Present && p.EntraState != directory.Contradictory:
		return directory.Unset
	}
	for i := range p.Entra.Assignments {
		if p.Entra.Assignments[i].SKU == j.skus[l.index] {
			return directory.Yes
		}
	}
	return directory.No
}

// holderGap adds the reason why it is unknown whether the person holds the license.
func holderGap(g *gaps, l *License, p *directory.Person) {
	predicate := "is not known: " + sourceGap(directory.Entra, p)
	if l.holders != nil {
		predicate = l.holders.gap(p)
	}
	g.add("license "+l.Name, "license "+l.Name, predicate)
}

// newHolder gives grace to a person who got the license recently. If several assignments grant the license, the oldest
// assignment counts.
func (j *Judge) newHolder(l *License, p *directory.Person) grace {
	days := j.policy.Grace.NewHolder
	if days == 0 || l.holders == nil && p.Entra == nil {
		return grace{flag: directory.No} // without an account the person does not hold the license, or the verdict is undecided already
	}
	if l.holders != nil {
		since := p.MemberSince(l.holders.Ref.Source, l.holders.key)
		if since.IsZero() {
			return grace{flag: directory.No}
		}
		return j.since(since, days, fmt.Sprintf("first seen in the group of %s on %s", l.Name, dayOf(since)))
	}
	since, known := heldSince(p.Entra.Assignments, j.skus[l.index])
	if !since.IsZero() {
		g := j.since(since, days, fmt.Sprintf("%s was given, or its assignment changed, on %s", l.Name, dayOf(since)))
		if g.flag == directory.No || known {
			return g
		}
	}
	name := "license " + l.Name
	return grace{flag: directory.Unset, unknown: func(all *gaps) {
		all.add(name, name, "has been held for an unknown time: lastUpdatedDateTime of its assignment was not read")
	}}
}

// heldSince returns the oldest date of the assignments that grant the product. An assignment grants the product if it
// is active. If no assignment of the product is active, heldSince uses all assignments of the product. It returns the
// zero time if none of the used assignments has a date. The result "known" reports whether all of them have dates.
func heldSince(paths []directory.Assignment, sku string) (since time.Time, known bool) {
	gives := slices.ContainsFunc(paths, func(a directory.Assignment) bool { return a.SKU == sku && a.Active() })
	known = true
	for _, a := range paths {
		if a.SKU != sku || gives && !a.Active() {
			continue
		}
		if a.Updated.IsZero() {
			known = false
		} else if since.IsZero() || a.Updated.Before(since) {
			since = a.Updated
		}
	}
	return since, known
}

// GivingGroups returns the GroupRef.Keys of the groups in source for which newHolder needs the begin of each
// membership. Runs must record this begin themselves, because no directory records it. A license without a rule has no
// such group, because no run reads its members.
func (p *Policy) GivingGroups(source directory.Source) (keys []string) {
	for _, l := range p.Licenses {
		if p.Grace.NewHolder > 0 && p.FirstRule(l) != nil && l.holders != nil && l.holders.Ref.Source == source {
			keys = append(keys, l.holders.key)
		}
	}
	return keys
}
