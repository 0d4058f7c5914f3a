package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/card"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
)

// HalfWay lists the changes of earlier runs that return a license and are not finished. A night that fails before it
// has a plan finishes none of them, so its message names them. An operator can finish each with a restore for one
// person, which needs neither dates nor a policy.
func HalfWay(ctx context.Context, s store.Store, now time.Time) ([]plan.Begun, error) {
	past, err := history.Now(ctx, s, now)
	if err != nil {
		return nil, err
	}
	j := &judgement{Run: &decision.Run{Begin: &snapshot.Begin{}, History: past}, store: s, plan: &plan.Plan{}, lost: map[string]error{}}
	all, err := j.begun(ctx)
	if err != nil {
		return nil, fmt.Errorf("find what earlier runs left half-way: %w", err)
	}
	return slices.DeleteFunc(all, func(b plan.Begun) bool { return !b.Back }), nil
}

// Unfinished is a change of an earlier run that returns a license and is not finished.
type Unfinished struct {
	Run  string `json:"run"`
	User string `json:"user"` // object id or SID
}

// mostUnfinished is the largest number of unfinished changes that a state and a message list.
const mostUnfinished = 10

// Left records in the state the changes that a failed execution leaves half-way. If err is not nil, it says why these
// changes are not known.
func (o *StepOutput) Left(all []plan.Begun, err error) {
	if err != nil {
		o.NotListed = plain.Nameless(err.Error(), plain.IsID)
	}
	o.Begun = len(all)
	o.list(all)
}

// The method "list" adds changes to the list of unfinished changes. Changes of one person by one run have one entry,
// because one restore ends them all.
func (o *StepOutput) list(all []plan.Begun) {
	for _, b := range all {
		if u := (Unfinished{b.Run, b.User}); len(o.Unfinished) < mostUnfinished && !slices.Contains(o.Unfinished, u) {
			o.Unfinished = append(o.Unfinished, u)
		}
	}
}

// The method "begun" returns the facts about the changes that earlier runs began.
func (l *letter) begun() (lines []card.Fact) {
	o := l.out
	add := func(heading, format string, args ...any) {
		lines = append(lines, card.Fact{Heading: heading, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case sum(o.Resumed) > 0:
		add("Earlier", "begun by earlier runs: %s", statuses(o.Resumed))
	case o.Stuck == 0 && len(o.Unfinished) > 0:
		add("Half-way", "begun to return a license and not finished: %s; each command below finishes those of one run and one person, without a plan", plain.Many(o.Begun, "change"))
	case o.NotListed != "":
		add("Half-way", "not known, since the store could not be read: %s", o.NotListed)
	case o.Begun > o.Stuck:
		add("Earlier", "begun by earlier runs and not finished: %s", plain.Many(o.Begun-o.Stuck, "change"))
	}
	if o.Stuck > 0 {
		why := map[bool]string{true: "mode audit", false: "their runs cannot go on"}[o.Mode == policy.Audit]
		add("Half-way", "begun by earlier runs, and no run finishes them (%s): %s", why, plain.Many(o.Stuck, "change"))
	}
	return lines
}

// The method "stuck" says what ends the changes that no run finishes.
func (l *letter) stuck() string {
	if l.out.Mode == policy.Audit {
		return "In mode audit nothing is written, so these changes wait. Set mode review in the policy, or restore what their runs took."
	}
	return "Changes of earlier runs are half-way, and these runs cannot go on. Restore what they took."
}

// The method "finish" returns a command for each change that an operator can end with a restore. A restore gives back
// everything that the run took from the person, and not only the license that is half-way.
func (l *letter) finish() (steps []card.Step) {
	for _, u := range l.out.Unfinished {
		steps = append(steps, card.Step{To: "To restore all that the run took from this person, also what is half-way", Command: l.at.Hints.Restore(u.Run, u.User)})
	}
	return steps
}
