// Command idleseat takes back the paid software seats nobody uses. It runs on
// one machine the same steps that the functions run in AWS: read, decide, plan,
// apply, explain.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/idleseat/idleseat/shared/apply"
	"github.com/idleseat/idleseat/shared/collect"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/gate"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/report"
	"github.com/idleseat/idleseat/shared/snapshot"
)

// The exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1 // store, damaged snapshot, a source without which nothing can be decided
	exitUsage  = 2 // wrong usage, policy, tenant or unknown user; no run was made
	exitHeld   = 3 // held or refused by a safety check
)

type commands struct {
	Plan       planCmd       `cmd:"" help:"Read both directories and plan the changes. Changes nothing."`
	Apply      applyCmd      `cmd:"" help:"Apply the plan of a run."`
	Approve    approveCmd    `cmd:"" help:"Approve the plan of a run that a deployment in AWS made; it is applied there."`
	Reevaluate reevaluateCmd `cmd:"" help:"Read one user afresh from both directories and explain the verdicts."`
	Restore    restoreCmd    `cmd:"" help:"Put back what was taken, from one user or by a whole run."`
	Explain    explainCmd    `cmd:"" help:"Explain the verdicts on one user from the latest snapshot."`
	Policy     policyCmd     `cmd:"" help:"Check a policy file, or test it with golden users."`
	Demo       demoCmd       `cmd:"" help:"Run the whole chain against a simulated company. No account, no network."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// app is what commands need of the process.
type app struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

func main() {
	tuneGC()
	signal.Ignore(syscall.SIGPIPE) // a reader that leaves (| head) is an error of the write, and we clean up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(&app{ctx, os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// tuneGC lets the collector run less often: memory is bounded by partitions, not
// by people, and far below the limit set here.
func tuneGC() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(160 << 20)
}

// run parses and runs one command and gives the exit status.
func run(a *app, args []string) (status int) {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("idleseat"),
		kong.Description("Take the paid seats nobody sits on, and never one that somebody needs."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
	)
	if err != nil {
		panic(err) // the command grammar itself is wrong: seen by every test
	}
	ctx, err := parser.Parse(args)
	if exited { // --help
		return status
	}
	if err != nil {
		return a.fail(usageError{fmt.Errorf("%w; see idleseat --help", err)})
	}
	return a.fail(ctx.Run(a))
}

// usageError is a command line or environment that cannot be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// heldError ends a command whose plan is held: everything was written, the
// reasons are for stderr.
type heldError struct{ reasons []string }

func (e heldError) Error() string {
	text := "held:"
	for _, r := range e.reasons {
		text += "\n  " + r
	}
	return text
}

// fail prints an error, if there is one, and gives the exit status.
func (a *app) fail(err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(a.stderr, "idleseat: %s\n", clean(err.Error()))
	var usage usageError
	var faults policy.Faults
	var held heldError
	switch {
	case errors.As(err, &held), errors.Is(err, apply.ErrRefused), errors.Is(err, gate.ErrRefused):
		return exitHeld
	case errors.As(err, &usage), errors.As(err, &faults), errors.Is(err, collect.ErrPolicy),
		errors.Is(err, directory.ErrNoPerson), errors.Is(err, directory.ErrAmbiguousPerson), errors.Is(err, decision.ErrUnknownUser),
		errors.Is(err, snapshot.ErrUnknownRun), errors.Is(err, report.ErrNoPlan), errors.Is(err, gate.ErrNothing):
		return exitUsage
	default:
		return exitFailed
	}
}
