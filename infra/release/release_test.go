package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The function "sources" writes a module with two programs into a new folder, and returns the folder.
func sources(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "a folder")
	for name, text := range map[string]string{
		"go.mod":              "module example.com/Seats\n\ngo 1.26.0\n\ntoolchain " + runtime.Version() + "\n",
		"LICENSE":             "may be used\n",
		"units/seats.service": "[Unit]\n",
		"seats/main.go":       "package main\n\nfunc main() { println(\"seats\") }\n",
		"relay/main.go":       "package main\n\nfunc main() { println(\"relay\") }\n",
	} {
		file := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func seats(root string) release {
	return release{root: root, version: "1.2.3", out: filepath.Join(root, "out"), log: io.Discard, programs: []program{
		{"seats", "seats", []string{"linux", "darwin", "windows"}, map[string][]string{"": {"LICENSE"}, "linux": {"units/seats.service"}}},
		{"seats-relay", "relay", []string{"linux"}, map[string][]string{"": {"LICENSE"}}},
	}}
}

func digests(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return all
}

// TestRelease: two builds of a release give the same files, although they run in different folders and with different
// environments.
func TestRelease(t *testing.T) {
	var made []map[string]string
	var out string
	for i, env := range []map[string]string{
		{"GOFLAGS": "", "GOAMD64": "", "SOURCE_DATE_EPOCH": ""},
		{"GOFLAGS": "-tags=other -ldflags=-X=main.a=b", "GOAMD64": "v3", "GOARM64": "v9.0", "GOOS": "plan9", "CGO_ENABLED": "1", "SOURCE_DATE_EPOCH": "1"},
	} {
		for name, value := range env {
			t.Setenv(name, value)
		}
		r := seats(sources(t))
		if i == 1 { // the second build is in a repository, with other file modes and at another time; these differences must not change a build
			if err := exec.Command("git", "init", "-q", r.root).Run(); err != nil {
				t.Logf("SKIPPED: git: %v, so neither folder is a repository", err)
			}
			if err := os.Chmod(filepath.Join(r.root, "LICENSE"), 0o777); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.make(t.Context(), []string{"linux/amd64", "darwin/arm64", "windows/amd64"}); err != nil {
			t.Fatal(err)
		}
		made, out = append(made, digests(t, r.out)), r.out
	}
	if diff := cmp.Diff(made[0], made[1]); diff != "" {
		t.Errorf("two builds differ (-first +second):\n%s", diff)
	}
	want := map[string][]string{
		"seats_1.2.3_linux_amd64.tar.gz":       {"-rwxr-xr-x seats_1.2.3_linux_amd64/seats", "-rw-r--r-- seats_1.2.3_linux_amd64/LICENSES-OF-MODULES.txt", "-rw-r--r-- seats_1.2.3_linux_amd64/LICENSE", "-rw-r--r-- seats_1.2.3_linux_amd64/seats.service"},
		"seats-relay_1.2.3_linux_amd64.tar.gz": {"-rwxr-xr-x seats-relay_1.2.3_linux_amd64/seats-relay", "-rw-r--r-- seats-relay_1.2.3_linux_amd64/LICENSES-OF-MODULES.txt", "-rw-r--r-- seats-relay_1.2.3_linux_amd64/LICENSE"},
		"seats_1.2.3_darwin_arm64.tar.gz":      {"-rwxr-xr-x seats_1.2.3_darwin_arm64/seats", "-rw-r--r-- seats_1.2.3_darwin_arm64/LICENSES-OF-MODULES.txt", "-rw-r--r-- seats_1.2.3_darwin_arm64/LICENSE"},
		"seats_1.2.3_windows_amd64.zip":        {"-rwxr-xr-x seats_1.2.3_windows_amd64/seats.exe", "-rw-r--r-- seats_1.2.3_windows_amd64/LICENSES-OF-MODULES.txt", "-rw-r--r-- seats_1.2.3_windows_amd64/LICENSE"},
	}
	for name, list := range want {
		if diff := cmp.Diff(list, packed(t, filepath.Join(out, name))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		title := strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".tar.gz")
		checkBOM(t, filepath.Join(out, title+".cdx.json"))
	}
	if len(made[0]) != 2*len(want)+1 {
		t.Errorf("%d files, expected an archive and a list of modules for each of %d, and the checksums: %v", len(made[0]), len(want), made[0])
	}
	checkSums(t, out)
}

// The function "packed" returns the entries of an archive. It fails the test if the first entry is not a binary for the
// system in the archive's name.
func packed(t *testing.T, name string) (list []string) {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	binary := filepath.Join(t.TempDir(), "binary")
	add := func(info os.FileInfo, full string, content io.Reader) {
		t.Helper()
		if got := info.ModTime().UTC(); !got.Equal(made) {
			t.Errorf("%s: %s is of %v", name, full, got)
		}
		text, err := io.ReadAll(content)
		if err == nil && len(list) == 0 {
			err = os.WriteFile(binary, text, 0o700)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, info.Mode().String()+" "+full)
	}
	if strings.HasSuffix(name, ".zip") {
		all, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		defer all.Close()
		for _, f := range all.File {
			content, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			add(f.FileInfo(), f.Name, content)
		}
	} else {
		inner, err := gzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		for all := tar.NewReader(inner); ; {
			h, err := all.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
				t.Errorf("%s: %s belongs to %d:%d %s", name, h.Name, h.Uid, h.Gid, h.Uname)
			}
			add(h.FileInfo(), h.Name, all)
		}
	}
	var openErr error
	switch {
	case strings.Contains(name, "linux"):
		_, openErr = elf.Open(binary)
	case strings.Contains(name, "darwin"):
		_, openErr = macho.Open(binary)
	default:
		_, openErr = pe.Open(binary)
	}
	if openErr != nil {
		t.Errorf("%s: %v", name, openErr)
	}
	return list
}

// checkSums fails the test if sha256sum does not confirm the checksums in the folder, or does not notice a changed
// byte.
func checkSums(t *testing.T, folder string) {
	t.Helper()
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Log("SKIPPED: sha256sum is not installed, so nothing checks SHA256SUMS")
		return
	}
	check := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
		cmd.Dir = folder
		return cmd.CombinedOutput()
	}
	out, err := check()
	if err != nil || strings.Count(string(out), ": OK\n") != 8 {
		t.Errorf("%v\n%s", err, out)
	}
	file, err := os.OpenFile(filepath.Join(folder, "seats_1.2.3_windows_amd64.zip"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte{'!'}, 100)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if out, err := check(); err == nil {
		t.Errorf("a changed byte is not seen:\n%s", out)
	}
}

// TestReleaseRefuses: a release with a wrong target, or into a folder with files of another release, returns an error
// and writes no checksums.
func TestReleaseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		targets []string
		before  string
		want    string
	}{
		"none":         {nil, "", "no targets"},
		"system":       {[]string{"linux/amd64", "plan9/amd64"}, "", `unknown target "plan9/amd64"`},
		"architecture": {[]string{"linux/386"}, "", `unknown target "linux/386"`},
		"half":         {[]string{"linux"}, "", `unknown target "linux"`},
		"leftover":     {[]string{"linux/amd64"}, "out/seats_1.2.2_linux_amd64.tar.gz", "is not empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := seats(t.TempDir())
			if c.before != "" {
				file := filepath.Join(r.root, c.before)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.make(t.Context(), c.targets); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, expected %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(r.out, "SHA256SUMS")); err == nil {
				t.Error("there are checksums of a release that was refused")
			}
		})
	}
}

// TestPrograms: the files to pack exist, each command in the Makefile is released, and command release can build each
// target in the Makefile.
func TestPrograms(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, p := range programs {
		commands = append(commands, filepath.Base(p.source))
		for system, files := range p.files {
			for _, file := range append(files, p.source+"/main.go") {
				if _, err := os.Stat("../../" + file); err != nil {
					t.Errorf("%s for %q: %v", p.name, system, err)
				}
			}
		}
	}
	if want := "\nCOMMANDS  := " + strings.Join(commands, " ") + "\n"; !strings.Contains(string(makefile), want) {
		t.Errorf("the Makefile has not %q", want)
	}
	m := regexp.MustCompile(`(?m)^TARGETS \?= (.+)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatal("the Makefile has no TARGETS")
	}
	targets := strings.Fields(string(m[1]))
	for _, target := range targets {
		if err := (release{programs: programs}).check(target); err != nil {
			t.Errorf("the Makefile: %v", err)
		}
	}
	if len(targets) != 7 {
		t.Errorf("the Makefile releases for %v, expected three systems, two architectures, and lambda", targets)
	}
}

// TestPinned: go.mod names one exact toolchain, because another toolchain writes other bytes. The target "release" of
// the Makefile uses this toolchain.
func TestPinned(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^toolchain (go\d+\.\d+\.\d+)$`).FindSubmatch(mod)
	if m == nil {
		t.Fatal("go.mod names no exact toolchain")
	}
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-n", "release", "TARGETS=linux/amd64 lambda", "GO=go")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "go run ./infra/release -out dist/release linux/amd64 lambda\n" {
		t.Errorf("%v: %s", err, out)
	}
	cmd = exec.CommandContext(t.Context(), "make", "--no-print-directory", "release", `GO=echo "$$GOTOOLCHAIN"; exit #`)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil || !strings.HasSuffix(string(out), "\n"+string(m[1])+"\n") {
		t.Errorf("make release runs under %q (%v), and go.mod has %s", out, err, m[1])
	}
}
