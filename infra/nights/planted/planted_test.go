// Package planted proves that the nights catch what is wrong with the product. Each patch
// in testdata plants one bug in the sources of the product, and the judge must find a
// fault in the company that lives with it.
package planted

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the folder of the module, from here.
const root = "../../.."

// Each bug must be caught within so many seeds, each with so many people and nights.
const seeds, people, nights = 50, 60, 120

// bugs are what is planted, by the name of the patch.
var bugs = []string{
	"completion-before-read-back",
	"date-regression-believed",
	"dn-instead-of-guid",
	"exemption-by-name-only",
	"limits-after-the-first-write",
	"manifest-first",
	"no-last-moment-question",
	"override-by-number",
	"resumed-without-asking",
	"retry-after-ignored",
	"stale-read-believed",
	"unreadable-as-empty",
}

// TestPatchesApply holds that every patch still fits the sources. One that does not is to
// be made anew: the bug in its first line, in the sources as they are now.
func TestPatchesApply(t *testing.T) {
	t.Parallel()
	for _, bug := range bugs {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			for _, planted := range plant(t, bug) {
				if _, err := parser.ParseFile(token.NewFileSet(), planted, nil, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestPlanted lives with each bug until the judge finds a fault, and as long without.
func TestPlanted(t *testing.T) {
	if os.Getenv("IDLESEAT_TEST_PLANTED") == "" {
		t.Skip("IDLESEAT_TEST_PLANTED is not set: it builds and runs the nights once for each bug")
	}
	table, last := &strings.Builder{}, uint64(0)
	for _, bug := range bugs {
		t.Run(bug, func(t *testing.T) {
			program := build(t, plant(t, bug))
			f, caught := live(t, program, seeds)
			if !caught {
				t.Fatalf("not caught within %d seeds", seeds)
			}
			fmt.Fprintf(table, "%-30s  seed %2d  night %3d  %s\n", bug, f.seed, f.night, f.text)
			last = max(last, f.seed)
		})
	}
	t.Run("nothing planted", func(t *testing.T) {
		if f, caught := live(t, build(t, nil), last); caught {
			t.Errorf("seed %d has a fault without any bug that is planted: %s", f.seed, f.text)
		}
	})
	t.Logf("%d people, %d nights\n%s", people, nights, table)
}

// plant applies a patch to copies of the files that it touches, and returns the copies by
// the paths of the files.
func plant(t *testing.T, bug string) map[string]string {
	t.Helper()
	patch, err := filepath.Abs(filepath.Join("testdata", bug+".patch"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	folder, planted := t.TempDir(), map[string]string{}
	for _, name := range touched.FindAllSubmatch(text, -1) {
		file := filepath.Join(root, string(name[1]))
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatalf("%s is to be made anew: %v", patch, err)
		}
		if file, err = filepath.Abs(file); err != nil {
			t.Fatal(err)
		}
		planted[file] = filepath.Join(folder, string(name[1]))
		if err := errors.Join(os.MkdirAll(filepath.Dir(planted[file]), 0o700), os.WriteFile(planted[file], source, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if len(planted) == 0 {
		t.Fatalf("%s touches no file", patch)
	}
	apply := exec.Command("git", "apply", "--whitespace=nowarn", patch)
	apply.Dir = folder
	apply.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(folder))
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%s is to be made anew, since it does not fit the sources any more: %v\n%s", patch, err, out)
	}
	return planted
}

// touched finds the files of a patch.
var touched = regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`)

// build builds the nights with planted files in place of others.
func build(t *testing.T, planted map[string]string) (program string) {
	t.Helper()
	folder := t.TempDir()
	overlay, program := filepath.Join(folder, "overlay.json"), filepath.Join(folder, "nights")
	text, err := json.Marshal(map[string]any{"Replace": planted})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./infra/nights")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// found is the first fault.
type found struct {
	seed  uint64
	night int
	text  string
}

// faultLine is a line of the nights that tells of a fault.
var faultLine = regexp.MustCompile(`^seed (\d+): night (\d+): (.*)$`)

// live runs the nights until there is a fault.
func live(t *testing.T, program string, seeds uint64) (first found, caught bool) {
	t.Helper()
	began := time.Now()
	var out bytes.Buffer
	run := exec.Command(program, "-until-fault", "-workers", "1", "-seeds", fmt.Sprint(seeds), "-people", fmt.Sprint(people), "-nights", fmt.Sprint(nights))
	run.Stdout, run.Stderr = &out, &out
	err := run.Run()
	for lines := bufio.NewScanner(bytes.NewReader(out.Bytes())); lines.Scan(); {
		if m := faultLine.FindStringSubmatch(lines.Text()); m != nil {
			first.seed, _ = strconv.ParseUint(m[1], 10, 64) // digits
			first.night, _ = strconv.Atoi(m[2])
			first.text = m[3]
			t.Logf("%s: %s", time.Since(began).Round(time.Second), lines.Text())
			return first, true
		}
	}
	if err != nil {
		t.Fatalf("the nights: %v\n%s", err, out.String())
	}
	return first, false
}
