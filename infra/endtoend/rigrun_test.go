package endtoend

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/infra/simulation/awsfake/states"
	"github.com/idleseat/idleseat/shared/entrance"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/store"
)

// The constant "nightly" is the input of an execution that the schedule starts.
const nightly = `{}`

// The method "run" starts an execution of the state machine that accepts the input, and waits for its end. An execution
// that refuses its request succeeds, but this method returns the refusal as a failure.
func (r *rig) run(input string) (out map[string]any, failure *states.Failure) {
	r.Helper()
	return r.runAt(entranceFor(r, input), input)
}

// entranceFor chooses the entrance for an input: the kind of state machine that accepts it.
func entranceFor(t testing.TB, input string) entrance.Name {
	t.Helper()
	var in struct {
		User, Restore string
		Apply         any
		Override      bool
	}
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		t.Fatal(err)
	}
	switch {
	case in.Restore != "":
		return entrance.Restore
	case in.Override:
		return entrance.Override
	case in.Apply != nil && in.Apply != false:
		return entrance.Approve
	case input == nightly:
		return entrance.Nightly
	}
	return entrance.Plan
}

func (r *rig) runAt(n entrance.Name, input string) (out map[string]any, failure *states.Failure) {
	r.Helper()
	e, err := r.machines[n].Start("", input)
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	output, failure, err := e.Wait(ctx)
	if err != nil {
		r.Fatalf("%v\n%s", err, r.story(e))
	}
	r.failed = failure != nil
	r.recordMachine(e)
	r.Cleanup(func() {
		if r.Failed() {
			r.Logf("input %s: %s", input, r.story(e))
		}
	})
	out, _ = output.(map[string]any)
	if refused := refusal(out); refused != nil {
		return nil, refused
	}
	return out, failure
}

func refusal(out map[string]any) *states.Failure {
	refused, ok := out["failure"].(map[string]any)
	if !ok {
		return nil
	}
	return &states.Failure{Error: refused["Error"].(string), Cause: refused["Cause"].(string)}
}

// The method "story" returns the history of an execution and the ends of the functions' logs, for the message of a
// failed test.
func (r *rig) story(e *states.Execution) string {
	var b strings.Builder
	for _, h := range e.History() {
		if h.Kind != "exited" {
			fmt.Fprintf(&b, "%s %s %s\n", h.Kind, h.State, h.Note)
		}
	}
	for name, f := range r.functions {
		if logs := f.Logs(); logs != "" {
			fmt.Fprintf(&b, "--- %s\n%s\n", name, logs[max(0, len(logs)-2000):])
		}
	}
	return b.String()
}

// longAgo makes the completions in the ledger nine hours older. A restore waits until Graph and every domain controller
// surely show an earlier write. After nine hours they do, so the restore does not wait.
func (r *rig) longAgo() {
	r.Helper()
	for key, err := range r.store.List(r.Context(), "ledger/") {
		if err != nil {
			r.Fatal(err)
		}
		if !strings.HasSuffix(key, ".done.json") {
			continue
		}
		var done ledger.Completion
		if err := store.GetJSON(r.Context(), r.store, key, &done); err != nil {
			r.Fatal(err)
		}
		done.At = done.At.Add(-9 * time.Hour)
		if err := store.PutJSON(r.Context(), r.store, key, done); err != nil {
			r.Fatal(err)
		}
	}
}
