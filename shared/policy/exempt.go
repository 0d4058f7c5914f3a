package policy

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types/ref"

	"github.com/idleseat/idleseat/shared/directory"
)

type exemptions struct {
	listed map[string]*listed // by name or id, in lower case
	groups []MemberQuery
	when   *condition
}

// The type "exemption" says whether a person is exempt. At most one of the fields from "user" to "value" is set: the
// one that shows why.
type exemption struct {
	flag     directory.Flag
	user     string       // the listed name
	leave    *Leave       // the leave that is in force
	group    *MemberQuery // the group that the person belongs to, or that could not be read
	kind     string       // the kind of the account, with its evidence
	value    ref.Val      // the unknown or error that CEL returned for the condition
	kindOpen bool
	// lost means that exempt.when reads an attribute whose values may be lost (Judge.DoubtExempt), so that the person
	// may be exempt.
	lost bool
}

// ExemptMoves reports whether the result of exempt.when may change as time passes.
func (p *Policy) ExemptMoves() bool { return p.exempt.when.moves() }

// ExemptAsks returns a key that identifies who can be exempt: the license of the rule, exempt.when, and the kinds of
// the policy. Runs with the same key can compare their numbers of exempt holders (directory.EarlierExempt.Asks).
func (p *Policy) ExemptAsks(r *Rule) string {
	return strings.Join(append([]string{r.License.Name, p.Exempt.When}, p.Kinds...), "\n")
}

// DoubtExempt makes the exemption unknown for people who are not known to be exempt, because an attribute that
// exempt.when reads may be lost.
func (j *Judge) DoubtExempt() { j.exemptLost = true }

// The method "exemption" evaluates the exemptions of the policy. A person is exempt if any of them applies. The flag is
// Unset if none is known to apply, and at least one is unknown or may be lost (DoubtExempt).
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
	if open.flag == directory.No && p.KindOpen() && len(j.policy.Kinds) < len(directory.AccountKinds) {
		return exemption{flag: directory.Unset, kindOpen: true}
	}
	if open.flag == directory.No && j.exemptLost {
		return exemption{flag: directory.Unset, lost: true}
	}
	return open
}
