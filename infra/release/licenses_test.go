package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestLegalFiles: legalFiles finds the licenses of modules, and those in the folders of linked packages. It finds no
// others. A module without a license is an error.
func TestLegalFiles(t *testing.T) {
	t.Parallel()
	root := tree(t, map[string]string{
		"go/LICENSE": "", "go/PATENTS": "", "go/src/fmt/print.go": "",
		"a/LICENSE.md": "", "a/NOTICE": "", "a/license.go": "", "a/README.md": "", "a/in/LICENCE-MIT.txt": "", "a/in/deep/x.go": "", "a/other/COPYING": "",
		"b/UNLICENSE": "", "none/x.go": "", "LICENSE": "of nobody",
	})
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	of := func(path string) *module {
		return &module{Path: "example.com/" + path, Version: "v1.0.0", Dir: at(path)}
	}
	type pkg struct {
		Dir, Root string
		Standard  bool
		Module    *module
	}
	list := func(packages ...pkg) ([]string, error) {
		var text strings.Builder
		for _, p := range packages {
			if err := json.NewEncoder(&text).Encode(p); err != nil {
				t.Fatal(err)
			}
		}
		files, err := legalFiles(strings.NewReader(text.String()))
		var names []string
		for _, f := range files {
			names = append(names, f.name)
		}
		return names, err
	}
	replaced := of("old")
	replaced.Replace = of("b")
	got, err := list(
		pkg{Dir: at("go/src/fmt"), Root: at("go"), Standard: true}, pkg{Dir: at("a/in/deep"), Module: of("a")}, pkg{Dir: at("a"), Module: of("a")}, pkg{Dir: at("b"), Module: replaced},
		pkg{Dir: at("none"), Module: &module{Path: "example.com/mine", Dir: at("none"), Main: true}},
	)
	want := []string{"Go: LICENSE", "Go: PATENTS", "example.com/a v1.0.0: LICENSE.md", "example.com/a v1.0.0: NOTICE", "example.com/a v1.0.0: in/LICENCE-MIT.txt", "example.com/b v1.0.0: UNLICENSE"}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := list(pkg{Dir: at("a"), Module: of("a")}, pkg{Dir: at("none"), Module: of("none")}); err == nil || !strings.Contains(err.Error(), "example.com/none v1.0.0 has no license") {
		t.Errorf("a module without a license: %v", err)
	}
	if _, err := list(pkg{Dir: at("a")}); err == nil {
		t.Error("a package of no module is taken")
	}
}

// TestLicenses: the file of licenses for the relay has the licenses of the linked modules, each text once. A second
// call writes the same file.
func TestLicenses(t *testing.T) {
	t.Parallel()
	r := release{root: "../..", log: io.Discard}
	var texts [2]string
	for i := range texts {
		file := filepath.Join(t.TempDir(), licensesName)
		if err := r.writeLicenses(t.Context(), "functions/relay", "linux", "arm64", nil, file); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		t.Error("two files differ")
	}
	for _, want := range []string{"\nGo: LICENSE\n", "\ngithub.com/go-ldap/ldap/v3 v", "The Go Authors"} {
		if !strings.Contains(texts[0], want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(texts[0], "microsoftgraph") || strings.Contains(texts[0], "github.com/idleseat/") {
		t.Error("it has what is not linked, or the program's own license")
	}
	// Many AWS modules share one license text.
	if all, of := strings.Count(texts[0], strings.Repeat("=", 80)), strings.Count(texts[0], ": LICENSE"); all >= of {
		t.Errorf("%d texts of %d files", all, of)
	}
}
