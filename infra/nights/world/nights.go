package world

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/plan"
	"github.com/idleseat/idleseat/shared/store"
)

// work is what the tool does in a night: it plans and applies, and the world goes on
// between the two.
func (w *World) work() {
	p := w.plan()
	if p.Verdict == plan.Hold || p.Run == "" {
		return
	}
	w.clock.pass(time.Duration(throw(w.options.Seed, "approval", w.night).IntN(90)) * time.Minute)
	for i := range w.people {
		if !slices.ContainsFunc(p.Changes, func(c plan.Change) bool { return c.User == w.people[i].id }) {
			continue
		}
		if w.box.Company.Person(i).AD != nil && w.happens("logs on before the write", i, 0.05) {
			w.logOn(i)
		}
		if w.happens("exempted before the write", i, 0.05) {
			w.except(i)
		}
	}
	w.apply(p.Run)
}

// plan plans, and tells the judge.
func (w *World) plan() plan.Plan {
	out, status, errs := w.command("plan", "--format", "json")
	var p plan.Plan
	if err := json.Unmarshal(out, &p); err != nil {
		p = plan.Plan{}
	}
	reasons := p.HoldReasons
	verdict := string(p.Verdict)
	if verdict == "" && status != 0 && errs != "" {
		verdict, reasons = "failed", []string{errs}
	}
	w.Night(w.clock.Now(), verdict, reasons)
	for _, c := range p.Changes {
		w.Planned(c.User, c.License)
	}
	w.logf("plan %s: %s, %d changes, held by %q", p.Run, verdict, len(p.Changes), reasons)
	return p
}

// apply applies a run until nothing is pending, or the morning comes.
func (w *World) apply(run string) {
	for range 6 {
		out, _, _ := w.command("apply", run, "--yes", "--format", "json")
		if !bytes.Contains(out, []byte(`"pending"`)) {
			return
		}
		w.clock.pass(5 * time.Minute)
	}
}

// settle ends the story in calm nights.
func (w *World) settle() {}

// command runs one command of the tool in this process.
func (w *World) command(args ...string) (stdout []byte, status int, stderr string) {
	env := map[string]string{"IDLESEAT_POLICY": w.dir + "/policy.yaml", "IDLESEAT_STORE": w.dir + "/store"}
	for _, v := range w.box.Env() {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	var out, errs bytes.Buffer
	process := command.Process{
		Context: context.Background(), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Clock: &w.clock,
		Variable:  func(name string) (string, bool) { v, set := env[name]; return v, set },
		OpenStore: store.Open, Version: "world",
	}
	status = process.Run(args)
	if status == 1 || status == 2 {
		w.story.Failed++
		w.logf("idleseat %s: status %d: %s", strings.Join(args, " "), status, errs.String())
	}
	return out.Bytes(), status, errs.String()
}
