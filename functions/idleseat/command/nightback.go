package command

import (
	"slices"

	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/gate"
)

// The method "withoutPlan" ends a night that failed before it had a plan. It finishes the changes of earlier runs that
// return a license, because these need nothing that the night failed to read. In mode audit it finishes none. It prints
// the changes that are then still half-way. After an interrupt it does nothing.
func (n *night) withoutPlan(s store.Store, mode policy.Mode) {
	if n.a.interrupted() {
		return
	}
	if n.findLeft(s); mode != policy.Audit && len(n.left) > 0 {
		p := &plan.Plan{Pending: n.left}
		for _, b := range n.left {
			p.Resumes = append(p.Resumes, b.Run)
		}
		p.Resumes = slices.Compact(p.Resumes) // the changes are sorted by run
		if _, err := resume(n.a, n.line.applier(), p, p.Resumes, "", runs.Back); err != nil {
			n.tell("what returns a license did not go on: %s", err.Error())
		}
		n.findLeft(s)
	}
	n.tellLeft()
}

// The method "findLeft" finds the changes of earlier runs that return a license and are half-way.
func (n *night) findLeft(s store.Store) {
	n.left, n.unlisted = gate.HalfWay(n.a.Context, s, n.a.Clock.Now())
}

// The method "tellLeft" prints the changes of the field "left", with the commands that end them without a plan.
func (n *night) tellLeft() {
	if n.unlisted != nil {
		n.tell("whether changes that return a license are half-way is not known: %s", n.unlisted.Error())
	}
	for _, b := range n.left {
		state := map[bool]string{true: "half-way back since", false: "half-way taken by"}[b.Back]
		n.tell("%s, %s: %s run %s; to restore all that this run took from the person, call:  %s", n.a.person(b.UserPrincipalName, b.User), b.License, state, b.Run, n.next(n.a, "restore --run "+b.Run+" "+b.User))
	}
}
