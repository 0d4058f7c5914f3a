package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// axeVersion is the version of axe-core, Deque's accessibility checker. Tests install it if the machine has no
// axe-core.
const axeVersion = "axe-core@4.14.1"

// The function "axe" returns the script of axe-core. The script is in node_modules of the repository. If it is missing
// there, npm installs axe-core into a temporary folder.
var axe = sync.OnceValues(func() (string, error) {
	for folder := "."; ; folder = filepath.Join(folder, "..") {
		script, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
		if err == nil {
			return string(script), nil
		}
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
	}
	folder, err := os.MkdirTemp("", "axe")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := exec.Command("npm", "install", "--no-save", "--silent", "--prefix", folder, axeVersion).Run(); err != nil {
		return "", err
	}
	script, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	return string(script), err
})

// Finding is a rule of axe-core that a page violates, with the elements that violate it.
type Finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Accessible fails the test for each axe-core rule that the page violates in its current state. If the page satisfies
// fewer than ten rules, it was not visible, and the test fails, too. If axe-core cannot be installed, the test is
// skipped.
func (tab *Tab) Accessible(t *testing.T) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Skipf("SKIPPED: axe-core cannot be installed, so accessibility was not checked: %v", err)
	}
	Eval[bool](tab, script+"; true")
	type answer struct {
		Violations []Finding `json:"violations"`
		Passes     int       `json:"passes"`
	}
	got := Eval[answer](tab, `axe.run(document).then((r) => ({violations: r.violations, passes: r.passes.length}))`)
	for _, f := range got.Violations {
		for i, n := range f.Nodes {
			if i == 3 {
				t.Errorf("%s: and %d more", f.ID, len(f.Nodes)-3)
				break
			}
			t.Errorf("%s (%s): %s\n%.300s\n%s", f.ID, f.Impact, f.Help, n.HTML, n.Summary)
		}
	}
	if got.Passes < 10 {
		t.Errorf("axe applied only %d rules: the page did not show", got.Passes)
	}
}
