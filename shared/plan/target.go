package plan

import (
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

// Via is the name of a target, such as "direct", in changes, in the ledger and in stored plans.
type Via string

// The type "target" is a place in which people hold licenses, and in which idleseat gives and takes them: direct
// assignments, Entra groups or Active Directory groups. This interface makes the decisions that need no call to a
// directory. The interface in shared/workflow/apply/target.go calls the directory for the target of the same name. Each
// target has one file in package plan and one in package apply.
type target interface {
	via() Via
	// The method "how" completes the sentence "The license is held …", such as "directly".
	how() string
	// The method "writtenIn" returns the directory in which the target is written. The relay writes the targets in
	// Active Directory.
	writtenIn() directory.Source
	// The method "may" reports whether the policy allows people to hold the license in this target.
	may(l *policy.License) bool
	// The method "held" returns the groups through which a person holds a license in this target: object ids in Entra
	// ID, distinguished names in Active Directory, "" for a direct assignment. It returns nil if the person does not
	// hold the license in this target.
	held(t *Tenant, p *directory.Person, l *policy.License) (groups []string)
	// The method "route" returns the way to change a license that is held through the given group. The result
	// "refusal" says why the license cannot be changed safely, or is "".
	route(t *Tenant, p *directory.Person, r *policy.Rule, group string) (route Route, refusal string)
	// The method "unfit" returns why the person cannot get a license in this target, or "" if no reason is known.
	unfit(p *directory.Person) string
}

// The variable "targets" lists all targets. A policy names at most one group for a license, in Entra ID or in Active
// Directory. So nobody holds the same license in both entraGroup and adGroup.
var targets = []target{direct{}, entraGroup{}, adGroup{}}

// Targets returns the names of all targets.
func Targets() (names []Via) {
	for _, t := range targets {
		names = append(names, t.via())
	}
	return names
}

// The method "target" returns the target with the name v, or nil if this version does not know it.
func (v Via) target() target {
	if i := slices.IndexFunc(targets, func(t target) bool { return t.via() == v }); i >= 0 {
		return targets[i]
	}
	return nil
}

// Known reports whether this version can write the target.
func (v Via) Known() bool { return v.target() != nil }

// WrittenIn returns the directory in which the target is written, or Entra for an unknown target.
func (v Via) WrittenIn() directory.Source {
	if t := v.target(); t != nil {
		return t.writtenIn()
	}
	return directory.Entra
}

// Settling returns how long reads may still show the old state after a write in the target.
func (v Via) Settling() time.Duration {
	if v.WrittenIn() == directory.AD {
		return directory.Replicating
	}
	return directory.Settling
}

// May reports whether the policy allows people to hold the license through the target.
func (v Via) May(l *policy.License) bool {
	t := v.target()
	return t != nil && t.may(l)
}

// Unfit returns why the person cannot get a license by this route, or "" if no reason is known.
func (r *Route) Unfit(p *directory.Person) string {
	if t := r.Via.target(); t != nil {
		return t.unfit(p)
	}
	return ""
}
