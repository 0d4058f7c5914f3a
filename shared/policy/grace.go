package policy

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// The type "grace" says whether a person had too little time to use a license. If the flag is Unset, the function
// "unknown" adds to its argument the values that were not read.
type grace struct {
	flag    directory.Flag
	ends    time.Time
	reason  string // why the person has grace
	unknown func(*gaps)
}

// The method "or" returns the known grace that ends later. If none is known and one may apply, the flag is Unset.
func (g grace) or(o grace) grace {
	switch {
	case o.flag == directory.No, g.flag == directory.Yes && !o.ends.After(g.ends): // the end of an unknown grace is zero
		return g
	case g.flag == directory.Unset && o.flag == directory.Unset:
		first, second := g.unknown, o.unknown
		g.unknown = func(all *gaps) { first(all); second(all) }
		return g
	}
	return o
}

// The method "since" returns a grace of some days from a time. If the grace is over, the flag is No.
func (j *Judge) since(at time.Time, days int, reason string) grace {
	ends := at.Add(time.Duration(days) * day)
	if !ends.After(j.now) {
		return grace{flag: directory.No}
	}
	return grace{flag: directory.Yes, ends: ends, reason: reason + ", in grace until " + dayOf(ends)}
}

func (j *Judge) inGrace(r *Rule, p *directory.Person) grace {
	return j.neverSignedIn(r, p).or(j.newHolder(r.License, p)).or(j.enabledAgain(r.License, p)).or(j.afterLeave(r, p))
}

// neverSignedIn gives grace to a person who never signed in and whose account is new. It also gives grace to a person
// whose hire date is recent or in the future, and who has not signed in since. A company may create or enable the
// account weeks before the first day (Microsoft Graph, user resource type, employeeHireDate: "the date and time when
// the user was hired or will start work if there is a future hire"). A person who is hired again may have signed in
// years ago. Only Entra ID has the hire date. If an Entra account may exist but was not read, or if the hire date is in
// doubt, the grace is unknown.
func (j *Judge) neverSignedIn(r *Rule, p *directory.Person) grace {
	days := j.policy.Grace.NeverSignedIn
	if days == 0 || len(r.when.activity) == 0 {
		return grace{flag: directory.No}
	}
	g := j.notUsedYet(r, p, days)
	if g.flag == directory.No && p.Entra != nil && p.Entra.HiredInDoubt {
		return grace{flag: directory.Unset, unknown: func(all *gaps) { all.add("hired", "the hire date", hiresLost) }}
	}
	if g.flag == directory.No && p.Entra == nil && p.EntraState != directory.NoAccount {
		return grace{flag: directory.Unset, unknown: func(all *gaps) {
			if len(all.names) == 0 { // left out if another value is unknown, because that value is a sufficient reason
				all.add("hired", "the hire date", "is not known: "+sourceGap(directory.Entra, p))
			}
		}}
	}
	return g
}

// The method "notUsedYet" computes the grace of neverSignedIn from the accounts that were read. The parameter "days" is
// the length of the grace.
func (j *Judge) notUsedYet(r *Rule, p *directory.Person, days int) grace {
	newest, never := newestOf(r.when.activity, p)
	created := j.policy.attributes["created"].of(p)
	switch hired := p.Entra != nil && p.Entra.Hired.After(newest); {
	case never == directory.No && hired:
		return j.since(p.Entra.Hired, days, "never "+verb(r.when.activity).past+" since the hire on "+dayOf(p.Entra.Hired))
	case never == directory.No:
		return grace{flag: directory.No}
	}
	if created.State == directory.Known {
		begins, why := created.Time, "new account"
		if p.Entra != nil && p.Entra.Hired.After(begins) {
			begins, why = p.Entra.Hired, "hired on "+dayOf(p.Entra.Hired)
		}
		g := j.since(begins, days, "never "+verb(r.when.activity).past+"; "+why)
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

// enabledAgain gives grace to a person whose account was disabled or missing until recently. An account that was
// enabled in each reading so far gives no grace. Otherwise, the first run with a new store would give grace to
// everybody.
func (j *Judge) enabledAgain(l *License, p *directory.Person) grace {
	days, source := j.policy.Grace.EnabledAgain, l.Source()
	if days == 0 {
		return grace{flag: directory.No}
	}
	since, enabled := p.EnabledSince(source)
	switch {
	case enabled == directory.Unset:
		return grace{flag: directory.Unset, unknown: func(all *gaps) {
			name := "the account in " + source.String()
			switch {
			case source == directory.AD && p.AD != nil && fieldGaps(all, p, directory.Enabling...):
			case p.State(source) == directory.Present:
				all.add(name, name, "has been enabled for an unknown time: accountEnabled was not read")
			case len(all.names) == 0: // left out if another value is unknown, because that value is a sufficient reason
				all.add(name, name, "is not known: "+sourceGap(source, p))
			}
		}}
	case enabled == directory.No, since.IsZero():
		return grace{flag: directory.No}
	}
	return j.since(since, days, "the account was first seen enabled on "+dayOf(since))
}
