package endtoend

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// sameAsCommand plans and applies with the command line in a second, identical company. The second company and its
// ledger must then equal those of the deployment under test.
func (r *rig) sameAsCommand(company sandbox.Options) {
	r.Helper()
	r.sameAsCommands(company, func(idleseat func(args ...string) []byte) { planAndApply(r, idleseat) })
}

// sameAsCommands calls "work", which uses the command line in a second, identical company. The second company and its
// ledger must then equal those of the deployment under test.
func (r *rig) sameAsCommands(company sandbox.Options, work func(idleseat func(args ...string) []byte)) {
	r.Helper()
	box, err := sandbox.Start(company)
	if err != nil {
		r.Fatal(err)
	}
	defer box.Close()
	folder := r.TempDir()
	work(onMachine(r, box, folder))
	s, err := store.Open(r.Context(), folder)
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff(entries(r, s), entries(r, r.store)); diff != "" {
		r.Errorf("ledger (-command line +deployment):\n%s", diff)
	}
	if diff := cmp.Diff(holdings(box.Company), r.holdings()); diff != "" {
		r.Errorf("licenses and groups (-command line +deployment):\n%s", diff)
	}
}

// onMachine returns a function that runs idleseat on this machine, with the store "place" and a policy in mode review.
func onMachine(t testing.TB, box *sandbox.Sandbox, place string, env ...string) func(args ...string) []byte {
	t.Helper()
	policy := filepath.Join(t.TempDir(), "policy.yaml")
	text := strings.ReplaceAll(string(box.Policy()), "mode: audit", "mode: review")
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(built, "idleseat"), append(args, "--store", place, "--policy", policy, "--format", "json")...)
		cmd.Env, cmd.Stderr = append(append(os.Environ(), env...), box.Env()...), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("idleseat %q: %v", args, err)
		}
		return out
	}
}

func planAndApply(t testing.TB, idleseat func(args ...string) []byte) string {
	t.Helper()
	run := runOf(t, idleseat("plan"))
	applyAll(t, idleseat, run)
	return run
}

func applyAll(t testing.TB, idleseat func(args ...string) []byte, run string) {
	t.Helper()
	for strings.Contains(string(idleseat("apply", run, "--yes")), `"status": "pending"`) {
		time.Sleep(time.Second)
	}
}

func runOf(t testing.TB, out []byte) string {
	t.Helper()
	var made struct{ Run string }
	if err := json.Unmarshal(out, &made); err != nil || made.Run == "" {
		t.Fatalf("no run (%v): %s", err, out)
	}
	return made.Run
}
