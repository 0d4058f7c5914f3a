package apply

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// The method "one" makes a single change. A failure does not stop the changes of other people, and neither does a
// panic.
func (j *job) one(ctx context.Context, c *plan.Change, e reading) (r runs.Result) {
	defer func() {
		if fault := recover(); fault != nil {
			r = j.broken(ctx, c, plain.Fault(fault))
		}
	}()
	return j.change(ctx, c, e)
}

// broken returns the result of a change that hit a bug of idleseat. If the ledger shows that the change has begun, the
// change stays pending, and the next call continues it.
func (j *job) broken(ctx context.Context, c *plan.Change, fault string) runs.Result {
	last, err := j.ledger.Latest(ctx, c.User, c.License)
	if err == nil && (last == nil || last.Run != j.plan.Run || last.Completion != nil) {
		return runs.ResultOf(c, runs.Failed, "nothing was begun: "+fault)
	}
	r := runs.ResultOf(c, runs.Pending, "it may be half-way, run apply again: "+fault)
	r.Retry = true
	return r
}

// unbelieved reports whether err means that the person's ledger forbids a change. The reason is a pending change or a
// damaged object.
func unbelieved(err error) bool {
	return errors.Is(err, ledger.ErrBlocked) || errors.Is(err, ledger.ErrDamaged)
}
