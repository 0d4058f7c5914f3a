package command

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/idleseat/idleseat/shared/runs"
	"github.com/idleseat/idleseat/shared/sandbox"
)

// shiftedMain is the main.go of a build whose clock is ahead. IDLESEAT_TEST_AHEAD is the difference.
const shiftedMain = `package main

import (
	"os"
	"time"

	"github.com/idleseat/idleseat/functions/idleseat/command"
	"github.com/idleseat/idleseat/shared/clock"
)

func main() {
	ahead, _ := time.ParseDuration(os.Getenv("IDLESEAT_TEST_AHEAD"))
	os.Exit(command.Main("test", clock.Watch(func() time.Time { return time.Now().Add(ahead) })))
}
`

// The function "build" replaces some files of the repository, builds the command, and returns the path of the program.
// A key of the argument "files" is a path in the repository.
func build(t *testing.T, name string, files map[string]string) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range files {
		patched := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(patched, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, file)] = patched
	}
	list, err := json.Marshal(overlay)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./functions/idleseat")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return program
}

// TestTwoBuiltVersions builds this version of the command, and a newer version whose changes have an additional field.
// The newer version finishes the changes that this version began. This version restores the licenses that the newer
// version took. The builds are slow, so the test runs only with IDLESEAT_TEST_VERSIONS=1.
func TestTwoBuiltVersions(t *testing.T) {
	t.Parallel()
	if os.Getenv("IDLESEAT_TEST_VERSIONS") != "1" {
		t.Skip("two versions are built with IDLESEAT_TEST_VERSIONS=1 only")
	}
	const anchor = "\ntype Change struct {\n"
	change, err := os.ReadFile("../../../shared/plan/plan.go")
	if err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(string(change), anchor, anchor+"\tWindow string `json:\"window\"` // a member of a later version\n", 1)
	if later == string(change) {
		t.Fatal("plan.Change has moved: tell this test where it is")
	}
	older := build(t, "older", map[string]string{"functions/idleseat/main.go": shiftedMain})
	newer := build(t, "newer", map[string]string{"functions/idleseat/main.go": shiftedMain, "shared/plan/plan.go": later})

	s := newShellAgo(t, 5*day, sandbox.Options{Users: 200, Seed: 9, LicenseDelay: 20 * time.Minute}, replace(t, "perRun: 200", "perRun: 6"))
	s.apart, s.built = true, older
	before := holding(s.company.Company)
	first := s.plan(exitDone)
	if a := s.want(exitDone, "apply", first.Run, "--yes", "--format", "json"); !bytes.Contains(a.out, []byte(`"pending"`)) {
		t.Fatal("nothing is pending")
	}
	s.later(day)

	s.built = newer
	second := s.plan(exitDone)
	if text, err := os.ReadFile(s.path("store/runs/" + second.Run + "/plan.json")); err != nil || !bytes.Contains(text, []byte(`"window":""`)) {
		t.Fatalf("the newer version has no member more: %v\n%.500s", err, text)
	}
	if len(second.Pending) == 0 || len(second.Resumes) != 1 || second.Resumes[0] != first.Run || len(second.Changes) == 0 {
		t.Errorf("pending %d, resumes %q, changes %d", len(second.Pending), second.Resumes, len(second.Changes))
	}
	finished := false
	for range 60 {
		a := s.want(exitDone, "apply", second.Run, "--yes", "--format", "json")
		finished = finished || strings.Contains(a.err, "went on with run "+first.Run+": done 6")
		if !bytes.Contains(a.out, []byte(`"pending"`)) {
			break
		}
		s.passes(time.Minute)
	}
	if !finished {
		t.Error("the newer version did not finish what the older began")
	}
	if r := s.restored("--run", first.Run); r.Count(runs.Done) != len(first.Changes) {
		t.Errorf("%+v", r.Results)
	}
	s.built = older
	if r := s.restored("--run", second.Run); r.Count(runs.Done) != len(second.Changes) {
		t.Errorf("the older version restores what the newer took: %+v", r.Results)
	}
	s.asBefore(before)
}
