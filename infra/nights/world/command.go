package world

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/store"
)

// command runs one command of the tool in this process, which a bad night may kill or
// freeze.
func (w *World) command(args ...string) (stdout []byte, status int, stderr string) {
	w.endanger(args[0])
	stdout, status, stderr = w.run(w.store, args...)
	if status == 1 || status == 2 {
		w.logf("idleseat %s: status %d: %s", strings.Join(args, " "), status, stderr)
	}
	if w.weather.Dead() {
		w.logf("it was killed")
	}
	w.weather.Revive()
	return stdout, status, stderr
}

// run runs one command with a store.
func (w *World) run(s store.Store, args ...string) (stdout []byte, status int, stderr string) {
	env := map[string]string{"IDLESEAT_POLICY": w.policy.file, "IDLESEAT_STORE": "memory"}
	for _, v := range w.box.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	var out, errs bytes.Buffer
	process := command.Process{
		Context: context.Background(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: &w.clock,
		Variable:  func(name string) (string, bool) { v, set := env[name]; return v, set },
		OpenStore: func(context.Context, string) (store.Store, error) { return s, nil }, Version: "world",
	}
	status = process.Run(args)
	return out.Bytes(), status, errs.String()
}

// endanger lets the process be killed or frozen at one of its operations.
func (w *World) endanger(what string) {
	d := throw(w.options.Seed, "danger "+what, w.night)
	n, after := 1+d.IntN(120), d.IntN(2) == 0
	switch {
	case w.happens(what+" is killed", -1, 0.02):
		w.weather.KillAt(n, after)
	case w.happens(what+" is stopped and continued", -1, 0.02):
		w.weather.FreezeAt(n, after, time.Duration(1+d.IntN(47))*time.Hour)
	}
}

// atTheSameTime now and then starts the same command a second time, and waits for it when
// the first has ended.
func (w *World) atTheSameTime(args []string) (twice bool, wait func()) {
	if !w.happens("two at the same time", -1, 0.02) {
		return false, func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(w.store, args...)
	}()
	return true, func() { <-done }
}
