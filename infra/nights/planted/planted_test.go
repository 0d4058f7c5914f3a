// Package planted checks that command nights finds bugs of the product. Each patch in testdata adds one bug to the
// sources. The judge must find a fault in a company that uses the product with the bug.
package planted

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const root = "../../.."

// The judge must find each bug within this number of seeds and nights. For most bugs, a company has "people" people.
// Two bugs need "many": override-by-number shows only in plans that exceed the limits, and manifest-first delays too few
// decisions in a small company.
const seeds, people, many, nights = 50, 60, 150, 120

// The name of a bug is the name of its patch. The field "people" is the number of people in the company.
var bugs = []struct {
	name   string
	people int
}{
	{"completion-before-read-back", people},
	{"date-regression-believed", people},
	{"dn-instead-of-guid", people},
	{"exemption-by-name-only", people},
	{"leave-end-counts-as-nothing", people},
	{"limits-after-the-first-write", people},
	{"mailbox-taken-twice", people},
	{"manifest-first", many},
	{"no-last-moment-question", people},
	{"only-an-emptied-group", people},
	{"override-by-number", many},
	{"past-by-name-alone", people},
	{"relay-removes-what-changed", people},
	{"relay-works-without-a-lease", people},
	{"resumed-without-asking", people},
	{"retry-after-ignored", people},
	{"silent-controller-believed", people},
	{"stale-read-believed", people},
	{"unreadable-as-empty", people},
}

// TestPatchesApply checks that each patch applies to the sources and that the changed packages compile. If it fails,
// make a new patch that adds the same bug. The first line of a patch describes the bug.
func TestPatchesApply(t *testing.T) {
	t.Parallel()
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			t.Parallel()
			planted := plant(t, bug.name)
			folders := map[string]bool{}
			for file := range planted {
				folders[filepath.Dir(file)] = true
			}
			compile := append([]string{"-overlay", overlay(t, planted)}, slices.Sorted(maps.Keys(folders))...)
			build := exec.Command("go", append([]string{"build"}, compile...)...)
			build.Dir = root
			if out, err := build.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestPlanted plants one bug at a time into the product. In at least one simulated company, the judge must find a fault
// that it does not find in the same company without the bug.
func TestPlanted(t *testing.T) {
	if os.Getenv("IDLESEAT_TEST_PLANTED") == "" {
		t.Skip("IDLESEAT_TEST_PLANTED is not set: it builds and runs the nights once for each bug")
	}
	rows, sound := make([]string, len(bugs)), build(t, nil)
	t.Run("bugs", func(t *testing.T) {
		for i, bug := range bugs {
			t.Run(bug.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = caught(t, sound, bug.name, fmt.Sprint(bug.people))
			})
		}
	})
	t.Logf("%d nights\n%s", nights, strings.Join(rows, "\n"))
}

// The function "caught" simulates companies that use the product with a bug, until the judge finds a fault that does
// not occur without the bug. It returns a line of text with the seed and the night of the fault. If it finds none, the
// test fails.
func caught(t *testing.T, sound, bug, people string) string {
	t.Helper()
	program := build(t, plant(t, bug))
	for first := uint64(1); first <= seeds; {
		all := live(t, program, "-people", people, "-until-fault", "-first", fmt.Sprint(first), "-seeds", fmt.Sprint(seeds+1-first))
		if len(all) == 0 {
			break
		}
		first = all[0].seed + 1
		without := live(t, sound, "-people", people, "-first", fmt.Sprint(all[0].seed), "-seeds", "1")
		for _, f := range all {
			if !slices.ContainsFunc(without, func(o found) bool { return o.kind == f.kind && o.whose == f.whose }) {
				return fmt.Sprintf("%-30s  %3s people  seed %2d  night %3d  %s: %s", bug, people, f.seed, f.night, f.kind, f.whose+": "+f.text)
			}
		}
		t.Logf("seed %d has such a fault without the bug, too: %v", all[0].seed, without)
	}
	t.Errorf("not caught within %d seeds", seeds)
	return ""
}

// The function "plant" copies the files that a patch changes, and applies the patch to the copies. It returns the path
// of each copy, by the path of the original file.
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

var touched = regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`)

func build(t *testing.T, planted map[string]string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "nights")
	build := exec.Command("go", "build", "-overlay", overlay(t, planted), "-o", program, "./infra/nights")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// The function "overlay" writes the file that makes the go command compile the planted files in place of the real
// files.
func overlay(t *testing.T, planted map[string]string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": planted})
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

type found struct {
	seed              uint64
	night             int
	kind, whose, text string // whose: the name of the person, and the name of the license
}

var faultLine = regexp.MustCompile(`(?m)^seed (\d+): night (\d+): \S+ (\w+): (.*?): (.*)$`)

func live(t *testing.T, program string, args ...string) (faults []found) {
	t.Helper()
	began := time.Now()
	args = append(args, "-workers", "1", "-nights", fmt.Sprint(nights))
	out, err := exec.Command(program, args...).CombinedOutput()
	for _, m := range faultLine.FindAllStringSubmatch(string(out), -1) {
		f := found{kind: m[3], whose: m[4], text: m[5]}
		f.seed, _ = strconv.ParseUint(m[1], 10, 64) // faultLine matches only digits here
		f.night, _ = strconv.Atoi(m[2])
		faults = append(faults, f)
	}
	t.Logf("%s: %d faults: %s", time.Since(began).Round(time.Second), len(faults), strings.Join(args, " "))
	if err != nil && len(faults) == 0 && !strings.Contains(string(out), " nights in ") { // command nights did not finish
		t.Fatalf("the nights: %v\n%s", err, out)
	}
	return faults
}
