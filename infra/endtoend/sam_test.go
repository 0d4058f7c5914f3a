package endtoend

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSAMBuilds: sam build builds a function of the template. SAM copies the sources without .git, so the build cannot
// take its version from git.
func TestSAMBuilds(t *testing.T) {
	sam := os.Getenv("IDLESEAT_TEST_SAM")
	if sam == "" {
		t.Skip("SKIPPED: IDLESEAT_TEST_SAM names no program")
	}
	folder := t.TempDir()
	cmd := exec.CommandContext(t.Context(), sam, "build", "GateFunction", "--template-file", "template.yaml", "--build-dir", folder)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION="+region)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sam build: %v\n%s", err, out)
	}
	f, err := elf.Open(filepath.Join(folder, "GateFunction", "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != elf.EM_AARCH64 {
		t.Errorf("built for %v", f.Machine)
	}
}
