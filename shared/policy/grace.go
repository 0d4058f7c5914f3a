package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// grace tells whether a person had no time yet to use what they were given. When
// that is not known, unknown names what was not read.
type grace struct {
	flag    directory.Flag
	ends    time.Time
	reason  string // why it holds
	unknown func(*gaps)
}

// or combines two graces. When both hold, it is the one that ends last. When none is
// known to hold, it is one that is not known.
func (g grace) or(o grace) grace {
	switch {
	case o.flag == directory.No, g.flag == directory.Yes && !o.ends.After(g.ends): // what is not known has no end
		return g
	case g.flag == directory.Unset && o.flag == directory.Unset:
		first, second := g.unknown, o.unknown
		g.unknown = func(all *gaps) { first(all); second(all) }
		return g
	}
	return o
}

// since returns the grace of days from an instant on.
func (j *Judge) since(at time.Time, days int, reason string) grace {
	ends := at.Add(time.Duration(days) * day)
	if !ends.After(j.now) {
		return grace{flag: directory.No}
	}
	return grace{flag: directory.Yes, ends: ends, reason: reason + ", in grace until " + dayOf(ends)}
}

func (j *Judge) inGrace(r *Rule, p *directory.Person) grace {
	return j.neverSignedIn(r, p).or(j.newHolder(r.License, p)).or(j.enabledAgain(r.License, p))
}

// neverSignedIn spares somebody who is too new for never having signed in to count.
func (j *Judge) neverSignedIn(r *Rule, p *directory.Person) grace {
	days := j.policy.Grace.NeverSignedIn
	if days == 0 || len(r.when.activity) == 0 {
		return grace{flag: directory.No}
	}
	_, never := newestOf(r.when.activity, p)
	created := j.policy.attributes["created"].of(p)
	if never == directory.No {
		return grace{flag: directory.No}
	}
	if created.State == directory.Known {
		g := j.since(created.Time, days, "never "+verb(r.when.activity).past+"; new account")
		if g.flag == directory.No || never == directory.Yes {
			return g
		}
	}
	return grace{flag: directory.Unset, unknown: func(all *gaps) {
		created := j.policy.attributes["created"]
		for _, a := range addNew(slices.Clone(r.when.activity), created) {
			if v := a.of(p); v.State == directory.Unknown || v.State == directory.NoneSince || a == created && v.State == directory.None {
				all.add(a.name, a.name, a.gap(p))
			}
		}
	}}
}

// newHolder spares somebody who got the license lately. Of several paths the oldest
// counts.
func (j *Judge) newHolder(l *License, p *directory.Person) grace {
	days := j.policy.Grace.NewHolder
	if days == 0 || l.holders == nil && p.Entra == nil {
		return grace{flag: directory.No} // who has no account is no holder, or the verdict is unknown for it
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
		all.add(name, name, "is held since nobody knows when: lastUpdatedDateTime of its assignment was not read")
	}}
}

// heldSince returns the oldest date of the paths that give a product, or of all its paths
// when none gives it. It is zero when no path has one. known tells that no path is without
// a date.
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

// enabledAgain spares somebody whose account was blocked, or not there, until lately.
// An account that every reading saw enabled counts as enabled for long: otherwise a
// new store could do nothing for as long as the grace lasts.
func (j *Judge) enabledAgain(l *License, p *directory.Person) grace {
	days, source := j.policy.Grace.EnabledAgain, directory.Entra
	if l.holders != nil {
		source = l.holders.Ref.Source
	}
	if days == 0 {
		return grace{flag: directory.No}
	}
	since, enabled := p.EnabledSince(source)
	switch {
	case enabled == directory.Unset:
		return grace{flag: directory.Unset, unknown: func(all *gaps) {
			name := "the account in " + source.String()
			all.add(name, name, "is enabled since nobody knows when: whether it is was not read")
		}}
	case enabled == directory.No, since.IsZero():
		return grace{flag: directory.No}
	}
	return j.since(since, days, "the account was first seen enabled on "+dayOf(since))
}

// GivingGroups returns the GroupRef.Keys of the groups of a source for which newHolder
// needs the start of each membership. Neither directory records it.
func (p *Policy) GivingGroups(source directory.Source) (keys []string) {
	for _, l := range p.Licenses {
		if p.Grace.NewHolder > 0 && l.holders != nil && l.holders.Ref.Source == source {
			keys = append(keys, l.holders.key)
		}
	}
	return keys
}
