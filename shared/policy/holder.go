package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// People hold a product through assignments in Entra ID. Any other license is membership in a group (License.holders).
// This file covers both ways for one person, and crowd.go for many people. The target is in shared/plan/target.go.

func (l *License) Source() directory.Source {
	if l.holders != nil {
		return l.holders.Ref.Source
	}
	return directory.Entra
}

// The method "questions" returns the group whose members a run must read: the one whose membership is the license, or
// the synced group that gives the product. A change in a synced group needs its direct members.
func (l *License) questions() (queries []MemberQuery) {
	if l.holders != nil {
		queries = append(queries, *l.holders)
	}
	if l.Synced() {
		queries = append(queries, newMemberQuery(*l.Group, true))
	}
	return queries
}

// The method "holds" reports whether the person holds the license. An assignment counts in any state, even in error. If
// only the match with the account in Active Directory is in doubt, the licenses in Entra ID are still known.
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

func holderGap(g *gaps, l *License, p *directory.Person) {
	predicate := "is not known: " + sourceGap(directory.Entra, p)
	if l.holders != nil {
		predicate = l.holders.gap(p)
	}
	g.add("license "+l.Name, "license "+l.Name, predicate)
}

// newHolder gives grace to a person who got the license lately. If several assignments give the license, the date of
// the oldest assignment counts.
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

// heldSince returns the oldest date of the active assignments of a product, or of all its assignments if none is
// active. The result is zero if none has a date. The result "known" reports whether all of them have one.
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

// GivingGroups returns the keys (GroupRef.Key) of the groups in "source" whose memberships count for the grace
// newHolder. No directory records when a membership began, so runs record it. The group of a license without a rule is
// left out, because no run reads its members.
func (p *Policy) GivingGroups(source directory.Source) (keys []string) {
	for _, l := range p.Licenses {
		if p.Grace.NewHolder > 0 && p.FirstRule(l) != nil && l.holders != nil && l.holders.Ref.Source == source {
			keys = append(keys, l.holders.key)
		}
	}
	return keys
}
