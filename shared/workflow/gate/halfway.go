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
	for _, b := range all[:min(len(all), mostUnfinished)] {
		o.Unfinished = append(o.Unfinished, Unfinished{b.Run, b.User})
	}
}

// The method "finish" returns, for each change that a failed execution leaves half-way, the command that finishes it.
func (l *letter) finish() (steps []card.Step) {
	for _, u := range l.out.Unfinished {
		steps = append(steps, card.Step{To: "To give a license back that is half-way", Command: l.at.Hints.Restore(u.Run, u.User)})
	}
	return steps
}
