package gate

import (
	"slices"

	"github.com/idleseat/idleseat/shared/plan"
)

// The type "rungs" has licenses that runs gave to people in place of better ones. A key is a person with the lesser
// license, and its value is the better license. For example, a run changed E3 to Exchange Online, and a later run took
// Exchange Online. When the person returns, the plan restores E3 alone. If E3 cannot be restored, the next plan
// restores both.
type rungs map[rung]string

type rung struct{ user, license string }

// The method "add" adds a decision if it restores a license in whose place the person got a lesser one. A restore that
// failed in the last run does not count, because it may fail again.
func (r rungs) add(d *plan.Decision) {
	if d.RestoreOf != "" && d.To != "" && d.Setbacks == 0 {
		r[rung{d.User, d.To}] = d.License
	}
}

// The method "choose" removes the restore of a lesser license from the changes if they also restore the better license
// in whose place the person got it. It also deletes each entry of r whose better license the changes do not restore.
func (r rungs) choose(changes []plan.Change) []plan.Change {
	restored := map[rung]bool{}
	for _, c := range changes {
		if c.RestoreOf != "" {
			restored[rung{c.User, c.License}] = true
		}
	}
	for lower, better := range r {
		if !restored[rung{lower.user, better}] {
			delete(r, lower)
		}
	}
	return slices.DeleteFunc(changes, func(c plan.Change) bool { return c.RestoreOf != "" && r[rung{c.User, c.License}] != "" })
}

// The method "refusal" returns why the plan does not restore a license, or "" if no better license is restored.
func (r rungs) refusal(d *plan.Decision) string {
	if better := r[rung{d.User, d.License}]; better != "" && d.RestoreOf != "" {
		return "not restored: it was given in place of " + better + ", which is restored"
	}
	return ""
}
