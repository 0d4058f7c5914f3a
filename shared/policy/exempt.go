package policy

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

// exemptions are the policy's exemptions, ready to be asked.
type exemptions struct {
	listed map[string]*listed // by name or id in lower case
	groups []MemberQuery
	when   *condition
}

// listed is somebody the policy names.
type listed struct {
	always bool
	leave  []*Leave
}

func (e *exemptions) index(public *Exemptions) {
	e.listed = map[string]*listed{}
	entry := func(user string) *listed {
		key := strings.ToLower(user)
		if e.listed[key] == nil {
			e.listed[key] = &listed{}
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

// exemption tells whether a person is exempt, and what settled it or left it
// open: at most one of the fields after flag.
type exemption struct {
	flag  directory.Flag
	user  string       // the name that is listed
	leave *Leave       // the leave that runs
	group *MemberQuery // the group the person belongs to, or that could not be asked
	kind  string       // of the account, with the evidence for it
	value ref.Val      // the condition's unknown or error
}

// exemption asks every exemption: one that holds settles it, one that cannot
// be asked leaves it open.
func (j *Judge) exemption(p *directory.Person) exemption {
	open := exemption{flag: directory.No}
	e := &j.policy.exempt
	if len(e.listed) > 0 {
		found := j.listed(p)
		if found.flag == directory.Yes {
			return found
		}
		open = found
	}
	for i := range e.groups {
		switch e.groups[i].has(p) {
		case directory.Yes:
			return exemption{flag: directory.Yes, group: &e.groups[i]}
		case directory.Unset:
			open = exemption{group: &e.groups[i]}
		}
	}
	if e.when != nil {
		switch flag, value := j.eval(e.when, p); flag {
		case directory.Yes:
			return exemption{flag: directory.Yes}
		case directory.Unset:
			open = exemption{value: value}
		}
	}
	if kind, evidence := p.Kind(); !slices.Contains(j.policy.Kinds, kind) {
		return exemption{flag: directory.Yes, kind: strings.TrimSuffix(kind+": "+evidence, ": ")}
	}
	return open
}

// namesOf are the names by which a policy may list a person.
func namesOf(p *directory.Person) (names [3]string) {
	if p.Entra != nil {
		names[0], names[1] = p.Entra.UserPrincipalName, p.Entra.ID
	}
	if p.AD != nil {
		names[2] = p.AD.UserPrincipalName
	}
	return names
}

// listed looks the person up by both names and the object id. Without the
// Entra account the name by which somebody is listed may be missing.
func (j *Judge) listed(p *directory.Person) exemption {
	for _, name := range namesOf(p) {
		one := j.lookUp(name)
		if one == nil {
			continue
		}
		if one.always {
			return exemption{flag: directory.Yes, user: name}
		}
		for _, leave := range one.leave {
			if j.now.Before(leave.Until) {
				return exemption{flag: directory.Yes, leave: leave}
			}
		}
	}
	if p.Entra == nil && p.EntraState != directory.NoAccount || p.AD != nil && p.AD.Hides("userPrincipalName") {
		return exemption{flag: directory.Unset}
	}
	return exemption{flag: directory.No}
}

// lookUp finds a name without regard to case, and without allocating for the
// plain names almost everybody has.
func (j *Judge) lookUp(name string) *listed {
	j.folded = j.folded[:0]
	for i := range len(name) {
		c := name[i]
		if c >= 0x80 {
			return j.policy.exempt.listed[strings.ToLower(name)]
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		j.folded = append(j.folded, c)
	}
	return j.policy.exempt.listed[string(j.folded)]
}
