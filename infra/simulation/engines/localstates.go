package engines

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed localstates.cjs
var localStates []byte

// LocalExecution is the input of the npm package aws-local-stepfunctions, which interprets the Amazon States Language.
// The interpreter posts each task to the URL in Tasks, and reads the result from the answer.
type LocalExecution struct {
	Definition json.RawMessage `json:"definition"`
	Input      json.RawMessage `json:"input"`
	// Execution has the members Id and Name of the context object.
	Execution map[string]string `json:"execution"`
	Tasks     string            `json:"tasks"`
}

// LocalTask is a task that the interpreter posts.
type LocalTask struct {
	Resource           string          `json:"resource"`
	Parameters         json.RawMessage `json:"parameters"`
	Timeout, Heartbeat int             // seconds; zero if the state has none
}

// LocalAnswer is either the answer to a task, with Result, or the end of an execution, with Output. If the task or the
// execution failed, it has only Error and Cause.
type LocalAnswer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Output json.RawMessage `json:"output,omitempty"`
	Error  string          `json:"error,omitempty"`
	Cause  string          `json:"cause,omitempty"`
}

// RunLocally runs an execution to its end. The environment variable IDLESEAT_TEST_LOCAL_STATES has the path of a folder
// node_modules with the package aws-local-stepfunctions. If it is not set, the test is skipped.
func RunLocally(t testing.TB, e LocalExecution) LocalAnswer {
	t.Helper()
	modules := program(t, "IDLESEAT_TEST_LOCAL_STATES")
	driver := filepath.Join(t.TempDir(), "localstates.cjs")
	if err := os.WriteFile(driver, localStates, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", driver)
	var faults bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stderr = append(os.Environ(), "NODE_PATH="+modules), bytes.NewReader(in), &faults
	out, err := cmd.Output()
	var end LocalAnswer
	if err != nil || json.Unmarshal(out, &end) != nil {
		t.Fatalf("node: %v\n%s\n%s", err, out, faults.Bytes())
	}
	return end
}
