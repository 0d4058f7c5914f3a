// Package entrance says where a deployment may be asked for what. Each entrance is a state machine of its own with the
// same definition, so that IAM tells the callers apart. The definition of each has the name of its entrance, which no
// input can change.
package entrance

import (
	"errors"
	"fmt"
	"slices"
)

// Name is the name of an entrance.
type Name string

// These are the entrances.
const (
	Plan     Name = "plan"     // makes plans, and applies nothing
	Nightly  Name = "nightly"  // only the schedule may start it; in mode enforce it applies its plan
	Approve  Name = "approve"  // applies an approved plan, or what the rules decide about one person
	Override Name = "override" // applies an approved plan whose limits hold it
	Restore  Name = "restore"  // restores what was taken
)

// Wish is what a request asks for.
type Wish string

// These are the wishes.
const (
	PlanEverybody Wish = "a plan for everybody"
	PlanOne       Wish = "a plan for one person"
	ChangeOne     Wish = "the changes of one person"
	ApplyPlan     Wish = "the application of a plan"
	ApplyHeldPlan Wish = "the application of a plan on hold"
	RestoreRun    Wish = "a restore"
)

// wishes has what may be asked at each entrance.
var wishes = map[Name][]Wish{
	Plan:     {PlanEverybody, PlanOne},
	Nightly:  {PlanEverybody},
	Approve:  {ChangeOne, ApplyPlan},
	Override: {ApplyHeldPlan},
	Restore:  {RestoreRun},
}

// ErrElsewhere is returned for a wish that belongs to another entrance.
var ErrElsewhere = errors.New("this is the wrong entrance")

// Admit returns ErrElsewhere when the entrance n is not for the wish.
func (n Name) Admit(w Wish) error {
	if slices.Contains(wishes[n], w) {
		return nil
	}
	return fmt.Errorf("%w: %s is not for %s; use %s, and the right to start it", ErrElsewhere, n, w, For(w))
}

// For returns the entrance at which an operator asks for something.
func For(w Wish) Name {
	for _, n := range []Name{Plan, Approve, Override, Restore} {
		if slices.Contains(wishes[n], w) {
			return n
		}
	}
	return ""
}

// Machine returns the name of the entrance's state machine in a deployment. The entrance of plans has the deployment's
// own name.
func (n Name) Machine(deployment string) string {
	if n == Plan {
		return deployment
	}
	return deployment + "-" + string(n)
}
