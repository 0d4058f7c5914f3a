package policy

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
)

// listed is somebody the policy names.
type listed struct {
	key    string // its name in lower case
	entry  string // as the policy writes it
	always bool
	leave  []*Leave
}

// runs reports whether the entry exempts somebody at an instant.
func (l *listed) runs(now time.Time) bool {
	return l.always || slices.ContainsFunc(l.leave, func(leave *Leave) bool { return now.Before(leave.Until) })
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

// Listed returns the names in exempt.users and exempt.leave that exempt somebody at an
// instant, in lower case, sorted.
func (p *Policy) Listed(now time.Time) (names []string) {
	for _, key := range slices.Sorted(maps.Keys(p.exempt.listed)) {
		if p.exempt.listed[key].runs(now) {
			names = append(names, key)
		}
	}
	return names
}

// Names finds the people that the policy lists. It looks for every name by which output
// shows a person, and for the ids that earlier runs found under a name. It keeps
// scratch space and belongs to one goroutine.
type Names struct {
	listed map[string]*listed
	byID   map[string][]*listed // by the Entra id or SID that they were, in lower case
	open   bool                 // of some name it is not known yet whose it is
	folded []byte
}

// Names prepares finding people. earlier are those whom earlier runs found, by name
// in lower case.
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

// Hit is a name of the policy that is a person's.
type Hit struct {
	Name string // in lower case
	As   string // the person's own, by which it was found; empty: followed by the id
	one  *listed
}

// Of returns the names of the policy that are a person's, each once.
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

// ownNames returns the names of a person, some of them twice: user principal names, ids,
// SIDs and account names of both accounts.
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

// Nearest returns the name of a person that is most like a name in lower case, and how many
// letters they differ in; empty when none is like it.
func Nearest(name string, p *directory.Person) (like string, letters int) {
	local, domain, _ := strings.Cut(name, "@")
	letters = max(2, len(local)/3) + 1
	for own := range ownNames(p) {
		ownLocal, ownDomain, _ := strings.Cut(strings.ToLower(own), "@")
		if len(ownLocal) > len(local)+letters || len(local) > len(ownLocal)+letters || len(own) > maxText {
			continue
		}
		d := distance(local, ownLocal)
		if domain != ownDomain {
			d += 2
		}
		if d < letters {
			like, letters = own, d
		}
	}
	return like, letters
}

// find looks a name up without regard to case, and without allocating for the plain
// names that almost everybody has.
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

// Follow has the Judge know people by the ids that earlier runs found under the
// names of the policy, by name in lower case.
func (j *Judge) Follow(earlier map[string][]directory.EarlierPerson) {
	j.names = j.policy.Names(earlier)
}

// listed looks the person up by all names and by the ids that are followed. When the
// Entra account was not read, the listed name may be missing.
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
