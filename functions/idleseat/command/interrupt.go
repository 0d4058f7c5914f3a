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
// come. If the work can be continued, it also has the command for this.
type interruptedError struct {
	state string
	cause error
}

func (e interruptedError) Error() string { return "interrupted: " + e.state }

func (e interruptedError) Unwrap() error { return e.cause }

// The method "interrupted" reports whether the operator has interrupted the command. A command that ends because
// another run took its lease was not interrupted.
func (a *Process) interrupted() bool {
	return a.Context.Err() != nil && !errors.Is(context.Cause(a.Context), lease.ErrLost)
}

// The method "stopped" returns err unchanged if no interrupt caused err. After an interrupt, it returns an
// interruptedError with the argument "state".
func (a *Process) stopped(err error, state string) error {
	if err == nil || !a.interrupted() {
		return err
	}
	return interruptedError{state, err}
}

// The constant "untouched" is the state of the work of a command that only reads the directories.
const untouched = "nothing was changed in a directory"

// onlyRead lists commands that change nothing in a directory, whatever their flags are. The commands plan and init are
// not in the list, because they handle an interrupt themselves. The command serve is not in the list, because it ends
// without an error.
var onlyRead = []string{"doctor", "explain", "history", "runs", "show", "savings", "backtest"}

// The method "ended" returns the error with which a command ends. If an interrupt stopped a command that only reads,
// the error names the interrupt. It does not name the request that the interrupt stopped.
func (a *Process) ended(command string, err error) error {
	var said interruptedError
	if err == nil || !a.interrupted() || errors.As(err, &said) || !slices.Contains(onlyRead, command) {
		return err
	}
	return interruptedError{untouched, err}
}

// The function "halfway" returns a text that says how many changes of a plan are made. The argument "r" is nil if the
// command has changed nothing. The argument "next" is the command that continues the work.
func halfway(p *plan.Plan, r *runs.Results, next string) string {
	total := len(p.Changes)
	if r == nil || len(r.Results) == 0 {
		return fmt.Sprintf("nothing of run %s was changed, %s not begun; go on with:  %s", p.Run, plain.ManyAre(total, "change"), next)
	}
	state := fmt.Sprintf("of %s of run %s: %s", plain.Many(total, "change"), p.Run, counts(r.Count))
	if rest := total - len(r.Results); rest > 0 {
		state += fmt.Sprintf(", not begun %d", rest)
	}
	return state + "; go on with:  " + next
}
