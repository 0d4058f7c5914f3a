package gate

import (
	"slices"

	"github.com/idleseat/idleseat/shared/plan"
)

// The type "rungs" has the licenses that the plan does not restore, because it restores the license in place of which
// a run gave them. E3 was changed to Exchange Online, for example, and later a run took Exchange Online, too. If the
// person returns, the plan restores E3 alone. If E3 cannot be restored, the next plan restores both, so that the person
// is not left with nothing. The value is the other license.
type rungs map[rung]string

type rung struct{ user, license string }

// The method "add" adds a decision that can be carried out. A restore that failed in the last run does not count,
// because it may fail again.
func (r rungs) add(d *plan.Decision) {
	if d.RestoreOf != "" && d.To != "" && d.Setbacks == 0 {
		r[rung{d.User, d.To}] = d.License
	}
}

// The method "choose" returns the changes without those that are not needed. It forgets the licenses whose better
// license the changes do not restore.
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
