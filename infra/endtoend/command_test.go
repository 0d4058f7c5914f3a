package endtoend

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/idleseat/idleseat/shared/sandbox"
	"github.com/idleseat/idleseat/shared/store"
)

// sameAsCommand makes the same changes to an identical company with the command line, and compares the directories
// and ledgers of both.
func (r *rig) sameAsCommand() {
	r.Helper()
	box, err := sandbox.Start(company)
	if err != nil {
		r.Fatal(err)
	}
	defer box.Close()
	folder := r.TempDir()
	policy := filepath.Join(folder, "policy.yaml")
	text := strings.ReplaceAll(string(box.Policy()), "mode: audit", "mode: review")
	if err := os.WriteFile(policy, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	idleseat := func(args ...string) []byte {
		cmd := exec.CommandContext(r.Context(), filepath.Join(built, "idleseat"), append(args, "--store", folder+"/store", "--policy", policy, "--format", "json")...)
		cmd.Env, cmd.Stderr = append(os.Environ(), box.Env()...), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			r.Fatalf("idleseat %q: %v", args, err)
		}
		return out
	}
	var plan struct{ Run string }
	if err := json.Unmarshal(idleseat("plan"), &plan); err != nil {
		r.Fatal(err)
	}
	for pending := true; pending; {
		pending = strings.Contains(string(idleseat("apply", plan.Run, "--yes")), `"status": "pending"`)
		time.Sleep(company.LicenseDelay)
	}
	s, err := store.Open(r.Context(), folder+"/store")
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
