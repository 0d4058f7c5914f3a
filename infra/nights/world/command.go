package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/store"
)

// The type "tool" runs the product: as the command on one machine, or as the functions in AWS.
type tool interface {
	// The method "plan" makes a new run and its plan. The plan is empty if the run fails before the plan is stored. If
	// the dates of one kind look wrong for all people, such as too few sign-in dates, the plan is on hold, unless
	// "accept" is set.
	plan(accept bool) (plan.Plan, error)
	// The method "apply" applies a plan. The result "refused" reports whether a safety check stopped the apply before the
	// first change.
	apply(run, hash string, override bool) (r runs.Results, refused bool, err error)
	// The method "restore" restores the licenses that a run took.
	restore(run string)
}

// The type "commands" runs the product as the command on one machine.
type commands struct{ w *World }

func (c commands) plan(accept bool) (p plan.Plan, err error) {
	args := []string{"plan", "--format", "json"}
	if accept {
		args = append(args, "--accept-feeds")
	}
	out, _, errs := c.call(args...)
	if json.Unmarshal(out, &p) != nil {
		return plan.Plan{}, errors.New(errs)
	}
	return p, nil
}

func (c commands) apply(run, hash string, override bool) (r runs.Results, refused bool, err error) {
	args := []string{"apply", run, "--yes", "--format", "json"}
	if override {
		args = append(args, "--override-limits", hash)
	}
	twice, wait := c.w.atTheSameTime(args)
	out, status, errs := c.call(args...)
	wait()
	_ = json.Unmarshal(out, &r) // a refused apply prints no results
	switch {
	case status == exitRefused:
		return r, !twice, errors.New(errs)
	case twice, status != 0:
		return r, false, errors.New("nobody knows all that it did; " + errs)
	}
	return r, false, nil
}

func (c commands) restore(run string) { c.call("restore", "--run", run, "--yes") }

// exitRefused is the exit status of a command after a refusal by a safety check.
const exitRefused = 3

// The method "call" runs a command. A fault may kill or freeze the command.
func (c commands) call(args ...string) (stdout []byte, status int, stderr string) {
	c.w.endanger(args[0])
	stdout, status, stderr = c.w.run(c.w.store, args...)
	c.w.lasted(args[0])
	if status == 1 || status == 2 {
		c.w.logf("idleseat %s: status %d: %s", strings.Join(args, " "), status, stderr)
	}
	if c.w.weather.Dead() {
		c.w.logf("it was killed")
	}
	c.w.weather.Revive()
	return stdout, status, stderr
}

// The method "env" returns the variables that connect a process to the directories.
func (w *World) env() map[string]string {
	env := map[string]string{}
	for _, v := range w.box.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	env["IDLESEAT_AD_URLS"] = w.adURLs()
	return env
}

// The method "run" runs one command with a store, in this process.
func (w *World) run(s store.Store, args ...string) (stdout []byte, status int, stderr string) {
	env := w.env()
	env["IDLESEAT_POLICY"], env["IDLESEAT_STORE"] = w.policy.file, "memory"
	var out, errs bytes.Buffer
	process := command.Process{
		Context: context.Background(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: &w.clock,
		Variable:  func(name string) (string, bool) { v, set := env[name]; return v, set },
		OpenStore: func(context.Context, string) (store.Store, error) { return s, nil },
		ViewStore: func(context.Context, string) (store.Store, error) { return store.ReadOnly(s), nil },
		Browse:    func(context.Context, string) error { return errors.ErrUnsupported }, Report: w.writeReport, Version: "world",
	}
	status = process.Run(args)
	return out.Bytes(), status, errs.String()
}

// The constant "end" is the number of operations in the last part of a command, in which the command writes its
// results.
const end = 12

// The method "lasted" records how many operations a command has made, unless the command was killed. The parameter
// "what" is the name of the command.
func (w *World) lasted(what string) {
	if n := w.weather.Operations(); !w.weather.Dead() && n > 0 {
		w.lengths[what] = n
	}
}

// The method "endanger" sometimes arranges that the next command is killed or frozen at one of its operations. If the
// number of operations of an earlier command of this name is known, the operation is near the end in half of these
// cases. An apply is frozen more often if the last plan has changes.
func (w *World) endanger(what string) {
	if w.night >= w.options.Nights { // no later night would start the command again
		return
	}
	d := throw(w.options.Seed, "danger "+what, w.night)
	n, after := 1+d.IntN(80), d.IntN(2) == 0
	if last := w.lengths[what]; last > end && d.IntN(2) == 0 {
		n = last - d.IntN(end)
	}
	frozen := 0.03
	if what == "apply" && len(w.changing) > 0 {
		frozen = 0.1
	}
	switch {
	case w.happens(what+" is killed", -1, 0.02):
		w.weather.KillAt(n, after)
	case w.happens(what+" is stopped and continued", -1, frozen):
		w.weather.FreezeAt(n, after, time.Duration(1+d.IntN(47))*time.Hour)
	}
}

// atTheSameTime sometimes runs a second command at the same time: the same command again, or a restore. When the first
// command has ended, the caller must call "wait", which returns when the second command has ended.
func (w *World) atTheSameTime(args []string) (twice bool, wait func()) {
	switch {
	case w.night >= w.options.Nights: // the second command would end after the check of the last plan
		return false, func() {}
	case len(w.runs) > 1 && w.happens("a restore while a plan is applied", -1, 0.01):
		args = []string{"restore", "--run", w.runs[throw(w.options.Seed, "which run", w.night).IntN(len(w.runs)-1)], "--yes"}
	case !w.happens("two at the same time", -1, 0.02):
		return false, func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(w.store, args...)
	}()
	return true, func() { <-done }
}
