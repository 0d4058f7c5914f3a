package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/idleseat/idleseat/shared/lease"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
)

// interruptedError is the error after an interrupt (Ctrl-C or SIGTERM). The field "state" says how far the work has
// come, and which command continues it.
type interruptedError struct {
	state string
	cause error
}

func (e interruptedError) Error() string { return "interrupted: " + e.state }

func (e interruptedError) Unwrap() error { return e.cause }

// The method "interrupted" reports whether the operator has interrupted the command. The context of a night also ends
// when another run takes its lease, which is no interrupt.
func (a *Process) interrupted() bool {
	return a.Context.Err() != nil && !errors.Is(context.Cause(a.Context), lease.ErrLost)
}

// The method "stopped" returns the error err. If an operator has interrupted the command, it returns an
// interruptedError with err and the argument "state" in its place. A nil err stays nil.
func (a *Process) stopped(err error, state string) error {
	if err == nil || !a.interrupted() {
		return err
	}
	return interruptedError{state, err}
}

const untouched = "nothing was changed in a directory"

// onlyRead lists commands that change nothing in a directory, whatever their flags are. The commands plan and init are
// not in the list, because they handle an interrupt themselves.
var onlyRead = []string{"doctor", "explain", "history", "runs", "show", "savings", "backtest"}

// The method "ended" returns the error with which a command ends. If an interrupt stopped a command of onlyRead, the
// error names the interrupt, and not the request that was stopped.
func (a *Process) ended(command string, err error) error {
	var said interruptedError
	if err == nil || !a.interrupted() || errors.As(err, &said) || !slices.Contains(onlyRead, command) {
		return err
	}
	return interruptedError{untouched, err}
}

// The function "halfway" returns a text that says how far a plan has come. The argument "r" has the results so far, or
// is nil if the command has not applied the plan. The argument "next" is the command that continues the work.
func halfway(p *plan.Plan, r *runs.Results, next string) string {
	total := len(p.Changes)
	if r == nil || len(r.Results) == 0 {
		state := "nothing of run " + p.Run + " was changed"
		if total > 0 {
			state += ", " + plain.ManyAre(total, "change") + " not begun"
		}
		if len(p.Resumes) > 0 {
			state += ", and what earlier runs began may be half-way"
		}
		return state + "; go on with:  " + next
	}
	state := fmt.Sprintf("of %s of run %s: %s", plain.Many(total, "change"), p.Run, counts(r.Count))
	if rest := total - len(r.Results); rest > 0 {
		state += fmt.Sprintf(", not begun %d", rest)
	}
	return state + "; go on with:  " + next
}
