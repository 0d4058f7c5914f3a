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
