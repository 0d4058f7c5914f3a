package plan

import (
	"slices"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Via is the name of a target. Changes, the ledger and stored plans have it.
type Via string

// target is a place in which people hold licenses and in which licenses are given and taken. This is the half of it that
// asks no directory. The half in shared/workflow/apply/target.go reads, gives and takes under the same name. A target
// has one file here and one there.
type target interface {
	via() Via
	// how completes the sentence "The license is held …".
	how() string
	// writtenIn is the directory in which the target is written. The relay writes Active Directory.
	writtenIn() directory.Source
	// may reports whether the policy lets people hold a license there.
	may(l *policy.License) bool
	// held returns by which groups a holder of a license holds it there: object ids in Entra ID, or distinguished names.
	// A direct assignment is the group "". It is empty for a person who does not hold the license there.
	held(t *Tenant, p *directory.Person, l *policy.License) (groups []string)
	// route returns how a license that is held by a group is changed. The refusal says why it cannot be changed safely.
	// It is empty when it can.
	route(t *Tenant, p *directory.Person, r *policy.Rule, group string) (route Route, refusal string)
	// unfit returns why a person can be given no license there. It is empty when nothing is known to be in the way.
	unfit(p *directory.Person) string
}

// targets lists the targets. People hold a license in at most one of the last two, as the policy says.
var targets = []target{direct{}, entraGroup{}, adGroup{}}

// Targets returns the names of all targets.
func Targets() (names []Via) {
	for _, t := range targets {
		names = append(names, t.via())
	}
	return names
}

// target returns nil when this version does not know the target.
func (v Via) target() target {
	if i := slices.IndexFunc(targets, func(t target) bool { return t.via() == v }); i >= 0 {
		return targets[i]
	}
	return nil
}

// Known reports whether this version writes the target.
func (v Via) Known() bool { return v.target() != nil }

// WrittenIn returns the directory in which the target is written. It is Entra ID for an unknown target.
func (v Via) WrittenIn() directory.Source {
	if t := v.target(); t != nil {
		return t.writtenIn()
	}
	return directory.Entra
}

// May reports whether the policy lets people hold a license in the target.
func (v Via) May(l *policy.License) bool {
	t := v.target()
	return t != nil && t.may(l)
}

// Unfit returns why the person can be given no license by the route. It is empty when nothing is known to be in the way.
func (r *Route) Unfit(p *directory.Person) string {
	if t := r.Via.target(); t != nil {
		return t.unfit(p)
	}
	return ""
}
