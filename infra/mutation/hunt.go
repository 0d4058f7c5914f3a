package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The type "hunt" is one run of the command: the mutants, the test binaries, and which package's tests killed which
// mutant.
type hunt struct {
	*workshop
	mutants []*mutant
	above   []listed          // packages whose tests link a judged package
	suites  map[string]*suite // suites by path of the package in the module
	killed  map[string]string // name of a mutant → package whose tests killed it
}

// These are the limits of the time for one mutant: ownBudget for the tests of the mutant's own package, and budget for
// the tests of each package above it (see hunt.above). A test counts with the time that it takes without a mutant.
const (
	ownBudget = 10 * time.Minute
	budget    = 5 * time.Second
)

// The function "prepare" finds the mutants and writes the rewritten files. It does not compile the tests.
func prepare() (*hunt, error) {
	var paths []string
	for _, p := range judged {
		paths = append(paths, "./"+p)
	}
	sources, module, err := load(paths)
	if err != nil {
		return nil, err
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	h := &hunt{suites: map[string]*suite{}, killed: map[string]string{}}
	if h.workshop, h.mutants, err = furnish(filepath.Join(root, "bin", "mutation"), module, root, sources); err != nil {
		return nil, err
	}
	h.above, err = above(module)
	return h, err
}

// The function "above" returns the packages whose tests link a judged package, including the judged packages. Packages
// with few dependencies come first, because their tests start faster.
func above(module string) ([]listed, error) {
	all, err := list("-test", "./shared/...", "./functions/...", "./infra/nights/...")
	if err != nil {
		return nil, err
	}
	var found []listed
	for _, p := range all {
		name, isTest := strings.CutSuffix(p.ImportPath, ".test")
		if !isTest || p.Name != "main" {
			continue
		}
		if slices.ContainsFunc(judged, func(j string) bool { return slices.ContainsFunc(p.Deps, links(module+"/"+j)) }) {
			p.ImportPath = name
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b listed) int { return len(a.Deps) - len(b.Deps) })
	return found, nil
}

// The function "links" returns a function that reports whether a dependency is the package pkg. It also recognizes the
// copy of pkg that the go command compiles for the tests of another package, such as "pkg [other.test]".
func links(pkg string) func(string) bool {
	return func(dep string) bool { return dep == pkg || strings.HasPrefix(dep, pkg+" [") }
}

// The method "suite" returns the tests of a package, after it has compiled and measured them in the first call. It
// returns nil if the package has no tests.
func (h *hunt) suite(p listed) (*suite, error) {
	name := strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
	if s, ok := h.suites[name]; ok {
		return s, nil
	}
	s, err := h.compile(p)
	if err == nil && s != nil {
		fmt.Fprintf(os.Stderr, "%s the tests of %s, without a mutant\n", time.Now().Format(time.TimeOnly), name)
		err = h.learn(s)
	}
	h.suites[name] = s
	return s, err
}

// The method "hunt" runs the tests on the mutants of the packages in "only". The tests of a mutant's own package come
// first. If "ownTests" is not set, the tests of all packages that link a judged package (h.above) then run on the
// mutants that no test has killed.
func (h *hunt) hunt(ctx context.Context, only []string, ownTests bool) error {
	defer h.keep()
	for _, own := range only {
		i := slices.IndexFunc(h.above, func(p listed) bool { return strings.HasSuffix(p.ImportPath, "/"+folder(own)) })
		if i < 0 {
			return fmt.Errorf("package %s has no tests", own)
		}
		if err := h.meet(ctx, h.above[i], []string{own}, ownBudget); err != nil {
			return err
		}
	}
	if ownTests {
		return nil
	}
	for _, p := range h.above {
		if err := h.meet(ctx, p, only, budget); err != nil {
			return err
		}
	}
	return nil
}

// The constant "often" is the number of mutants between two saves of the results. After an interruption, a run with
// -again continues from the last save.
const often = 50

// The method "meet" runs the tests of package p on mutants of the packages in "of" that no test has killed yet. With
// ownBudget, it takes only the mutants of p itself. With another budget, it takes only those of the other packages,
// because the tests of p have already run on the mutants of p.
func (h *hunt) meet(ctx context.Context, p listed, of []string, budget time.Duration) error {
	s, err := h.suite(p)
	if err != nil || s == nil {
		return err
	}
	met, killed := 0, 0
	for _, m := range h.mutants {
		if h.killed[m.name] != "" || !slices.Contains(of, m.pkg) || budget == ownBudget != (s.pkg == folder(m.pkg)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		dead, err := h.kills(m, s, budget)
		if err != nil {
			return err
		}
		if met++; met%often == 0 {
			h.keep()
		}
		if dead {
			h.killed[m.name] = s.pkg
			killed++
		}
	}
	if met > 0 {
		fmt.Fprintf(os.Stderr, "%s %s: %d of %d mutants killed\n", time.Now().Format(time.TimeOnly), s.pkg, killed, met)
	}
	return nil
}

func (h *hunt) lastRun() string { return filepath.Join(h.dir, "killed.json") }

// The method "recall" reads from the last run which mutants were killed, so that no test runs on them again. It forgets
// this for the packages in "anew". Without a last run, it does nothing.
func (h *hunt) recall(anew []string) error {
	b, err := os.ReadFile(h.lastRun())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &h.killed); err != nil {
		return fmt.Errorf("%s: %w", h.lastRun(), err)
	}
	for _, m := range h.mutants {
		if slices.Contains(anew, m.pkg) {
			delete(h.killed, m.name)
		}
	}
	return nil
}

func (h *hunt) keep() {
	b, err := json.MarshalIndent(h.killed, "", "\t")
	if err == nil {
		err = os.WriteFile(h.lastRun(), b, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutation: the run cannot be kept:", err)
	}
}
