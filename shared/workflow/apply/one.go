package apply

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// one makes one change. A failure, even a fault of this program, does not stop the
// changes of other people.
func (j *job) one(ctx context.Context, c *plan.Change, e reading) (r runs.Result) {
	defer func() {
		if fault := recover(); fault != nil {
			r = j.broken(ctx, c, faultOf(fault, stack()))
		}
	}()
	return j.change(ctx, c, e)
}

// broken ends a change that met a fault of this program. One that the ledger has as
// begun stays pending: the next call goes on with it.
func (j *job) broken(ctx context.Context, c *plan.Change, fault string) runs.Result {
	last, err := j.ledger.Latest(ctx, c.User, c.License)
	if err == nil && (last == nil || last.Run != j.plan.Run || last.Completion != nil) {
		return runs.ResultOf(c, runs.Failed, "nothing was begun: "+fault)
	}
	r := runs.ResultOf(c, runs.Pending, "it may be half-way, run apply again: "+fault)
	r.Retry = true
	return r
}

// faultOf is what a fault of this program leaves for its makers. It names places in
// the program and nobody's data: a value that is no error of the runtime may hold
// some.
func faultOf(fault any, at []string) string {
	what := fmt.Sprintf("%T", fault)
	if err, ok := fault.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("idleseat has a fault (%s) at %s; report this line to its makers", what, strings.Join(at, " < "))
}

// deepest is how many calls of a stack the report of a fault shows.
const deepest = 12

// stack is where the program was when it broke, the innermost call first.
func stack() (at []string) {
	var counters [deepest + 8]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters[:])])
	for len(at) < deepest {
		f, more := frames.Next()
		if f.File != "" && !strings.HasPrefix(f.Function, "runtime.") {
			at = append(at, fmt.Sprintf("%s %s:%d", filepath.Base(f.Function), filepath.Base(f.File), f.Line))
		}
		if !more {
			break
		}
	}
	return at
}

// unbelieved tells that a change cannot be made because of what the ledger has about
// this person: of a change under way, or an object that is damaged.
func unbelieved(err error) bool {
	return errors.Is(err, ledger.ErrBlocked) || errors.Is(err, ledger.ErrDamaged)
}
