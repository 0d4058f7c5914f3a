package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// grace says whether a person had too little time to use what they were given. When that is not known, unknown names
// what was not read.
type grace struct {
	flag    directory.Flag
	ends    time.Time
	reason  string // why the person has grace
	unknown func(*gaps)
}

// or combines two graces. When both hold, it returns the one that ends last. When one is unknown and the other does not
// hold, it returns the unknown one.
func (g grace) or(o grace) grace {
	switch {
	case o.flag == directory.No, g.flag == directory.Yes && !o.ends.After(g.ends): // an unknown grace has no end
		return g
	case g.flag == directory.Unset && o.flag == directory.Unset:
		first, second := g.unknown, o.unknown
		g.unknown = func(all *gaps) { first(all); second(all) }
		return g
	}
	return o
}

// since returns the grace that lasts days after an instant.
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

// neverSignedIn spares a person whose account is too new for a missing sign-in to count.
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

// newHolder spares a person who got the license lately. When several paths give it, the oldest counts.
func (j *Judge) newHolder(l *License, p *directory.Person) grace {
	days := j.policy.Grace.NewHolder
	if days == 0 || l.holders == nil && p.Entra == nil {
		return grace{flag: directory.No} // without an account the person is no holder, or already undecided
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

// heldSince returns the oldest date of the paths that give the product, or of all its paths when none gives it. It is
// zero when no path has a date. known reports whether every path has a date.
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

// enabledAgain spares a person whose account was disabled, or missing, until lately. An account that every reading saw
// enabled counts as enabled for long. Otherwise a new store could change nothing until the grace is over.
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
			all.add(name, name, "has been enabled for an unknown time: accountEnabled was not read")
		}}
	case enabled == directory.No, since.IsZero():
		return grace{flag: directory.No}
	}
	return j.since(since, days, "the account was first seen enabled on "+dayOf(since))
}

// GivingGroups returns the GroupRef.Keys of a source's groups for which newHolder needs the start of each membership.
// No directory records that start.
func (p *Policy) GivingGroups(source directory.Source) (keys []string) {
	for _, l := range p.Licenses {
		if p.Grace.NewHolder > 0 && l.holders != nil && l.holders.Ref.Source == source {
			keys = append(keys, l.holders.key)
		}
	}
	return keys
}
