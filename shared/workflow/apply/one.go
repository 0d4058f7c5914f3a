package apply

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "one" carries out one change. Neither a failure nor a panic stops the changes of other people.
func (j *job) one(ctx context.Context, c *plan.Change, e reading) (r runs.Result) {
	defer func() {
		if fault := recover(); fault != nil {
			r = j.broken(ctx, c, plain.Fault(fault))
		}
	}()
	return j.change(ctx, c, e)
}

// The method "broken" returns the result of a change that caused a panic. If the ledger may have an open entry, the
// change stays pending.
func (j *job) broken(ctx context.Context, c *plan.Change, fault string) runs.Result {
	last, err := j.ledger.Latest(ctx, c.Person(), c.License)
	if err == nil && (last == nil || last.Run != j.plan.Run || last.Completion != nil) {
		return runs.ResultOf(c, runs.Failed, "nothing was begun: "+fault)
	}
	r := runs.ResultOf(c, runs.Pending, "it may be half-way, run apply again: "+fault)
	r.Retry = true
	return r
}

// The function "unbelieved" reports whether err means that the person's ledger forbids a change, because another change
// is pending or an object is damaged.
func unbelieved(err error) bool {
	return errors.Is(err, ledger.ErrBlocked) || errors.Is(err, ledger.ErrDamaged)
}
