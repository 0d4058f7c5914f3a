package restore

import (
	"context"
	"slices"
	"time"

	"github.com/idleseat/idleseat/shared/history"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The function "stop" ensures that the run whose licenses are restored begins no more changes, for everybody or for one
// person. Call it before the ledger is read. A call of apply that is under way writes an intent first and then looks
// for the stop. So the restore sees the intent, or that call sees the stop. If the request is for one person, the
// result "stopped" is the number of this person's changes in the plan of that run, and "others" has the licenses of the
// other changes there. Otherwise both are empty.
func stop(ctx context.Context, s store.Store, in Request, now time.Time) (stopped int, others map[history.Touch]bool, err error) {
	if in.User == "" {
		return 0, nil, history.Withdraw(ctx, s, in.Of, in.Run, now)
	}
	p, err := runs.GetPlan(ctx, s, in.Of)
	if runs.Gone(err) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	others = map[history.Touch]bool{}
	for _, c := range slices.Concat(p.Changes, p.Notices) {
		if !in.about(c.User, c.SID, c.UserPrincipalName) {
			others[history.Touch{User: c.Person(), License: c.License}] = true
			continue
		}
		if err := history.Stop(ctx, s, in.Of, c.User, in.Run, now); err != nil {
			return 0, nil, err
		}
		stopped++
	}
	return stopped, others, nil
}
