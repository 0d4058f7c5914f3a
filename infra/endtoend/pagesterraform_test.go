package endtoend

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPageTerraform runs Terraform with the module and with the files and variables in the docs. The files must be
// formatted and valid, and Terraform must make a plan for each set of variables.
//
// IDLESEAT_TEST_TERRAFORM is the path of a program that formats, validates and tests a folder of a repository, without
// a network.
func TestPageTerraform(t *testing.T) {
	t.Parallel()
	check := os.Getenv("IDLESEAT_TEST_TERRAFORM")
	if check == "" {
		t.Skip("SKIPPED: IDLESEAT_TEST_TERRAFORM names no program, so Terraform reads nothing of the pages")
	}
	repository := t.TempDir()
	module := filepath.Join(repository, "infra", "terraform")
	if err := os.CopyFS(module, os.DirFS("../terraform")); err != nil {
		t.Fatal(err)
	}
	definition, err := os.ReadFile("../statemachine.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("../terraform/tests/deployment.tftest.hcl")
	if err != nil {
		t.Fatal(err)
	}
	mocks, _, _ := strings.Cut(string(tests), "\nvariables {")
	shown, runs := pageFiles(t), pageRuns(t)
	if shown["backend.tf"] == "" || shown["terraform.tfvars"] == "" || len(runs) < 2 {
		t.Fatalf("the pages show %q and %d calls with variables", slices.Sorted(maps.Keys(shown)), len(runs))
	}
	shown["tests/deployment.tftest.hcl"] = mocks + "\n" + strings.Join(runs, "\n")
	shown["../statemachine.asl.json"] = string(definition)
	for name, text := range shown {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", repository).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), check, module).CombinedOutput()
	if passed := fmt.Sprintf("Success! %d passed, 0 failed.", len(runs)); err != nil || !strings.Contains(string(out), passed) {
		t.Errorf("%v, want %q:\n%s", err, passed, out)
	}
}

func pageFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for page, text := range readPages(t) {
		for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
			if text[at[2]:at[3]] != "hcl" {
				continue
			}
			before := strings.Split(text[:at[0]], "`")
			name := ""
			for i := len(before) - 2; i > 0 && name == ""; i -= 2 {
				if strings.HasSuffix(before[i], ".tf") || strings.HasSuffix(before[i], ".tfvars") {
					name = before[i]
				}
			}
			if name == "" || files[name] != "" {
				t.Fatalf("%s: the file has no name of its own:\n%s", page, text[at[4]:at[5]])
			}
			files[name] = text[at[4]:at[5]]
		}
	}
	return files
}

// pageRuns returns tests of Terraform: one for the file of variables, and one for each command in the docs that sets
// variables.
func pageRuns(t *testing.T) []string {
	t.Helper()
	runs := []string{"run \"file\" {\n  command = plan\n}\n"}
	for page, text := range readPages(t) {
		for _, call := range called(t, page, strings.Join(commandBlocks(text), "")) {
			values := map[string]string{}
			for i, a := range call {
				if name, value, is := strings.Cut(a, "="); is && i > 0 && call[0] == "terraform" && call[i-1] == "-var" {
					values[name] = cmp.Or(value, "44444444-2222-3333-4444-555555555555") // in place of an id that another command prints
				}
			}
			if len(values) == 0 {
				continue
			}
			width, lines := 0, ""
			for name := range values {
				width = max(width, len(name))
			}
			for _, name := range slices.Sorted(maps.Keys(values)) {
				lines += fmt.Sprintf("    %-*s = %q\n", width, name, values[name])
			}
			runs = append(runs, fmt.Sprintf("run \"call_%d\" {\n  command = plan\n  variables {\n%s  }\n}\n", len(runs), lines))
		}
	}
	return runs
}
