package policy

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
)

type listed struct {
	key    string // the name in lower case
	entry  string // the name as the policy writes it
	always bool
	leave  []*Leave
}

// The method "matters" reports whether the entry protects a person. A leave matters for the time "rest" after its end,
// too (Policy.leaveRest).
func (l *listed) matters(now time.Time, rest time.Duration) bool {
	return l.always || slices.ContainsFunc(l.leave, func(leave *Leave) bool { return now.Before(leave.Until.Add(rest)) })
}

func (e *exemptions) index(public *Exemptions) {
	e.listed = map[string]*listed{}
	entry := func(user string) *listed {
		key := strings.ToLower(user)
		if e.listed[key] == nil {
			e.listed[key] = &listed{key: key, entry: user}
		}
		return e.listed[key]
	}
	for _, user := range public.Users {
		entry(user).always = true
	}
	for i := range public.Leave {
		one := entry(public.Leave[i].User)
		one.leave = append(one.leave, &public.Leave[i])
	}
}

// Listed returns the names in exempt.users and exempt.leave that protect a person at the given time, in lower case and
// sorted. A leave protects for some time after its end, too.
func (p *Policy) Listed(now time.Time) (names []string) {
	rest := p.leaveRest()
	for _, key := range slices.Sorted(maps.Keys(p.exempt.listed)) {
		if p.exempt.listed[key].matters(now, rest) {
			names = append(names, key)
		}
	}
	return names
}

// Names finds the people whom the policy lists. It compares the listed names with each name of a person. It also
// compares the ids that earlier runs found for a listed name, and so finds a person whose name has changed. It is not
// safe for concurrent use, because it has buffers.
type Names struct {
	listed map[string]*listed
	byID   map[string][]*listed // by the Entra id or SID from an earlier run, in lower case
	open   bool                 // earlier runs found no account for at least one name
	folded []byte
}

// Names returns the search for the people whom the policy lists. The parameter "earlier" has the accounts that earlier
// runs found, by the listed name in lower case.
func (p *Policy) Names(earlier map[string][]directory.EarlierPerson) *Names {
	n := &Names{listed: p.exempt.listed, byID: map[string][]*listed{}}
	for key, one := range n.listed {
		if len(earlier[key]) == 0 {
			n.open = true
		}
		for _, who := range earlier[key] {
			for _, id := range []string{who.ID, who.SID} {
				if id = strings.ToLower(id); id != "" && !slices.Contains(n.byID[id], one) {
					n.byID[id] = append(n.byID[id], one)
				}
			}
		}
	}
	return n
}

// Keys yields the names and ids by which the method Of finds a person, in lower case. It may yield a key twice.
func (n *Names) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range n.listed {
			if !yield(name) {
				return
			}
		}
		for id := range n.byID {
			if !yield(id) {
				return
			}
		}
	}
}

// Hit is a name in the policy that belongs to one person.
type Hit struct {
	Name string // in lower case
	As   string // the person's name that matches; empty if the person was found by an earlier id
	one  *listed
}

// Of returns the listed names that belong to a person, without duplicates.
func (n *Names) Of(p *directory.Person) (hits []Hit) {
	if len(n.listed) == 0 {
		return nil
	}
	for name := range ownNames(p) {
		if one := n.find(name); one != nil {
			hits = addHit(hits, Hit{one.key, name, one})
		}
	}
	if len(n.byID) == 0 {
		return hits
	}
	for _, id := range []string{p.ID(), p.SID()} {
		for _, one := range n.byID[strings.ToLower(id)] {
			hits = addHit(hits, Hit{Name: one.key, one: one})
		}
	}
	return hits
}

func addHit(hits []Hit, hit Hit) []Hit {
	if slices.ContainsFunc(hits, func(h Hit) bool { return h.one == hit.one }) {
		return hits
	}
	return append(hits, hit)
}

// ownNames yields the names, ids and SIDs of the person's accounts. It may yield one twice.
func ownNames(p *directory.Person) iter.Seq[string] {
	return func(yield func(string) bool) {
		u, a := p.Entra, p.AD
		if u != nil && (!given(yield, u.UserPrincipalName) || !given(yield, u.ID)) {
			return
		}
		if u != nil && a == nil && (!given(yield, u.SAMAccount) || !given(yield, u.SID)) {
			return
		}
		if a == nil || (u == nil || u.UserPrincipalName != a.UserPrincipalName) && !given(yield, a.UserPrincipalName) {
			return
		}
		_ = given(yield, a.SAMAccount) && given(yield, a.SID)
	}
}

func given(yield func(string) bool, name string) bool { return name == "" || yield(name) }

// Nearest returns the person's name that is most similar to the parameter "name", or "". That parameter must be in
// lower case. Nearest also returns the number of different letters. Another domain after the @ counts as two letters.
func Nearest(name string, p *directory.Person) (like string, letters int) {
	local, domain, _ := strings.Cut(name, "@")
	letters = max(2, len(local)/3) + 1
	for own := range ownNames(p) {
		ownLocal, ownDomain, _ := strings.Cut(strings.ToLower(own), "@")
		if len(ownLocal) > len(local)+letters || len(local) > len(ownLocal)+letters || len(own) > maxText {
			continue
		}
		d := plain.Distance(local, ownLocal)
		if domain != ownDomain {
			d += 2
		}
		if d < letters {
			like, letters = own, d
		}
	}
	return like, letters
}

// The method "find" returns the policy's entry for a name, or nil. It ignores case. It does not allocate for ASCII
// names, which almost everybody has.
func (n *Names) find(name string) *listed {
	n.folded = n.folded[:0]
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return n.listed[strings.ToLower(name)]
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		n.folded = append(n.folded, c)
	}
	return n.listed[string(n.folded)]
}

// Follow makes the Judge find people by the ids that earlier runs found. The keys of the map are names in lower case.
func (j *Judge) Follow(earlier map[string][]directory.EarlierPerson) {
	j.names = j.policy.Names(earlier)
}

// The method "listed" reports whether the policy lists the person, by a name or by an id from an earlier run. The flag
// may be Unset if the Entra account was not read, because this account may have a listed name.
func (j *Judge) listed(p *directory.Person) exemption {
	for _, hit := range j.names.Of(p) {
		if hit.one.always {
			return exemption{flag: directory.Yes, user: cmp.Or(hit.As, hit.one.entry+", followed by its id,")}
		}
		for _, leave := range hit.one.leave {
			if j.now.Before(leave.Until) {
				return exemption{flag: directory.Yes, leave: leave}
			}
		}
	}
	if p.Entra == nil && p.EntraState != directory.NoAccount && j.names.open {
		return exemption{flag: directory.Unset}
	}
	return exemption{flag: directory.No}
}
