// Package command is the command line of idleseat. It runs the steps of the AWS functions on one machine. All access to
// the machine goes through a Process, so tests can run commands against a simulated company.
package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/idleseat/idleseat/shared/clock"
	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/plain"
	"github.com/idleseat/idleseat/shared/plain/terminal"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/snapshot"
	"github.com/idleseat/idleseat/shared/source/entra"
	"github.com/idleseat/idleseat/shared/store"
	"github.com/idleseat/idleseat/shared/workflow/collect"
	"github.com/idleseat/idleseat/shared/workflow/restore"
)

// Exit statuses of the commands.
const (
	exitDone   = 0
	exitFailed = 1 // the store, a snapshot or a needed source could not be read; a change or a check of doctor failed
	exitUsage  = 2 // wrong usage, policy, tenant or user; no run was made
	exitHeld   = 3 // the plan is on hold; a safety check refused the command; doctor could not find something out
	// Only "idleseat run" ends with the following statuses.
	exitPending = 4 // changes are pending; the next run continues them
	exitUnread  = 5 // a source could not be read
)

// The parser kong fills the type "commands". The fields of a command's type are its flags and arguments. kong calls the
// method Run of that type with the Process.
type commands struct {
	Init       initCmd       `cmd:"" help:"Write a first policy from what the tenant has. Changes nothing in a directory."`
	Doctor     doctorCmd     `cmd:"" help:"Examine every prerequisite, and show the command that mends what is not met. Changes nothing in a directory."`
	Run        runCmd        `cmd:"" help:"One night on this machine: plan, finish what is pending, and apply as the mode of the policy allows."`
	Plan       planCmd       `cmd:"" help:"Read both directories and plan the changes. Changes nothing."`
	Apply      applyCmd      `cmd:"" help:"Apply the plan of a run."`
	Approve    approveCmd    `cmd:"" help:"Approve the plan of a run that a deployment in AWS made; it is applied there."`
	Reevaluate reevaluateCmd `cmd:"" help:"Read one user afresh from both directories and explain the verdicts."`
	Restore    restoreCmd    `cmd:"" help:"Restore what was taken, from one user or by a whole run."`
	Explain    explainCmd    `cmd:"" help:"Say of one user what holds for each license, why, until when, and what to do."`
	History    historyCmd    `cmd:"" help:"The same, with everything that was ever done to the user's licenses."`
	Runs       runsCmd       `cmd:"" help:"List the runs of a store, newest first."`
	Show       showCmd       `cmd:"" help:"Show what a run saw, planned and did."`
	Serve      serveCmd      `cmd:"" help:"Show the runs of a store in the browser of this machine. Changes nothing."`
	Savings    savingsCmd    `cmd:"" help:"What a plan could free, what runs have freed, and what that saved: by license, department or cost center, also as CSV."`
	Backtest   backtestCmd   `cmd:"" help:"Try other thresholds on the kept snapshots: whom a rule would have hit, and how many of them came back."`
	Policy     policyCmd     `cmd:"" help:"Check a policy file, or test it with golden users."`
	Demo       demoCmd       `cmd:"" help:"Run the whole chain against a simulated company. No account, no network."`
	Completion completionCmd `cmd:"" help:"Print a script that completes commands and flags in a shell."`
	Man        manCmd        `cmd:"" help:"Print the manual page."`
	Version    versionCmd    `cmd:"" help:"Print the version."`

	Verbose     bool             `help:"Show all of an answer: each value of a person with its source and age, each part of each rule, and the whole of an error."`
	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

// Process is a command's access to the machine. The exported fields must be set, except those that may be nil.
type Process struct {
	Context context.Context
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Clock   clock.Clock
	// Variable looks up an environment variable. The result "set" is false if the variable does not exist.
	Variable func(name string) (value string, set bool)
	// Environ lists the environment as name=value. If it is nil, misspelt variables are not reported.
	Environ func() []string
	// OpenStore opens the store at a location. The location is a folder or s3://bucket/prefix.
	OpenStore func(ctx context.Context, location string) (store.Store, error)
	// ViewStore opens the store at a location for commands that only read. It creates nothing.
	ViewStore func(ctx context.Context, location string) (store.Store, error)
	// Browse opens an address in the browser of the desktop.
	Browse func(ctx context.Context, address string) error
	// Web is the transport for posts to webhooks. If it is nil, the default transport is used.
	Web http.RoundTripper
	// Report writes the report of a run. If it is nil, commands use gate.Report.
	Report func(ctx context.Context, s store.Store, run string) error
	// Version is the version of idleseat. Plans record this version.
	Version string

	verbose bool
	json    io.Writer      // stdout, for JSON
	file    io.Writer      // stdout without a filter, for a file that contains only printable text
	logs    bool           // the text of the command goes into a log, so it has no names of people and no dates of their activity
	live    *terminal.Line // the line that shows the progress; nil if stderr is no terminal
	place   string         // the value of --store that commands in messages need; empty if they need none
}

// Main runs the command given by os.Args and returns its exit status.
func Main(version string, by clock.Clock) int {
	tuneGC()
	signal.Ignore(syscall.SIGPIPE) // when the reader of a pipe exits (| head), the write fails and the command can still clean up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	a := Process{
		Context: ctx, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Clock: by, Variable: os.LookupEnv, Environ: os.Environ, OpenStore: store.Open, ViewStore: store.OpenReadOnly, Browse: browse, Version: version,
	}
	return a.Run(os.Args[1:])
}

// tuneGC makes the garbage collector run less often, which saves processor time and costs memory. A run works on a few
// partitions of the people at a time. So memory use does not grow with the number of people, and stays far below the
// memory limit.
func tuneGC() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(144 << 20)
}

// Run parses and runs one command and returns its exit status. The output passes through filters of package plain,
// because names in a directory are untrusted.
func (a *Process) Run(args []string) int {
	shown, screen := *a, terminal.Of(a.Stderr, a.Variable)
	shown.live = terminal.NewLine(a.Stderr, screen)
	defer shown.live.End()
	out := terminal.NewOut(a.Stdout, terminal.Of(a.Stdout, a.Variable), false, shown.live)
	errs := terminal.NewOut(a.Stderr, screen, true, shown.live)
	inStore := func(text string) string { return plain.InStore(text, shown.place) }
	out.Edit, errs.Edit = inStore, inStore
	shown.Stdout, shown.Stderr, shown.json, shown.file = out, errs, plain.JSON(a.Stdout), a.Stdout
	status := shown.parsed(args)
	if err := errors.Join(out.Flush(), errs.Flush()); err != nil && status == exitDone {
		return exitFailed
	}
	return status
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
		kong.Vars{"version": a.Version},
		kong.PostBuild(a.presets),
	)
	if err != nil {
		panic(err) // the command grammar is broken; every test would fail here
	}
	ctx, err := parser.Parse(args)
	if exited { // after --help, kong has called the function that sets the variable "exited"
		return status
	}
	if err != nil {
		return a.fail(misused(parser, err))
	}
	if err := cmp.Or(a.foreign(parser.Model), inVain(ctx)); err != nil {
		return a.fail(err)
	}
	a.verbose = c.Verbose
	for _, flag := range ctx.Flags() {
		if flag.Name == "store" {
			a.place = storeFlag{flag.Target.String()}.elsewhere(a)
		}
	}
	return a.fail(a.ended(ctx.Selected().Name, ctx.Run(a)))
}

// The method "presets" sets the default of each flag from the environment variable of the flag.
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

// usageError reports an invalid command line or environment.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// onHoldError means that the plan is on hold. The plan itself is complete and stored.
type onHoldError struct{ reasons []string }

func (e onHoldError) Error() string {
	text := "held:"
	for _, r := range e.reasons {
		text += "\n  " + oneLine(r)
	}
	return text
}

// endError is an error that has its own exit status.
type endError struct {
	status int
	error
}

func (e endError) Unwrap() error { return e.error }

func (a *Process) fail(err error) int {
	if err == nil {
		return exitDone
	}
	a.live.End()
	shown := err
	if signIn := (*entra.SignInError)(nil); errors.As(err, &signIn) {
		shown = signIn // an operator needs only the message about the failed sign-in, and not the errors that wrap it
	}
	fmt.Fprintf(a.Stderr, "idleseat: %s%s\n", shown.Error(), a.remedy(err))
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
