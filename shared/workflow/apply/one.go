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

// one makes one change. A failure, even a fault of this program, does not stop the changes of other people.
func (j *job) one(ctx context.Context, c *plan.Change, e reading) (r runs.Result) {
	defer func() {
		if fault := recover(); fault != nil {
			r = j.broken(ctx, c, faultOf(fault, stack()))
		}
	}()
	return j.change(ctx, c, e)
}

// broken ends a change that met a fault of this program. A change that the ledger shows as begun stays pending, and the
// next call continues it.
func (j *job) broken(ctx context.Context, c *plan.Change, fault string) runs.Result {
	last, err := j.ledger.Latest(ctx, c.User, c.License)
	if err == nil && (last == nil || last.Run != j.plan.Run || last.Completion != nil) {
		return runs.ResultOf(c, runs.Failed, "nothing was begun: "+fault)
	}
	r := runs.ResultOf(c, runs.Pending, "it may be half-way, run apply again: "+fault)
	r.Retry = true
	return r
}

// faultOf describes a fault of this program for its makers. It names places in the program and no data of people. So it
// gives only the type of a value that is not a runtime error.
func faultOf(fault any, at []string) string {
	what := fmt.Sprintf("%T", fault)
	if err, ok := fault.(runtime.Error); ok {
		what = err.Error()
	}
	return fmt.Sprintf("idleseat has a fault (%s) at %s; report this line to its makers", what, strings.Join(at, " < "))
}

// deepest is how many calls of a stack the report of a fault shows.
const deepest = 12

// stack returns the calls of the program at the fault, the innermost first.
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

// unbelieved reports whether the person's ledger forbids a change. It has a pending change, or a damaged object.
func unbelieved(err error) bool {
	return errors.Is(err, ledger.ErrBlocked) || errors.Is(err, ledger.ErrDamaged)
}
