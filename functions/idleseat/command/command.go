// Package command is the command line of idleseat. It runs the steps of the AWS functions on one machine: read, decide,
// plan, apply, explain. It reaches the machine only through a Process, so that a simulated company can call it too.
package command

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

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// These are the exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1 // store, damaged snapshot, or a source that every decision needs
	exitUsage  = 2 // wrong usage, policy, tenant or unknown user; no run was made
	exitHeld   = 3 // held or refused by a safety check
	// The next two are of the command run alone.
	exitPending = 4 // changes are pending; the next run goes on with them
	exitUnread  = 5 // a source could not be read
)

type commands struct {
	Run        runCmd        `cmd:"" help:"One night on this machine: plan, finish what is pending, and apply as the mode of the policy allows."`
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

// Process is what commands need from the machine.
type Process struct {
	Context context.Context
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Clock   clock.Clock
	// Variable looks up a variable of the environment.
	Variable func(name string) (value string, set bool)
	// OpenStore opens the store of a folder or s3://bucket/prefix.
	OpenStore func(ctx context.Context, location string) (store.Store, error)
	// Version is the version of the tool that plans name.
	Version string

	json   io.Writer // writes JSON to stdout
	screen io.Writer // writes to stderr unfiltered, for output that moves the cursor on purpose
}

// Main runs the command of this process with its terminal and environment, and returns the exit status.
func Main(version string, by clock.Clock) int {
	tuneGC()
	signal.Ignore(syscall.SIGPIPE) // when the reader of a pipe ends (| head), the write fails and the command cleans up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := Process{
		Context: ctx, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Clock: by, Variable: os.LookupEnv, OpenStore: store.Open, Version: version,
	}
	return a.Run(os.Args[1:])
}

// tuneGC makes the garbage collector run less often. The memory depends on the size of a partition, not on the number
// of people. It stays far below the limit that is set here.
func tuneGC() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(144 << 20)
}

// Run parses and runs one command. It returns the exit status. Everything that it prints passes through package plain,
// because anybody may have written a name in a directory.
func (a *Process) Run(args []string) int {
	shown := *a
	shown.Stdout, shown.Stderr, shown.json, shown.screen = plain.Text(a.Stdout), plain.Text(a.Stderr), plain.JSON(a.Stdout), a.Stderr
	return shown.parsed(args)
}

func (a *Process) parsed(args []string) (status int) {
	var c commands
	exited := false
	parser, err := kong.New(&c,
		kong.Name("idleseat"),
		kong.Description("Take the paid seats nobody sits on, and never one that somebody needs."),
		kong.Writers(a.Stdout, a.Stderr),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
		kong.PostBuild(a.presets),
	)
	if err != nil {
		panic(err) // the command grammar itself is wrong, which every test would show
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

// presets gives each flag the value of its variable of the environment.
func (a *Process) presets(k *kong.Kong) error {
	return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, name := range flag.Envs {
				if value, set := a.Variable(name); set {
					flag.Default, flag.HasDefault = value, true
				}
			}
		}
		return next(nil)
	})
}

// usageError is a command line or environment that cannot be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// onHoldError ends a command with a plan on hold. Everything was written. The reasons go to stderr.
type onHoldError struct{ reasons []string }

func (e onHoldError) Error() string {
	text := "held:"
	for _, r := range e.reasons {
		text += "\n  " + oneLine(r)
	}
	return text
}

// endError ends a command with a status of its own.
type endError struct {
	status int
	error
}

func (e endError) Unwrap() error { return e.error }

// fail prints an error, if there is one, and returns the exit status.
func (a *Process) fail(err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(a.Stderr, "idleseat: %s\n", err.Error())
	var end endError
	var usage usageError
	var faults policy.Faults
	var held onHoldError
	switch {
	case errors.As(err, &end):
		return end.status
	case errors.As(err, &held), errors.Is(err, runs.ErrRefused):
		return exitHeld
	case errors.As(err, &usage), errors.As(err, &faults), errors.Is(err, collect.ErrPolicy),
		errors.Is(err, directory.ErrNoPerson), errors.Is(err, directory.ErrAmbiguousPerson), errors.Is(err, decision.ErrUnknownUser),
		errors.Is(err, snapshot.ErrUnknownRun), errors.Is(err, runs.ErrNoPlan), errors.Is(err, restore.ErrNothing):
		return exitUsage
	default:
		return exitFailed
	}
}
