// Package entrance defines the entrances of a deployment. An entrance is a state machine that accepts only some kinds
// of request, so that IAM can allow a caller to start only some entrances. All entrances run the same steps. The
// definition of each state machine has the name of its entrance, so no input can change the name.
package entrance

import (
	"errors"
	"fmt"
	"slices"
)

// Name is the name of an entrance, as it is in the definition of the state machine.
type Name string

// These are the entrances.
const (
	Plan     Name = "plan"     // makes plans and applies none
	Nightly  Name = "nightly"  // makes a plan and, in mode enforce, applies it; only the schedule may start this entrance
	Approve  Name = "approve"  // applies an approved plan, makes the changes of one person, or accepts the sources as they are
	Override Name = "override" // applies an approved plan that is on hold because it exceeds limits
	Restore  Name = "restore"  // restores licenses that a run took
)

// Wish is the kind of work that a request asks for.
type Wish string

// The wishes. Their text is in the error of Admit.
const (
	PlanEverybody Wish = "a plan for everybody"
	PlanOne       Wish = "a plan for one person"
	// AcceptFeeds changes later runs even if nobody applies the plan: they no longer doubt the accepted data. A nightly
	// run in mode enforce may then take licenses that it did not take before, so the entrance Plan refuses this wish.
	AcceptFeeds   Wish = "a plan that accepts the sources as they are"
	ChangeOne     Wish = "the changes of one person"
	ApplyPlan     Wish = "the application of a plan"
	ApplyHeldPlan Wish = "the application of a plan on hold"
	RestoreRun    Wish = "a restore"
)

var wishes = map[Name][]Wish{
	Plan:     {PlanEverybody, PlanOne},
	Nightly:  {PlanEverybody},
	Approve:  {AcceptFeeds, ChangeOne, ApplyPlan},
	Override: {ApplyHeldPlan},
	Restore:  {RestoreRun},
}

// ErrElsewhere means that an entrance does not accept a request of this kind (type Wish).
var ErrElsewhere = errors.New("this is the wrong entrance")

// Admit returns ErrElsewhere if the entrance n does not accept the wish.
func (n Name) Admit(w Wish) error {
	if slices.Contains(wishes[n], w) {
		return nil
	}
	return fmt.Errorf("%w: %s is not for %s; use %s, and the right to start it", ErrElsewhere, n, w, For(w))
}

// For returns the entrance that an operator must start for a wish, or "" if no entrance accepts it.
func For(w Wish) Name {
	for _, n := range []Name{Plan, Approve, Override, Restore} {
		if slices.Contains(wishes[n], w) {
			return n
		}
	}
	return ""
}

// Machine returns the name of the entrance's state machine in a deployment. For the entrance Plan, this is the name of
// the deployment.
func (n Name) Machine(deployment string) string {
	if n == Plan {
		return deployment
	}
	return deployment + "-" + string(n)
}
